/**
 * What a registry knows, without a host: who serves what, until when, and what has changed since.
 *
 *   register ─▶ listed ──renew──▶ …            each change of a service has the next revision
 *                 │  └─ silence ─▶ lapsed ─▶ dropped, unless most are silent
 *                 └─ deregister ─▶ dropped
 *
 * That too many are silent at once says more of the registry's network than of them: Eureka's
 * self-preservation. A list with some dead names in it serves; one without the living does not.
 */
import type { Micros, NodeId } from '../../../host/host.ts';
import type { RegistryConfig } from './config.ts';
import type { Change, Entry } from './messages.ts';

interface Held {
  entry: Entry;
  until: Micros;
}

interface Service {
  readonly held: Map<NodeId, Held>;
  /** The last so many. */
  changes: Change[];
  revision: number;
}

/** What came of a look at the leases. */
export interface Sweep {
  readonly dropped: readonly Entry[];
  /** Over, and kept all the same. */
  readonly kept: readonly Entry[];
}

type BookConfig = Pick<
  RegistryConfig,
  'ttlUs' | 'renewEveryUs' | 'leasesMax' | 'keepAbove' | 'changesMax'
>;

/** Renewals that are missing when an instance counts as silent: those of others come in between. */
const roundsMissed = 1.5;

export class Book {
  readonly #config: BookConfig;
  readonly #services = new Map<string, Service>();
  #isKeeping = false;
  #size = 0;

  constructor(config: BookConfig) {
    this.#config = config;
  }

  /** Instances listed. */
  get size(): number {
    return this.#size;
  }

  /** False when there is no room. One that is listed already is renewed. */
  register(entry: Entry, now: Micros): boolean {
    const service = this.#of(entry.service);
    const until = now + this.#config.ttlUs;
    const known = service.held.get(entry.node);
    if (!known && this.#size >= this.#config.leasesMax) return false;
    if (!known) this.#size++;
    service.held.set(entry.node, { entry, until });
    if (!known || !isSame(known.entry, entry)) this.#change(service, { put: entry });
    return true;
  }

  /** False when it is not listed. */
  renew(name: string, node: NodeId, status: Entry['status'], now: Micros): boolean {
    const service = this.#of(name);
    const known = service.held.get(node);
    if (!known) return false;
    known.until = now + this.#config.ttlUs;
    if (known.entry.status !== status) {
      known.entry = { ...known.entry, status };
      this.#change(service, { put: known.entry });
    }
    return true;
  }

  /** False when it was not listed. */
  remove(name: string, node: NodeId): boolean {
    const service = this.#of(name);
    if (!service.held.delete(node)) return false;
    this.#size--;
    this.#change(service, { drop: node });
    return true;
  }

  /** Every service in which a node is listed. */
  servicesOf(node: NodeId): readonly string[] {
    return [...this.#services].filter(([, { held }]) => held.has(node)).map(([name]) => name);
  }

  sweep(now: Micros): Sweep {
    const held = [...this.#services.values()].flatMap((service) => [...service.held.values()]);
    const over = held.filter(({ until }) => until <= now).map(({ entry }) => entry);
    if (over.length === 0) return { dropped: [], kept: [] };
    const { ttlUs, renewEveryUs, keepAbove } = this.#config;
    const silentUs = roundsMissed * renewEveryUs;
    const silent = held.filter(({ until }) => now - (until - ttlUs) > silentUs).length;
    if (silent > 1 && silent > keepAbove * held.length) {
      this.#isKeeping = true;
      return { dropped: [], kept: over };
    }
    if (this.#isKeeping) {
      // Most are heard again: those who are not yet get one round more to say so.
      this.#isKeeping = false;
      for (const one of held) if (one.until <= now) one.until = now + silentUs;
      return { dropped: [], kept: [] };
    }
    for (const { service, node } of over) this.remove(service, node);
    return { dropped: over, kept: [] };
  }

  revisionOf(name: string): number {
    return this.#of(name).revision;
  }

  entries(name: string): readonly Entry[] {
    return [...this.#of(name).held.values()].map(({ entry }) => entry);
  }

  /** Everything after `revision`; undefined when that is too long ago. */
  since(name: string, revision: number): readonly Change[] | undefined {
    const service = this.#of(name);
    const missing = service.revision - revision;
    if (missing < 0 || missing > service.changes.length) return undefined;
    return service.changes.slice(service.changes.length - missing);
  }

  #of(name: string): Service {
    let service = this.#services.get(name);
    if (!service) {
      service = { held: new Map(), changes: [], revision: 0 };
      this.#services.set(name, service);
    }
    return service;
  }

  #change(service: Service, what: { readonly put: Entry } | { readonly drop: NodeId }): void {
    service.changes.push({ revision: ++service.revision, ...what });
    // Cut back in blocks: each change would move all the others.
    const { changesMax } = this.#config;
    if (service.changes.length >= 2 * changesMax) {
      service.changes = service.changes.slice(-changesMax);
    }
  }
}

function isSame(a: Entry, b: Entry): boolean {
  return a.zone === b.zone && a.release === b.release && a.status === b.status;
}
