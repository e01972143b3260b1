/** Takes a call off each quota that holds for a user, from all or from none. */
import type { Host } from '../../../host/host.ts';
import type { QuotaConfig } from './config.ts';
import { type Grant, type QuotaBook, shareOf } from './quota.ts';
import { type Parts, plain, type Resume, type Stage, secondsOf, type Visit } from './visit.ts';

interface Share {
  readonly quota: QuotaConfig;
  readonly calls: number;
}

export class QuotaStage implements Stage {
  readonly #host: Host;
  readonly #book: QuotaBook;
  readonly #shares: readonly Share[];

  constructor(
    host: Host,
    book: QuotaBook,
    quotas: readonly QuotaConfig[],
    { nodes, index }: { readonly nodes: number; readonly index: number },
  ) {
    this.#host = host;
    this.#book = book;
    this.#shares = quotas.map((quota) => ({ quota, calls: shareOf(quota.calls, nodes, index) }));
  }

  enter(visit: Visit, resume: Resume): Parts | 'held' | undefined {
    const { identity } = visit;
    if (!identity) return undefined;
    const due = this.#shares.filter(({ quota: { tier } }) => tier === '' || tier === identity.tier);
    if (due.length === 0) return undefined;
    let atOnce: Parts | 'held' | undefined = 'held';
    let isWithin = true;
    this.#take(due, [], identity.user, visit, (refusal) => {
      if (isWithin) atOnce = refusal;
      else resume(visit, refusal);
    });
    isWithin = false;
    return atOnce;
  }

  /** One after the other; what those before have given is given back when one refuses. `periods`: of what was taken. */
  #take(
    due: readonly Share[],
    periods: readonly number[],
    user: string,
    visit: Visit,
    done: (refusal: Parts | undefined) => void,
  ): void {
    const share = due[periods.length];
    if (!share) return done(undefined);
    const { quota, calls } = share;
    this.#book.take(quota, calls, user, this.#host.wall(), (grant) => {
      if (grant.type === 'granted') {
        const taken = [...periods, grant.period];
        if (!visit.isGone) return this.#take(due, taken, user, visit, done);
        return this.#giveBack(due, taken, user);
      }
      this.#giveBack(due, periods, user);
      done(refusalOf(grant));
    });
  }

  #giveBack(due: readonly Share[], periods: readonly number[], user: string): void {
    periods.forEach((period, index) => {
      this.#book.giveBack(due[index]!.quota.name, user, period);
    });
  }
}

function refusalOf(grant: Exclude<Grant, { type: 'granted' }>): Parts {
  if (grant.type === 'broken') return plain(503, 'calls cannot be counted now');
  return plain(429, 'the quota is spent', ['retry-after', secondsOf(grant.waitUs)]);
}
