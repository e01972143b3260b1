/** Random faults for a block's own tests: what goes wrong, where, when and for how long, by seed. */
import type { Fault, Target } from '../src/host/fault.ts';
import type { NodeId } from '../src/host/host.ts';
import type { Random } from '../src/kit/random.ts';

export type FaultKind = Exclude<
  Fault['do'],
  'rot' | 'start' | 'stop' | 'surge' | 'shift' | 'fail-calls' | 'slow-calls'
>;

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

export function weather(random: Random, options: WeatherOptions): Fault[] {
  const { kinds, nodes, count, untilUs, lastsMaxUs = 2_000_000 } = options;
  const one = (): Target => ({ node: random.pick(nodes) });
  const all: Target = { all: true };
  return Array.from({ length: kinds.length === 0 ? 0 : count }, (): Fault => {
    const timed = { atUs: random.below(untilUs), forUs: random.between(20_000, lastsMaxUs) };
    const kind = random.pick(kinds);
    switch (kind) {
      case 'slow':
        return { ...timed, do: kind, target: one(), factor: random.between(2, 50) };
      case 'cut':
        return { ...timed, do: kind, from: one(), to: one(), oneWay: random.chance(0.5) };
      case 'lose':
      case 'duplicate':
        return { ...timed, do: kind, from: all, to: all, ratio: random.next() * 0.5 };
      case 'delay':
        return { ...timed, do: kind, from: one(), to: one(), byUs: random.between(1_000, 400_000) };
      case 'skew': {
        const byUs = random.between(-5_000_000, 5_000_000);
        return { ...timed, do: kind, target: one(), byUs, driftPpm: random.between(-500, 500) };
      }
      default:
        return { ...timed, do: kind, target: one() };
    }
  });
}

export const everyFault: readonly FaultKind[] = [
  'kill',
  'power-off',
  'restart',
  'pause',
  'slow',
  'cut',
  'lose',
  'duplicate',
  'delay',
  'skew',
  'fill-disk',
  'fail-disk',
];
