/**
 * One who serves, as a single caller knows him: what is open there, and until when he is better left
 * alone. Several may say so, each in its own field; balancers read one number, the latest of all.
 *
 *   refusedUntil   it refused or broke off just now
 *   brokenUntil    its breaker is open, or half-open with all trials given
 *   ejectedUntil   it answers worse than the others
 *   pacedUntil     it is sent as much as it may be
 *   isDown         its health check says so
 */
import type { Address, Micros, NodeId } from '../host/host.ts';
import type { Member } from '../host/path.ts';
import { webPort } from '../host/web.ts';
import { Latency, type LatencyConfig, type TimedTarget } from '../parts/balance/latency.ts';
import type { TurnTarget } from '../parts/balance/weighted.ts';
import type { WarmingTarget } from '../parts/balance/weights.ts';
import type { ZonedTarget } from '../parts/balance/zones.ts';
import type { NamedTarget } from '../parts/balance.ts';
import type { Breaker } from '../parts/breaker.ts';
import type { Gcra } from '../parts/limit/gcra.ts';

export class Instance implements NamedTarget, TurnTarget, WarmingTarget, ZonedTarget, TimedTarget {
  readonly id: NodeId;
  readonly address: Address;
  zone: string;
  weight: number;
  cameAt: Micros;
  credit = 0;
  open = 0;
  avoidUntil: Micros = 0;
  latency = new Latency(unread);
  breaker: Breaker | undefined = undefined;
  /** Undefined: it is sent whatever comes. */
  pace: Gcra | undefined = undefined;
  /** Among the outliers; -1: nobody compares. */
  slot = -1;
  #refusedUntil: Micros = 0;
  #brokenUntil: Micros = 0;
  #ejectedUntil: Micros = 0;
  #pacedUntil: Micros = 0;
  #isDown = false;

  constructor(member: Member, cameAt: Micros) {
    this.id = member.node;
    this.address = { node: member.node, port: member.port ?? webPort };
    this.zone = member.zone ?? '';
    this.weight = member.weight ?? 1;
    this.cameAt = cameAt;
  }

  refused(until: Micros): void {
    this.#refusedUntil = until;
    this.#settle();
  }

  broken(until: Micros): void {
    this.#brokenUntil = until;
    this.#settle();
  }

  /** It is spared again when it is back: what made it slow may still be there. */
  ejected(until: Micros): void {
    this.#ejectedUntil = until;
    if (until > 0) this.cameAt = until;
    this.#settle();
  }

  paced(until: Micros): void {
    this.#pacedUntil = until;
    this.#settle();
  }

  isAtPace(now: Micros): boolean {
    return this.#pacedUntil > now;
  }

  /** Nothing else speaks against it. */
  isWellAtPace(now: Micros): boolean {
    return this.#pacedUntil > now && this.#unwellUntil() <= now;
  }

  get isDown(): boolean {
    return this.#isDown;
  }

  wentDown(): void {
    this.#isDown = true;
    this.#settle();
  }

  cameUp(now: Micros): void {
    if (this.#isDown) this.cameAt = now;
    this.#isDown = false;
    this.#settle();
  }

  #settle(): void {
    this.avoidUntil = Math.max(this.#unwellUntil(), this.#pacedUntil);
  }

  #unwellUntil(): Micros {
    if (this.#isDown) return Number.POSITIVE_INFINITY;
    return Math.max(this.#refusedUntil, this.#brokenUntil, this.#ejectedUntil);
  }
}

/** Where nobody balances by latency. */
const unread: LatencyConfig = { by: 'mean', decayUs: 1 };

export function memberOf(member: NodeId | Member): Member {
  return typeof member === 'string' ? { node: member } : member;
}
