/**
 * How fast one caller may call each single instance: so many a second, with bursts. Who is at his pace is
 * passed over as if he were full; when all are, the call is refused and told when to come back.
 *
 *   attempt ──▶ balancer ──▶ instance ── within its pace ──▶ sent, counted
 *                  ▲             └── at it: Instance.avoidUntil = when it may be sent the next
 *                  └─────────────────┘
 *
 * What is counted is what is sent: attempts, hedges and copies; not health checks, which are few. The law holds
 * for an instance by its name: one that leaves the list and comes back finds his pace as he left it. Each
 * caller counts for itself; a bound on what all of them send together is the service's own `limit`.
 */
import type { Counter, Host, Micros, NodeId } from '../host/host.ts';
import { type ConfigOf, count, rate } from '../kit/config.ts';
import { Gcra } from '../parts/limit/gcra.ts';
import type { Instance } from './instance.ts';

export const paceKnobs = {
  rate: rate('100/s', {
    doc: 'What this caller sends one instance at most, over time: retries, hedges and copies included. Several callers send as many times that.',
  }),
  burst: count(10, {
    min: 1,
    max: 1_000_000,
    doc: 'How many at once an instance is sent that was quiet; in no span more than burst + rate × span. A tenth of a second of the rate evens out what comes in bunches.',
  }),
};

export type PaceConfig = ConfigOf<typeof paceKnobs>;

export class Paces {
  readonly #config: PaceConfig;
  readonly #host: Host;
  readonly #refused: Counter;
  /** Of those who left, while they are still ahead of their pace. */
  readonly #left = new Map<NodeId, Gcra>();

  constructor(host: Host, service: string, config: PaceConfig) {
    this.#host = host;
    this.#config = config;
    this.#refused = host.meter.counter(`pace refused ${service}`);
  }

  came(instance: Instance): void {
    const pace = this.#left.get(instance.id) ?? new Gcra(this.#config);
    this.#left.delete(instance.id);
    instance.pace = pace;
    this.#look(instance, pace, this.#host.now());
  }

  went(instance: Instance): void {
    if (instance.pace) this.#left.set(instance.id, instance.pace);
    instance.pace = undefined;
    instance.paced(0);
    // Who has been quiet for long enough may as well come back as a stranger.
    const now = this.#host.now();
    for (const [id, pace] of this.#left) if (pace.resetUs(now, 0) === 0) this.#left.delete(id);
  }

  /** It is sent one: only who is not at his pace is. */
  sent(instance: Instance, now: Micros): void {
    const { pace } = instance;
    if (!pace) return;
    pace.spend(now, 1, 0);
    this.#look(instance, pace, now);
  }

  /** For `Retry-After`: when the first of these may be sent another. */
  retryAfterUs(instances: Iterable<Instance>, now: Micros): Micros {
    let soonest = Number.POSITIVE_INFINITY;
    for (const { pace } of instances) soonest = Math.min(soonest, pace?.waitUs(now, 1, 0) ?? 0);
    return Number.isFinite(soonest) ? soonest : 0;
  }

  refused(): void {
    this.#refused.add();
  }

  #look(instance: Instance, pace: Gcra, now: Micros): void {
    const waitUs = pace.waitUs(now, 1, 0);
    if (waitUs > 0) instance.paced(now + waitUs);
  }
}
