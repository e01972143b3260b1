/**
 * From the policy of a path to the balancer of one release: a rule, perhaps kept to the caller's zone,
 * perhaps loyal to who was served before.
 */
import type { Random } from '../kit/random.ts';
import { BoundedHash, SourceHash } from '../parts/balance/hashed.ts';
import { LeastLatency } from '../parts/balance/latency.ts';
import { StickyCookie, StickyTable } from '../parts/balance/sticky.ts';
import {
  SmoothRoundRobin,
  WeightedLeastRequests,
  WeightedRandom,
  WeightedTwoChoices,
} from '../parts/balance/weighted.ts';
import { ownWeight, slowStart, type WeightAt } from '../parts/balance/weights.ts';
import { ZoneAware } from '../parts/balance/zones.ts';
import { Balancer, type Picker } from '../parts/balance.ts';
import type { Instance } from './instance.ts';
import type { PathPolicy } from './policy.ts';
import type { MakePicker } from './roster.ts';

export interface Surroundings {
  /** The caller's own. */
  readonly zone: string;
  readonly callers: Readonly<Record<string, number>> | undefined;
}

export function balancerOf(policy: PathPolicy, around: Surroundings, random: Random): MakePicker {
  return (release, isWeighted) => {
    const own = random.fork(`balance ${release}`);
    return loyal(policy, local(policy, around, ruled(policy, isWeighted, own), own));
  };
}

function loyal({ sticky }: PathPolicy, inner: Picker<Instance>): Picker<Instance> {
  if (!sticky) return inner;
  return sticky.by.startsWith('cookie:')
    ? new StickyCookie(inner)
    : new StickyTable(inner, { keysMax: sticky.keysMax });
}

function local(
  { zones }: PathPolicy,
  { zone, callers = { [zone]: 1 } }: Surroundings,
  inner: Picker<Instance>,
  random: Random,
): Picker<Instance> {
  if (!zones) return inner;
  const { targetsMin } = zones;
  return new ZoneAware({ zone, callers, targetsMin }, inner, random.fork('zones'));
}

function ruled(policy: PathPolicy, isWeighted: boolean, random: Random): Picker<Instance> {
  const { balance } = policy;
  const weightAt: WeightAt<Instance> = policy.slowStart ? slowStart(policy.slowStart) : ownWeight;
  // Equal shares need no arithmetic.
  const isPlain = !isWeighted && !policy.slowStart;
  switch (balance) {
    case 'least-requests':
      return new WeightedLeastRequests(random, weightAt);
    case 'round-robin':
      return isPlain ? new Balancer(balance, random) : new SmoothRoundRobin(random, weightAt);
    case 'two-choices':
      return isPlain ? new Balancer(balance, random) : new WeightedTwoChoices(random, weightAt);
    case 'random':
      return isPlain ? new Balancer(balance, random) : new WeightedRandom(random, weightAt);
    case 'source-hash':
      return new SourceHash(random);
    case 'consistent-hash':
      return new BoundedHash(policy.hash!, random);
    case 'latency':
      return new LeastLatency(random);
  }
}
