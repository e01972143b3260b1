/** The first so many of a stream, by an order. Of equals the one that came first stays first. */
export class Leading<T> {
  readonly #max: number;
  readonly #isBefore: (a: T, b: T) => boolean;
  readonly #items: T[] = [];

  constructor(max: number, isBefore: (a: T, b: T) => boolean) {
    this.#max = max;
    this.#isBefore = isBefore;
  }

  get items(): readonly T[] {
    return this.#items;
  }

  add(item: T): void {
    const items = this.#items;
    const isFull = items.length === this.#max;
    if (isFull && !this.#isBefore(item, items[items.length - 1]!)) return;
    let low = 0;
    let high = items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#isBefore(item, items[middle]!)) high = middle;
      else low = middle + 1;
    }
    items.splice(low, 0, item);
    if (isFull) items.pop();
  }
}
