/**
 * Who serves, by release, and whose turn it is. The roster changes while calls are open: who stays
 * keeps his counts and what is known of his health, who is gone gets no new call, and the order in
 * which names come changes nothing.
 *
 *   retarget ──▶ releases   v1: a b c      shift ──▶ 95 : 5 between them
 *                           v2: d          pick  ──▶ a release by its share, in it an instance
 */
import type { Micros, NodeId } from '../host/host.ts';
import type { Member, Targets } from '../host/path.ts';
import type { Random } from '../kit/random.ts';
import type { Picker } from '../parts/balance.ts';
import { TrafficSplit } from '../parts/traffic-split.ts';
import { Instance, memberOf } from './instance.ts';

/** Makes the balancer of one release; `isWeighted` when its instances' shares differ. */
export type MakePicker = (release: string, isWeighted: boolean) => Picker<Instance>;

/** On which side of a split a call belongs. */
export interface Side {
  /** The same key goes to the same release. */
  readonly key: string | undefined;
  /** This release, whatever the shares, if there is one of that name. */
  readonly pinned: string | undefined;
}

interface Release {
  readonly name: string;
  readonly instances: readonly Instance[];
  picker: Picker<Instance>;
}

export interface RosterEvents {
  /** `isNew`: it was not there from the beginning. */
  readonly came?: (instance: Instance, isNew: boolean) => void;
  readonly went?: (instance: Instance) => void;
}

export class Roster {
  #makePicker: MakePicker;
  readonly #events: RosterEvents;
  readonly #split: TrafficSplit;
  #instances = new Map<NodeId, Instance>();
  /** Gone, but calls are still open there: who comes back in time finds them counted. */
  readonly #leaving = new Map<NodeId, Instance>();
  #releases: ReadonlyMap<string, Release> = new Map();
  #declared: Targets['traffic'] = {};
  #shifted: Targets['traffic'] = {};
  /** Set when all traffic goes to one release: then nothing is drawn. */
  #only: Release | undefined;
  #picked: Release | undefined;

  constructor(options: {
    readonly targets: Targets;
    readonly makePicker: MakePicker;
    readonly random: Random;
    readonly events?: RosterEvents;
  }) {
    this.#makePicker = options.makePicker;
    this.#events = options.events ?? {};
    this.#split = new TrafficSplit({}, options.random);
    // Those of the beginning were there before all time: nobody has to be spared.
    this.retarget(options.targets, Number.NEGATIVE_INFINITY);
  }

  get instances(): IterableIterator<Instance> {
    return this.#instances.values();
  }

  retarget(targets: Targets, now: Micros): void {
    const before = this.#instances;
    const next = new Map<NodeId, Instance>();
    const releases = new Map<string, Release>();
    for (const [node, gone] of this.#leaving) if (gone.open === 0) this.#leaving.delete(node);
    for (const name of Object.keys(targets.releases).sort()) {
      const instances = membersOf(targets.releases[name]!).map((member) => {
        const instance = next.get(member.node) ?? this.#known(member) ?? new Instance(member, now);
        instance.weight = member.weight ?? 1;
        instance.zone = member.zone ?? '';
        next.set(member.node, instance);
        return instance;
      });
      releases.set(name, this.#release(name, instances));
    }
    this.#instances = next;
    this.#releases = releases;
    this.#declared = targets.traffic;
    for (const [node, instance] of before) {
      if (next.get(node) === instance) continue;
      if (instance.open > 0) this.#leaving.set(node, instance);
      this.#events.went?.(instance);
    }
    for (const [node, instance] of next) {
      if (before.get(node) === instance) continue;
      instance.cameAt = now;
      this.#leaving.delete(node);
      this.#events.came?.(instance, now !== Number.NEGATIVE_INFINITY);
    }
    this.#share();
  }

  /** Other shares. Releases not named get nothing; when none is named, the declared shares hold again. */
  shift(traffic: Targets['traffic']): void {
    this.#shifted = traffic;
    this.#share();
  }

  /** Balances by another rule from now on. */
  rebalance(makePicker: MakePicker): void {
    this.#makePicker = makePicker;
    for (const release of this.#releases.values()) {
      release.picker = makePicker(release.name, isWeighted(release.instances));
    }
  }

  /** Undefined only when nobody serves. `key`: who goes to the same place again, where the balancer heeds it. */
  pick(
    now: Micros,
    except: Instance | undefined,
    key: string | undefined,
    side?: Side,
  ): Instance | undefined {
    const release = this.#pinned(side) ?? this.#only ?? this.#drawn(side);
    this.#picked = release;
    return release?.picker.pick(release.instances, now, except, key);
  }

  /** Those of the release that was picked from last: whoever stands in for one serves the same. */
  get fellows(): readonly Instance[] {
    return this.#picked?.instances ?? [];
  }

  /** One of a release, whatever its share: for copies. */
  pickOf(name: string, now: Micros): Instance | undefined {
    const release = this.#releases.get(name);
    return release?.picker.pick(release.instances, now);
  }

  #pinned(side: Side | undefined): Release | undefined {
    const release = side?.pinned === undefined ? undefined : this.#releases.get(side.pinned);
    return release && release.instances.length > 0 ? release : undefined;
  }

  #drawn(side: Side | undefined): Release | undefined {
    return this.#releases.get(this.#split.choose(side?.key) ?? '');
  }

  #known({ node, port }: Member): Instance | undefined {
    const known = this.#instances.get(node) ?? this.#leaving.get(node);
    // Behind another port stands another program.
    return known && (port === undefined || known.address.port === port) ? known : undefined;
  }

  /** The same list where nothing changed: balancers keep what they computed for it. */
  #release(name: string, instances: readonly Instance[]): Release {
    const before = this.#releases.get(name);
    const weighted = isWeighted(instances);
    if (before && isSame(before.instances, instances) && isWeighted(before.instances) === weighted)
      return before;
    const keepsPicker = before && isWeighted(before.instances) === weighted;
    const picker = keepsPicker ? before.picker : this.#makePicker(name, weighted);
    return { name, instances, picker };
  }

  #share(): void {
    const isShifted = Object.keys(this.#shifted).length > 0;
    const wanted = isShifted ? this.#shifted : this.#declared;
    const shares: Record<string, number> = {};
    let last: Release | undefined;
    for (const name of Object.keys(wanted).sort()) {
      const release = this.#releases.get(name);
      if (!release || release.instances.length === 0 || !(wanted[name]! > 0)) continue;
      shares[name] = wanted[name]!;
      last = release;
    }
    this.#only = Object.keys(shares).length === 1 ? last : undefined;
    this.#split.shift(shares);
  }
}

/** Each node once, whatever was said, and in one order. */
function membersOf(given: readonly (NodeId | Member)[]): Member[] {
  const members = new Map(given.map(memberOf).map((member) => [member.node, member]));
  return [...members.values()].sort(byNode);
}

function byNode(a: Member, b: Member): number {
  return a.node < b.node ? -1 : a.node > b.node ? 1 : 0;
}

function isSame(before: readonly Instance[], after: readonly Instance[]): boolean {
  return before.length === after.length && before.every((one, index) => one === after[index]);
}

function isWeighted(instances: readonly Instance[]): boolean {
  return instances.some(({ weight }) => weight !== instances[0]!.weight);
}
