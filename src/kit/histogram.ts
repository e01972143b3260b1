/**
 * Exact counts in log-linear buckets: every power of two is cut into equal parts, so that a value
 * read back is off by at most `errorRatio` of itself, however large the range.
 *
 *   0 1 2 … 127 | 128 130 132 … 254 | 256 260 264 … 508 | …      (one part in 128: 0.8 %)
 *
 * Nothing is sampled or decayed: two histograms of the same precision add up to the histogram of
 * both, so that nodes, windows and replications can be merged after the fact. Values are whole and
 * not negative; others are rounded, and below zero counts as zero. Count, sum, least and greatest
 * are kept exactly. After the layout of HdrHistogram (Tene), with midpoints instead of upper ends.
 */
import { assert } from './assert.ts';

export interface HistogramData {
  readonly bits: number;
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  /** Index, count, index, count … of the buckets that are not empty. */
  readonly buckets: readonly number[];
}

export class Histogram {
  /** Parts in a power of two, as a power of two. */
  readonly #bits: number;
  #buckets = new Float64Array(0);
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  /** @param errorRatio half a bucket over its value, from 1e-5 to 0.25. The default keeps 1 %. */
  constructor(errorRatio = 0.01) {
    assert(errorRatio >= 1e-5 && errorRatio <= 0.25, 'a histogram errs by 1e-5 to 0.25');
    this.#bits = Math.max(1, Math.ceil(Math.log2(1 / errorRatio)) - 1);
  }

  record(value: number, count = 1): void {
    const whole = value > 0 ? Math.round(value) : 0;
    const index = this.#indexOf(whole);
    if (index >= this.#buckets.length) this.#grow(index);
    this.#buckets[index]! += count;
    this.#count += count;
    this.#sum += whole * count;
    if (whole < this.#min) this.#min = whole;
    if (whole > this.#max) this.#max = whole;
  }

  get count(): number {
    return this.#count;
  }

  get sum(): number {
    return this.#sum;
  }

  /** 0 when nothing was recorded, as are `min`, `max` and every percentile. */
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  get max(): number {
    return this.#count === 0 ? 0 : this.#max;
  }

  get min(): number {
    return this.#count === 0 ? 0 : this.#min;
  }

  /** The value that `percent` of the recorded ones do not exceed (nearest rank). */
  percentile(percent: number): number {
    if (this.#count === 0) return 0;
    const rank = Math.max(1, Math.ceil((percent / 100) * this.#count));
    // The ends are known exactly.
    if (rank >= this.#count) return this.#max;
    if (rank === 1) return this.#min;
    let seen = 0;
    for (let index = 0; index < this.#buckets.length; index++) {
      seen += this.#buckets[index]!;
      if (seen >= rank)
        return Math.min(this.#max, Math.max(this.#min, middleOf(index, this.#bits)));
    }
    return this.#max;
  }

  /** Adds what `other` counted. Both must have the same precision. */
  merge(other: Histogram): void {
    assert(other.#bits === this.#bits, 'merged histograms have one precision');
    if (other.#count === 0) return;
    if (other.#buckets.length > this.#buckets.length) this.#grow(other.#buckets.length - 1);
    for (let index = 0; index < other.#buckets.length; index++) {
      this.#buckets[index]! += other.#buckets[index]!;
    }
    this.#count += other.#count;
    this.#sum += other.#sum;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
  }

  /** As `merge`, of one that was sent or kept as data. */
  add(data: HistogramData): void {
    assert(data.bits === this.#bits, 'merged histograms have one precision');
    if (data.count === 0) return;
    const { buckets } = data;
    const last = buckets[buckets.length - 2]!;
    if (last >= this.#buckets.length) this.#grow(last);
    for (let i = 0; i < buckets.length; i += 2) this.#buckets[buckets[i]!]! += buckets[i + 1]!;
    this.#count += data.count;
    this.#sum += data.sum;
    this.#min = Math.min(this.#min, data.min);
    this.#max = Math.max(this.#max, data.max);
  }

  clear(): void {
    if (this.#count === 0) return;
    this.#buckets.fill(0);
    this.#count = 0;
    this.#sum = 0;
    this.#min = Number.POSITIVE_INFINITY;
    this.#max = Number.NEGATIVE_INFINITY;
  }

  toJSON(): HistogramData {
    const buckets: number[] = [];
    // Most windows of most meters are empty.
    const length = this.#count === 0 ? 0 : this.#buckets.length;
    for (let index = 0; index < length; index++) {
      if (this.#buckets[index]! > 0) buckets.push(index, this.#buckets[index]!);
    }
    const { min, max } = this;
    return { bits: this.#bits, count: this.#count, sum: this.#sum, min, max, buckets };
  }

  static fromJSON(data: HistogramData): Histogram {
    const histogram = new Histogram(2 ** -(data.bits + 1));
    // In ascending order: room for the last is room for all.
    const highest = data.buckets.at(-2) ?? 0;
    if (highest >= histogram.#buckets.length) histogram.#grow(highest);
    for (let i = 0; i + 1 < data.buckets.length; i += 2) {
      const index = data.buckets[i]!;
      if (index >= histogram.#buckets.length) histogram.#grow(index);
      histogram.#buckets[index] = data.buckets[i + 1]!;
    }
    histogram.#count = data.count;
    histogram.#sum = data.sum;
    if (data.count > 0) {
      histogram.#min = data.min;
      histogram.#max = data.max;
    }
    return histogram;
  }

  #indexOf(whole: number): number {
    const bits = this.#bits;
    if (whole < 2_147_483_648) {
      const shift = 31 - Math.clz32(whole) - bits;
      return shift <= 0 ? whole : (shift << bits) + (whole >>> shift);
    }
    // log2 may round up to the next power just below it, which leads to the same bucket.
    const shift = Math.floor(Math.log2(whole)) - bits;
    return shift * 2 ** bits + Math.floor(whole / 2 ** shift);
  }

  #grow(index: number): void {
    const part = 2 ** this.#bits;
    const grown = new Float64Array((Math.floor(index / part) + 2) * part);
    grown.set(this.#buckets);
    this.#buckets = grown;
  }
}

/** `percentile` of one that is data, without making it anew. */
export function percentileOf(data: HistogramData, percent: number): number {
  const { count, min, max, buckets, bits } = data;
  if (count === 0) return 0;
  const rank = Math.max(1, Math.ceil((percent / 100) * count));
  if (rank >= count) return max;
  if (rank === 1) return min;
  let seen = 0;
  for (let i = 0; i < buckets.length; i += 2) {
    seen += buckets[i + 1]!;
    if (seen >= rank) return Math.min(max, Math.max(min, middleOf(buckets[i]!, bits)));
  }
  return max;
}

/** The value that stands for all of a bucket of `HistogramData`. */
export function middleOf(index: number, bits: number): number {
  const part = 2 ** bits;
  if (index < 2 * part) return index;
  const shift = Math.floor(index / part) - 1;
  const low = (index - shift * part) * 2 ** shift;
  return low + (2 ** shift - 1) / 2;
}
