/**
 * Replies kept at a door (a gateway, a proxy), one cache for each service: what is fresh is answered without asking
 * it, and of those who miss one thing at once, one asks for all. The rules are RFC 9111's, in
 * `parts/http-cache`; what a service says of its replies decides.
 *
 * Where users are known, each has entries of their own: a service that forgets `Vary` must not hand one
 * user's page to another.
 */
import type { Counter, Host, Micros, Timer } from '../host/host.ts';
import type { Inlet } from '../host/stream.ts';
import type { WebRequest } from '../host/web.ts';
import { CachedFetch, type HttpCacheConfig, type Purge, type Served } from '../parts/http-cache.ts';
import type { Asked, Outcome } from './caller.ts';
import type { Way } from './directory.ts';
import type { PurgeMessage, PurgesPlan } from './purges.ts';
import { toBeKept } from './to-be-kept.ts';
import { Touch } from './touch.ts';

type Failure = Outcome & { readonly ok: false };

const late: Failure = { ok: false, why: 'timeout', certain: false };

interface Asking {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly string[];
  readonly body: WebRequest['body'];
  readonly ip: string;
  readonly session: string | undefined;
  readonly caller: Way;
  readonly deadlineAt: Micros | undefined;
  /** Of a reply whose body flows: only who asked can have it. */
  inlet: Inlet | undefined;
}

export interface ReplyCacheOptions {
  /** In `Cache-Status`. */
  readonly name: string;
  /** Request headers that tell replies apart, whatever these say. */
  readonly apart: readonly string[];
  /** By whom it is told what is no longer so; null: by nobody. */
  readonly purges: PurgesPlan | null;
  /** Hears of each purge, besides. */
  purged?(purge: Purge): void;
}

export class ReplyCache {
  readonly #host: Host;
  readonly #config: HttpCacheConfig;
  readonly #name: string;
  readonly #caches = new Map<string, CachedFetch<Asking, Failure>>();
  readonly #rule: { readonly headers: readonly string[] };
  readonly #hits: Counter;
  readonly #misses: Counter;
  readonly #purged: Counter;
  readonly #purgedToo: ((purge: Purge) => void) | undefined;
  /** Null: nobody purges, and only time removes. */
  readonly #touch: Touch | null;

  constructor(host: Host, config: HttpCacheConfig, options: ReplyCacheOptions) {
    const { name, apart, purges } = options;
    this.#purgedToo = options.purged;
    this.#name = name;
    this.#host = host;
    this.#config = config;
    this.#rule = { headers: apart };
    this.#touch = purges && new Touch(host, purges, (purge) => this.#purge(purge));
    this.#purged = host.meter.counter('purged');
    this.#hits = host.meter.counter('cache hits');
    this.#misses = host.meter.counter('cache misses');
  }

  /** As `caller.call`, which it asks where it has to. */
  call(
    service: string,
    caller: Way,
    { method, url, headers, body, ip, session }: Asked,
    deadlineAt: Micros | undefined,
    done: (served: Served<Failure>, inlet: Inlet | undefined) => void,
  ): () => void {
    const asking: Asking = {
      method,
      url,
      headers,
      body,
      ip,
      session,
      caller,
      deadlineAt,
      inlet: undefined,
    };
    // Out of touch with purges, what is stored may be what somebody removed.
    const rule = this.isInTouch ? this.#rule : { ...this.#rule, bypass: true };
    let isOver = false;
    let timer: Timer | undefined;
    const giveUp = this.#of(service).serve(asking, rule, (served) => {
      isOver = true;
      timer?.cancel();
      const { how } = served.ok ? served : { how: 'miss' };
      if (how === 'miss') this.#misses.add();
      else if (how !== 'pass') this.#hits.add();
      done(served, asking.inlet);
    });
    if (!isOver && deadlineAt !== undefined) {
      timer = this.#host.after(deadlineAt - this.#host.now(), () => {
        giveUp();
        done({ ok: false, failure: late }, undefined);
      });
    }
    return () => {
      timer?.cancel();
      giveUp();
    };
  }

  /** Whether it knows of all purges. */
  get isInTouch(): boolean {
    return this.#touch?.isIn ?? true;
  }

  news(news: PurgeMessage & { readonly type: 'news' }): void {
    this.#touch?.news(news);
  }

  /** At all services: who purges names addresses as these are asked. */
  #purge(purge: Purge): void {
    for (const cache of this.#caches.values()) this.#purged.add(cache.purge(purge));
    this.#purgedToo?.(purge);
  }

  #of(service: string): CachedFetch<Asking, Failure> {
    let cache = this.#caches.get(service);
    if (!cache) {
      const host = this.#host;
      cache = new CachedFetch(
        this.#config,
        {
          now: () => host.now(),
          wall: () => host.wall(),
          send: (request, asking, sent) => {
            const { method, url, headers } = request;
            const { body, ip, session, caller } = asking;
            // What is asked for all who wait does not end when the most impatient of them goes.
            const deadlineAt = request === asking ? asking.deadlineAt : undefined;
            const asked = { method, url, headers, body, ip, session };
            const how = { config: this.#config, rule: this.#rule };
            let stopReading: (() => void) | undefined;
            const giveUp = caller.call(asked, deadlineAt, (outcome) => {
              if (!outcome.ok) return sent({ ok: false, failure: outcome });
              const standIn = outcome.standsIn ? 'now' : undefined;
              stopReading = toBeKept(host, asked, outcome.reply, how, (reply, flow) => {
                asking.inlet = flow;
                sent({ ok: true, reply, use: flow ? 'once' : standIn });
              });
            });
            return () => (stopReading ?? giveUp)();
          },
        },
        { name: this.#name },
      );
      this.#caches.set(service, cache);
    }
    return cache;
  }
}
