/**
 * What goes wrong, and when: data, the same for the simulator and the live world. Times are
 * microseconds since the start of the measured load.
 *
 *   kill links/1 at 30s, restart after 5s
 *   cut zone a from zone b at 60s for 20s
 */
import type { Micros, NodeId } from './host.ts';

/** Which nodes: one, all of a block, all in a zone or region, everything. */
export type Target =
  | { readonly node: NodeId }
  | { readonly block: string }
  | { readonly zone: string }
  | { readonly region: string }
  | { readonly all: true };

/** What befalls a share of the calls of a service, on their way. */
export type ChaosRule =
  | { readonly ratio: number; readonly status: number }
  | { readonly ratio: number; readonly byUs: Micros };

interface Timed {
  readonly atUs: Micros;
  /** How long it lasts; undefined: until the heal at the end of the run. */
  readonly forUs?: Micros | undefined;
}

export type Fault = Timed &
  (
    | /** The process ends at once, unsynced data is lost; it boots again after `forUs`. */
    { readonly do: 'kill'; readonly target: Target }
    /** The machine loses power: as `kill`, but nobody is told (no reset), so peers time out. */
    | { readonly do: 'power-off'; readonly target: Target }
    /** A graceful stop and start: drain, then boot again. */
    | { readonly do: 'restart'; readonly target: Target }
    /** The process stands still (SIGSTOP), then goes on as if nothing had happened. */
    | { readonly do: 'pause'; readonly target: Target }
    /** Work, disk and timers of modelled time take `factor` times as long. */
    | { readonly do: 'slow'; readonly target: Target; readonly factor: number }
    /** Messages from `from` to `to` vanish; both ways unless `oneWay`. */
    | { readonly do: 'cut'; readonly from: Target; readonly to: Target; readonly oneWay: boolean }
    | { readonly do: 'lose'; readonly from: Target; readonly to: Target; readonly ratio: number }
    | { readonly do: 'delay'; readonly from: Target; readonly to: Target; readonly byUs: Micros }
    | {
        readonly do: 'duplicate';
        readonly from: Target;
        readonly to: Target;
        readonly ratio: number;
      }
    /** The wall clock jumps by `byUs` (may be negative) and drifts by `driftPpm`; undone at the end. */
    | {
        readonly do: 'skew';
        readonly target: Target;
        readonly byUs: Micros;
        readonly driftPpm: number;
      }
    | { readonly do: 'fill-disk'; readonly target: Target }
    /** Syncs fail. */
    | { readonly do: 'fail-disk'; readonly target: Target }
    /** Flips `bits` random bits in what is stored. Outside of what unreplicated blocks survive. */
    | { readonly do: 'rot'; readonly target: Target; readonly bits: number }
    /**
     * Members of a block that no plan named: `count` of them, each in the zone that has fewest. With
     * `forUs` they are stopped again then; else they stay.
     */
    | { readonly do: 'start'; readonly block: string; readonly count: number }
    /** A graceful stop for good: drain, then gone. */
    | { readonly do: 'stop'; readonly target: Target }
    /** The workload's rate is multiplied by `factor`. */
    | { readonly do: 'surge'; readonly factor: number }
    /** A share of the calls of a service is answered with `status` in its place. */
    | {
        readonly do: 'fail-calls';
        readonly service: string;
        readonly ratio: number;
        readonly status: number;
      }
    /** A share of the calls of a service reaches it `byUs` later. */
    | {
        readonly do: 'slow-calls';
        readonly service: string;
        readonly ratio: number;
        readonly byUs: Micros;
      }
    /** The declared traffic split of a service changes: `{ v1: 0, v2: 1 }`. */
    | {
        readonly do: 'shift';
        readonly service: string;
        readonly traffic: Readonly<Record<string, number>>;
      }
  );

export type FaultPlan = readonly Fault[];
