/** What user code holds for another service: `env.payments.fetch('/charge', { method: 'POST' })`. */
import type { Declaration, RequestContext } from '../host/declaration.ts';
import type { Inlet } from '../host/stream.ts';
import { Unavailable } from '../kit/errors.ts';
import { type RequestParts, requestParts, signalOf, toResponse } from '../parts/web.ts';
import { askedOf } from './caller.ts';
import type { FetcherApi } from './fetcher.ts';
import { withUrgency } from './headers.ts';

export interface Fetcher {
  /**
   * Like the web's `fetch`; a path is taken as one of this service. Resolves with any reply, also
   * 4xx and 5xx. Throws `Unavailable` when there was none within the policy.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
}

export function fetcherHandle(
  api: FetcherApi,
  context: RequestContext,
  declaration: Declaration,
): Fetcher {
  const { name } = declaration;
  const origin = `http://${name}`;

  // Not `async`: an executor that throws rejects just the same, and an await costs as much as the call.
  return {
    fetch: (input, init) =>
      new Promise((resolve, reject) => {
        const send = (parts: RequestParts): void => {
          let inlet: Inlet | undefined;
          const { method, url, body, inlet: sent } = parts;
          const headers = withUrgency(parts.headers, context.urgency);
          const asked = askedOf({ method, url, headers, body, inlet: sent }, '', context.session);
          const giveUp = api.call(asked, context.deadlineAt, (outcome) => {
            if (!outcome.ok) {
              return reject(new Unavailable(name, 'fetch', outcome.why, outcome.certain));
            }
            inlet = outcome.reply.inlet;
            resolve(toResponse(outcome.reply));
          });
          const signal = signalOf(input, init);
          signal?.addEventListener('abort', () => {
            giveUp();
            inlet?.stream.reset();
            reject(signal.reason);
          });
        };
        const parts = requestParts(input, init, origin);
        if (parts instanceof Promise) parts.then(send).catch(reject);
        else send(parts);
      }),
  };
}
