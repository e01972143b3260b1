/**
 * Fault schedules for the hunt, drawn from the seed. Swarm testing (Groce and others, 2012): the
 * seed first draws which kinds of faults this run has at all, since a run with everything at once
 * hides what only two kinds together break.
 *
 * Only what an honest design claims to survive is drawn: processes end and come back, one, a whole
 * block or a whole zone; messages are lost, late or doubled, clocks are wrong, disks are full or
 * refuse. Never lost disks or flipped bits, which a block without copies cannot survive, and no
 * change of releases: what is broken then says nothing about the design. Every fault ends, but for the
 * stop of a member that others stand in for: where a registry says who is there, members come and go.
 */
import type { Fault, Target } from '../host/fault.ts';
import type { Micros } from '../host/host.ts';
import type { NodePlan, Plan } from '../host/plan.ts';
import type { Random } from '../kit/random.ts';

export interface ScheduleOptions {
  readonly forUs: Micros;
  readonly faultsMin: number;
  readonly faultsMax: number;
  /** Blocks whose members may come and go for good: others are told by a registry who is there. */
  readonly moving?: readonly string[] | undefined;
}

type Draw = (random: Random, places: Places, when: When) => Fault;

interface When {
  readonly atUs: Micros;
  readonly forUs: Micros;
}

const kinds: Readonly<Record<string, Draw>> = {
  kill: (random, places, when) => ({ do: 'kill', target: places.some(random), ...when }),
  'power-off': (random, places, when) => ({
    do: 'power-off',
    target: places.some(random),
    ...when,
  }),
  restart: (random, places, { atUs }) => ({ do: 'restart', target: places.some(random), atUs }),
  pause: (random, places, when) => ({ do: 'pause', target: places.some(random), ...when }),
  slow: (random, places, when) => ({
    do: 'slow',
    target: places.some(random),
    factor: random.pick([2, 5, 20]),
    ...when,
  }),
  'cut nodes': (random, places, when) => ({
    do: 'cut',
    ...places.way(random, false),
    oneWay: random.chance(0.3),
    ...when,
  }),
  'cut zones': (random, places, when) => ({
    do: 'cut',
    ...places.zones(random),
    oneWay: random.chance(0.3),
    ...when,
  }),
  lose: (random, places, when) => ({
    do: 'lose',
    ...places.way(random, true),
    ratio: random.pick([0.05, 0.3]),
    ...when,
  }),
  delay: (random, places, when) => ({
    do: 'delay',
    ...places.way(random, true),
    byUs: random.pick([20_000, 100_000, 400_000]),
    ...when,
  }),
  duplicate: (random, places, when) => ({
    do: 'duplicate',
    ...places.way(random, true),
    ratio: random.pick([0.1, 0.5]),
    ...when,
  }),
  skew: (random, places, when) => ({
    do: 'skew',
    target: places.server(random),
    byUs: random.pick([-2_000_000, -300_000, 300_000, 2_000_000]),
    driftPpm: random.pick([0, 0, 200, -200]),
    ...when,
  }),
  'fill-disk': (random, places, when) => ({
    do: 'fill-disk',
    target: places.keeper(random),
    ...when,
  }),
  'fail-disk': (random, places, when) => ({
    do: 'fail-disk',
    target: places.keeper(random),
    ...when,
  }),
  start: (random, places, when) => ({
    do: 'start',
    block: random.pick(places.moving),
    count: random.pick([1, 2]),
    ...when,
  }),
  stop: (random, places, { atUs }) => ({ do: 'stop', target: places.dispensable(random), atUs }),
  surge: (random, _places, when) => ({ do: 'surge', factor: random.pick([2, 4]), ...when }),
};

/** Sorted by time. The same random stream gives the same schedule. */
export function drawSchedule(
  plan: Plan,
  random: Random,
  options: ScheduleOptions,
): readonly Fault[] {
  const places = new Places(plan, options.moving ?? []);
  const impossible = new Set([
    ...(plan.zones.length > 1 ? [] : ['cut zones']),
    ...(places.moving.length > 0 ? [] : ['start']),
    ...(places.hasDispensable ? [] : ['stop']),
  ]);
  const all = Object.keys(kinds).filter((kind) => !impossible.has(kind));
  const mix = random.fork('mix');
  const some = all.filter(() => mix.chance(0.4));
  const enabled = some.length > 0 ? some : [mix.pick(all)];
  const count = mix.between(options.faultsMin, Math.max(options.faultsMin, options.faultsMax));
  const faults = Array.from({ length: count }, (_, index) => {
    const own = random.fork(`fault ${index}`);
    // At least half a second: what is over before anybody notices tests little.
    const forUs = own.between(500_000, Math.max(500_000, Math.floor(options.forUs / 3)));
    const atUs = own.below(Math.max(1, options.forUs - 500_000));
    return kinds[own.pick(enabled)]!(own, places, { atUs: round(atUs), forUs: round(forUs) });
  });
  return bounded(
    faults.sort((a, b) => a.atUs - b.atUs),
    (fault, index) =>
      kinds.kill!(random.fork(`instead ${index}`), places, {
        atUs: fault.atUs,
        forUs: fault.forUs ?? 500_000,
      }),
  );
}

/** Faults of these kinds multiply when they overlap: ten surges by 4 are a million times the load. */
const multiplying: ReadonlySet<Fault['do']> = new Set(['surge', 'slow']);
const atOnceMax = 2;

/** With something else in place of what nobody claims to survive and no simulation would get through. */
function bounded(
  faults: readonly Fault[],
  instead: (fault: Fault, index: number) => Fault,
): readonly Fault[] {
  const kept: Fault[] = [];
  for (const [index, fault] of faults.entries()) {
    const inForce = kept.filter(
      (other) => other.do === fault.do && other.atUs + (other.forUs ?? 0) > fault.atUs,
    );
    const isTooMuch = multiplying.has(fault.do) && inForce.length >= atOnceMax;
    kept.push(isTooMuch ? instead(fault, index) : fault);
  }
  return kept;
}

/** Simpler versions of a fault for the shrinker: one that begins on a whole second, or ends sooner. */
export function* simpler(fault: Fault): Iterable<Fault> {
  const wholeSeconds = Math.floor(fault.atUs / 1_000_000) * 1_000_000;
  if (wholeSeconds !== fault.atUs) yield { ...fault, atUs: wholeSeconds };
  if (fault.forUs !== undefined && fault.forUs > 1_000_000) {
    yield { ...fault, forUs: Math.max(500_000, Math.floor(fault.forUs / 200_000) * 100_000) };
  }
}

/** Where faults may strike. */
class Places {
  /** All but users: a cut that begins at users says nothing about the system. */
  readonly #ends: readonly string[];
  /** Nodes of the system under test: neither users nor what is somebody else's. */
  readonly #servers: readonly NodePlan[];
  /** Those whose disk may matter: user code has none. */
  readonly #keepers: readonly NodePlan[];
  readonly #zones: readonly string[];
  readonly moving: readonly string[];
  /** Of those that may go, all but one each. */
  readonly #dispensable: readonly string[];
  /** Whom a node talks to, as far as the plan tells: its kin, and the blocks that it binds. */
  readonly #peers = new Map<string, readonly string[]>();

  constructor(plan: Plan, moving: readonly string[]) {
    this.moving = moving;
    this.#dispensable = moving.flatMap((block) =>
      plan.nodes
        .filter((node) => node.block === block)
        .slice(1)
        .map(({ id }) => id),
    );
    this.#ends = plan.nodes.filter(({ kind }) => kind !== 'users').map(({ id }) => id);
    this.#servers = plan.nodes.filter(({ kind }) => kind !== 'users' && kind !== 'external');
    const keepers = this.#servers.filter(({ userCode }) => !userCode);
    this.#keepers = keepers.length > 0 ? keepers : this.#servers;
    this.#zones = plan.zones.map(({ name }) => name);
    for (const node of plan.nodes) {
      const bound = new Set(node.programs.map(({ block }) => block));
      const peers = plan.nodes.filter(({ id, block }) => id !== node.id && bound.has(block));
      const others = plan.nodes.length > 1 ? plan.nodes.filter(({ id }) => id !== node.id) : [node];
      this.#peers.set(
        node.id,
        (peers.length > 0 ? peers : others).map(({ id }) => id),
      );
    }
  }

  server(random: Random): Target {
    return { node: random.pick(this.#servers).id };
  }

  get hasDispensable(): boolean {
    return this.#dispensable.length > 0;
  }

  dispensable(random: Random): Target {
    return { node: random.pick(this.#dispensable) };
  }

  keeper(random: Random): Target {
    return { node: random.pick(this.#keepers).id };
  }

  /** Mostly one; now and then a block or a zone at once, where copies alone help nobody. */
  some(random: Random): Target {
    const { id, block, zone } = random.pick(this.#servers);
    const kind = random.next();
    if (kind < 0.1) return { block };
    return kind < 0.2 ? { zone } : { node: id };
  }

  /** Mostly between two who talk; now and then around one node, or, if `anywhere`, all over the network. */
  way(random: Random, anywhere: boolean): { readonly from: Target; readonly to: Target } {
    const from = random.pick(this.#ends);
    const to = random.pick(this.#peers.get(from)!);
    const kind = random.next();
    if (kind < 0.15 && anywhere) return { from: { all: true }, to: { all: true } };
    return { from: { node: from }, to: kind < 0.4 ? { all: true } : { node: to } };
  }

  zones(random: Random): { readonly from: Target; readonly to: Target } {
    const from = random.pick(this.#zones);
    const others = this.#zones.filter((zone) => zone !== from);
    return { from: { zone: from }, to: { zone: random.pick(others) } };
  }
}

/** To 10 ms: a schedule that people read. */
function round(us: Micros): Micros {
  return Math.round(us / 10_000) * 10_000;
}
