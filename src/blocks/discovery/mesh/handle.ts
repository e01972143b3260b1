/** What user code holds of a mesh: who may change the policies of a running system. */
import type { Declaration, RequestContext } from '../../../host/declaration.ts';
import { nearest } from '../../../kit/config.ts';
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
    apply: async (changes) =>
      ask({ type: 'apply', change: checked(declaration.name, api.services, changes) }),
    rollBack: () => ask({ type: 'roll-back' }),
    state: () => ask({ type: 'ask-state' }),
  };
}

const options = ['policy', 'traffic'];

function checked(
  mesh: string,
  services: MeshApi['services'],
  changes: Readonly<Record<string, ServiceChange>>,
): MeshChange {
  const problems: Problem[] = [];
  const change: Record<string, { policy?: PathPolicy; traffic?: Record<string, number> }> = {};
  for (const [service, given] of Object.entries(changes)) {
    const at = `${mesh}.apply.${service}`;
    const releases = services[service];
    if (!releases) {
      problems.push(unknown(at, `service of ${mesh}`, service, Object.keys(services)));
      continue;
    }
    for (const option of Object.keys(given)) {
      if (options.includes(option)) continue;
      problems.push(unknown(`${at}.${option}`, 'option', option, options));
    }
    const { policy, traffic } = given;
    const path = policy && pathPolicy(`${at}.policy`, policy);
    problems.push(...(path?.problems ?? []));
    if (traffic) problems.push(...wrongShares(`${at}.traffic`, traffic, service, releases));
    change[service] = {
      ...(path ? { policy: path.policy } : {}),
      ...(traffic ? { traffic: { ...traffic } } : {}),
    };
  }
  if (problems.length > 0) refuse('bad-option', mesh, problems);
  return change;
}

function wrongShares(
  at: string,
  traffic: Readonly<Record<string, number>>,
  service: string,
  releases: readonly string[],
): Problem[] {
  const problems: Problem[] = [];
  const shares = Object.entries(traffic);
  for (const [release, share] of shares) {
    if (!releases.includes(release)) {
      problems.push(unknown(`${at}.${release}`, `release of ${service}`, release, releases));
    }
    if (!(share >= 0 && share < Number.POSITIVE_INFINITY)) {
      const what = `must be a share, zero or more, got ${share}`;
      problems.push({ at: `${at}.${release}`, what });
    }
  }
  if (problems.length === 0 && !shares.some(([, share]) => share > 0)) {
    problems.push({ at, what: `must leave a share above zero, or nobody serves ${service}` });
  }
  return problems;
}

function unknown(at: string, kind: string, given: string, known: readonly string[]): Problem {
  const near = nearest(given, known);
  const hint = near ? `; did you mean ${near}?` : `; there are ${known.join(', ')}`;
  return { at, what: `no such ${kind}${hint}` };
}
