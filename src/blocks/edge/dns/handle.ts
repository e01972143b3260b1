/** What user code holds: `await env.names.resolve('www.shop.test')`. */
import type { Declaration, RequestContext } from '../../../host/declaration.ts';
import { Unavailable } from '../../../kit/errors.ts';
import { copyOf } from '../../../parts/copy.ts';
import type { DnsApi } from './client.ts';

export interface Resolved {
  /** Nodes, in the order in which to try them: `edge/1`. Empty when there is no such name. */
  readonly nodes: readonly string[];
  /** The names on the way there. */
  readonly aliases: readonly string[];
  /** Of a text record. */
  readonly text: string | undefined;
  /** How much longer it may be remembered, in milliseconds. */
  readonly ttlMs: number;
}

export interface DnsHandle {
  /** Throws `Unavailable` when no resolver answers. */
  resolve(name: string): Promise<Resolved>;
}

export function handle(
  api: DnsApi,
  _context: RequestContext,
  { name: block }: Declaration,
): DnsHandle {
  return {
    resolve: (name) =>
      new Promise((resolve, reject) => {
        if (typeof name !== 'string') throw new TypeError(`${block}.resolve: a name is text`);
        api.find(name, ({ code, nodes, aliases, text, ttlUs }) => {
          if (code === 'failed') reject(new Unavailable(block, 'resolve', 'timeout', true));
          else resolve(copyOf({ nodes, aliases, text: text ?? undefined, ttlMs: ttlUs / 1_000 }));
        });
      }),
  };
}
