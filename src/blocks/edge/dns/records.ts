/**
 * What the authoritative servers answer, pure: which nodes a name leads to, from where it is asked and
 * by who is well. This is global balancing: the region that is nearest and up, and another when it is lost.
 */
import type { Micros, NodeId } from '../../../host/host.ts';
import type { Random } from '../../../kit/random.ts';
import { type Region, RegionChooser } from '../../../parts/regions.ts';
import type { Place, RecordConfig, ServerConfig } from './config.ts';
import type { DnsAnswer } from './messages.ts';

export type Found = Pick<DnsAnswer, 'code' | 'nodes' | 'aliases' | 'text' | 'ttlUs'>;

/** Aliases of aliases: more is a loop. */
const aliasesMax = 8;
/** Regions that no distance is given for. */
const nearUs = 1_000;
const farUs = 100_000;

type NodesRecord = RecordConfig & { readonly kind: 'nodes' };

interface Known {
  readonly record: NodesRecord;
  readonly places: readonly Place[];
  readonly regions: readonly Region[];
  readonly chooser: RegionChooser<Region>;
  turn: number;
}

export class Records {
  readonly #config: ServerConfig;
  readonly #random: Random;
  readonly #known = new Map<string, Known>();
  readonly #down = new Set<NodeId>();
  /** Names that others are below. */
  readonly #between: ReadonlySet<string>;

  constructor(config: ServerConfig, random: Random) {
    this.#config = config;
    this.#random = random;
    this.#between = new Set(Object.keys(config.records).flatMap(namesAbove));
    for (const [name, record] of Object.entries(config.records)) {
      if (record.kind === 'nodes') this.#known.set(name, this.#know(name, record));
    }
  }

  /** All nodes that some record leads to. */
  nodes(): readonly NodeId[] {
    const all = [...this.#known.values()].flatMap(({ places }) => places.map(({ node }) => node));
    return [...new Set(all)];
  }

  report(node: NodeId, isUp: boolean, now: Micros): void {
    if (isUp) this.#down.delete(node);
    else this.#down.add(node);
    for (const { places, chooser } of this.#known.values()) {
      const region = places.find((place) => place.node === node)?.region;
      if (region === undefined) continue;
      const members = places.filter((place) => place.region === region);
      const well = members.filter((place) => !this.#down.has(place.node));
      chooser.report(region, well.length / members.length, now);
    }
  }

  find(asked: string, from: string, now: Micros): Found {
    const aliases: string[] = [];
    let name = asked.toLowerCase().replace(/\.$/, '');
    let ttlUs = Number.POSITIVE_INFINITY;
    for (let hops = 0; hops <= aliasesMax; hops++) {
      const record = this.#config.records[name];
      if (!record) {
        return {
          // Where names are below it, it is a name without anything (RFC 8020, 2; RFC 4592, 2.2.2).
          code: this.#between.has(name) ? 'ok' : 'no-name',
          nodes: [],
          aliases,
          text: null,
          ttlUs: this.#config.negativeTtlUs,
        };
      }
      ttlUs = Math.min(ttlUs, record.ttlUs);
      if (record.kind === 'text') {
        return { code: 'ok', nodes: [], aliases, text: record.text, ttlUs };
      }
      if (record.kind === 'nodes') {
        const nodes = this.#pick(this.#known.get(name)!, from, now);
        return { code: 'ok', nodes, aliases, text: null, ttlUs };
      }
      name = record.to;
      aliases.push(name);
    }
    return { code: 'failed', nodes: [], aliases, text: null, ttlUs: 0 };
  }

  #know(name: string, record: NodesRecord): Known {
    const places = this.#config.places[name] ?? [];
    const names = [...new Set(places.map(({ region }) => region))];
    const order = (region: string): number => {
      const place = record.regions.indexOf(region);
      return place < 0 ? record.regions.length : place;
    };
    const regions = names.map(
      (region): Region => ({ name: region, priority: order(region), healthy: 1 }),
    );
    const by = record.by === 'priority' ? 'priority' : 'latency';
    const random = this.#random.fork(name);
    const chooser = new RegionChooser({ ...this.#config.regions, by }, regions, random);
    return { record, places, regions, chooser, turn: 0 };
  }

  #pick(known: Known, from: string, now: Micros): readonly NodeId[] {
    const { record, places } = known;
    const well = places.filter(({ node }) => !this.#down.has(node));
    // With nobody well all are named: the checks may be what is wrong.
    if (well.length === 0) return this.#turned(known, places);
    if (record.by === 'all') return this.#turned(known, well);
    const region =
      record.by === 'weighted'
        ? this.#drawn(record, well)
        : known.chooser.choose(now, this.#distancesFrom(from, known.regions))?.name;
    const there = well.filter((place) => place.region === region);
    return this.#turned(known, there.length > 0 ? there : well);
  }

  /** Each answer begins with another one, so that those who take the first spread. */
  #turned(known: Known, places: readonly Place[]): readonly NodeId[] {
    const at = known.turn++ % places.length;
    const turned = [...places.slice(at), ...places.slice(0, at)];
    return turned.slice(0, this.#config.answersMax).map(({ node }) => node);
  }

  #drawn({ weights }: NodesRecord, well: readonly Place[]): string {
    const regions = [...new Set(well.map(({ region }) => region))];
    const total = regions.reduce((sum, region) => sum + (weights[region] ?? 0), 0);
    let left = this.#random.next() * total;
    for (const region of regions) {
      left -= weights[region] ?? 0;
      if (left < 0) return region;
    }
    return regions[0]!;
  }

  #distancesFrom(from: string, regions: readonly Region[]): Readonly<Record<string, Micros>> {
    const distances: Record<string, Micros> = {};
    for (const { name } of regions) {
      const given =
        this.#config.distancesUs[from]?.[name] ?? this.#config.distancesUs[name]?.[from];
      distances[name] = given ?? (name === from ? nearUs : farUs);
    }
    return distances;
  }
}

/** Of `a.shop.test`: `shop.test` and `test`. */
function namesAbove(name: string): readonly string[] {
  const labels = name.split('.');
  return labels.slice(1).map((_, index) => labels.slice(index + 1).join('.'));
}
