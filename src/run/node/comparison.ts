/** Two runs of one seed, step by step: the first step in which they differ is where to look. */
import { LoadpathError } from '../../kit/errors.ts';

export class Comparison {
  /** Packages that nodes share, with what they keep. */
  readonly #shared: readonly string[];
  #hashes = new Int32Array(1 << 16);
  #count = 0;
  #recording = true;
  #seen = 0;

  constructor(shared: readonly string[] = []) {
    this.#shared = shared;
  }

  /** Steps of the first run. */
  get count(): number {
    return this.#count;
  }

  /** What was recorded becomes what the next run is held to. */
  again(): void {
    this.#recording = false;
  }

  step(index: number, hash: number, describe: () => string): void {
    if (this.#recording) {
      if (index >= this.#hashes.length) {
        const longer = new Int32Array(this.#hashes.length * 2);
        longer.set(this.#hashes);
        this.#hashes = longer;
      }
      this.#hashes[index] = hash;
      this.#count = index;
      return;
    }
    this.#seen = index;
    if (index > this.#count || this.#hashes[index] !== (hash | 0)) this.#differ(index, describe());
  }

  /** After the second run: it must not have stopped short. */
  end(): void {
    if (this.#seen < this.#count) this.#differ(this.#seen + 1, 'the second run had ended');
  }

  #differ(index: number, what: string): never {
    const suspects =
      this.#shared.length === 0
        ? ''
        : `, as packages keep it (here ${this.#shared.join(', ')}; --isolate packages gives each node its own)`;
    throw new LoadpathError(
      'not-deterministic',
      `two runs of one seed differ first in step ${index} of ${this.#count}; the second run did: ${what}. ` +
        'Something outside the simulation decides: a real clock, chance, a file, or state that outlives a run' +
        suspects,
    );
  }
}
