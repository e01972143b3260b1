/**
 * Fault schedules for the hunt, drawn from the seed. Swarm testing (Groce and others, 2012): the
 * seed first draws which kinds of faults this run has at all, since a run with everything at once
 * hides what only two kinds together break.
 *
 * Only what an honest design claims to survive is drawn: processes end and come back, messages are
 * lost, late or doubled, clocks are wrong, disks are full or refuse. Never lost disks or flipped
 * bits: what is broken then says nothing about the design.
 */
import type { Fault, Target } from '../host/fault.ts';
import type { Micros } from '../host/host.ts';
import type { Plan } from '../host/plan.ts';
import type { Random } from '../kit/random.ts';

export interface ScheduleOptions {
  readonly forUs: Micros;
  readonly faultsMin: number;
  readonly faultsMax: number;
}

type Draw = (random: Random, names: Names, when: When) => Fault;

interface Names {
  readonly nodes: readonly string[];
  readonly servers: readonly string[];
  readonly zones: readonly string[];
}

interface When {
  readonly atUs: Micros;
  readonly forUs: Micros;
}

const kinds: Readonly<Record<string, Draw>> = {
  kill: (random, names, when) => ({
    do: 'kill',
    target: { node: random.pick(names.servers) },
    ...when,
  }),
  'power-off': (random, names, when) => ({
    do: 'power-off',
    target: { node: random.pick(names.servers) },
    ...when,
  }),
  restart: (random, names, { atUs }) => ({
    do: 'restart',
    target: { node: random.pick(names.servers) },
    atUs,
  }),
  pause: (random, names, when) => ({
    do: 'pause',
    target: { node: random.pick(names.servers) },
    ...when,
  }),
  slow: (random, names, when) => ({
    do: 'slow',
    target: { node: random.pick(names.servers) },
    factor: random.pick([2, 5, 20]),
    ...when,
  }),
  'cut nodes': (random, names, when) => ({
    do: 'cut',
    ...pair(random, names),
    oneWay: random.chance(0.3),
    ...when,
  }),
  'cut zones': (random, names, when) => ({
    do: 'cut',
    ...zonePair(random, names),
    oneWay: random.chance(0.3),
    ...when,
  }),
  lose: (random, names, when) => ({
    do: 'lose',
    ...pair(random, names),
    ratio: random.pick([0.05, 0.3]),
    ...when,
  }),
  delay: (random, names, when) => ({
    do: 'delay',
    ...pair(random, names),
    byUs: random.pick([20_000, 100_000, 400_000]),
    ...when,
  }),
  duplicate: (random, names, when) => ({
    do: 'duplicate',
    ...pair(random, names),
    ratio: random.pick([0.1, 0.5]),
    ...when,
  }),
  skew: (random, names, when) => ({
    do: 'skew',
    target: { node: random.pick(names.servers) },
    byUs: random.pick([-2_000_000, -300_000, 300_000, 2_000_000]),
    driftPpm: random.pick([0, 0, 200, -200]),
    ...when,
  }),
  'fill-disk': (random, names, when) => ({
    do: 'fill-disk',
    target: { node: random.pick(names.servers) },
    ...when,
  }),
  'fail-disk': (random, names, when) => ({
    do: 'fail-disk',
    target: { node: random.pick(names.servers) },
    ...when,
  }),
  surge: (random, _names, when) => ({ do: 'surge', factor: random.pick([2, 4]), ...when }),
};

/** Sorted by time. The same random stream gives the same schedule. */
export function drawSchedule(
  plan: Plan,
  random: Random,
  options: ScheduleOptions,
): readonly Fault[] {
  const names: Names = {
    nodes: plan.nodes.map(({ id }) => id),
    servers: plan.nodes
      .filter(({ kind }) => kind !== 'users' && kind !== 'external')
      .map(({ id }) => id),
    zones: plan.zones.map(({ name }) => name),
  };
  const all = Object.keys(kinds).filter((kind) => kind !== 'cut zones' || names.zones.length > 1);
  const mix = random.fork('mix');
  const some = all.filter(() => mix.chance(0.4));
  const enabled = some.length > 0 ? some : [mix.pick(all)];
  const count = mix.between(options.faultsMin, Math.max(options.faultsMin, options.faultsMax));
  const faults = Array.from({ length: count }, (_, index) => {
    const own = random.fork(`fault ${index}`);
    // At least half a second: what is over before anybody notices tests little.
    const forUs = own.between(500_000, Math.max(500_000, Math.floor(options.forUs / 3)));
    const atUs = own.below(Math.max(1, options.forUs - 500_000));
    return kinds[own.pick(enabled)]!(own, names, { atUs: round(atUs), forUs: round(forUs) });
  });
  return faults.sort((a, b) => a.atUs - b.atUs);
}

/** Simpler versions of a fault for the shrinker: one that begins on a whole second, or ends sooner. */
export function* simpler(fault: Fault): Iterable<Fault> {
  const wholeSeconds = Math.floor(fault.atUs / 1_000_000) * 1_000_000;
  if (wholeSeconds !== fault.atUs) yield { ...fault, atUs: wholeSeconds };
  if (fault.forUs !== undefined && fault.forUs > 1_000_000) {
    yield { ...fault, forUs: Math.max(500_000, Math.floor(fault.forUs / 200_000) * 100_000) };
  }
}

function pair(random: Random, names: Names): { readonly from: Target; readonly to: Target } {
  const from = random.pick(names.nodes);
  const others = names.nodes.filter((node) => node !== from);
  return { from: { node: from }, to: { node: others.length > 0 ? random.pick(others) : from } };
}

function zonePair(random: Random, names: Names): { readonly from: Target; readonly to: Target } {
  const from = random.pick(names.zones);
  return {
    from: { zone: from },
    to: { zone: random.pick(names.zones.filter((zone) => zone !== from)) },
  };
}

/** To 10 ms: a schedule that people read. */
function round(us: Micros): Micros {
  return Math.round(us / 10_000) * 10_000;
}
