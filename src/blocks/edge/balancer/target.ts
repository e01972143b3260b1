/** One that connections go to, as its balancer knows it; and who of several gets the next. */
import { connectionsOf } from '../../../host/connection.ts';
import type { Address, Micros, NodeId } from '../../../host/host.ts';
import type { Member, Targets } from '../../../host/path.ts';
import type { Random } from '../../../kit/random.ts';
import { BoundedHash, SourceHash } from '../../../parts/balance/hashed.ts';
import type { NamedTarget, Picker } from '../../../parts/balance/target.ts';
import {
  SmoothRoundRobin,
  type TurnTarget,
  WeightedLeastRequests,
  WeightedRandom,
  WeightedTwoChoices,
} from '../../../parts/balance/weighted.ts';
import type { BalancerKnobs } from './config.ts';

export class Target implements NamedTarget, TurnTarget {
  readonly id: NodeId;
  readonly address: Address;
  weight: number;
  /** Connections. */
  open = 0;
  credit = 0;
  #ejectedUntil: Micros = 0;
  #isDown = false;

  constructor(id: NodeId, weight: number) {
    this.id = id;
    this.address = connectionsOf(id);
    this.weight = weight;
  }

  get avoidUntil(): Micros {
    return this.#isDown ? Number.POSITIVE_INFINITY : this.#ejectedUntil;
  }

  /** It did not take a connection. */
  eject(until: Micros): void {
    this.#ejectedUntil = until;
  }

  /** It took one. */
  took(): void {
    this.#ejectedUntil = 0;
  }

  /** What its health checks say. */
  isUp(isUp: boolean): void {
    this.#isDown = !isUp;
    if (isUp) this.#ejectedUntil = 0;
  }
}

/** By node: its weight. What a release gets is spread over its members. */
export function weightsOf({ releases, traffic }: Targets): ReadonlyMap<NodeId, number> {
  const weights = new Map<NodeId, number>();
  for (const [release, members] of Object.entries(releases)) {
    const share = traffic[release] ?? 0;
    if (share <= 0) continue;
    for (const member of members) {
      const { node, weight = 1 }: Member = typeof member === 'string' ? { node: member } : member;
      weights.set(node, (weight * share) / members.length);
    }
  }
  return weights;
}

export function pickerOf(balance: BalancerKnobs['balance'], random: Random): Picker<Target> {
  switch (balance) {
    case 'least-connections':
      return new WeightedLeastRequests(random);
    case 'round-robin':
      return new SmoothRoundRobin(random);
    case 'two-choices':
      return new WeightedTwoChoices(random);
    case 'random':
      return new WeightedRandom(random);
    case 'source-hash':
      return new SourceHash(random);
    case 'consistent-hash':
      return new BoundedHash({ overload: 0.25, tokens: 128 }, random);
  }
}
