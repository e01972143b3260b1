/** Random faults for a block's own tests: what goes wrong, where, when and for how long, by seed. */
import type { Fault } from '../src/host/fault.ts';
import type { NodeId } from '../src/host/host.ts';
import type { Random } from '../src/kit/random.ts';
export type FaultKind = Exclude<Fault['do'], 'rot' | 'surge' | 'shift'>;
export interface WeatherOptions {
  readonly kinds: readonly FaultKind[];
  /** Who may be hit. */
  readonly nodes: readonly NodeId[];
  readonly count: number;
  /** Faults begin before this instant. */
  readonly untilUs: number;
  /** Default 2 s. */
  readonly lastsMaxUs?: number;
}
export declare function weather(random: Random, options: WeatherOptions): Fault[];
export declare const everyFault: readonly FaultKind[];
