/** What a simulated world is made from, and what it says of its nodes. */
import type { Boot } from '../host/boot.ts';
import type { Arithmetic } from '../host/crypto.ts';
import type { RunEvent } from '../host/events.ts';
import type { Fault, FaultPlan } from '../host/fault.ts';
import type { HistoryEvent } from '../host/history.ts';
import type { Address, Message, Micros, NodeId, Value } from '../host/host.ts';
import type { Grow, NodePlan, Plan } from '../host/plan.ts';
import type { Distribution } from '../kit/distribution.ts';
import type { Causality } from './causality.ts';
import type { ClockOptions } from './clock.ts';
import type { TraceEvent } from './network.ts';

export interface WorldOptions {
  readonly plan: Plan;
  readonly seed: number;
  readonly boot: Boot;
  /** Their times count from the start of the world; `applyFaults` takes another origin. */
  readonly faults?: FaultPlan | undefined;
  readonly record?: ((event: HistoryEvent) => void) | undefined;
  /** Whether the history of a block is wanted. Default: of every block, if there is `record`. */
  readonly isRecorded?: ((block: string) => boolean) | undefined;
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
  /** A fault began or ended; `onEvent` says the same in words. */
  readonly onFault?: ((fault: Fault, began: boolean) => void) | undefined;
  /** Plans members that are started while the world runs. Default: there are none. */
  readonly grow?: Grow | undefined;
  /** A node that was not in the plan, before it boots. */
  readonly onNode?: ((node: NodePlan) => void) | undefined;
  /** What a program sent to `control`, but operations. Called in the middle of its handler: note it, do not act. */
  readonly onControl?: ((from: Address, message: Message) => void) | undefined;
  /** What became of each message, when it became it. */
  readonly onTrace?: ((event: TraceEvent) => void) | undefined;
  /** Hands causes on to effects, for a tracer. Changes nothing in the run. */
  readonly causality?: Causality | undefined;
  /** Called with a node before its code runs, if `userCode`, and with undefined after `drain`. */
  readonly enter?: ((node: NodeId | undefined) => void) | undefined;
  /** Runs microtasks dry. Called after every event of a node with `userCode`. What it throws crashes the node. */
  readonly drain?: (() => void) | undefined;
  /** For `host.crypto`: the kernel itself knows no machine. A program that uses it elsewhere crashes. */
  readonly arithmetic?: Arithmetic | undefined;
  /** Hashes and freezes messages, and passes them through `codec`. About a third of the speed. */
  readonly check?: boolean | undefined;
  readonly codec?:
    | { encode(value: Value): Uint8Array; decode(bytes: Uint8Array): Value }
    | undefined;
  /** After each event: its number, the fingerprint so far, and what it was. For comparing two runs. */
  readonly onStep?: ((index: number, hash: number, describe: () => string) => void) | undefined;
  /** True wall time at world time 0, since 1970. Default: 1 January 2026, 00:00 UTC. */
  readonly wallEpochUs?: Micros | undefined;
  /** World time at the start. Default 0. */
  readonly startUs?: Micros | undefined;
  /** The very error with which a node ended, with its stack; `onEvent` only says why in words. */
  readonly onThrow?: ((node: NodeId, error: unknown) => void) | undefined;
  /** One line for a message. */
  readonly describe?: ((from: Address, to: Address, message: Message) => string) | undefined;
  /** Default: lognormal, median 300 µs, p99 1.5 ms, as a data-centre SSD. */
  readonly syncCost?: Distribution | undefined;
  /** Default: no limit but a `fill-disk` fault. */
  readonly diskSizeBytes?: number | undefined;
  /** Default: wall clocks within 500 µs, crystals within 20 ppm. */
  readonly clocks?: Partial<ClockOptions> | undefined;
  /** Pause before a crashed process is started again, doubled for each crash in a row. Default 1 s. */
  readonly restartAfterUs?: Micros | undefined;
  /** How long a graceful stop may take before it is forced. Default 10 s. */
  readonly drainLimitUs?: Micros | undefined;
}

export interface NodeUsage {
  readonly node: NodeId;
  readonly block: string;
  readonly isUp: boolean;
  readonly cores: number;
  /** Core-microseconds worked since the start. */
  readonly busyUs: Micros;
  /** Work waiting for a core now, and at worst so far. */
  readonly queued: number;
  readonly queuedMax: number;
  readonly diskBytes: number;
  readonly syncCount: number;
}
