/**
 * Where user code reached for the real world. Each time it is thrown an error; but who catches that
 * goes on as nobody does who is live, and nothing else would show it.
 */

/** Lines are for reading: a design that reaches everywhere is told of a few places. */
const placesMax = 10;

export class Reaches {
  readonly #counts = new Map<string, number>();

  add(node: string, call: string): void {
    const place = `${node}: ${call}`;
    this.#counts.set(place, (this.#counts.get(place) ?? 0) + 1);
  }

  get count(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** `a/0: fs.readFileSync (13 times)`, in the order in which they came. */
  places(): string[] {
    return [...this.#counts]
      .slice(0, placesMax)
      .map(([place, count]) => (count > 1 ? `${place} (${count} times)` : place));
  }
}
