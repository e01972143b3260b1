/**
 * Traffic split: which release a request goes to, by weight. A key (a user, a session) always goes to
 * the same one, and a change of weights moves only the keys that must: at 5 % → 20 % canary all who were on
 * the canary stay on it.
 *
 *   stable 80 │████████████████    │
 *   canary 20 │                ████│   each key's place is its own hash, not its turn
 *
 * ```ts
 * import { seeded } from 'loadpath/parts/balance';
 * import { TrafficSplit } from 'loadpath/parts/traffic-split';
 *
 * const split = new TrafficSplit({ stable: 95, canary: 5 }, seeded(1));
 * const users = Array.from({ length: 1_000 }, (_, i) => `user ${i}`);
 * const early = users.filter((user) => split.choose(user) === 'canary');
 * split.shift({ stable: 80, canary: 20 });
 * early.every((user) => split.choose(user) === 'canary'); // → true
 * ```
 *
 * Weighted rendezvous hashing (Schindelhauer and Schomaker, 2005). The same names and weights
 * choose alike on every node, with nothing shared.
 */
import { hashText, mix, type Random } from '../kit/random.ts';

export class TrafficSplit {
  readonly #random: Random;
  readonly #salt: number;
  #names: readonly string[] = [];
  #hashes = new Int32Array(0);
  #weights = new Float64Array(0);
  #total = 0;

  /**
   * `random` is for requests without a key. Splits with other salts choose other users: else the
   * first in one experiment are the first in all.
   */
  constructor(weights: Readonly<Record<string, number>>, random: Random, salt = '') {
    this.#random = random;
    this.#salt = hashText(salt);
    this.shift(weights);
  }

  /** Other weights from now on. Those of 0 get nothing. */
  shift(weights: Readonly<Record<string, number>>): void {
    const shares = Object.entries(weights).filter(([, weight]) => weight > 0);
    this.#names = shares.map(([name]) => name);
    this.#hashes = Int32Array.from(shares, ([name]) => hashText(name, this.#salt));
    this.#weights = Float64Array.from(shares, ([, weight]) => weight);
    this.#total = shares.reduce((sum, [, weight]) => sum + weight, 0);
  }

  /** Undefined when no release has a weight. */
  choose(key: string | undefined): string | undefined {
    if (this.#names.length <= 1) return this.#names[0];
    if (key === undefined) return this.#drawn();
    const hash = hashText(key);
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.#names.length; i++) {
      const share = ((mix(hash ^ this.#hashes[i]!) >>> 0) + 0.5) / 4_294_967_296;
      // Exponential waits, the heavier the shorter: the first to come has its chance by weight.
      const wait = -Math.log(share) / this.#weights[i]!;
      if (wait >= least) continue;
      least = wait;
      best = i;
    }
    return this.#names[best];
  }

  #drawn(): string {
    let left = this.#random.next() * this.#total;
    for (let i = 0; i < this.#names.length - 1; i++) {
      left -= this.#weights[i]!;
      if (left < 0) return this.#names[i]!;
    }
    return this.#names[this.#names.length - 1]!;
  }
}
