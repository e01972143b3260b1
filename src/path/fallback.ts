/**
 * What a caller gets when there is no good answer: the last good one, if it is not too old, or the answer of
 * another service.
 *
 *   call ──good──▶ kept, passed on
 *     └───bad────▶ kept before, younger than `staleMax`? it, marked `age` and `warning: 110`
 *                  a backup? its answer            neither? the bad news
 *
 * Kept are answers that anybody may see, and see stale (RFC 9111, 4.2.4): 200 to a GET without credentials,
 * setting no cookie, not marked private, no-store, no-cache or to be validated. A failure means no reply in
 * time, or a status of 500 and above. An answer is for the same address, and the same in what its `Vary` names
 * and in what tells users apart.
 *
 * A purge reaches what is kept, and what was asked before it is not kept. Who is out of touch with purges has
 * nothing to stand in.
 */
import type { Counter, Host, Micros } from '../host/host.ts';
import { isWebFailure, type WebReply } from '../host/web.ts';
import { secondsIn, tagsOf, without } from '../parts/http-cache/fields.ts';
import { resourceOf, selectionOf, varyOf } from '../parts/http-cache/key.ts';
import { isMeant } from '../parts/http-cache/shelf.ts';
import type { Purge } from '../parts/http-cache.ts';
import { Lru } from '../parts/lru.ts';
import { headerOf } from './headers.ts';
import type { Asked, Done, Outcome } from './ongoing.ts';
import type { FallbackPolicy } from './policy.ts';

/** Makes a call and returns what gives it up. */
export type Calling = (asked: Asked, deadlineAt: Micros | undefined, done: Done) => () => void;

/** What somebody who knows users, or hears of purges, says of what may be kept. */
export interface Keeping {
  /** Request headers that tell users apart, whatever replies say. */
  readonly apart: readonly string[];
  /** Whether it knows of all purges. */
  mayKeep(): boolean;
}

const keepingForAll: Keeping = { apart: [], mayKeep: () => true };

interface Kept {
  readonly resource: string;
  readonly reply: WebReply;
  readonly at: Micros;
}

export class Fallback {
  readonly #host: Host;
  readonly #policy: FallbackPolicy;
  readonly #backup: Calling | undefined;
  readonly #keeping: Keeping;
  readonly #kept: Lru<string, Kept>;
  /** What the last reply from an address varied with. */
  readonly #vary: Lru<string, readonly string[]>;
  readonly #stale: Counter;
  readonly #backups: Counter;
  #purgedAt = Number.NEGATIVE_INFINITY;

  constructor(options: {
    readonly host: Host;
    readonly policy: FallbackPolicy;
    readonly service: string;
    readonly backup: Calling | undefined;
    readonly keeping?: Keeping | undefined;
  }) {
    const { host, policy, service, backup, keeping = keepingForAll } = options;
    this.#host = host;
    this.#policy = policy;
    this.#backup = backup;
    this.#keeping = keeping;
    this.#kept = new Lru({ entriesMax: policy.keysMax });
    this.#vary = new Lru({ entriesMax: policy.keysMax });
    this.#stale = host.meter.counter(`stale answers ${service}`);
    this.#backups = host.meter.counter(`backup answers ${service}`);
  }

  /** Makes the call by `primary`; `done` gets the best there is. */
  cover(primary: Calling, asked: Asked, deadlineAt: Micros | undefined, done: Done): () => void {
    const askedAt = this.#host.now();
    let giveUp: () => void = primary(asked, deadlineAt, (outcome) => {
      if (isGood(outcome)) {
        if (askedAt > this.#purgedAt) this.#keep(asked, outcome.reply);
        return done(outcome);
      }
      const kept = this.#staleOf(asked);
      if (kept) return done(kept);
      if (!this.#backup) return done(outcome);
      this.#backups.add();
      giveUp = this.#backup(asked, deadlineAt, (second) =>
        done(isGood(second) ? { ...second, standsIn: true } : outcome),
      );
    });
    return () => giveUp();
  }

  /** Looks at everything that is kept: that is little, and purges are seldom. */
  purge(purge: Purge): void {
    const now = this.#host.now();
    this.#purgedAt = now;
    const isToGo = ({ resource, reply, at }: Kept): boolean =>
      purge.by === 'url'
        ? // Whatever of the query counts for who purges: one too many is no loss.
          resourceOf(resource, bare) === resourceOf(purge.url, bare)
        : isMeant(purge, { resource, tags: tagsOf(reply.headers), keptUs: now - at });
    const gone = [...this.#kept.entries()].filter(([, kept]) => isToGo(kept));
    for (const [key] of gone) this.#kept.delete(key);
  }

  #keep(asked: Asked, reply: WebReply): void {
    const { staleMaxUs, bodyMaxBytes } = this.#policy;
    if (staleMaxUs === 0 || !isForAnybody(asked) || !mayKeep(reply)) return;
    if (reply.inlet || (reply.body?.length ?? 0) > bodyMaxBytes) return;
    const resource = resourceOf(asked.url);
    this.#vary.set(resource, varyOf(reply.headers));
    this.#kept.set(this.#keyOf(resource, asked), { resource, reply, at: this.#host.now() });
  }

  #staleOf(asked: Asked): Outcome | undefined {
    if (!isForAnybody(asked) || !this.#keeping.mayKeep()) return undefined;
    const kept = this.#kept.get(this.#keyOf(resourceOf(asked.url), asked));
    if (!kept) return undefined;
    const forUs = this.#host.now() - kept.at;
    if (forUs > this.#policy.staleMaxUs) return undefined;
    this.#stale.add();
    const { reply } = kept;
    const beforeUs = secondsIn(headerOf(reply.headers, 'age') ?? '') ?? 0;
    const age = String(Math.floor((beforeUs + forUs) / 1_000_000));
    const headers = [...without(reply.headers, aged), 'age', age, 'warning', staleWarning];
    return { ok: true, reply: { ...reply, headers }, standsIn: true };
  }

  #keyOf(resource: string, { headers }: Asked): string {
    const vary = this.#vary.get(resource) ?? [];
    const { apart } = this.#keeping;
    return `${resource}\n${selectionOf(headers, apart)}${selectionOf(headers, vary)}`;
  }
}

const bare = { query: 'none' } as const;
const aged: ReadonlySet<string> = new Set(['age']);

/** RFC 7234, 5.5.1: obsolete as a header, and still how a reader sees that an answer is old. */
const staleWarning = '110 - "Response is Stale"';

function isGood(outcome: Outcome): outcome is Outcome & { readonly ok: true } {
  return outcome.ok && !isWebFailure(outcome.reply);
}

function isForAnybody({ method, headers }: Asked): boolean {
  if (method !== 'GET') return false;
  return (
    headerOf(headers, 'authorization') === undefined && headerOf(headers, 'cookie') === undefined
  );
}

const notToBeStale = /\b(private|no-store|no-cache|must-revalidate|proxy-revalidate|s-maxage)\b/i;

function mayKeep({ status, headers }: WebReply): boolean {
  if (status !== 200 || headerOf(headers, 'set-cookie') !== undefined) return false;
  if (headerOf(headers, 'vary')?.includes('*')) return false;
  return !notToBeStale.test(headerOf(headers, 'cache-control') ?? '');
}
