/** A sweep of the load over one block of a thousand requests a second: an M/M/1 queue on paper. */
import type { SweepPoint } from 'loadpath/studio';

export const points: readonly SweepPoint[] = [100, 200, 400, 600, 800, 900, 1000, 1100].map(
  (rate) => {
    const load = Math.min(0.995, rate / 1_000);
    const estimate = (mean: number) => ({
      mean,
      plusMinus: mean * 0.06 * load,
      min: mean * 0.9,
      max: mean * 1.1,
    });
    const meanMs = 1 / (1 - load);
    const isOver = rate > 900;
    return {
      value: `${rate}/s`,
      x: rate,
      offeredPerSec: rate,
      loadSeconds: 10,
      throughputPerSec: estimate(Math.min(rate, 985)),
      availability: { mean: isOver ? 0.93 : 1, plusMinus: 0, min: 1, max: 1 },
      latencyMs: {
        p50: estimate(meanMs * 0.7),
        p90: estimate(meanMs * 2.3),
        p99: estimate(meanMs * 4.6),
        p999: estimate(meanMs * 6.9),
        mean: estimate(meanMs),
      },
      utilisation: estimate(load),
      busiest: 'api',
      heldCount: isOver ? 1 : 3,
      seedCount: 3,
    };
  },
);
