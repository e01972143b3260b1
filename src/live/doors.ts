/**
 * What a node meets the outside through, besides frames and files: each a part of Node that takes a while to load and
 * that most nodes never use. Loaded before a node opens, if its plan says that it may need it.
 */
import type { EdgePlan, NodePlan } from '../host/plan.ts';
import { webPort } from '../host/web.ts';

export interface Doors {
  readonly edge: typeof import('./edge.ts') | undefined;
  readonly names: typeof import('./names.ts') | undefined;
  readonly connections: typeof import('./connections.ts') | undefined;
}

/** `takesPassed`: balancers may pass connections to its port `web`, on which it then serves as an edge does. */
export async function doorsFor({ programs }: NodePlan, takesPassed: boolean): Promise<Doors> {
  const edges = programs.flatMap(({ edge }): EdgePlan[] => (edge ? [edge] : []));
  const serves = takesPassed && programs.some(({ port }) => port === webPort);
  return {
    edge: serves || edges.some(({ passes }) => !passes) ? await import('./edge.ts') : undefined,
    names: programs.some(({ names }) => names) ? await import('./names.ts') : undefined,
    connections: edges.some(({ passes }) => passes) ? await import('./connections.ts') : undefined,
  };
}
