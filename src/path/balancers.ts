/** From the policy of a path to the balancer of one release. */
import type { Random } from '../kit/random.ts';
import {
  SmoothRoundRobin,
  WeightedLeastRequests,
  WeightedRandom,
  WeightedTwoChoices,
} from '../parts/balance/weighted.ts';
import { Balancer, type Picker } from '../parts/balance.ts';
import type { Instance } from './instance.ts';
import type { PathPolicy } from './policy.ts';
import type { MakePicker } from './roster.ts';

export function balancerOf(policy: PathPolicy, random: Random): MakePicker {
  return (release, isWeighted) => {
    const own = random.fork(`balance ${release}`);
    return isWeighted ? weighted(policy.balance, own) : plain(policy.balance, own);
  };
}

/** Equal shares need no arithmetic. */
function plain(by: PathPolicy['balance'], random: Random): Picker<Instance> {
  return by === 'least-requests' ? new WeightedLeastRequests(random) : new Balancer(by, random);
}

function weighted(by: PathPolicy['balance'], random: Random): Picker<Instance> {
  switch (by) {
    case 'least-requests':
      return new WeightedLeastRequests(random);
    case 'round-robin':
      return new SmoothRoundRobin(random);
    case 'two-choices':
      return new WeightedTwoChoices(random);
    case 'random':
      return new WeightedRandom(random);
  }
}
