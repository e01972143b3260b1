/** What user code holds of a mesh: who may change the policies of a running system. */
import type { Declaration, RequestContext } from '../../../host/declaration.ts';
import { type Problem, refuse, Unavailable } from '../../../kit/errors.ts';
import { type PathOptions, type PathPolicy, pathPolicy } from '../../../path/policy.ts';
import type { Ask, MeshApi } from './client.ts';
import type { MeshChange, MeshState } from './versions.ts';

export type { MeshState, Pair } from './versions.ts';

/** What is to hold for calls of a service; what is left out stays as it is. */
export interface ServiceChange {
  readonly policy?: Omit<PathOptions, 'fallback'>;
  /** Shares of its releases: a canary, or blue and green. */
  readonly traffic?: Readonly<Record<string, number>>;
}

export interface MeshHandle {
  /**
   * A new version: for a share of the sidecars first, then for all, unless calls fail more often under it.
   * Resolves when it is durable, not when it has arrived. Throws `LoadpathError` for what cannot be, and
   * `Unavailable` while the control plane is down.
   */
  apply(changes: Readonly<Record<string, ServiceChange>>): Promise<MeshState>;
  /** Ends a trial, or goes back to what held before. */
  rollBack(): Promise<MeshState>;
  state(): Promise<MeshState>;
}

export function handle(
  api: MeshApi,
  context: RequestContext,
  declaration: Declaration,
): MeshHandle {
  const ask = (what: Ask): Promise<MeshState> =>
    new Promise((resolve, reject) => {
      api.ask(what, context.deadlineAt, (outcome) =>
        outcome instanceof Unavailable ? reject(outcome) : resolve(outcome),
      );
    });
  return {
    apply: async (changes) => ask({ type: 'apply', change: checked(declaration.name, changes) }),
    rollBack: () => ask({ type: 'roll-back' }),
    state: () => ask({ type: 'ask-state' }),
  };
}

function checked(mesh: string, changes: Readonly<Record<string, ServiceChange>>): MeshChange {
  const problems: Problem[] = [];
  const change: Record<string, { policy?: PathPolicy; traffic?: Record<string, number> }> = {};
  for (const [service, { policy, traffic }] of Object.entries(changes)) {
    const path = policy && pathPolicy(`${mesh}.apply.${service}.policy`, policy);
    problems.push(...(path?.problems ?? []));
    for (const [release, share] of Object.entries(traffic ?? {})) {
      if (share >= 0 && share < Number.POSITIVE_INFINITY) continue;
      problems.push({
        at: `${mesh}.apply.${service}.traffic.${release}`,
        what: `must be a share, zero or more, got ${share}`,
      });
    }
    change[service] = {
      ...(path ? { policy: path.policy } : {}),
      ...(traffic ? { traffic: { ...traffic } } : {}),
    };
  }
  if (problems.length > 0) refuse('bad-option', mesh, problems);
  return change;
}
