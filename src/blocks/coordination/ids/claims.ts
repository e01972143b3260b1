/**
 * Who owns which name, on the one allocator that decides over it. A name goes to the first who asks;
 * asked again by the same owner, the answer is yes again, so that a retry after a lost reply is safe.
 */

export interface Alias {
  readonly owner: string;
  /** Undecided while it is being written: who else asks must wait for the outcome. */
  stored: boolean;
}

export type Claimed = 'yours' | 'taken' | 'undecided' | 'free';

export class Claims {
  readonly #aliases = new Map<string, Alias>();

  get size(): number {
    return this.#aliases.size;
  }

  look(name: string, owner: string): Claimed {
    const alias = this.#aliases.get(name);
    if (!alias) return 'free';
    if (!alias.stored) return 'undecided';
    return alias.owner === owner ? 'yours' : 'taken';
  }

  begin(name: string, owner: string): void {
    this.#aliases.set(name, { owner, stored: false });
  }

  /**
   * Also recovery, where the last entry for a name counts: a name is written twice only when the
   * first attempt failed, and that claimant was not told that it has it.
   */
  keep(name: string, owner: string): void {
    this.#aliases.set(name, { owner, stored: true });
  }

  giveUp(name: string): void {
    this.#aliases.delete(name);
  }
}
