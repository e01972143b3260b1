/** What each caller used of a proxy, for as many callers as are kept. Pure. */
import { Lru } from '../../../parts/lru.ts';

export interface Account {
  requests: number;
  /** Answered without the site. */
  hits: number;
  blocked: number;
  bytes: number;
}

export class Accounts {
  readonly #accounts: Lru<string, Account>;

  constructor(callersMax: number) {
    this.#accounts = new Lru({ entriesMax: callersMax });
  }

  of(caller: string): Account {
    return this.#accounts.getOrSet(caller, () => ({ requests: 0, hits: 0, blocked: 0, bytes: 0 }));
  }
}
