/**
 * Leases on a miss, as memcached's in "Scaling Memcache at Facebook" (Nishtala et al. 2013), against
 * two ills: a thousand callers loading one hot key at once, and a load that began before an
 * invalidation storing its old value after it.
 *
 *   first asker ──▶ lease 1 ──▶ loads ──▶ set by lease 1 ──▶ the value, to all who wait
 *   others ───────▶ wait                   (refused when the key was deleted or set meanwhile)
 *
 * A lease is a promise of nothing: it expires, and its holder may be dead. Who waits too long loads
 * for himself and stores nothing.
 */
import type { Micros } from '../../../host/host.ts';

interface Lease<Waiter> {
  token: number;
  expiresAt: Micros;
  waiters: Waiter[];
}

export type Asked =
  | { readonly may: 'load'; readonly token: number }
  | { readonly may: 'wait' }
  /** No room to keep track: load, and store nothing. */
  | { readonly may: 'load-unleased' };

export class Leases<Waiter> {
  readonly #leases = new Map<string, Lease<Waiter>>();
  readonly #options: { readonly leaseUs: Micros; readonly leasesMax: number };
  #nextToken: number;

  /** `firstToken` must differ between lives of a node, or a lease of the former one would still open. */
  constructor(
    options: { readonly leaseUs: Micros; readonly leasesMax: number },
    firstToken: number,
  ) {
    this.#options = options;
    this.#nextToken = firstToken;
  }

  get size(): number {
    return this.#leases.size;
  }

  /** Somebody missed. When he may wait, call `wait` with how to answer him. */
  ask(key: string, now: Micros): Asked {
    const lease = this.#leases.get(key);
    if (lease) {
      if (now < lease.expiresAt) {
        return lease.waiters.length < this.#options.leasesMax
          ? { may: 'wait' }
          : { may: 'load-unleased' };
      }
      this.#renew(lease, now);
      return { may: 'load', token: lease.token };
    }
    if (this.#leases.size >= this.#options.leasesMax) {
      this.#sweep(now);
      if (this.#leases.size >= this.#options.leasesMax) return { may: 'load-unleased' };
    }
    const fresh: Lease<Waiter> = { token: 0, expiresAt: 0, waiters: [] };
    this.#renew(fresh, now);
    this.#leases.set(key, fresh);
    return { may: 'load', token: fresh.token };
  }

  wait(key: string, waiter: Waiter): void {
    this.#leases.get(key)?.waiters.push(waiter);
  }

  /** A waiter gave up. */
  leave(key: string, waiter: Waiter): void {
    const waiters = this.#leases.get(key)?.waiters;
    const place = waiters?.indexOf(waiter) ?? -1;
    if (place >= 0) waiters?.splice(place, 1);
  }

  holds(key: string, token: number): boolean {
    return this.#leases.get(key)?.token === token;
  }

  /** A value was set: the lease ends, and these waited for it. */
  settle(key: string): readonly Waiter[] {
    const lease = this.#leases.get(key);
    if (!lease) return [];
    this.#leases.delete(key);
    return lease.waiters;
  }

  /**
   * The lease is void (the key was deleted, or the holder gave up): the waiter that waited longest
   * gets a new one.
   */
  pass(key: string, now: Micros): { readonly heir: Waiter; readonly token: number } | undefined {
    const lease = this.#leases.get(key);
    if (!lease) return undefined;
    const heir = lease.waiters.shift();
    if (heir === undefined) {
      this.#leases.delete(key);
      return undefined;
    }
    this.#renew(lease, now);
    return { heir, token: lease.token };
  }

  #renew(lease: Lease<Waiter>, now: Micros): void {
    lease.token = this.#nextToken++;
    lease.expiresAt = now + this.#options.leaseUs;
  }

  /** Drops what expired with nobody waiting: its holder died or never came back. */
  #sweep(now: Micros): void {
    for (const [key, lease] of this.#leases) {
      if (now >= lease.expiresAt && lease.waiters.length === 0) this.#leases.delete(key);
    }
  }
}
