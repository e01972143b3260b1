/** What user code holds. The only place in this block where code is asynchronous. */
import type { Declaration, RequestContext } from '../../../host/declaration.ts';
import { Unavailable } from '../../../kit/errors.ts';
import { illegalText } from '../../../parts/codec.ts';
import type { IdsApi } from './client.ts';

export interface IdsHandle {
  /**
   * A code that nobody else gets, ever. Fails with `Unavailable` (certain: no code was given) when
   * none is at hand and no allocator answers in time, or when all codes have been given out.
   */
  next(): Promise<string>;
  /**
   * True for exactly one owner a name. False: somebody else has it, or it may be a generated code.
   * Say who claims with `owner` (a user, a request) when the caller may ask again after a failure:
   * the same owner gets the same answer. Fails with `Unavailable` while the one allocator that
   * decides over this name is down.
   */
  claim(name: string, options?: { readonly owner?: string | undefined }): Promise<boolean>;
}

/** Longer names are a mistake or an attack: they are kept for ever. */
const nameLengthMax = 512;

export function handle(api: IdsApi, context: RequestContext, declaration: Declaration): IdsHandle {
  return {
    next() {
      const code = api.nextAtOnce(context);
      if (code !== undefined) return Promise.resolve(code);
      return new Promise((resolve, reject) => {
        api.next(context, (outcome) =>
          outcome instanceof Unavailable ? reject(outcome) : resolve(outcome),
        );
      });
    },
    claim: (name, options) =>
      new Promise((resolve, reject) => {
        if (typeof name !== 'string' || name.length === 0 || name.length > nameLengthMax) {
          throw new TypeError(
            `${declaration.name}.claim: a name is text of 1 to ${nameLengthMax} characters`,
          );
        }
        for (const text of [name, options?.owner ?? '']) {
          const reason = illegalText(text);
          if (reason !== undefined) throw new TypeError(`${declaration.name}.claim: ${reason}`);
        }
        api.claim(name, options?.owner, context, (outcome) =>
          outcome instanceof Unavailable ? reject(outcome) : resolve(outcome),
        );
      }),
  };
}
