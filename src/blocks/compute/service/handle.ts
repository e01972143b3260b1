/** What user code holds for another service: `env.payments.fetch('/charge', { method: 'POST' })`. */
import type { Declaration, RequestContext } from '../../../host/declaration.ts';
import { Unavailable } from '../../../kit/errors.ts';
import { requestParts, toResponse } from '../../../parts/web.ts';
import type { FetcherApi } from './client.ts';

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
  const base = `http://${declaration.name}`;
  return {
    async fetch(input, init) {
      const target = typeof input === 'string' && input.startsWith('/') ? base + input : input;
      const parts = await requestParts(target, init);
      return new Promise((resolve, reject) => {
        const asked = { ...parts, ip: '', session: context.session };
        api.call(asked, context.deadlineAt, (outcome) => {
          if (outcome.ok) resolve(toResponse(outcome.reply));
          else reject(new Unavailable(declaration.name, 'fetch', outcome.why, outcome.certain));
        });
      });
    },
  };
}
