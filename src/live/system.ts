/** A live system as its callers see it: what it is started with, and what can be asked of it. */
import type { RunEvent } from '../host/events.ts';
import type { Fault, FaultPlan, Target } from '../host/fault.ts';
import type { History } from '../host/history.ts';
import type { Address, Message, Micros, NodeId } from '../host/host.ts';
import type { Grow, NodePlan, Plan } from '../host/plan.ts';
import type { LoadpathError } from '../kit/errors.ts';
import type { MetersSnapshot, MetersWindow } from '../kit/meters.ts';
import type { Durability } from './live-node.ts';
import type { MakeBoot } from './session.ts';
import type { TransportCounts } from './transport.ts';

export interface LiveOptions {
  readonly plan: Plan;
  /** The module that the process of a node runs; it calls `runLiveNode`. */
  readonly childEntry: (node: NodePlan) => URL;
  /** Handed to a child's `makeBoot`: the path of the design, options … Structured-cloneable. */
  readonly childData: (node: NodePlan) => unknown;
  /** Kept between runs. One run at a time. */
  readonly dataDir: string;
  readonly seed: number;
  /** Blocks whose history is recorded; undefined: of all. */
  readonly judged?: readonly string[] | undefined;
  /** All nodes in this process, booted by this; nothing can then be paused. */
  readonly single?: MakeBoot | undefined;
  /** Where edges listen; a block with several edge nodes takes this port and those after it. 0: any. */
  readonly edgePort?: number | undefined;
  readonly durability?: Durability | undefined;
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
  /** Plans members that are started while the system runs. Default: there are none. */
  readonly grow?: Grow | undefined;
  /** A node that was not in the plan, before it starts. */
  readonly onNode?: ((node: NodePlan) => void) | undefined;
  /** A program sent `message` to `{ node: 'control', port: 'control' }`. Operations are done here and not told. */
  readonly onControl?: ((from: Address, message: Message) => void) | undefined;
  /** What one node counted since it last said so: about once a second, and when it is asked. Not kept. */
  readonly onWindow?: ((window: MetersWindow) => void) | undefined;
  /** A fault began or ended; `onEvent` says the same in words. */
  readonly onFault?: ((fault: Fault, began: boolean) => void) | undefined;
  /** A node was given up after the system had come up, or has been tried in vain for long. The rest runs on. */
  readonly onFailure?: ((error: LoadpathError) => void) | undefined;
  /** The run comes to its end: a SIGTERM that nodes hear is not for them. Default: it does not. */
  readonly isEnding?: (() => boolean) | undefined;
  /** A fault as a sentence, for events. */
  readonly describe?: ((fault: Fault) => string) | undefined;
}

export interface NodeStatus {
  readonly id: NodeId;
  readonly block: string;
  readonly state: SeatState;
  readonly life: number;
  readonly pid: number | undefined;
  readonly port: number | undefined;
  readonly edges: Readonly<Record<string, number>>;
  /** Lives begun in this run. */
  readonly boots: number;
  /** Of those, the ones that a crash made necessary. */
  readonly restarts: number;
  /** Processor time since the start, or since `clearMeters`. With `single` an equal share of the process's. */
  readonly busyUs: Micros;
  /** The longest that it told nothing, while it was up: its only thread was at something else, or its process stood still. */
  readonly silentMs: number;
  readonly transport: TransportCounts | undefined;
}

export interface EdgeAddress {
  readonly node: NodeId;
  readonly port: string;
  readonly url: string;
}

export interface LiveSystem {
  /** Every node is up. Rejects with a `LoadpathError` when one cannot come up; then all is stopped. */
  readonly ready: Promise<void>;
  /** Where people and load generators can knock. Complete once ready. */
  readonly edges: readonly EdgeAddress[];
  /** Microseconds since this run's zero, on the machine's clock: what events and histories are dated by. */
  now(): Micros;
  status(): readonly NodeStatus[];
  /** The plan with the nodes that came later; those that are gone are still in it. */
  readonly plan: Plan;
  /** For how long between two instants a node was kept, up or not. */
  keptUs(node: NodeId, fromUs: Micros, toUs: Micros): Micros;
  /** One more member of `block`, where it has fewest; undefined where their number cannot change. */
  startNode(block: string): NodeId | undefined;
  /** Takes a node out for good. A drain may take ten seconds. */
  stopNode(node: NodeId, how: 'drain' | 'kill'): void;
  /** Faults now in force, as sentences. */
  activeFaults(): readonly string[];
  /** The fault happens now and ends after its `forUs`; its `atUs` is not looked at. */
  inject(fault: Fault): void;
  /** Now is the start of the load: each fault happens at its `atUs` from here. */
  startFaults(faults: FaultPlan): void;
  /**
   * Ends all faults and forgets those to come; nodes that were given up get another chance.
   * Resolves when every node is up again, or given up, or was tried in vain for long.
   */
  heal(): Promise<void>;
  /** A message to the programs of the nodes meant, from `{ node: 'control', port: 'control' }`. */
  tell(target: Target, message: Message, port?: string): void;
  /** Asks all nodes for what they count now: `onWindow` has it when this resolves. Default: waits 1 s for each. */
  read(waitMaxMs?: number): Promise<void>;
  /** Reads, and merges everything counted since the start (or `clearMeters`), by all nodes in all their lives. */
  meters(): Promise<MetersSnapshot>;
  /** Forgets what was counted so far: the end of a warm-up. */
  clearMeters(): void;
  /** All events of this run recorded so far, in order of time. */
  histories(): History;
  /** This run's histories on disk, for a look after the supervisor died. */
  readonly historyDir: string;
  /** Drains, users first and stores last, then ends what is left. Safe to call at any time, and twice. */
  stop(options?: { readonly drainUs?: Micros }): Promise<void>;
}

export type SeatState =
  | 'starting'
  | 'listening'
  | 'up'
  | 'draining'
  | 'down'
  | 'waiting'
  | 'failed'
  | 'gone';
