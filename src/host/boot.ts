/** What a world asks for when a node comes up: its programs, booted on the doors it gives them. */
import type { Handlers, Host } from './host.ts';
import type { NodePlan } from './plan.ts';

export interface NodeRuntime {
  /** By port. */
  readonly ports: ReadonlyMap<string, Handlers>;
}

/** Called once a life of a node. Throws when the node cannot come up: that life is over. */
export type Boot = (node: NodePlan, life: number, hostOf: (port: string) => Host) => NodeRuntime;
