/**
 * Counter-based random streams: draw number `i` of a stream is a function of the seed,
 * the stream's name and `i`, and of nothing else.
 *
 * That is what lets a hunt shrink a fault schedule: removing one fault removes its own
 * draws and shifts nobody else's. A shared generator would reshuffle the whole run.
 *
 * The mixing is murmur3's 32-bit finaliser over (key, counter), twice per draw for 53
 * bits. Good for simulation, useless for secrets.
 */

/** The root stream of a run. Everything random in it is forked from here by name. */
export function seeded(seed: number): Random {
  const low = hashNumber(seed);
  return new Random(low, mix(low ^ 0x9e3779b9));
}

export class Random {
  readonly #low: number;
  readonly #high: number;
  #index = 0;

  /** Two words of key. Use `seeded(seed)` and `fork(name)` rather than making keys by hand. */
  constructor(low: number, high: number) {
    this.#low = low;
    this.#high = high;
  }

  /** A stream of its own for `name`. Drawing from it leaves this one where it is. */
  fork(name: string): Random {
    return new Random(
      mix(this.#low ^ hashText(name, 0x165667b1)),
      mix(this.#high ^ hashText(name, 0x27d4eb2f)),
    );
  }

  /** As `fork`, for streams that are many and numbered: no text is made and hashed for each. */
  nth(index: number): Random {
    const salt = hashNumber(index);
    return new Random(mix(this.#low ^ salt ^ 0x165667b1), mix(this.#high ^ salt ^ 0x27d4eb2f));
  }

  /** Uniform in [0, 1), 53 bits. */
  next(): number {
    const high = this.#draw() >>> 5;
    const low = this.#draw() >>> 6;
    return (high * 67_108_864 + low) / 9_007_199_254_740_992;
  }

  /**
   * Draw number `index` as `next()` would give it, without moving the stream. For decisions that
   * are rarely looked at: whether message 17 of a connection is lost does not depend on whether
   * anybody asked about message 16.
   */
  at(index: number): number {
    const high = this.#word(2 * index) >>> 5;
    const low = this.#word(2 * index + 1) >>> 6;
    return (high * 67_108_864 + low) / 9_007_199_254_740_992;
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  chance(ratio: number): boolean {
    return this.next() < ratio;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** An unsigned 32-bit word. */
  word(): number {
    return this.#draw() >>> 0;
  }

  #draw(): number {
    return this.#word(this.#index++);
  }

  #word(index: number): number {
    return mix(Math.imul(index, 0x9e3779b1) ^ mix(index ^ this.#low) ^ this.#high);
  }
}

/** A word scrambled: each bit of it changes half of the result. One to one. */
export function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function hashNumber(value: number): number {
  return mix(mix(value | 0) ^ mix(Math.floor(value / 4_294_967_296) | 0) ^ 0x27d4eb2f);
}

/** FNV-1a, finished by murmur3's mixer. Stable across machines: seeds and rings rest on it. */
export function hashText(text: string, salt = 0): number {
  let h = (0x811c9dc5 ^ salt) | 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix(h);
}
