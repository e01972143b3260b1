/**
 * An HTTP cache as RFC 9111 has it: what to do with a request, and what with the response to it. Decides
 * only; `CachedFetch` around it sends.
 *
 *   ask ──▶ answer   it is fresh, or stale and allowed to be (then ask the origin besides)
 *       ──▶ fetch    first to miss: ask the origin for everybody
 *       ──▶ wait     somebody asks already
 *       ──▶ pass     not for a cache: another method, a part, a condition
 *       ──▶ refuse   only-if-cached, and it is not: 504
 *
 * One asks for all only as long as the response is for all. When it turns out private, or varies, those
 * who waited are told to ask again, and for `passFor` nobody waits at that address: what cannot be
 * cached never stands in a queue.
 *
 * A purge reaches what is under way: a response to what was asked before it is not kept, and nobody who
 * comes after it gets that response.
 */

import type { Micros } from '../../host/host.ts';
import { parseUrl } from '../../kit/url.ts';
import { Lru } from '../lru.ts';
import type { HttpCacheConfig } from './config.ts';
import { field, tagsOf, without } from './fields.ts';
import {
  type CacheReply,
  type CacheRequest,
  type CacheRule,
  isOriginFailure,
  judge,
  standsIn,
  usable,
  type Wants,
  wantsNothing,
  wantsOf,
} from './freshness.ts';
import { extraOf, type KeyRule, resourceOf, selectionOf, varyOf } from './key.ts';
import { annotated, fromStored, isKnown, merged, notModified, plain } from './replies.ts';
import { ageOf, bytesOf, isMeant, matches, type Purge, Shelf, type Stored } from './shelf.ts';

export type HttpCacheRule = CacheRule & KeyRule;

/** How a reply came about. `collapsed`: it was asked for on behalf of somebody else. */
export type How = 'hit' | 'stale' | 'miss' | 'validated' | 'collapsed' | 'pass' | 'refused';

export type Decision<W> =
  | {
      readonly do: 'answer';
      readonly reply: CacheReply;
      readonly how: How;
      /** To be sent besides: nobody waits for it. */
      readonly refresh: Flight<W> | undefined;
    }
  | { readonly do: 'fetch'; readonly flight: Flight<W> }
  | { readonly do: 'wait'; readonly flight: Flight<W> }
  | { readonly do: 'pass'; readonly why: string };

/** What becomes of one who asked or waited: a reply, or nothing is known of the origin, or ask again. */
export type Delivery<W> =
  | { readonly to: W; readonly reply: CacheReply; readonly how: How }
  | { readonly to: W; readonly again: true }
  | { readonly to: W; readonly lost: true };

interface Ticket<W> {
  readonly waiter: W;
  readonly request: CacheRequest;
  readonly wants: Wants;
  /** The flight was begun for him: its reply is his, whatever it is. */
  readonly isFirst: boolean;
  /** How many purges there had been. */
  readonly purges: number;
}

/** A request to the origin that is under way. */
export interface Flight<W> {
  /** What to ask the origin. */
  readonly request: CacheRequest;
  readonly rule: HttpCacheRule;
  readonly key: string;
  readonly resource: string;
  readonly extra: string;
  readonly startedAt: Micros;
  readonly purges: number;
  /** Why it is made, as `Cache-Status` says it. */
  readonly why: string;
  /** What is there, and stale: it may stand in. */
  readonly validates: Stored | undefined;
  /** The origin is asked whether that still holds. */
  readonly isConditional: boolean;
  readonly tickets: Ticket<W>[];
  /** One who asks for himself alone. */
  readonly isAlone: boolean;
  readonly isBackground: boolean;
  /** What it brings is from before a purge. */
  isOutdated: boolean;
}

/**
 * What a reply is good for, where it does not say so itself. `now`: for who waits for it, and to be kept by
 * nobody, since it only stands in; `once`: for who asked first alone, since its body is there once.
 */
export type Use = 'now' | 'once';

const conditions: ReadonlySet<string> = new Set(['if-none-match', 'if-modified-since']);
const cachePasses = ['range', 'if-match', 'if-unmodified-since', 'if-range'];
const safe: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

export class HttpCache<W> {
  readonly #name: string;
  readonly #config: HttpCacheConfig;
  readonly #shared: boolean;
  readonly #shelf: Shelf;
  readonly #flights = new Map<string, Flight<W>>();
  readonly #underway = new Set<Flight<W>>();
  /** Until when nobody waits at an address. */
  readonly #passing: Lru<string, Micros>;
  /** Of tags, since the oldest flight began. Others are dealt with when they come. */
  #tagPurges: { readonly at: number; readonly tag: string }[] = [];
  #purgeCount = 0;

  /** `shared` is for many users, as all but a browser's is; `name` stands in `Cache-Status`. */
  constructor(
    config: HttpCacheConfig,
    { name = 'cache', shared = true }: { readonly name?: string; readonly shared?: boolean } = {},
  ) {
    this.#name = name;
    this.#config = config;
    this.#shared = shared;
    this.#shelf = new Shelf(config);
    this.#passing = new Lru({ entriesMax: config.passesMax });
  }

  get bytes(): number {
    return this.#shelf.bytes;
  }

  get count(): number {
    return this.#shelf.count;
  }

  get evictedCount(): number {
    return this.#shelf.evictedCount;
  }

  get flightCount(): number {
    return this.#underway.size;
  }

  ask(request: CacheRequest, waiter: W, now: Micros, rule: HttpCacheRule = {}): Decision<W> {
    const { method, headers } = request;
    if (method !== 'GET' && method !== 'HEAD') return { do: 'pass', why: 'fwd=method' };
    if (rule.bypass) return { do: 'pass', why: 'fwd=bypass' };
    if (cachePasses.some((name) => field(headers, name) !== undefined)) {
      return { do: 'pass', why: 'fwd=partial' };
    }
    const wants = this.#config.obeyRequests ? wantsOf(headers) : wantsNothing;
    const resource = resourceOf(request.url, rule);
    const extra = extraOf(headers, rule);
    const stored = this.#shelf.find(resource, extra, headers);
    const use = stored ? usable(stored.freshness, ageOf(stored, now), wants) : 'ask';
    if (stored && use !== 'ask') {
      const how = ageOf(stored, now) < stored.freshness.lifetimeUs ? 'hit' : 'stale';
      const reply = fromStored(stored, request, now, this.#hit(stored, now));
      const refresh = use === 'stale' ? this.#refresh(request, stored, now, rule) : undefined;
      return { do: 'answer', reply, how, refresh };
    }
    if (wants.onlyIfCached) {
      const reply = plain(504, 'not in the cache', `${this.#name}; fwd=request`);
      return { do: 'answer', reply, how: 'refused', refresh: undefined };
    }
    if (method === 'HEAD' || wants.noStore) return { do: 'pass', why: 'fwd=bypass' };
    const key = this.#keyOf(resource, extra, request);
    const isPicky = wants.noCache || wants.maxAgeUs !== undefined || wants.minFreshUs > 0;
    const isAlone =
      isPicky || field(headers, 'authorization') !== undefined || this.#isPassing(key, now);
    const purges = this.#purgeCount;
    const underway = isAlone ? undefined : this.#flights.get(key);
    if (underway) {
      underway.tickets.push({ waiter, request, wants, isFirst: false, purges });
      return { do: 'wait', flight: underway };
    }
    const why = stored ? 'fwd=stale' : 'fwd=uri-miss';
    const place = { resource, extra, key };
    const ticket = { waiter, request, wants, isFirst: true, purges };
    const flight = this.#begin(request, place, stored, now, rule, { why, isAlone, ticket });
    return { do: 'fetch', flight };
  }

  /** The origin's reply to a flight. `now` is the clock of `ask`, `wall` that of dates. */
  answered(
    flight: Flight<W>,
    reply: CacheReply,
    now: Micros,
    wall: Micros,
    use?: Use,
  ): readonly Delivery<W>[] {
    this.#end(flight);
    if (use === 'now') flight.isOutdated = true;
    const { validates } = flight;
    if (isOriginFailure(reply.status) && validates) {
      const instead = this.#insteadOf(flight, now);
      if (instead) return instead;
    }
    if (reply.status === 304) {
      if (validates && flight.isConditional)
        return this.#validated(flight, validates, reply, now, wall);
      // The client's own condition, which was sent along as it came.
      return this.#deliver(flight, reply, undefined, `${flight.why}; fwd-status=304`, now);
    }
    const stored = use === 'once' ? undefined : this.#keep(flight, reply, now, wall);
    if (!stored && validates && reply.status < 500) this.#shelf.remove(validates);
    const isAsWanted = isForAll(stored) || isOriginFailure(reply.status) || flight.isOutdated;
    if (!isAsWanted && !flight.isBackground) {
      this.#passing.set(flight.key, now + this.#config.passForUs);
    }
    const kept = stored?.isHeld ? '; stored' : '';
    const status = `${flight.why}; fwd-status=${reply.status}${kept}`;
    return this.#deliver(flight, reply, stored, status, now);
  }

  /** No reply came. Something stale may stand in; else each is lost. */
  failed(flight: Flight<W>, now: Micros): readonly Delivery<W>[] {
    this.#end(flight);
    return (
      this.#insteadOf(flight, now) ??
      flight.tickets.map((ticket) => ({ to: ticket.waiter, lost: true }))
    );
  }

  /** Somebody who waited went away. The flight goes on: the next one will want it. */
  leave(flight: Flight<W>, waiter: W): void {
    const index = flight.tickets.findIndex((ticket) => ticket.waiter === waiter);
    if (index >= 0) flight.tickets.splice(index, 1);
  }

  /** A reply to what was passed on: a change makes what is stored of its address invalid (RFC 9111, 4.4). */
  passed(request: CacheRequest, reply: CacheReply, now: Micros, rule: HttpCacheRule = {}): void {
    if (safe.has(request.method) || reply.status >= 400) return;
    const changed = [request.url];
    for (const name of ['location', 'content-location']) {
      const target = field(reply.headers, name);
      const url = target === undefined ? undefined : parseUrl(target, request.url);
      if (url === undefined) continue;
      const { href, origin } = url;
      // Only of the same origin: nobody may clear what is another's.
      if (origin === new URL(request.url).origin) changed.push(href);
    }
    for (const url of changed) this.purge({ by: 'url', url: resourceOf(url, rule) }, now);
  }

  /** How many entries went. Addresses are taken as the cache knows them: see `resourceOf`. */
  purge(purge: Purge, now: Micros): number {
    this.#purgeCount++;
    for (const flight of this.#underway) {
      if (!isAimedAt(purge, flight)) continue;
      flight.isOutdated = true;
      // Whoever comes from now on asks anew.
      if (this.#flights.get(flight.key) === flight) this.#flights.delete(flight.key);
    }
    if (purge.by === 'tag' && this.#underway.size > 0) {
      this.#tagPurges.push({ at: this.#purgeCount, tag: purge.tag });
    }
    return this.#shelf.purge(purge, now);
  }

  #refresh(
    request: CacheRequest,
    stored: Stored,
    now: Micros,
    rule: HttpCacheRule,
  ): Flight<W> | undefined {
    const { resource, extra } = stored;
    const key = this.#keyOf(resource, extra, request);
    if (this.#flights.has(key)) return undefined;
    return this.#begin(request, { resource, extra, key }, stored, now, rule, {
      why: 'fwd=stale',
      isAlone: false,
      ticket: undefined,
    });
  }

  #begin(
    request: CacheRequest,
    place: { readonly resource: string; readonly extra: string; readonly key: string },
    stored: Stored | undefined,
    now: Micros,
    rule: HttpCacheRule,
    how: {
      readonly why: string;
      readonly isAlone: boolean;
      readonly ticket: Ticket<W> | undefined;
    },
  ): Flight<W> {
    const { isAlone, ticket, why } = how;
    const { etag, lastModified } = stored?.freshness ?? {};
    const asks = etag !== undefined || lastModified !== undefined;
    // Who asks for all asks for the whole; who is alone and has something asks as he did.
    const headers = isAlone && !asks ? [...request.headers] : without(request.headers, conditions);
    if (etag !== undefined) headers.push('if-none-match', etag);
    else if (lastModified !== undefined) headers.push('if-modified-since', lastModified);
    const flight: Flight<W> = {
      request: { method: 'GET', url: request.url, headers },
      rule,
      ...place,
      startedAt: now,
      purges: this.#purgeCount,
      why,
      validates: stored,
      isConditional: asks,
      tickets: ticket ? [ticket] : [],
      isAlone,
      isBackground: ticket === undefined,
      isOutdated: false,
    };
    this.#underway.add(flight);
    if (!isAlone) this.#flights.set(place.key, flight);
    return flight;
  }

  #end(flight: Flight<W>): void {
    this.#underway.delete(flight);
    if (this.#flights.get(flight.key) === flight) this.#flights.delete(flight.key);
    if (this.#tagPurges.length === 0) return;
    let oldest = this.#purgeCount;
    for (const { purges } of this.#underway) oldest = Math.min(oldest, purges);
    // Those that this flight itself has to look at are still wanted.
    oldest = Math.min(oldest, flight.purges);
    this.#tagPurges = this.#tagPurges.filter(({ at }) => at > oldest);
  }

  #validated(
    flight: Flight<W>,
    validated: Stored,
    reply: CacheReply,
    now: Micros,
    wall: Micros,
  ): readonly Delivery<W>[] {
    const whole = merged(validated.reply, reply.headers);
    const stored = this.#keep(flight, whole, now, wall);
    if (!stored) this.#shelf.remove(validated);
    const kept = stored?.isHeld ? '; stored' : '';
    const status = `${flight.why}; fwd-status=304${kept}`;
    return this.#deliver(flight, whole, stored, status, now, 'validated');
  }

  /** As an entry, which is not put on the shelf when it is from before a purge; undefined: not for all. */
  #keep(flight: Flight<W>, reply: CacheReply, now: Micros, wall: Micros): Stored | undefined {
    if ((reply.body?.length ?? 0) > this.#config.objectMaxBytes) return undefined;
    const came = { delayUs: Math.max(0, now - flight.startedAt), wall };
    const options = { shared: this.#shared, ...this.#config };
    const judged = judge(flight.request, reply, came, options, flight.rule);
    if (!judged.keep) return undefined;
    const vary = varyOf(reply.headers);
    const stored: Stored = {
      resource: flight.resource,
      extra: flight.extra,
      vary,
      selection: selectionOf(flight.request.headers, vary),
      reply,
      freshness: judged.freshness,
      askedAt: flight.startedAt,
      storedAt: now,
      tags: tagsOf(reply.headers),
      bytes: bytesOf(flight.resource, reply),
      isHeld: false,
    };
    if (!flight.isOutdated && !this.#isPurged(flight, stored.tags)) {
      stored.isHeld = true;
      if (!this.#shelf.put(stored)) stored.isHeld = false;
    }
    return stored;
  }

  /** Whether a purge since the flight began, up to the `until`th, was for what it brought. */
  #isPurged({ purges }: Flight<W>, tags: readonly string[], until = this.#purgeCount): boolean {
    return this.#tagPurges.some(({ at, tag }) => at > purges && at <= until && tags.includes(tag));
  }

  #deliver(
    flight: Flight<W>,
    reply: CacheReply,
    stored: Stored | undefined,
    status: string,
    now: Micros,
    how: How = 'miss',
  ): readonly Delivery<W>[] {
    return flight.tickets.map((ticket): Delivery<W> => {
      const { waiter: to, isFirst } = ticket;
      const said = `${this.#name}; ${status}${isFirst ? '' : '; collapsed'}`;
      const asked = ticket.request;
      if (isFirst) return { to, reply: answerTo(asked, annotated(reply, said)), how };
      if (stored && isForAll(stored)) {
        // A purge came between: what it names is not for who asked after it.
        const isOld = this.#isPurged(flight, stored.tags, ticket.purges);
        if (isOld || !matches(stored, flight.extra, asked.headers)) return { to, again: true };
        return { to, reply: fromStored(stored, asked, now, said), how: 'collapsed' };
      }
      // To send all of them to an origin that fails would not mend it; and what it said may be private.
      if (isOriginFailure(reply.status)) {
        return { to, reply: plain(reply.status, 'the origin failed', said), how: 'collapsed' };
      }
      return { to, again: true };
    });
  }

  /** Something stale, for everybody for whom it may stand in; undefined when for nobody. */
  #insteadOf(flight: Flight<W>, now: Micros): readonly Delivery<W>[] | undefined {
    const stored = flight.validates;
    if (!stored || flight.isOutdated) return undefined;
    const ageUs = ageOf(stored, now);
    const isFor = ({ wants }: Ticket<W>): boolean => standsIn(stored.freshness, ageUs, wants);
    if (!flight.tickets.every(isFor)) return undefined;
    const status = this.#hit(stored, now);
    return flight.tickets.map((ticket) => ({
      to: ticket.waiter,
      reply: fromStored(stored, ticket.request, now, status),
      how: 'stale',
    }));
  }

  #keyOf(resource: string, extra: string, { headers }: CacheRequest): string {
    const vary = this.#shelf.varyOf(resource, extra);
    return `${resource}\n${extra}\n${selectionOf(headers, vary)}`;
  }

  #isPassing(key: string, now: Micros): boolean {
    const until = this.#passing.get(key);
    if (until === undefined) return false;
    if (now < until) return true;
    this.#passing.delete(key);
    return false;
  }

  #hit(stored: Stored, now: Micros): string {
    const left = Math.floor((stored.freshness.lifetimeUs - ageOf(stored, now)) / 1_000_000);
    return `${this.#name}; hit; ttl=${left}`;
  }
}

/** A tag is known only of what is validated: what else comes is looked at then. */
function isAimedAt<W>(purge: Purge, { resource, validates }: Flight<W>): boolean {
  return isMeant(purge, { resource, tags: validates?.tags ?? [], keptUs: 0 });
}

/** What each has to ask for by himself cannot be asked for on behalf of others. */
function isForAll(stored: Stored | undefined): boolean {
  return stored !== undefined && !stored.freshness.noCache && stored.freshness.lifetimeUs > 0;
}

/** The first asker's condition, which the origin did not see, is answered here. */
function answerTo(asked: CacheRequest, reply: CacheReply): CacheReply {
  return reply.status === 200 && isKnown(asked.headers, reply.headers) ? notModified(reply) : reply;
}
