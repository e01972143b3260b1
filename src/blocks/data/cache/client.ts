/**
 * The caller's half of a cache: finds the node of a key, does without one that is dead or slow, and
 * lets callers on this node that look for one key at once share one lookup and one load.
 *
 * It never fails a caller: what goes wrong between here and a cache node ends as a miss, counted.
 */
import type { Client } from '../../../host/declaration.ts';
import type { Address, Host, Micros, NodeId, Timer, Value } from '../../../host/host.ts';
import { Ring } from '../../../parts/ring.ts';
import { type Answer, Calls } from '../../../path/calls.ts';
import type { CacheClientConfig } from './config.ts';
import type { CacheReply, CacheRequest } from './messages.ts';

export type Loaded =
  | { readonly ok: true; readonly value: Value | undefined }
  | { readonly ok: false; readonly failure: unknown };

/** What `handle.ts` wraps in promises. */
export interface CacheApi {
  get(key: string, done: (value: Value | undefined) => void): void;
  /** `done(true)`: the node of this key confirmed it. */
  set(key: string, value: Value, ttlUs: Micros | undefined, done: (stored: boolean) => void): void;
  delete(key: string, done: (deleted: boolean) => void): void;
  through(
    key: string,
    ttlUs: Micros | undefined,
    load: (done: (loaded: Loaded) => void) => void,
    done: (loaded: Loaded) => void,
    deadlineAt?: Micros | undefined,
  ): void;
}

/** Somebody on this node who looks for a key, and what he would do himself. */
interface Looker {
  readonly ttlUs: Micros | undefined;
  readonly load: (done: (loaded: Loaded) => void) => void;
  readonly done: (loaded: Loaded) => void;
  readonly deadlineAt: Micros | undefined;
}

/** One lookup, and perhaps one load, of `leader`, for himself and those who came meanwhile. */
interface Flight {
  readonly leader: Looker;
  sharers: Looker[];
  /** Since when he loads. */
  loadsSince: Micros | undefined;
  /** Ends the wait of sharers. */
  timer: Timer | undefined;
}

/** Where a key is asked for now. */
interface Place {
  readonly address: Address;
  /** Not the first choice: entries are kept for a short time only. */
  readonly standsIn: boolean;
}

/** Timeouts in a row before a node is left alone. One may be a hiccup, three are not. */
const strikesMax = 3;

export function client(host: Host, config: CacheClientConfig): Client & { readonly api: CacheApi } {
  const hits = host.meter.counter('hits');
  const misses = host.meter.counter('misses');
  const waits = host.meter.counter('waits');
  const loads = host.meter.counter('loads');
  const errors = host.meter.counter('errors');
  const calls = new Calls<CacheReply>(host);
  const ring = new Ring(config.members);
  const strikes = new Map<NodeId, { count: number; triedAgainAt: Micros }>();
  const flights = new Map<string, Flight>();

  function place(key: string): Place | undefined {
    const walk = ring.walk(key);
    const reach = config.whenLost === 'move' ? walk.length : 1;
    for (let i = 0; i < reach; i++) {
      const id = walk[i]!;
      if (usable(id)) return { address: { node: id, port: 'cache' }, standsIn: i > 0 };
    }
    return undefined;
  }

  function usable(id: NodeId): boolean {
    const strike = strikes.get(id);
    if (!strike || strike.count < strikesMax) return true;
    const now = host.now();
    if (now < strike.triedAgainAt) return false;
    // One lookup tries; the others stay away until it succeeded or the time is up again.
    strike.triedAgainAt = now + config.retryAfterUs;
    return true;
  }

  function strike(id: NodeId, count: number): void {
    errors.add();
    const known = strikes.get(id);
    const sum = (known?.count ?? 0) + count;
    strikes.set(id, { count: sum, triedAgainAt: host.now() + config.retryAfterUs });
    if ((known?.count ?? 0) < strikesMax && sum >= strikesMax) {
      host.meter.note(`${id} does not answer, ${config.name} does without it`);
    }
  }

  function ask(
    to: Address,
    timeoutUs: Micros,
    request: (id: number) => CacheRequest,
    done: (reply: CacheReply | undefined) => void,
  ): void {
    const id = calls.open(to, timeoutUs, (answer: Answer<CacheReply>) => {
      if (answer.ok) {
        if (strikes.size > 0) strikes.delete(to.node);
        return done(answer.reply);
      }
      // Refused or cut off is certain news of the node, a timeout only a sign.
      strike(to.node, answer.why === 'timeout' ? 1 : strikesMax);
      done(undefined);
    });
    host.send(to, request(id));
  }

  /** A key on a stand-in is kept so briefly that an invalidation sent elsewhere hardly matters. */
  function ttl(at: Place, ttlUs: Micros): Micros {
    return at.standsIn ? Math.min(ttlUs, config.standInTtlUs) : ttlUs;
  }

  function get(key: string, done: (value: Value | undefined) => void): void {
    const at = place(key);
    const finish = (value: Value | undefined, hit: boolean) => {
      (hit ? hits : misses).add();
      done(value);
    };
    if (!at) return finish(undefined, false);
    ask(
      at.address,
      config.timeoutUs,
      (id) => ({ type: 'get', id, key, lease: false }),
      (reply) => (reply?.type === 'hit' ? finish(reply.value, true) : finish(undefined, false)),
    );
  }

  function set(
    key: string,
    value: Value,
    ttlUs: Micros | undefined,
    done: (stored: boolean) => void,
  ): void {
    flights.delete(key);
    const at = place(key);
    if (!at) return done(false);
    ask(
      at.address,
      config.timeoutUs,
      (id) => ({ type: 'set', id, key, value, ttlUs: ttl(at, ttlUs ?? config.ttlUs) }),
      (reply) => done(reply?.type === 'stored' && reply.stored && !at.standsIn),
    );
  }

  function remove(key: string, done: (deleted: boolean) => void): void {
    // Whoever looks from now on must not share a load that began before.
    flights.delete(key);
    // The first choice is told even when it seems dead: if it is alive after all, it holds the key.
    const owner = ring.walk(key)[0]!;
    const at = place(key);
    if (at?.standsIn) {
      host.send(at.address, { type: 'delete', id: calls.next(), key } satisfies CacheRequest);
    }
    ask(
      { node: owner, port: 'cache' },
      config.timeoutUs,
      (id) => ({ type: 'delete', id, key }),
      (reply) => done(reply?.type === 'deleted'),
    );
  }

  function through(key: string, looker: Looker): void {
    const flight = flights.get(key);
    if (flight && loadLeftUs(flight) > 0) {
      waits.add();
      flight.sharers.push(looker);
      return watch(key, flight);
    }
    const fresh: Flight = { leader: looker, sharers: [], loadsSince: undefined, timer: undefined };
    flights.set(key, fresh);
    lookUp(key, fresh);
  }

  /** A load counts for as long as its lease does: it may hang for ever. */
  function loadLeftUs({ loadsSince }: Flight): Micros {
    return loadsSince === undefined ? config.leaseUs : loadsSince + config.leaseUs - host.now();
  }

  /** Those who share a load that takes too long go on without it. */
  function watch(key: string, flight: Flight): void {
    if (flight.loadsSince === undefined || flight.timer || flight.sharers.length === 0) return;
    flight.timer = host.after(loadLeftUs(flight), () => again(key, flight));
  }

  /** Sharers of a flight that came to nothing look for themselves, of whom the first leads the rest. */
  function again(key: string, flight: Flight): void {
    if (flights.get(key) === flight) flights.delete(key);
    const { sharers } = flight;
    flight.sharers = [];
    for (const sharer of sharers) through(key, sharer);
  }

  function land(key: string, flight: Flight, loaded: Loaded): void {
    const { leader } = flight;
    flight.timer?.cancel();
    // After a `delete` another flight may be under way for this key.
    if (flights.get(key) === flight) flights.delete(key);
    leader.done(loaded);
    // That one caller had no time left says nothing about the others.
    const isLate = leader.deadlineAt !== undefined && host.now() >= leader.deadlineAt;
    if (!loaded.ok && isLate) return again(key, flight);
    for (const { done } of flight.sharers) done(loaded);
  }

  function lookUp(key: string, flight: Flight): void {
    const { ttlUs, load } = flight.leader;
    const startLoad = (at: Place | undefined, lease: number | undefined) => {
      loads.add();
      flight.loadsSince = host.now();
      watch(key, flight);
      load((loaded) => {
        if (at && lease !== undefined) keep(at, lease, key, ttlUs, loaded);
        land(key, flight, loaded);
      });
    };
    const at = place(key);
    if (!at) {
      misses.add();
      return startLoad(undefined, undefined);
    }
    ask(
      at.address,
      config.timeoutUs + config.waitUs,
      (id) => ({ type: 'get', id, key, lease: true }),
      (reply) => {
        if (reply?.type === 'hit') {
          (reply.waited === true ? waits : hits).add();
          return land(key, flight, { ok: true, value: reply.value });
        }
        misses.add();
        startLoad(at, reply?.type === 'miss' ? reply.lease : undefined);
      },
    );
  }

  /** Stores what was loaded, by the lease under which it was. Nobody waits for the outcome. */
  function keep(
    at: Place,
    lease: number,
    key: string,
    ttlUs: Micros | undefined,
    loaded: Loaded,
  ): void {
    const absent = loaded.ok && loaded.value === undefined;
    const keepUs = absent ? config.negativeTtlUs : (ttlUs ?? config.ttlUs);
    if (!loaded.ok || keepUs === undefined) {
      const release: CacheRequest = { type: 'release', id: calls.next(), key, lease };
      return host.send(at.address, release);
    }
    const { value } = loaded;
    ask(
      at.address,
      config.timeoutUs,
      (id) => ({ type: 'set', id, key, value, ttlUs: ttl(at, keepUs), lease }),
      () => {},
    );
  }

  return {
    api: {
      get,
      set,
      delete: remove,
      through: (key, ttlUs, load, done, deadlineAt) =>
        through(key, { ttlUs, load, done, deadlineAt }),
    },
    message(_from, message) {
      const reply = message as CacheReply;
      calls.settle(reply.id, reply);
    },
    refused(_to, message) {
      calls.refused((message as CacheRequest).id);
    },
    disconnected: (id) => calls.disconnected(id),
  };
}
