/**
 * What a caller gets when there is no good answer: the last good one, if it is not too old, or the answer of
 * another service.
 *
 *   call ──good──▶ kept, passed on
 *     └───bad────▶ kept before, younger than `staleMax`? it, marked `age` and `warning: 110`
 *                  a backup? its answer            neither? the bad news
 *
 * Kept are answers that anybody may see: 200 to a GET without credentials, not marked private or no-store,
 * setting no cookie. A failure means no reply in time, or a status of 500 and above.
 */
import type { Counter, Host, Micros } from '../host/host.ts';
import { isWebFailure, type WebReply } from '../host/web.ts';
import { Lru } from '../parts/lru.ts';
import { headerOf } from './headers.ts';
import type { Asked, Done, Outcome } from './ongoing.ts';
import type { FallbackPolicy } from './policy.ts';

/** Makes a call and returns what gives it up. */
export type Calling = (asked: Asked, deadlineAt: Micros | undefined, done: Done) => () => void;

interface Kept {
  readonly reply: WebReply;
  readonly at: Micros;
}

export class Fallback {
  readonly #host: Host;
  readonly #policy: FallbackPolicy;
  readonly #backup: Calling | undefined;
  readonly #kept: Lru<string, Kept>;
  readonly #stale: Counter;
  readonly #backups: Counter;

  constructor(options: {
    readonly host: Host;
    readonly policy: FallbackPolicy;
    readonly service: string;
    readonly backup: Calling | undefined;
  }) {
    const { host, policy, service, backup } = options;
    this.#host = host;
    this.#policy = policy;
    this.#backup = backup;
    this.#kept = new Lru({ entriesMax: policy.keysMax });
    this.#stale = host.meter.counter(`stale answers ${service}`);
    this.#backups = host.meter.counter(`backup answers ${service}`);
  }

  /** Makes the call by `primary`; `done` gets the best there is. */
  cover(primary: Calling, asked: Asked, deadlineAt: Micros | undefined, done: Done): () => void {
    let giveUp: () => void = primary(asked, deadlineAt, (outcome) => {
      if (isGood(outcome)) {
        this.#keep(asked, outcome.reply);
        return done(outcome);
      }
      const kept = this.#staleOf(asked);
      if (kept) return done(kept);
      if (!this.#backup) return done(outcome);
      this.#backups.add();
      giveUp = this.#backup(asked, deadlineAt, (second) => done(isGood(second) ? second : outcome));
    });
    return () => giveUp();
  }

  #keep(asked: Asked, reply: WebReply): void {
    const { staleMaxUs, bodyMaxBytes } = this.#policy;
    if (staleMaxUs === 0 || !isForAnybody(asked) || !mayKeep(reply)) return;
    if (reply.inlet || (reply.body?.length ?? 0) > bodyMaxBytes) return;
    this.#kept.set(asked.url, { reply, at: this.#host.now() });
  }

  #staleOf(asked: Asked): Outcome | undefined {
    const kept = isForAnybody(asked) ? this.#kept.get(asked.url) : undefined;
    if (!kept) return undefined;
    const ageUs = this.#host.now() - kept.at;
    if (ageUs > this.#policy.staleMaxUs) return undefined;
    this.#stale.add();
    const age = String(Math.floor(ageUs / 1_000_000));
    const headers = [...kept.reply.headers, 'age', age, 'warning', staleWarning];
    return { ok: true, reply: { ...kept.reply, headers } };
  }
}

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

function mayKeep({ status, headers }: WebReply): boolean {
  if (status !== 200 || headerOf(headers, 'set-cookie') !== undefined) return false;
  return !/\b(private|no-store)\b/i.test(headerOf(headers, 'cache-control') ?? '');
}
