/** What user code holds. The only place in this block where code is asynchronous. */
import type { Declaration, RequestContext } from '../../../host/declaration.ts';
import { illegalText } from '../../../parts/codec.ts';
import type { LimiterApi } from './client.ts';

export interface TakeAnswer {
  readonly allowed: boolean;
  /** Milliseconds to stay away when refused; infinite when no wait helps (a cost above the limit). */
  readonly retryAfterMs: number;
  /** The most that the key may take now, as far as is known. */
  readonly remaining: number;
  /** `policy`: no limiter could be asked, and `whenUnreachable` decided. */
  readonly by: 'limiter' | 'policy';
}

export interface LimiterHandle {
  /**
   * Takes `cost` units (default 1) of what `key` may take, from every limit or from none. It never
   * fails: without a limiter `whenUnreachable` answers.
   */
  take(key: string, options?: { readonly cost?: number | undefined }): Promise<TakeAnswer>;
  /** Region of the node that is asked about `key`: with `sticky`, where its requests best go. */
  home(key: string): string;
}

const keyLengthMax = 512;

export function handle(
  api: LimiterApi,
  context: RequestContext,
  declaration: Declaration,
): LimiterHandle {
  const checked = (key: unknown): string => {
    if (typeof key !== 'string' || key.length === 0 || key.length > keyLengthMax) {
      throw new TypeError(`${declaration.name}: a key is text of 1 to ${keyLengthMax} characters`);
    }
    const reason = illegalText(key);
    if (reason !== undefined)
      throw new TypeError(`${declaration.name}: a key is text, and ${reason}`);
    return key;
  };
  return {
    take: (key, options) =>
      new Promise((resolve) => {
        const cost = options?.cost ?? 1;
        if (!Number.isSafeInteger(cost) || cost < 1) {
          throw new TypeError(`${declaration.name}.take: cost is a whole number, at least 1`);
        }
        api.take(checked(key), cost, context.deadlineAt, ({ retryAfterUs, ...answer }) =>
          resolve({ ...answer, retryAfterMs: retryAfterUs / 1_000 }),
        );
      }),
    home: (key) => api.home(checked(key)).region,
  };
}
