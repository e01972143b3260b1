/** Numbers as codes and back: base62 of a fixed width, permuted first when a secret is given. */
import { base62, base62Count, fromBase62 } from '../../../parts/base62.ts';
import { Scramble } from '../../../parts/scramble.ts';

export class Codes {
  readonly count: number;
  readonly #width: number;
  readonly #scramble: Scramble | undefined;

  constructor(width: number, secret: string | undefined) {
    this.#width = width;
    this.count = base62Count(width);
    this.#scramble = secret === undefined ? undefined : new Scramble(this.count, secret);
  }

  code(number: number): string {
    return base62(this.#scramble ? this.#scramble.apply(number) : number, this.#width);
  }

  /** The number whose code `name` is, or undefined when no number will ever look like it. */
  numberOf(name: string): number | undefined {
    if (name.length !== this.#width) return undefined;
    const value = fromBase62(name);
    return value === undefined || !this.#scramble ? value : this.#scramble.invert(value);
  }
}
