/**
 * Outlier ejection: of several targets that should be alike, those that are worse are left out for a
 * while. What a health check does not see (one bad disk, one bad deploy) real traffic does.
 *
 *   success rate   ●●●●●● mean ── mean - 1.9 deviations ──  ● ejected
 *
 * Two signs: so many failures in a row, at once; or, at the end of each interval, a success rate far
 * below the others'. Who is ejected again stays out longer. Never more than a share is out at once: when
 * everything fails, the targets are not what is wrong.
 *
 * ```ts
 * import { configure } from 'loadpath/parts/config';
 * import { outlierKnobs, Outliers } from 'loadpath/parts/outliers';
 *
 * const { config } = configure('outliers', outlierKnobs, { consecutive: 2, ejectFor: '30s' });
 * const outliers = new Outliers(config);
 * const [sick, well] = [outliers.add(), outliers.add()];
 * for (const now of [0, 1]) outliers.failed(sick, now);
 * [outliers.isEjected(sick, 2), outliers.isEjected(well, 2)]; // → [true, false]
 * outliers.isEjected(sick, 30_000_001); // → false
 * ```
 *
 * After Envoy's outlier detection, whose defaults these are. A breaker judges one callee by itself,
 * and is what a lone one needs.
 */
import type { Micros } from '../host/host.ts';
import { type ConfigOf, count, duration, ratio } from '../kit/config.ts';
import { grownFloats, grownWords } from './grown.ts';

export const outlierKnobs = {
  consecutive: count(5, {
    min: 1,
    doc: 'Failures in a row that eject at once. By chance, at one failure in a hundred, once in ten thousand million calls.',
  }),
  interval: duration('10s', {
    min: '10ms',
    doc: 'How often success rates are compared.',
  }),
  ejectFor: duration('30s', {
    min: '10ms',
    doc: 'How long an ejection lasts, times how often the target was ejected of late.',
  }),
  ejectForMax: duration('300s', { min: '10ms', doc: 'No ejection lasts longer.' }),
  ejectedMax: ratio(0.1, {
    doc: 'The share of targets that may be out at once; one always may, if another remains. A tenth is capacity that can be spared.',
  }),
  deviations: ratio(1.9, {
    min: 0,
    max: 10,
    doc: 'How many standard deviations below the mean success rate is too far.',
  }),
  targetsMin: count(5, {
    min: 2,
    doc: 'Targets with enough calls before rates are compared: of fewer nobody can say who is the odd one out.',
  }),
  volumeMin: count(100, {
    min: 1,
    doc: 'Calls in an interval that make a success rate: below that it is luck.',
  }),
};

export type OutlierConfig = ConfigOf<typeof outlierKnobs>;

export class Outliers {
  readonly #config: OutlierConfig;
  readonly #onEject: ((slot: number, until: Micros) => void) | undefined;
  readonly #free: number[] = [];
  #slotCount = 0;
  #size = 0;
  #sweepAt: Micros = 0;
  #used = new Uint32Array(8);
  #calls = new Uint32Array(8);
  #failures = new Uint32Array(8);
  #inRow = new Uint32Array(8);
  /** How often of late: it falls by one with each interval spent well. */
  #ejections = new Uint32Array(8);
  #ejectedUntil = new Float64Array(8);

  constructor(config: OutlierConfig, onEject?: (slot: number, until: Micros) => void) {
    this.#config = config;
    this.#onEject = onEject;
  }

  /** A place for one target, to be given with each outcome. */
  add(): number {
    const slot = this.#free.pop() ?? this.#slotCount++;
    if (slot === this.#used.length) this.#grow();
    for (const words of [this.#calls, this.#failures, this.#inRow, this.#ejections])
      words[slot] = 0;
    this.#ejectedUntil[slot] = 0;
    this.#used[slot] = 1;
    this.#size++;
    return slot;
  }

  remove(slot: number): void {
    this.#used[slot] = 0;
    this.#ejectedUntil[slot] = 0;
    this.#free.push(slot);
    this.#size--;
  }

  succeeded(slot: number, now: Micros): void {
    if (now >= this.#sweepAt) this.#sweep(now);
    this.#calls[slot]!++;
    this.#inRow[slot] = 0;
  }

  failed(slot: number, now: Micros): void {
    if (now >= this.#sweepAt) this.#sweep(now);
    this.#calls[slot]!++;
    this.#failures[slot]!++;
    if (++this.#inRow[slot]! >= this.#config.consecutive) this.#eject(slot, now);
  }

  isEjected(slot: number, now: Micros): boolean {
    return this.#ejectedUntil[slot]! > now;
  }

  ejectedCount(now: Micros): number {
    let count = 0;
    for (let slot = 0; slot < this.#slotCount; slot++) if (this.isEjected(slot, now)) count++;
    return count;
  }

  #eject(slot: number, now: Micros): void {
    if (this.isEjected(slot, now)) return;
    const { ejectedMax, ejectForUs, ejectForMaxUs } = this.#config;
    const most = Math.min(this.#size - 1, Math.max(1, Math.floor(this.#size * ejectedMax)));
    if (this.ejectedCount(now) >= most) return;
    const times = ++this.#ejections[slot]!;
    const until = now + Math.min(ejectForMaxUs, ejectForUs * times);
    this.#ejectedUntil[slot] = until;
    this.#inRow[slot] = 0;
    this.#onEject?.(slot, until);
  }

  #sweep(now: Micros): void {
    // The first call only begins the first interval.
    if (this.#sweepAt > 0) this.#compare(now);
    this.#sweepAt = now + this.#config.intervalUs;
    for (let slot = 0; slot < this.#slotCount; slot++) {
      if (!this.isEjected(slot, now) && this.#ejections[slot]! > 0) this.#ejections[slot]!--;
    }
    this.#calls.fill(0);
    this.#failures.fill(0);
  }

  #compare(now: Micros): void {
    const { volumeMin, targetsMin, deviations } = this.#config;
    let judged = 0;
    let sum = 0;
    let squares = 0;
    for (let slot = 0; slot < this.#slotCount; slot++) {
      if (!this.#used[slot] || this.#calls[slot]! < volumeMin) continue;
      const rate = this.#rate(slot);
      judged++;
      sum += rate;
      squares += rate * rate;
    }
    if (judged < targetsMin) return;
    const mean = sum / judged;
    const deviation = Math.sqrt(Math.max(0, squares / judged - mean * mean));
    const least = mean - deviations * deviation;
    for (let slot = 0; slot < this.#slotCount; slot++) {
      if (!this.#used[slot] || this.#calls[slot]! < volumeMin) continue;
      if (this.#rate(slot) < least) this.#eject(slot, now);
    }
  }

  #rate(slot: number): number {
    return 1 - this.#failures[slot]! / this.#calls[slot]!;
  }

  #grow(): void {
    const length = 2 * this.#used.length;
    this.#used = grownWords(this.#used, length);
    this.#calls = grownWords(this.#calls, length);
    this.#failures = grownWords(this.#failures, length);
    this.#inRow = grownWords(this.#inRow, length);
    this.#ejections = grownWords(this.#ejections, length);
    this.#ejectedUntil = grownFloats(this.#ejectedUntil, length);
  }
}
