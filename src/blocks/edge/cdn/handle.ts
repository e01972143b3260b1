/** What user code holds: `await env.pages.purge({ tag: 'product-7' })`. */

import type { Declaration, RequestContext } from '../../../host/declaration.ts';
import { Unavailable } from '../../../kit/errors.ts';
import { type DurationText, parseDuration } from '../../../kit/units.ts';
import { parseUrl } from '../../../kit/url.ts';
import { type Purge, resourceOf } from '../../../parts/http-cache.ts';
import type { PurgesApi } from './client.ts';

/** Addresses are absolute, as users ask for them; query rules of the CDN apply to `url`. */
export type WhatToPurge =
  | { readonly url: string }
  /** Everything whose address begins so: `http://shop.test/img/`. */
  | { readonly prefix: string }
  /** Everything whose response named it, in `Surrogate-Key` or `Cache-Tag`. */
  | { readonly tag: string }
  /** Everything kept for longer: retention. */
  | { readonly olderThan: DurationText }
  | { readonly all: true };

export interface PurgesHandle {
  /**
   * Resolves when no edge serves what was purged any more: each has removed it, or has been cut off
   * for so long that it serves nothing stored. Throws `Unavailable` when that is not certain in time;
   * it may still happen.
   */
  purge(what: WhatToPurge): Promise<{ readonly version: number; readonly edges: number }>;
}

export function handle(
  api: PurgesApi,
  context: RequestContext,
  { name }: Declaration,
): PurgesHandle {
  return {
    purge: (what) =>
      new Promise((resolve, reject) => {
        const purge = purgeOf(what);
        if (typeof purge === 'string') throw new TypeError(`${name}.purge: ${purge}`);
        api.purge(purge, context.deadlineAt, (answer) => {
          if (!answer.ok) reject(new Unavailable(name, 'purge', answer.why, answer.certain));
          else if (answer.reply.type === 'purged') {
            resolve({ version: answer.reply.version, edges: answer.reply.edges });
          } else reject(new Unavailable(name, 'purge', 'not written down', true));
        });
      }),
  };
}

function purgeOf(what: WhatToPurge): Purge | string {
  const given: Readonly<Record<string, unknown>> = { ...what };
  const { url, prefix, tag, olderThan } = given;
  if (given.all === true) return { by: 'all' };
  if (typeof url === 'string') {
    return parseUrl(url) ? { by: 'url', url: resourceOf(url) } : `${url} is no absolute address`;
  }
  if (typeof prefix === 'string' && prefix !== '') return { by: 'prefix', prefix };
  if (typeof tag === 'string' && tag !== '') return { by: 'tag', tag };
  const ageUs = typeof olderThan === 'string' ? parseDuration(olderThan) : undefined;
  if (ageUs !== undefined) return { by: 'age', ageUs };
  return "say one of url, prefix, tag, olderThan (such as '7d') and all";
}
