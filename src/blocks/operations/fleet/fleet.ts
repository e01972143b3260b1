/**
 * What a fleet decides, without a host: who is well, whom to start, restart, replace or stop. `now`,
 * answers and members in; orders out.
 *
 *   member  new ──first good answer──▶ proven ──`fall` bad──▶ sick ──▶ restarted, or replaced
 *            └── none within `startMax` ──────────────────────▶│
 *
 * A replaced one is stopped in the same breath in which the new one is started, so that their number
 * never leaves `min` … `max`. When all of several are sick at once it does nothing: it takes itself to
 * be cut off, and would only make things worse.
 */
import type { Condition } from '../../../host/agent.ts';
import type { Micros, NodeId } from '../../../host/host.ts';
import type { Random } from '../../../kit/random.ts';
import { Autoscaler, type Load } from '../../../parts/autoscale.ts';
import { HealthCheck } from '../../../parts/health.ts';
import type { FleetConfig } from './config.ts';

export type Order =
  | { readonly do: 'start'; readonly why: string }
  | {
      readonly do: 'stop';
      readonly node: NodeId;
      readonly how: 'drain' | 'kill';
      readonly why: string;
    }
  | { readonly do: 'restart'; readonly node: NodeId; readonly why: string };

interface Answered {
  readonly at: Micros;
  readonly condition: Condition;
}

interface Member {
  readonly id: NodeId;
  readonly zone: string;
  check: HealthCheck;
  /** Since it came, or was restarted. */
  since: Micros;
  provenAt: Micros | undefined;
  last: Answered | undefined;
  /** As it was at the last look: what came since is its load. */
  base: Answered | undefined;
  /** The worst since the last look. */
  p99Us: Micros;
  restarts: Micros[];
  /** When the next restart may be. */
  restartAt: Micros;
  /** When its place is taken by another, if that has been decided. */
  replaceAt: Micros | undefined;
}

/** What lived this long was no bad start. */
const goodLifeUs: Micros = 60_000_000;
const restartWindowUs: Micros = 600_000_000;

export class Fleet {
  readonly #config: FleetConfig;
  readonly #random: Random;
  readonly #scaler: Autoscaler | undefined;
  readonly #members = new Map<NodeId, Member>();
  /** Ordered to stop: news from before that may still name them. */
  readonly #dismissed = new Set<NodeId>();
  /** When instances that were ordered are to start. */
  #ordered: Micros[] = [];
  /** Orders given, whose nodes have not shown yet. */
  #expected = 0;
  #wanted: number;
  #isKnown = false;
  /** Replaced in a row before they had lived well. */
  #diedYoung = 0;
  #lookedAt: Micros = Number.NEGATIVE_INFINITY;

  constructor(config: FleetConfig, random: Random) {
    this.#config = config;
    this.#random = random;
    this.#scaler = config.scale ? new Autoscaler(config.scale) : undefined;
    this.#wanted = config.instances;
  }

  get wanted(): number {
    return this.#wanted;
  }

  get size(): number {
    return this.#members.size;
  }

  get sickCount(): number {
    return [...this.#members.values()].filter((member) => this.#isSick(member, this.#lookedAt))
      .length;
  }

  get ids(): readonly NodeId[] {
    return [...this.#members.keys()];
  }

  /** Who belongs to the service, as whoever runs it says. */
  members(nodes: readonly { readonly id: NodeId; readonly zone: string }[], now: Micros): void {
    const present = new Set(nodes.map(({ id }) => id));
    for (const id of [...this.#members.keys()]) if (!present.has(id)) this.#members.delete(id);
    for (const id of this.#dismissed) if (!present.has(id)) this.#dismissed.delete(id);
    for (const { id, zone } of nodes) {
      if (this.#members.has(id) || this.#dismissed.has(id)) continue;
      this.#members.set(id, this.#member(id, zone, now));
      if (this.#isKnown && this.#expected > 0) this.#expected--;
    }
    // Restarted itself, it finds what it had made of the fleet; somebody else may have changed it, too.
    const { min, max } = this.#config;
    const found = this.#members.size + this.#expected + this.#ordered.length;
    if (!this.#isKnown || this.#scaler) this.#wanted = Math.min(max, Math.max(min, found));
    this.#isKnown = true;
  }

  /** The answer to a probe, or none in time. */
  answered(id: NodeId, condition: Condition | undefined, now: Micros): void {
    const member = this.#members.get(id);
    if (!member) return;
    const { last } = member;
    const isGood = condition !== undefined && !this.#fails(last?.condition, condition);
    if (!isGood && member.provenAt === undefined) return;
    member.check.answered(isGood);
    if (!isGood) return;
    member.provenAt ??= now;
    if (now - member.provenAt > goodLifeUs) this.#diedYoung = 0;
    member.last = { at: now, condition };
    member.p99Us = Math.max(member.p99Us, condition.p99Us);
    if (member.base?.condition.life !== condition.life) member.base = member.last;
  }

  nextProbeInUs(id: NodeId): Micros {
    return this.#members.get(id)?.check.nextInUs() ?? this.#config.health.intervalUs;
  }

  /** What to do now. To be asked often; the number is looked at every `every`. */
  tick(now: Micros): readonly Order[] {
    if (!this.#isKnown) return [];
    const orders: Order[] = [...this.#heal(now)];
    if (now - this.#lookedAt >= this.#config.everyUs) {
      this.#lookedAt = now;
      this.#look(now);
    }
    orders.push(...this.#fill(now));
    return orders;
  }

  #member(id: NodeId, zone: string, now: Micros): Member {
    return {
      id,
      zone,
      check: new HealthCheck(this.#config.health, this.#random.fork(id)),
      since: now,
      provenAt: undefined,
      last: undefined,
      base: undefined,
      p99Us: 0,
      restarts: [],
      restartAt: 0,
      replaceAt: undefined,
    };
  }

  #fails(before: Condition | undefined, after: Condition): boolean {
    const { errorsMax } = this.#config;
    if (errorsMax === undefined || before?.life !== after.life) return false;
    const requests = after.requests - before.requests;
    return requests > 0 && after.errors - before.errors > errorsMax * requests;
  }

  #isSick(member: Member, now: Micros): boolean {
    if (member.provenAt === undefined) return now - member.since > this.#config.startMaxUs;
    return !member.check.isUp;
  }

  *#heal(now: Micros): IterableIterator<Order> {
    const { heal, restartsMax } = this.#config;
    if (heal === 'none') return;
    const members = [...this.#members.values()];
    const sick = members.filter((member) => this.#isSick(member, now));
    // All at once: then it is more likely that we are cut off, and there is nothing to compare with.
    if (sick.length > 1 && sick.length === members.length) return;
    for (const member of members) {
      if (sick.includes(member)) continue;
      member.replaceAt = undefined;
    }
    for (const member of sick) {
      if (member.replaceAt !== undefined) {
        if (now < member.replaceAt) continue;
        yield* this.#swap(member);
        continue;
      }
      member.restarts = member.restarts.filter((at) => at > now - restartWindowUs);
      const mayRestart = heal === 'restart' && member.restarts.length < restartsMax;
      if (!mayRestart) {
        const isYoung = member.provenAt === undefined || now - member.provenAt < goodLifeUs;
        const waitUs = isYoung ? this.#backoffUs(this.#diedYoung) : 0;
        if (isYoung) this.#diedYoung++;
        member.replaceAt = now + this.#config.startDelayUs + waitUs;
        continue;
      }
      if (now < member.restartAt) continue;
      member.restarts.push(now);
      member.restartAt = now + this.#backoffUs(member.restarts.length);
      member.since = now;
      member.provenAt = undefined;
      member.check = new HealthCheck(this.#config.health, this.#random.fork(`${member.id} ${now}`));
      yield { do: 'restart', node: member.id, why: 'does not answer' };
    }
  }

  /** In one breath; room is made first where there is none. */
  *#swap({ id }: Member): IterableIterator<Order> {
    const stop = { do: 'stop', node: id, how: 'kill', why: 'does not answer' } as const;
    const start = { do: 'start', why: `in place of ${id}` } as const;
    const isFull = this.#members.size + this.#expected >= this.#config.max;
    this.#dismiss(id);
    this.#expected++;
    if (isFull) yield* [stop, start];
    else yield* [start, stop];
  }

  #dismiss(id: NodeId): void {
    this.#members.delete(id);
    this.#dismissed.add(id);
  }

  /** None for the first time: things break. */
  #backoffUs(times: number): Micros {
    const { backoffUs, backoffMaxUs } = this.#config;
    return times === 0 ? 0 : Math.min(backoffMaxUs, backoffUs * 2 ** Math.min(times - 1, 30));
  }

  #look(now: Micros): void {
    const scaler = this.#scaler;
    if (!scaler) return;
    const { min, max, scale } = this.#config;
    const members = [...this.#members.values()].filter((member) => !this.#isSick(member, now));
    const loads = members.flatMap((member) => {
      const load = loadOf(member);
      member.base = member.last;
      member.p99Us = 0;
      const { provenAt } = member;
      return load && provenAt !== undefined && now - provenAt >= scale!.warmUpUs ? [load] : [];
    });
    const warmingCount = this.#present - loads.length;
    const wanted = scaler.wanted(now, loads, Math.max(0, warmingCount));
    this.#wanted = Math.min(max, Math.max(min, wanted));
  }

  /** There, on the way, or ordered. */
  get #present(): number {
    return this.#members.size + this.#expected + this.#ordered.length;
  }

  *#fill(now: Micros): IterableIterator<Order> {
    const { startDelayUs } = this.#config;
    while (this.#present < this.#wanted) this.#ordered.push(now + startDelayUs);
    let excess = this.#present - this.#wanted;
    // What has not started yet costs nothing to call off.
    while (excess > 0 && this.#ordered.pop() !== undefined) excess--;
    const due = this.#ordered.filter((at) => at <= now).length;
    this.#ordered = this.#ordered.filter((at) => at > now);
    for (let i = 0; i < due; i++) {
      this.#expected++;
      yield { do: 'start', why: `${this.#wanted} are wanted` };
    }
    for (const member of this.#victims(excess, now)) {
      this.#dismiss(member.id);
      yield { do: 'stop', node: member.id, how: 'drain', why: `${this.#wanted} are enough` };
    }
  }

  /** The sick first, then from the fullest zone, then who came last. */
  #victims(count: number, now: Micros): readonly Member[] {
    const victims: Member[] = [];
    const left = [...this.#members.values()];
    while (victims.length < count && left.length > this.#config.min) {
      const crowd = (zone: string) => left.filter((member) => member.zone === zone).length;
      const cost = (member: Member): readonly number[] => [
        this.#isSick(member, now) ? 0 : 1,
        -crowd(member.zone),
        -left.indexOf(member),
      ];
      const victim = left.reduce((best, one) => (isLess(cost(one), cost(best)) ? one : best));
      left.splice(left.indexOf(victim), 1);
      victims.push(victim);
    }
    return victims;
  }
}

function isLess(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at >= 0 && a[at]! < b[at]!;
}

/** Undefined when it was heard less than twice. */
function loadOf({ base, last, p99Us }: Member): Load | undefined {
  if (!base || !last || last.at <= base.at) return undefined;
  const [before, after] = [base.condition, last.condition];
  const tookUs = last.at - base.at;
  return {
    ratePerSec: ((after.requests - before.requests) * 1_000_000) / tookUs,
    cpuShare: (after.busyUs - before.busyUs) / (tookUs * after.cores),
    open: after.open,
    p99Us,
  };
}
