/**
 * The ranges that a caller holds: one in use, one in reserve. The reserve is asked for when a fifth
 * of the range in use is left, so that it is there before it is needed and no caller waits.
 */
import type { Range } from './ranges.ts';

export class Supply {
  #next = 0;
  #to = 0;
  /** Asked for when `next` reaches it. */
  #lowAt = 0;
  /** Claimed numbers still to be stepped over, largest first. */
  #except: number[] = [];
  #reserve: Omit<Range, 'place'> | undefined;
  /** Ranges used up. */
  finishedCount = 0;

  /** True when another range should be asked for. */
  get low(): boolean {
    return this.#reserve === undefined && this.#next >= this.#lowAt;
  }

  add(range: Omit<Range, 'place'>): void {
    if (this.#next < this.#to) this.#reserve = range;
    else this.#open(range);
  }

  /** A number that nobody else has, or undefined when there is none at hand. */
  take(): number | undefined {
    for (;;) {
      if (this.#next >= this.#to) {
        const reserve = this.#reserve;
        if (!reserve) return undefined;
        this.#reserve = undefined;
        this.#open(reserve);
      }
      const number = this.#next++;
      if (this.#next === this.#to) this.finishedCount++;
      if (this.#except[this.#except.length - 1] !== number) return number;
      this.#except.pop();
    }
  }

  #open(range: Omit<Range, 'place'>): void {
    this.#next = range.from;
    this.#to = range.to;
    this.#lowAt = range.to - Math.ceil((range.to - range.from) / 5);
    this.#except = [...range.except].reverse();
  }
}
