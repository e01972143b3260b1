/**
 * What a simulation worker can be asked for, and how the asking and answering look. One worker
 * holds one loaded design and works on one task at a time.
 */
import type { Visit } from '../../blocks/workload/users/index.ts';
import type { RunEvent } from '../../host/events.ts';
import type { Micros } from '../../host/host.ts';
import type { ErrorCode, Problem } from '../../kit/errors.ts';
import type { Progress } from '../api.ts';
import type { Attempt, Attempted } from '../attempt.ts';
import type { Frame, FrameLayout } from '../frames.ts';
import type { DesignLook } from '../look.ts';
import type { Otherwise } from '../options.ts';
import type { Report } from '../report.ts';
import type { DesignBundle } from './bundle.ts';
import type { Traced, TraceTask } from './traced.ts';

/** Told once to each worker, which starts up while the bundle is still being made. */
export interface LoadOrder {
  readonly kind: 'load';
  readonly bundle: DesignBundle;
}

export interface SimulateTask extends Otherwise {
  readonly kind: 'simulate';
  readonly seed: number;
  readonly forUs?: Micros | undefined;
  readonly warmUpUs?: Micros | undefined;
  readonly faults: readonly string[];
  /** Whether the faults that the design declares happen too. */
  readonly ownFaults: boolean;
  readonly ratePerSec?: number | undefined;
  readonly visits?: readonly Visit[] | undefined;
  readonly check: boolean;
  readonly trace: boolean;
  readonly untilUs?: Micros | undefined;
  readonly probe?: boolean | undefined;
  /** How it is held: see `Reins`. */
  readonly reins: SharedArrayBuffer;
  /** Makes frames, at most so many. */
  readonly frameCountMax?: number | undefined;
}

/** One seed of a hunt. */
export interface TrySeedTask extends Attempt {
  readonly kind: 'try';
}

export type Tried = Attempted;

/** What is known of a design without running it: for `inspect` and `--watch`. */
export interface LookTask extends Otherwise {
  readonly kind: 'look';
}

export type Task = SimulateTask | TrySeedTask | TraceTask | LookTask;

/** By the kind of the task. */
export type Done = Report | Tried | Traced | DesignLook;

export type Answer =
  | { readonly type: 'event'; readonly event: RunEvent }
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'trace'; readonly lines: readonly string[] }
  | { readonly type: 'layout'; readonly layout: FrameLayout }
  | { readonly type: 'frames'; readonly frames: readonly Frame[] }
  | { readonly type: 'done'; readonly value: Done }
  | {
      readonly type: 'failed';
      readonly message: string;
      readonly code: ErrorCode | undefined;
      readonly problems: readonly Problem[];
      readonly stack: string | undefined;
    };
