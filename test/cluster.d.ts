import type { Declaration } from '../src/host/declaration.ts';
import type { RunEvent } from '../src/host/events.ts';
import type { HistoryEvent } from '../src/host/history.ts';
import type { NodeId } from '../src/host/host.ts';
import type { ZonePlan } from '../src/host/plan.ts';
import { World, type WorldOptions } from '../src/sim/world.ts';
export interface ClusterOptions
  extends Partial<Omit<WorldOptions, 'plan' | 'boot' | 'record' | 'onEvent'>> {
  readonly clients?: number;
  readonly zones?: readonly ZonePlan[];
  /** Names of consumer groups to start, by topic declaration: each driver node is a member. */
  readonly groups?: readonly {
    readonly topic: Declaration;
    readonly group: string;
  }[];
}
export interface Cluster {
  readonly world: World;
  readonly history: HistoryEvent[];
  readonly events: RunEvent[];
  /** Node ids of the drivers. */
  readonly clients: readonly NodeId[];
  /** The handle of a declaration at driver `client` (0 by default), in its present life. */
  handle<H>(declaration: Declaration<H>, client?: number, session?: string): H;
  /** The callback-based api behind it; a consumer's by port `<topic>.consumer`. */
  api(port: string, client?: number): unknown;
  /** Runs the world until the promise settles (or `maxUs` of virtual time passed: rejects). */
  settle<T>(
    promise: Promise<T>,
    maxUs?: number,
  ): Promise<
    | {
        ok: T;
      }
    | {
        error: unknown;
      }
  >;
  /** Runs the world; drives user code only when called from a macrotask (see `macrotask`). */
  run(forUs: number): void;
}
export declare function cluster(
  declarations: readonly Declaration[],
  options?: ClusterOptions,
): Cluster;
/** User code cannot be drained from within a microtask, which is where an `await` goes on. */
export declare function macrotask(run: () => void): Promise<void>;
