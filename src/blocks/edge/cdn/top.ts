/**
 * What is asked for most, in fixed memory: the space-saving sketch (Metwally et al. 2005, "Efficient
 * Computation of Frequent and Top-k Elements in Data Streams"). A name that is not known takes the place
 * of the least counted, and its count: so counts are too high by at most the smallest one.
 */
export interface Counted {
  readonly name: string;
  readonly count: number;
}

export class Top {
  readonly #size: number;
  readonly #counts = new Map<string, number>();

  /** Keeps several times as many as are asked for: then the first of them are exact enough. */
  constructor(size: number) {
    this.#size = size;
  }

  add(name: string): void {
    const known = this.#counts.get(name);
    if (known !== undefined) {
      this.#counts.set(name, known + 1);
      return;
    }
    if (this.#counts.size < this.#size) {
      this.#counts.set(name, 1);
      return;
    }
    let least = name;
    let leastCount = Number.POSITIVE_INFINITY;
    for (const [other, count] of this.#counts) {
      if (count >= leastCount) continue;
      least = other;
      leastCount = count;
      if (count === 1) break;
    }
    this.#counts.delete(least);
    this.#counts.set(name, leastCount + 1);
  }

  /** The most counted first. */
  first(count: number): readonly Counted[] {
    return [...this.#counts]
      .map(([name, times]) => ({ name, count: times }))
      .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
      .slice(0, count);
  }
}
