/**
 * What one key took, as one counter saw it: for each limit a ring of counts, one for each part of the
 * window. A fixed window is a ring of one.
 *
 *   limit 10/min in 6 parts   │2│0│5│1│·│3│0│     seven: the oldest is only partly in the window, and
 *   limit 100/h  in 6 parts   │9│0│0│20│…         counts whole, so never more than the limit in any
 *
 * Each part only grows, and parts are numbered by the clock: two copies of the counts of one counter
 * merge by taking the greater of each part, in any order and any number of times (a G-counter for each
 * part, Shapiro et al. 2011). The counts of several counters add up.
 */
import type { Micros } from '../../../host/host.ts';
import type { Rate } from '../../../kit/units.ts';
import type { TallyData } from './messages.ts';

/** A limit as it is counted. */
export interface Span {
  readonly limit: number;
  readonly partUs: Micros;
  /** Parts that count. */
  readonly kept: number;
}

export function spansOf(config: {
  readonly limits: readonly Rate[];
  readonly window: 'sliding' | 'fixed';
  readonly parts: number;
}): readonly Span[] {
  return config.limits.map(({ count, periodUs }) =>
    config.window === 'fixed'
      ? { limit: count, partUs: periodUs, kept: 1 }
      : { limit: count, partUs: Math.ceil(periodUs / config.parts), kept: config.parts + 1 },
  );
}

export class Tally {
  readonly #spans: readonly Span[];
  /** By limit: the number of the newest part, and the counts, each at its number modulo `kept`. */
  readonly #newest: number[];
  readonly #counts: number[][];

  constructor(spans: readonly Span[]) {
    this.#spans = spans;
    this.#newest = spans.map(() => 0);
    this.#counts = spans.map(({ kept }) => new Array<number>(kept).fill(0));
  }

  add(now: Micros, cost: number): void {
    this.#turn(now);
    for (const [index, { kept }] of this.#spans.entries()) {
      this.#counts[index]![this.#newest[index]! % kept]! += cost;
    }
  }

  sum(index: number, now: Micros): number {
    this.#turn(now);
    let sum = 0;
    for (const count of this.#counts[index]!) sum += count;
    return sum;
  }

  /** What the part numbered `part` counts. 0 when it has left the window. */
  at(index: number, part: number): number {
    const newest = this.#newest[index]!;
    const { kept } = this.#spans[index]!;
    return part > newest || part <= newest - kept ? 0 : this.#counts[index]![part % kept]!;
  }

  /** The oldest part that still counts. */
  oldest(index: number): number {
    return this.#newest[index]! - this.#spans[index]!.kept + 1;
  }

  isEmpty(now: Micros): boolean {
    return this.#spans.every((_, index) => this.sum(index, now) === 0);
  }

  toData(): TallyData {
    return this.#counts.flatMap((counts, index) => [this.#newest[index]!, ...counts]);
  }

  /** Takes over what `data` knows beyond this. What does not have the shape of these limits is left out. */
  merge(data: TallyData): void {
    let from = 0;
    for (const [index, { kept }] of this.#spans.entries()) {
      const newest = data[from];
      if (newest === undefined || data.length < from + 1 + kept) return;
      this.#advance(index, newest);
      for (let part = newest - kept + 1; part <= newest; part++) {
        if (part < 0 || part < this.oldest(index)) continue;
        const place = ((part % kept) + kept) % kept;
        const counts = this.#counts[index]!;
        counts[place] = Math.max(counts[place]!, data[from + 1 + place] ?? 0);
      }
      from += 1 + kept;
    }
  }

  #turn(now: Micros): void {
    for (const [index, { partUs }] of this.#spans.entries()) {
      this.#advance(index, Math.floor(now / partUs));
    }
  }

  /** A clock that was set back stays in the later part. */
  #advance(index: number, part: number): void {
    const newest = this.#newest[index]!;
    if (part <= newest) return;
    const { kept } = this.#spans[index]!;
    const counts = this.#counts[index]!;
    if (part - newest >= kept) counts.fill(0);
    else for (let next = newest + 1; next <= part; next++) counts[next % kept] = 0;
    this.#newest[index] = part;
  }
}

/** 0: `cost` more may be taken now. Otherwise how long until they may, if nobody takes any meanwhile. */
export function waitUs(
  spans: readonly Span[],
  rows: readonly Tally[],
  now: Micros,
  cost: number,
): Micros {
  let longest = 0;
  for (const [index, { limit, partUs, kept }] of spans.entries()) {
    if (cost > limit) return Number.POSITIVE_INFINITY;
    let surplus = cost - limit;
    for (const row of rows) surplus += row.sum(index, now);
    if (surplus <= 0) continue;
    let part = Math.min(...rows.map((row) => row.oldest(index)));
    for (; surplus > 0; part++) for (const row of rows) surplus -= row.at(index, part);
    longest = Math.max(longest, (part - 1 + kept) * partUs - now, 1);
  }
  return longest;
}

export function remaining(spans: readonly Span[], rows: readonly Tally[], now: Micros): number {
  let least = Number.POSITIVE_INFINITY;
  for (const [index, { limit }] of spans.entries()) {
    let left = limit;
    for (const row of rows) left -= row.sum(index, now);
    least = Math.min(least, left);
  }
  return Math.max(0, least);
}
