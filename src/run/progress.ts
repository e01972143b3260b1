/** What a run has done so far, from the windows it closes: for status lines and Studio. */
import type { Micros } from '../host/host.ts';
import { Histogram } from '../kit/histogram.ts';
import type { MetersWindow } from '../kit/meters.ts';
import type { Progress } from './api.ts';

export class Progressing {
  readonly #endsAt: Micros | undefined;
  #generated = 0;
  #completed = 0;
  #failed = 0;
  #rejected = 0;

  constructor(endsAt: Micros | undefined) {
    this.#endsAt = endsAt;
  }

  after(at: Micros, { readings, fromUs, toUs }: MetersWindow): Progress {
    const latencies = new Histogram();
    let completed = 0;
    for (const { block, counters, histograms } of readings) {
      if (block !== 'users') continue;
      this.#generated += counters.generated ?? 0;
      completed += counters.completed ?? 0;
      this.#failed += counters.failed ?? 0;
      this.#rejected += counters.rejected ?? 0;
      if (histograms.latency) latencies.add(histograms.latency);
    }
    this.#completed += completed;
    return {
      phase: 'load',
      at,
      endsAt: this.#endsAt,
      generated: this.#generated,
      completed: this.#completed,
      failed: this.#failed,
      rejected: this.#rejected,
      throughputPerSec: toUs > fromUs ? (completed * 1e6) / (toUs - fromUs) : 0,
      p99Ms: latencies.count > 0 ? latencies.percentile(99) / 1_000 : 0,
    };
  }
}
