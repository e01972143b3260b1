/** Faults as they act on the simulated world: each begins, and knows how to end. */
import type { ChaosRule, Fault, Target } from '../host/fault.ts';
import type { Message, Micros, NodeId } from '../host/host.ts';
import type { Random } from '../kit/random.ts';
import { formatDuration } from '../kit/units.ts';
import type { Machine } from './machine.ts';
import type { Network, Rule } from './network.ts';

/** What the world lets faults do to it. */
export interface Reach {
  readonly network: Network;
  readonly random: Random;
  now(): Micros;
  machines(): readonly Machine[];
  regionOf(zone: string): string | undefined;
  /** Takes it down now; it stays down until `release` was called as often as `hold`. */
  hold(machine: Machine): void;
  release(machine: Machine): void;
  crash(machine: Machine, how: 'killed' | 'powerless', why: string): void;
  /** One more member of a block, or none where their number cannot change. */
  start(block: string): NodeId | undefined;
  /** Gently, and for good. */
  stop(machine: Machine): void;
  /** Asks its programs to finish, then ends the process and calls `stopped`. */
  drain(machine: Machine, stopped: () => void): void;
  pause(machine: Machine): void;
  resume(machine: Machine): void;
  later(delayUs: Micros, run: () => void): void;
  /** To each of these programs on it. */
  post(machine: Machine, ports: readonly string[], message: Message): void;
}

export interface SurgeMessage extends Message {
  readonly type: 'surge';
  /** All surges in force, multiplied; 1 when the last has ended. */
  readonly factor: number;
}

export interface ShiftMessage extends Message {
  readonly type: 'shift';
  readonly service: string;
  /** Empty: back to what the design declares. */
  readonly traffic: Readonly<Record<string, number>>;
}

export interface ChaosMessage extends Message {
  readonly type: 'chaos';
  readonly service: string;
  /** All in force; none: the last has ended. */
  readonly rules: readonly ChaosRule[];
}

/** One that has begun and not ended. */
export interface ActiveFault {
  /** Its number in the run, by which its end is known. */
  readonly id: number;
  readonly fault: Fault;
  undo: () => void;
}

export class Faults {
  readonly #reach: Reach;
  readonly #surges: number[] = [];
  readonly #shifts: ShiftMessage[] = [];
  readonly #chaos: { readonly service: string; readonly rule: ChaosRule }[] = [];
  /** Rules in force, with whom they mean: nodes may come while they hold. */
  readonly #cuts = new Set<{
    readonly sides: readonly (readonly [target: Target, indexes: Set<number>])[];
  }>();
  readonly #skews = new Map<Machine, { byUs: Micros; driftPpm: number }[]>();

  constructor(reach: Reach) {
    this.#reach = reach;
  }

  /** Makes it happen; the answer undoes it. `restart` calls `ended` by itself. */
  begin(fault: Fault, ended: () => void): () => void {
    const reach = this.#reach;
    switch (fault.do) {
      case 'kill':
        return this.#down(this.#processes(fault.target), 'killed', faultText(fault));
      case 'power-off':
        return this.#down(this.#processes(fault.target), 'powerless', faultText(fault));
      case 'restart':
        return this.#restart(this.#processes(fault.target), fault.forUs ?? 0, ended);
      case 'pause':
        return this.#each(fault.target, (machine) => {
          const { life } = machine;
          reach.pause(machine);
          // A node that was killed meanwhile came back running.
          return () => machine.life === life && reach.resume(machine);
        });
      case 'slow':
        return this.#each(fault.target, (machine) => {
          const set = () => {
            const factor = machine.slowFactors.reduce((product, each) => product * each, 1);
            machine.cores.slowFactor = factor;
            machine.platter.slowFactor = factor;
          };
          machine.slowFactors.push(fault.factor);
          set();
          return () => {
            machine.slowFactors.splice(machine.slowFactors.indexOf(fault.factor), 1);
            set();
          };
        });
      case 'cut':
        return this.#rule(fault.from, fault.to, !fault.oneWay, { cut: true });
      case 'lose':
        return this.#rule(fault.from, fault.to, true, { lossRatio: fault.ratio });
      case 'delay':
        return this.#rule(fault.from, fault.to, true, { delayUs: fault.byUs });
      case 'duplicate':
        return this.#rule(fault.from, fault.to, true, { duplicateRatio: fault.ratio });
      case 'skew':
        return this.#each(fault.target, (machine) => {
          const skews = this.#skews.get(machine) ?? [];
          this.#skews.set(machine, skews);
          const skew = { byUs: fault.byUs, driftPpm: fault.driftPpm };
          const set = () => {
            const byUs = skews.reduce((sum, each) => sum + each.byUs, 0);
            const driftPpm = skews.reduce((sum, each) => sum + each.driftPpm, 0);
            machine.clock.skew(reach.now(), byUs, driftPpm);
          };
          skews.push(skew);
          set();
          return () => {
            skews.splice(skews.indexOf(skew), 1);
            set();
          };
        });
      case 'fill-disk':
        return this.#each(fault.target, (machine) => {
          machine.platter.isFull = ++machine.fullCount > 0;
          return () => {
            machine.platter.isFull = --machine.fullCount > 0;
          };
        });
      case 'fail-disk':
        return this.#each(fault.target, (machine) => {
          machine.platter.isFailing = ++machine.failingCount > 0;
          return () => {
            machine.platter.isFailing = --machine.failingCount > 0;
          };
        });
      case 'rot':
        return this.#each(fault.target, (machine) => {
          const random = reach.random.fork(`rot ${machine.plan.id} ${reach.now()}`);
          machine.platter.rot(fault.bits, random);
          return () => {};
        });
      case 'start': {
        const started: NodeId[] = [];
        for (let i = 0; i < fault.count; i++) {
          const node = reach.start(fault.block);
          if (node !== undefined) started.push(node);
        }
        return () => {
          for (const node of started) {
            for (const machine of this.#targets({ node })) reach.stop(machine);
          }
        };
      }
      case 'stop':
        for (const machine of this.#processes(fault.target)) reach.stop(machine);
        return () => {};
      case 'surge': {
        this.#surges.push(fault.factor);
        this.#announceSurge();
        return () => {
          this.#surges.splice(this.#surges.indexOf(fault.factor), 1);
          this.#announceSurge();
        };
      }
      case 'fail-calls':
      case 'slow-calls': {
        const { service, ratio } = fault;
        const rule =
          fault.do === 'fail-calls' ? { ratio, status: fault.status } : { ratio, byUs: fault.byUs };
        const entry = { service, rule };
        this.#chaos.push(entry);
        this.#announceChaos(service);
        return () => {
          this.#chaos.splice(this.#chaos.indexOf(entry), 1);
          this.#announceChaos(service);
        };
      }
      case 'shift': {
        const { service, traffic } = fault;
        const shift: ShiftMessage = { type: 'shift', service, traffic };
        this.#shifts.push(shift);
        this.#announceShift(service);
        return () => {
          this.#shifts.splice(this.#shifts.indexOf(shift), 1);
          this.#announceShift(service);
        };
      }
    }
  }

  /** A node that comes while rules hold which mean its zone, or all. */
  joined(machine: Machine): void {
    for (const { sides } of this.#cuts) {
      for (const [target, indexes] of sides) {
        if (this.#targets(target).includes(machine)) indexes.add(machine.index);
      }
    }
  }

  /** A node that boots during a surge or a shift is told of it. */
  greet(machine: Machine): void {
    if (this.#surges.length > 0) this.#postSurge(machine);
    for (const service of new Set(this.#shifts.map((shift) => shift.service))) {
      this.#reach.post(machine, concerned(service, machine), this.#shift(service));
    }
    for (const service of new Set(this.#chaos.map((one) => one.service))) {
      this.#reach.post(machine, concerned(service, machine), this.#rulesOf(service));
    }
  }

  #rulesOf(service: string): ChaosMessage {
    const rules = this.#chaos.filter((one) => one.service === service).map(({ rule }) => rule);
    return { type: 'chaos', service, rules };
  }

  #announceChaos(service: string): void {
    const message = this.#rulesOf(service);
    for (const machine of this.#reach.machines()) {
      this.#reach.post(machine, concerned(service, machine), message);
    }
  }

  #surge(): SurgeMessage {
    return { type: 'surge', factor: this.#surges.reduce((product, each) => product * each, 1) };
  }

  #shift(service: string): ShiftMessage {
    const last = this.#shifts.findLast((shift) => shift.service === service);
    return last ?? { type: 'shift', service, traffic: {} };
  }

  #announceSurge(): void {
    for (const machine of this.#reach.machines()) this.#postSurge(machine);
  }

  #postSurge(machine: Machine): void {
    if (machine.plan.kind !== 'users') return;
    const ports = machine.plan.programs.map((program) => program.port);
    this.#reach.post(machine, ports, this.#surge());
  }

  #announceShift(service: string): void {
    for (const machine of this.#reach.machines()) {
      this.#reach.post(machine, concerned(service, machine), this.#shift(service));
    }
  }

  #down(machines: readonly Machine[], how: 'killed' | 'powerless', why: string): () => void {
    for (const machine of machines) {
      this.#reach.hold(machine);
      if (machine.isUp) this.#reach.crash(machine, how, why);
    }
    return () => {
      for (const machine of machines) this.#reach.release(machine);
    };
  }

  #restart(machines: readonly Machine[], downUs: Micros, ended: () => void): () => void {
    const reach = this.#reach;
    const held = new Set(machines);
    let isHurried = false;
    const release = (machine: Machine) => {
      if (!held.delete(machine)) return;
      reach.release(machine);
      if (held.size === 0) ended();
    };
    for (const machine of machines) {
      reach.hold(machine);
      if (!machine.isUp) {
        reach.later(downUs, () => release(machine));
        continue;
      }
      reach.drain(machine, () => reach.later(isHurried ? 0 : downUs, () => release(machine)));
    }
    return () => {
      // Who still drains comes back as soon as it has stopped.
      isHurried = true;
      for (const machine of [...held]) if (!machine.isUp) release(machine);
    };
  }

  #each(target: Target, begin: (machine: Machine) => () => void): () => void {
    const undo = this.#processes(target).map(begin);
    return () => {
      for (const each of undo) each();
    };
  }

  #rule(from: Target, to: Target, bothWays: boolean, effect: Partial<Rule>): () => void {
    const indexes = (target: Target) =>
      new Set(this.#targets(target).map((machine) => machine.index));
    const sides = [indexes(from), indexes(to)] as const;
    const cut = { sides: [[from, sides[0]] as const, [to, sides[1]] as const] };
    const rule: Rule = { from: sides[0], to: sides[1], bothWays, ...effect };
    this.#cuts.add(cut);
    this.#reach.network.add(rule);
    return () => {
      this.#cuts.delete(cut);
      this.#reach.network.remove(rule);
    };
  }

  /** What lies outside of the system under test is not in its zones when those fail. */
  #processes(target: Target): readonly Machine[] {
    const machines = this.#targets(target);
    if ('node' in target || 'block' in target) return machines;
    return machines.filter(({ plan }) => plan.kind !== 'users' && plan.kind !== 'external');
  }

  #targets(target: Target): readonly Machine[] {
    return this.#reach.machines().filter(({ plan, isGone }) => {
      if (isGone) return false;
      if ('node' in target) return plan.id === target.node;
      if ('block' in target) return plan.block === target.block;
      if ('zone' in target) return plan.zone === target.zone;
      if ('region' in target) return this.#reach.regionOf(plan.zone) === target.region;
      return true;
    });
  }
}

/** It leaves nothing to undo: what was started stays. */
export function isDone(fault: Fault): boolean {
  const { do: what, forUs } = fault;
  return what === 'rot' || what === 'stop' || (what === 'start' && forUs === undefined);
}

/** The service's own programs, those that call it from other nodes, and the gateways. */
function concerned(service: string, { plan }: Machine): readonly string[] {
  return plan.programs
    .filter(({ block, role }) => block === service || plan.kind === 'gateway' || role === 'sidecar')
    .map((program) => program.port);
}

/** A fault as a sentence, without its times: `cut zone a from zone b`. */
export function faultText(fault: Fault): string {
  switch (fault.do) {
    case 'kill':
    case 'power-off':
    case 'restart':
    case 'pause':
      return `${fault.do} ${targetText(fault.target)}`;
    case 'slow':
      return `slow ${targetText(fault.target)} by ${fault.factor}`;
    case 'cut':
      return `cut ${targetText(fault.from)} ${fault.oneWay ? 'to' : 'from'} ${targetText(fault.to)}`;
    case 'lose':
      return `lose ${percent(fault.ratio)} between ${targetText(fault.from)} and ${targetText(fault.to)}`;
    case 'delay':
      return `delay ${targetText(fault.from)} and ${targetText(fault.to)} by ${formatDuration(fault.byUs)}`;
    case 'duplicate':
      return `duplicate ${percent(fault.ratio)} between ${targetText(fault.from)} and ${targetText(fault.to)}`;
    case 'skew': {
      const sign = fault.byUs < 0 ? '-' : '';
      const drift = fault.driftPpm === 0 ? '' : `, drifting ${fault.driftPpm} ppm`;
      return `skew ${targetText(fault.target)} by ${sign}${formatDuration(Math.abs(fault.byUs))}${drift}`;
    }
    case 'fill-disk':
      return `fill the disk of ${targetText(fault.target)}`;
    case 'fail-disk':
      return `fail the disk of ${targetText(fault.target)}`;
    case 'rot':
      return `flip ${fault.bits} bits on ${targetText(fault.target)}`;
    case 'start':
      return `start ${fault.count} ${fault.block}`;
    case 'stop':
      return `stop ${targetText(fault.target)}`;
    case 'surge':
      return `surge by ${fault.factor}`;
    case 'fail-calls':
      return `fail ${percent(fault.ratio)} of calls to ${fault.service} with ${fault.status}`;
    case 'slow-calls':
      return `slow ${percent(fault.ratio)} of calls to ${fault.service} by ${formatDuration(fault.byUs)}`;
    case 'shift': {
      const split = Object.entries(fault.traffic).map(
        ([name, share]) => `${name} ${percent(share)}`,
      );
      return `shift ${fault.service} to ${split.join(', ')}`;
    }
  }
}

function targetText(target: Target): string {
  if ('node' in target) return target.node;
  if ('block' in target) return target.block;
  if ('zone' in target) return `zone ${target.zone}`;
  if ('region' in target) return `region ${target.region}`;
  return 'everything';
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 1000) / 10} %`;
}
