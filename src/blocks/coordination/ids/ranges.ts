/**
 * The numbers 0, 1, 2 … cut into ranges of `block`, dealt to `nodes` allocators in turn, so that no
 * two allocators ever hold the same range and need not know each other:
 *
 *   allocator 0   ▓▓▓▓     ▓▓▓▓      ranges 0, 2, 4 …
 *   allocator 1       ▓▓▓▓     ▓▓▓▓  ranges 1, 3, 5 …
 *
 * Each hands out its ranges in order. A number whose code somebody claimed as a name is left out of
 * its range; once the range is out, its codes can't be claimed any more. That is why a name and a
 * generated code never meet, and why any name may be asked for.
 */
import { assert } from '../../../kit/assert.ts';

export interface SeriesOptions {
  readonly index: number;
  readonly nodes: number;
  readonly block: number;
  /** Numbers there are, in all series. */
  readonly count: number;
}

export interface Range {
  /** Which one in this series. */
  readonly place: number;
  readonly from: number;
  readonly to: number;
  readonly except: readonly number[];
}

export class Series {
  readonly #options: SeriesOptions;
  /** Claimed numbers by the place of their range, for ranges still to come. */
  readonly #claimed = new Map<number, Set<number>>();
  #nextPlace = 0;

  constructor(options: SeriesOptions) {
    this.#options = options;
  }

  /** Ranges handed out, or lost on the way. */
  get handedCount(): number {
    return this.#nextPlace;
  }

  /** Which allocator decides over `number`. */
  static holderOf(number: number, block: number, nodes: number): number {
    return Math.floor(number / block) % nodes;
  }

  /** Recovery: this range, and so all before it, may be in somebody's hands. */
  markHanded(place: number): void {
    this.#nextPlace = Math.max(this.#nextPlace, place + 1);
    for (const claimed of this.#claimed.keys()) {
      if (claimed < this.#nextPlace) this.#claimed.delete(claimed);
    }
  }

  /** Whether it has handed out the range that ends at `to`, which is one of its own. */
  hasHanded(to: number): boolean {
    const { index, nodes, block } = this.#options;
    return Math.ceil(to / block) - 1 < this.#nextPlace * nodes + index;
  }

  /** The next range; undefined when there is none. */
  take(): Range | undefined {
    const { index, nodes, block, count } = this.#options;
    const place = this.#nextPlace;
    const from = (place * nodes + index) * block;
    if (from >= count) return undefined;
    this.#nextPlace = place + 1;
    const claimed = this.#claimed.get(place);
    this.#claimed.delete(place);
    const except = claimed ? [...claimed].sort((a, b) => a - b) : [];
    return { place, from, to: Math.min(from + block, count), except };
  }

  /** Leaves `number` out of its range; false when that range is out already. */
  leaveOut(number: number): boolean {
    const { index, nodes, block } = this.#options;
    const range = Math.floor(number / block);
    assert(range % nodes === index, 'a number is claimed where its range is dealt');
    const place = (range - index) / nodes;
    if (place < this.#nextPlace) return false;
    const claimed = this.#claimed.get(place);
    if (claimed) claimed.add(number);
    else this.#claimed.set(place, new Set([number]));
    return true;
  }
}
