/**
 * Leases: who is here, until when. An entry stays as long as its holder renews it, and goes by itself
 * when the holder does not: nobody has to notice a crash.
 *
 *   grant ──▶ held until now + ttl ──renew──▶ … ──silence──▶ lapsed
 *
 * ```ts
 * import { Leases } from 'loadpath/parts/leases';
 *
 * const leases = new Leases<string>({ leasesMax: 1_000 });
 * leases.grant('search/0', '10.0.0.7:4001', 0, 10_000_000); // → true
 * leases.renew('search/0', 8_000_000, 10_000_000); // → true
 * [leases.get('search/0', 17_999_999), leases.get('search/0', 18_000_000)]; // → ['10.0.0.7:4001', undefined]
 * [...leases.lapse(18_000_000)]; // → ['search/0']
 * ```
 *
 * Gray and Cheriton, "Leases" (1989). What must not be held by two at once needs a fencing token besides: a
 * holder that was paused does not know that its lease is over.
 */
import type { Micros } from '../host/host.ts';
import { type ConfigOf, count, duration } from '../kit/config.ts';

export const leaseKnobs = {
  ttl: duration('30s', {
    min: '1ms',
    doc: 'How long an entry outlives its last renewal. Three renewals: two may be lost.',
  }),
  renewEvery: duration('10s', {
    min: '1ms',
    doc: 'How often a holder renews. Each is a message to the registry: a thousand instances are a hundred a second.',
  }),
  leasesMax: count(100_000, {
    min: 1,
    doc: 'Entries at once. Beyond it a new one is refused; those held can be renewed.',
  }),
};

export type LeaseConfig = ConfigOf<typeof leaseKnobs>;

interface Lease<V> {
  readonly id: string;
  readonly value: V;
  until: Micros;
}

interface Ripe<V> {
  readonly lease: Lease<V>;
  readonly at: Micros;
}

export class Leases<V> {
  readonly #leasesMax: number;
  readonly #leases = new Map<string, Lease<V>>();
  /**
   * A binary heap, the earliest first. A renewal leaves the entry where it is: it is put back when its
   * old time comes, so that renewing costs nothing here.
   */
  readonly #ripening: Ripe<V>[] = [];
  #revision = 0;

  constructor(options: { readonly leasesMax: number }) {
    this.#leasesMax = options.leasesMax;
  }

  get size(): number {
    return this.#leases.size;
  }

  /** Grows with each change of who is here, not with renewals: watchers compare it. */
  get revision(): number {
    return this.#revision;
  }

  /** Also takes the place of a former one with that id. False when there is no room. */
  grant(id: string, value: V, now: Micros, ttlUs: Micros): boolean {
    if (!this.#leases.has(id) && this.#leases.size >= this.#leasesMax) return false;
    const lease = { id, value, until: now + ttlUs };
    this.#leases.set(id, lease);
    this.#push({ lease, at: lease.until });
    this.#revision++;
    return true;
  }

  /** False when it has lapsed or was never there: then the holder must ask for a new one. */
  renew(id: string, now: Micros, ttlUs: Micros): boolean {
    const lease = this.#leases.get(id);
    if (!lease || lease.until <= now) return false;
    const until = now + ttlUs;
    // A shorter one comes before its entry in the heap, which therefore gets another.
    if (until < lease.until) this.#push({ lease, at: until });
    lease.until = until;
    return true;
  }

  /** Given back before its time. False when it was not held. */
  release(id: string): boolean {
    if (!this.#leases.delete(id)) return false;
    this.#revision++;
    return true;
  }

  get(id: string, now: Micros): V | undefined {
    const lease = this.#leases.get(id);
    return lease && lease.until > now ? lease.value : undefined;
  }

  /** Whoever is held now, in the order in which they came. */
  *held(now: Micros): IterableIterator<readonly [id: string, value: V]> {
    for (const { id, value, until } of this.#leases.values()) if (until > now) yield [id, value];
  }

  /** Drops what is over and names it, the earliest first. */
  lapse(now: Micros): readonly string[] {
    const lapsed: string[] = [];
    while (this.#ripening.length > 0 && this.#ripening[0]!.at <= now) {
      const { lease } = this.#pop();
      // Given back or taken over since: then that entry speaks for it.
      if (this.#leases.get(lease.id) !== lease) continue;
      if (lease.until > now) this.#push({ lease, at: lease.until });
      else {
        this.#leases.delete(lease.id);
        this.#revision++;
        lapsed.push(lease.id);
      }
    }
    return lapsed;
  }

  /** When `lapse` should be called next; infinite when nothing is held. It may find nothing then. */
  get nextAt(): Micros {
    return this.#ripening[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  #push(ripe: Ripe<V>): void {
    const heap = this.#ripening;
    let place = heap.length;
    heap.push(ripe);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (heap[parent]!.at <= ripe.at) break;
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = ripe;
  }

  #pop(): Ripe<V> {
    const heap = this.#ripening;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++;
      if (heap[child]!.at >= last.at) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}
