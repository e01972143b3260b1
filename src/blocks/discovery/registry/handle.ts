/** What user code holds for a registry: a look at who serves a name. */
import type { Declaration, RequestContext } from '../../../host/declaration.ts';
import { Unavailable } from '../../../kit/errors.ts';
import { copyOf } from '../../../parts/copy.ts';
import type { RegistryApi } from './client.ts';
import type { Entry } from './messages.ts';

export interface RegistryHandle {
  /**
   * Who serves `service` now, as a registry has it. Fails with `Unavailable` when none answers in
   * time. Calls to a service need not ask: its fetcher keeps a list of its own.
   */
  instances(service: string): Promise<readonly Entry[]>;
}

export function handle(
  api: RegistryApi,
  context: RequestContext,
  declaration: Declaration,
): RegistryHandle {
  return {
    instances: (service) =>
      new Promise((resolve, reject) => {
        const untilAt = context.deadlineAt ?? Number.POSITIVE_INFINITY;
        api.find(service, untilAt, (entries) => {
          if (entries) resolve(copyOf(entries));
          else reject(new Unavailable(declaration.name, 'instances', 'no registry answered', true));
        });
      }),
  };
}
