/**
 * Quotas: so many calls a period for each user, and never more, whatever crashes in between.
 *
 *   0 ──────── used ──── granted ─────────── calls
 *              └ spent from memory ┘└ asked of the disk before it is spent ┘
 *
 * A call is admitted when it lies below what was written to disk as granted. After a crash everything
 * granted counts as used: what was granted and not used is lost to the user, and no call is given
 * twice. A graceful stop writes down what was really used.
 *
 * Several gateways share a quota evenly: each admits its part, so together they admit no more.
 */
import type { Disk, DiskOutcome, Micros } from '../../../host/host.ts';
import { Journal } from '../../../parts/journal.ts';
import type { QuotaConfig } from './config.ts';

type Entry = {
  readonly quota: string;
  readonly user: string;
  /** The number of the period since 1970. */
  readonly period: number;
  readonly granted: number;
};

interface Account {
  period: number;
  used: number;
  /** Durable. */
  granted: number;
  /** Who waits for more to be granted. */
  waiting: Waiting[];
  isAsking: boolean;
}

interface Waiting {
  readonly done: (grant: Grant) => void;
  /** What it is told when everything is given to those before it. */
  readonly spent: Grant;
}

/** `broken`: the disk takes nothing, so nothing can be admitted. */
export type Grant =
  | { readonly type: 'granted'; readonly period: number }
  | { readonly type: 'spent'; readonly waitUs: Micros }
  | { readonly type: 'broken' };

const file = 'gateway/quotas';
const advice =
  'It holds what users have taken of their quotas. Without it, or with an older copy put back, they may take that ' +
  'once more until the period ends, and lose nothing.';
/** Superseded entries beyond which the file is written anew. */
const surplusMax = 1_000;

export class QuotaBook {
  readonly #journal: Journal<Entry>;
  readonly #accounts = new Map<string, Map<string, Account>>();
  #isCompacting = false;
  #whenIdle: (() => void) | undefined;

  constructor(disk: Disk) {
    const { journal, entries } = Journal.open<Entry>(disk, file, advice);
    this.#journal = journal;
    for (const { quota, user, period, granted } of entries) {
      const accounts = this.#of(quota);
      const known = accounts.get(user);
      if (known && known.period > period) continue;
      accounts.set(user, fresh(period, granted));
    }
  }

  #of(quota: string): Map<string, Account> {
    let accounts = this.#accounts.get(quota);
    if (!accounts) {
      accounts = new Map();
      this.#accounts.set(quota, accounts);
    }
    return accounts;
  }

  /** Spends one call, of `calls`; `done` may be called at once. */
  take(
    { name, perUs, reserve, usersMax }: QuotaConfig,
    calls: number,
    user: string,
    wall: Micros,
    done: (grant: Grant) => void,
  ): void {
    const accounts = this.#of(name);
    let account = accounts.get(user);
    // A clock that was set back stays in the later period.
    const period = Math.max(Math.floor(wall / perUs), account?.period ?? 0);
    if (!account) {
      if (accounts.size >= usersMax && !forgetBefore(accounts, period, usersMax)) {
        return done({ type: 'broken' });
      }
      account = fresh(period, 0);
      accounts.set(user, account);
    } else if (account.period < period) {
      account.period = period;
      account.used = 0;
      account.granted = 0;
    }
    if (account.used < account.granted) return done(spend(account));
    const spent = { type: 'spent', waitUs: Math.max(1, (period + 1) * perUs - wall) } as const;
    if (account.used >= calls) return done(spent);
    account.waiting.push({ done, spent });
    if (!account.isAsking) this.#ask(account, { quota: name, user }, calls, reserve);
  }

  /** A call that was taken and not made: another quota refused it. */
  giveBack(quota: string, user: string, period: number): void {
    const account = this.#of(quota).get(user);
    if (account?.period === period) account.used--;
  }

  #ask(
    account: Account,
    { quota, user }: Pick<Entry, 'quota' | 'user'>,
    calls: number,
    reserve: number,
  ): void {
    const { period } = account;
    const granted = Math.min(calls, account.granted + reserve);
    account.isAsking = true;
    this.#journal.append({ quota, user, period, granted }, (outcome) => {
      account.isAsking = false;
      const waiting = account.waiting;
      account.waiting = [];
      if (outcome === 'ok' && account.period === period) account.granted = granted;
      this.#hand(account, waiting, outcome, calls);
      if (account.waiting.length > 0) this.#ask(account, { quota, user }, calls, reserve);
      this.#compact();
    });
  }

  #hand(account: Account, waiting: readonly Waiting[], outcome: DiskOutcome, calls: number): void {
    for (const one of waiting) {
      if (outcome !== 'ok') one.done({ type: 'broken' });
      else if (account.used < account.granted) one.done(spend(account));
      else account.waiting.push(one);
    }
    // Everything is granted: who still waits has come too late.
    if (account.granted < calls) return;
    const late = account.waiting;
    account.waiting = [];
    for (const { done, spent } of late) done(spent);
  }

  #compact(): void {
    let liveCount = 0;
    for (const accounts of this.#accounts.values()) liveCount += accounts.size;
    if (this.#isCompacting || this.#journal.entryCount < 2 * liveCount + surplusMax) {
      return this.#idle();
    }
    this.#isCompacting = true;
    this.#journal.replaceWith(
      this.#entries(({ granted }) => granted),
      () => {
        this.#isCompacting = false;
        this.#idle();
      },
    );
  }

  #entries(grantedOf: (account: Account) => number): Entry[] {
    const entries: Entry[] = [];
    for (const [quota, accounts] of this.#accounts) {
      for (const [user, account] of accounts) {
        entries.push({ quota, user, period: account.period, granted: grantedOf(account) });
      }
    }
    return entries;
  }

  /** What was really used is written down, for the next life. Nothing is taken after it. */
  close(done: () => void): void {
    this.#whenIdle = () => {
      const isExact = [...this.#accounts.values()].every((accounts) =>
        [...accounts.values()].every(({ used, granted }) => used === granted),
      );
      if (isExact) return done();
      this.#journal.replaceWith(
        this.#entries(({ used }) => used),
        () => done(),
      );
    };
    this.#idle();
  }

  #idle(): void {
    if (!this.#whenIdle || this.#isCompacting || !this.#journal.idle) return;
    const close = this.#whenIdle;
    this.#whenIdle = undefined;
    close();
  }
}

function spend(account: Account): Grant {
  account.used++;
  return { type: 'granted', period: account.period };
}

function fresh(period: number, granted: number): Account {
  // What was granted in a former life counts as used.
  return { period, used: granted, granted, waiting: [], isAsking: false };
}

/** Drops accounts of periods that are over. Whether that made room. */
function forgetBefore(accounts: Map<string, Account>, period: number, max: number): boolean {
  for (const [user, account] of accounts) {
    if (account.period < period && !account.isAsking) accounts.delete(user);
  }
  return accounts.size < max;
}

/** What one of several gateways may admit of a quota. */
export function shareOf(calls: number, nodes: number, index: number): number {
  return Math.floor(calls / nodes) + (index < calls % nodes ? 1 : 0);
}
