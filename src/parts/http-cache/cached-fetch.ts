/**
 * An `HttpCache` with whoever sends for it: one call that ends once, whatever the cache decides.
 *
 *   serve ──▶ cache ──▶ answered from it ─────────────────────▶ done
 *                  └──▶ send, or wait for who sends ──▶ cache ─┘
 */
import type { Micros } from '../../host/host.ts';
import {
  type Delivery,
  type Flight,
  type How,
  HttpCache,
  type HttpCacheRule,
  type Use,
} from './cache.ts';
import type { HttpCacheConfig } from './config.ts';
import type { CacheReply, CacheRequest } from './freshness.ts';
import { annotated } from './replies.ts';
import type { Purge } from './shelf.ts';

/** What came of a request that was sent: a reply, or `failure`, which is the sender's to explain. */
export type Sent<F> =
  | {
      readonly ok: true;
      readonly reply: CacheReply;
      /** Default: as the reply says. */
      readonly use?: Use | undefined;
    }
  | { readonly ok: false; readonly failure: F };

export type Served<F> =
  | { readonly ok: true; readonly reply: CacheReply; readonly how: How }
  | { readonly ok: false; readonly failure: F };

export interface Outside<R extends CacheRequest, F> {
  now(): Micros;
  wall(): Micros;
  /**
   * Sends `request` to the origin. `asker` is who asked first: whatever a sender needs besides stands
   * there. Returns what gives it up; `done` is not called then.
   */
  send(request: CacheRequest, asker: R, done: (sent: Sent<F>) => void): () => void;
}

export interface CachedFetchOptions {
  /** In `Cache-Status`. */
  readonly name?: string;
  /** Default true: for many users. */
  readonly shared?: boolean;
}

/** What was served, by how. `asked`: requests to the origin, in the background too. */
export type ServedCounts = Record<How, number> & { asked: number; lost: number };

interface Waiter<R, F> {
  readonly request: R;
  readonly rule: HttpCacheRule;
  readonly done: (served: Served<F>) => void;
  flight: Flight<Waiter<R, F>> | undefined;
  /** Of what was passed on for this one alone. */
  giveUp: (() => void) | undefined;
  tries: number;
}

/** Who was told so often to ask again goes past the cache: an origin that varies at will cannot hold anybody up. */
const triesMax = 3;

export class CachedFetch<R extends CacheRequest, F> {
  readonly cache: HttpCache<Waiter<R, F>>;
  readonly counts: ServedCounts = {
    hit: 0,
    stale: 0,
    miss: 0,
    validated: 0,
    collapsed: 0,
    pass: 0,
    refused: 0,
    asked: 0,
    lost: 0,
  };
  readonly #name: string;
  readonly #outside: Outside<R, F>;

  constructor(config: HttpCacheConfig, outside: Outside<R, F>, options: CachedFetchOptions = {}) {
    this.#name = options.name ?? 'cache';
    this.#outside = outside;
    this.cache = new HttpCache(config, options);
  }

  /** Calls `done` once; what it returns gives the request up, and `done` is not called then. */
  serve(request: R, rule: HttpCacheRule, done: (served: Served<F>) => void): () => void {
    const waiter: Waiter<R, F> = {
      request,
      rule,
      done,
      flight: undefined,
      giveUp: undefined,
      tries: 0,
    };
    this.#ask(waiter);
    return () => {
      if (waiter.flight) this.cache.leave(waiter.flight, waiter);
      waiter.giveUp?.();
    };
  }

  /** How many entries went. */
  purge(purge: Purge): number {
    return this.cache.purge(purge, this.#outside.now());
  }

  #ask(waiter: Waiter<R, F>): void {
    const { request, rule } = waiter;
    const how = waiter.tries++ < triesMax ? rule : { ...rule, bypass: true };
    const decision = this.cache.ask(request, waiter, this.#outside.now(), how);
    switch (decision.do) {
      case 'answer':
        if (decision.refresh) this.#fly(decision.refresh, request);
        return this.#finish(waiter, decision.reply, decision.how);
      case 'fetch':
        waiter.flight = decision.flight;
        return this.#fly(decision.flight, request);
      case 'wait':
        waiter.flight = decision.flight;
        return;
      case 'pass':
        return this.#pass(waiter, decision.why);
    }
  }

  #fly(flight: Flight<Waiter<R, F>>, asker: R): void {
    this.counts.asked++;
    this.#outside.send(flight.request, asker, (sent) => {
      const now = this.#outside.now();
      if (sent.ok) {
        this.#settle(this.cache.answered(flight, sent.reply, now, this.#outside.wall(), sent.use));
        return;
      }
      this.#settle(this.cache.failed(flight, now), sent.failure);
    });
  }

  #settle(deliveries: readonly Delivery<Waiter<R, F>>[], failure?: F): void {
    for (const delivery of deliveries) {
      const waiter = delivery.to;
      waiter.flight = undefined;
      if ('reply' in delivery) this.#finish(waiter, delivery.reply, delivery.how);
      else if ('again' in delivery) this.#ask(waiter);
      else {
        this.counts.lost++;
        waiter.done({ ok: false, failure: failure as F });
      }
    }
  }

  #pass(waiter: Waiter<R, F>, why: string): void {
    const { request, rule, done } = waiter;
    this.counts.asked++;
    waiter.giveUp = this.#outside.send(request, request, (sent) => {
      if (!sent.ok) {
        this.counts.lost++;
        return done(sent);
      }
      this.cache.passed(request, sent.reply, this.#outside.now(), rule);
      this.#finish(waiter, annotated(sent.reply, `${this.#name}; ${why}`), 'pass');
    });
  }

  #finish({ done }: Waiter<R, F>, reply: CacheReply, how: How): void {
    this.counts[how]++;
    done({ ok: true, reply, how });
  }
}
