/**
 * Entry of a live node's process: loads the design that the supervisor hands over and boots this
 * node's programs from it. One process, one life, so the design's modules are evaluated once.
 */
import type { Boot } from '../../host/boot.ts';
import type { Value } from '../../host/host.ts';
import type { NodePlan } from '../../host/plan.ts';
import { runLiveNode } from '../../live/node.ts';
import type { DesignBundle } from './bundle.ts';
import { liveBoot } from './live-boot.ts';

/** What the supervisor sends along. */
export type ChildData = {
  /** As it was when the run began: a node that restarts runs what the others run. */
  readonly bundle: DesignBundle;
  /** The run's own load in place of the design's; its visits only go to those who send them. */
  readonly load: Value;
  /** Options in place of the design's. */
  readonly set: Readonly<Record<string, string | number | boolean>> | null;
};

runLiveNode(
  async (data: unknown, node: NodePlan): Promise<Boot> => liveBoot(data as ChildData, node),
);
