/**
 * What is learnt of instances from the calls themselves: their breakers, who is worse than the others,
 * how long they take.
 *
 *   attempt ──permit──▶ instance ──answer──▶ breaker, outliers, latency ──▶ Instance.avoidUntil
 *
 * A breaker stands before each instance, or one before all of them. All that is learnt stays with the
 * instance while the roster changes around it.
 */
import type { Counter, Gauge, Host, Micros } from '../host/host.ts';
import { Latency } from '../parts/balance/latency.ts';
import { Breaker, type BreakerChange } from '../parts/breaker.ts';
import { Outliers } from '../parts/outliers.ts';
import type { Instance } from './instance.ts';
import type { Attempt } from './ongoing.ts';
import type { PathPolicy } from './policy.ts';

export class Watch {
  readonly #host: Host;
  readonly #service: string;
  readonly #policy: PathPolicy;
  readonly #outliers: Outliers | undefined;
  readonly #bySlot: Instance[] = [];
  /** Before all instances together. */
  readonly #shared: Breaker | undefined;
  readonly #refusals: Counter | undefined;
  readonly #openGauge: Gauge | undefined;
  readonly #ejections: Counter | undefined;
  #openCount = 0;

  constructor(host: Host, service: string, policy: PathPolicy) {
    this.#host = host;
    this.#service = service;
    this.#policy = policy;
    const { breaker, outliers } = policy;
    if (breaker) {
      this.#refusals = host.meter.counter(`breaker refused ${service}`);
      this.#openGauge = host.meter.gauge(`breakers open ${service}`);
    }
    if (breaker?.per === 'service') {
      this.#shared = new Breaker(breaker, (change) => this.#changed(service, change));
    }
    if (outliers) {
      this.#ejections = host.meter.counter(`ejected ${service}`);
      this.#outliers = new Outliers(outliers, (slot, until) => this.#ejected(slot, until));
    }
  }

  /** Undefined when the policy asks to learn nothing: then calls pay nothing. */
  static of(host: Host, service: string, policy: PathPolicy): Watch | undefined {
    const { breaker, outliers, latency } = policy;
    return breaker || outliers || latency ? new Watch(host, service, policy) : undefined;
  }

  came(instance: Instance): void {
    const { breaker, latency } = this.#policy;
    if (breaker?.per === 'instance') {
      instance.breaker = new Breaker(breaker, (change) => this.#broke(instance, change));
    }
    if (latency) instance.latency = new Latency(latency);
    if (!this.#outliers) return;
    instance.slot = this.#outliers.add();
    this.#bySlot[instance.slot] = instance;
  }

  went(instance: Instance): void {
    if (instance.breaker && instance.breaker.phaseAt(this.#host.now()) === 'open') this.#count(-1);
    instance.breaker = undefined;
    instance.broken(0);
    instance.ejected(0);
    if (instance.slot >= 0) this.#outliers?.remove(instance.slot);
    instance.slot = -1;
  }

  breakerOf(instance: Instance): Breaker | undefined {
    return this.#shared ?? instance.breaker;
  }

  /** A permit; 0: its breaker, or that of all, refuses. Without any breaker 1. */
  enter(instance: Instance, now: Micros): number {
    const breaker = this.breakerOf(instance);
    if (!breaker) return 1;
    const permit = breaker.enter(now);
    // Half-open, and all trials are given: balancers pass over it until one has ended.
    if (permit === 0 && breaker !== this.#shared) instance.broken(Number.POSITIVE_INFINITY);
    return permit;
  }

  /** For `Retry-After`: when the first of these breakers may let a call through. */
  retryAfterUs(instances: Iterable<Instance>, now: Micros): Micros {
    if (this.#shared) return this.#shared.retryAfterUs(now);
    let soonest = Number.POSITIVE_INFINITY;
    for (const { breaker } of instances) {
      soonest = Math.min(soonest, breaker?.retryAfterUs(now) ?? 0);
    }
    return Number.isFinite(soonest) ? soonest : 0;
  }

  refused(): void {
    this.#refusals?.add();
  }

  ended(attempt: Attempt, now: Micros, isFailed: boolean, isLate: boolean): void {
    const { instance, breaker, permit, sentAt } = attempt;
    const tookUs = now - sentAt;
    if (isFailed) breaker?.failed(permit, now, tookUs);
    else breaker?.succeeded(permit, now, tookUs);
    if (instance.slot >= 0) {
      if (isFailed) this.#outliers?.failed(instance.slot, now);
      else this.#outliers?.succeeded(instance.slot, now);
    }
    // Who fails fast must not look fast.
    if (this.#policy.latency && (!isFailed || isLate)) instance.latency.observe(now, tookUs);
  }

  /** Given up: it says nothing of the instance. */
  abandoned(instance: Instance, breaker: Breaker | undefined, permit: number): void {
    breaker?.abandoned(permit);
    if (breaker !== instance.breaker) return;
    // Its place as a trial is free again.
    if (breaker?.phaseAt(this.#host.now()) === 'half-open') instance.broken(0);
  }

  #broke(instance: Instance, change: BreakerChange): void {
    const { openForUs } = this.#policy.breaker!;
    instance.broken(change.to === 'open' ? change.at + openForUs : 0);
    this.#changed(instance.id, change);
  }

  #changed(of: string, { from, to }: BreakerChange): void {
    if (to === 'open' && from === 'closed') this.#count(1);
    if (to === 'closed') this.#count(-1);
    this.#host.meter.note(`breaker of ${of} ${to}`);
  }

  #count(by: number): void {
    this.#openCount += by;
    this.#openGauge?.set(this.#openCount);
  }

  #ejected(slot: number, until: Micros): void {
    const instance = this.#bySlot[slot]!;
    instance.ejected(until);
    this.#ejections?.add();
    const forSec = Math.round((until - this.#host.now()) / 1_000_000);
    this.#host.meter.note(`${instance.id} of ${this.#service} ejected for ${forSec} s`);
  }
}
