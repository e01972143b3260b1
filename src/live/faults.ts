/**
 * Faults as they act on the live world: each begins, and knows how to end. What is on traffic,
 * clocks, disks and speed follows from which faults are active, and is told to the nodes anew
 * whenever that changes; ends of processes are done here.
 */
import type { ChaosRule, Fault, FaultPlan } from '../host/fault.ts';
import type { Message, Micros, NodeId } from '../host/host.ts';
import type { NodePlan, Plan } from '../host/plan.ts';
import { type Condition, healthy } from './live-node.ts';
import { machines, type NodeRules, noRules, rulesFor } from './rules.ts';
import type { Seat } from './seat.ts';
import type { Order } from './session.ts';

type Tell = Order & { readonly type: 'tell' };

/** What the supervisor lets faults do to it. */
export interface Reach {
  /** With the nodes that came later. */
  plan(): Plan;
  start(block: string): NodeId | undefined;
  /** Gently, and for good. */
  stop(node: NodeId): void;
  readonly seats: ReadonlyMap<NodeId, Seat>;
  kill(seat: Seat): void;
  /** Ends a life gently; resolves when it is over. */
  drain(seat: Seat): Promise<void>;
  /** Starts a node that nothing keeps down any more. */
  bringBack(seat: Seat): void;
  note(node: NodeId, text: string): void;
  /** @param id its number in the run, by which its end is known. */
  told(fault: Fault, began: boolean, id: number): void;
}

interface Active {
  readonly fault: Fault;
  readonly end: () => void;
  timer: NodeJS.Timeout | undefined;
}

/** Between the pulling of a machine's cable and its end: time for everybody to be told. */
const powerOffDelayMs = 20;

export class LiveFaults {
  readonly #reach: Reach;
  readonly #active = new Set<Active>();
  readonly #toCome = new Set<NodeJS.Timeout>();
  #count = 0;
  readonly #dark = new Map<NodeId, number>();
  #rules: ReadonlyMap<NodeId, NodeRules> = new Map();
  #told: ReadonlyMap<string, Message> = new Map();

  constructor(reach: Reach) {
    this.#reach = reach;
  }

  get active(): readonly Fault[] {
    return [...this.#active].map(({ fault }) => fault);
  }

  /** Each happens at its `atUs` from now. */
  plan(faults: FaultPlan): void {
    for (const fault of faults) {
      const timer = setTimeout(() => {
        this.#toCome.delete(timer);
        this.inject(fault);
      }, fault.atUs / 1_000);
      this.#toCome.add(timer);
    }
  }

  inject(fault: Fault): void {
    const id = ++this.#count;
    this.#reach.told(fault, true, id);
    let over = false;
    const undo = this.#begin(fault, () => end());
    const active: Active = {
      fault,
      end: () => {
        undo();
        end();
      },
      timer: undefined,
    };
    const end = () => {
      if (over) return;
      over = true;
      clearTimeout(active.timer);
      this.#active.delete(active);
      this.#spread();
      this.#reach.told(fault, false, id);
    };
    this.#active.add(active);
    this.#spread();
    // A restart ends when the nodes are back, not by the clock.
    if (fault.forUs !== undefined && fault.do !== 'restart') {
      active.timer = setTimeout(active.end, fault.forUs / 1_000);
    }
  }

  /** Undoes those in force, forgets those to come. */
  endAll(): void {
    this.#forget();
    for (const active of [...this.#active]) active.end();
  }

  /** Nothing happens any more, and nothing is undone: everything goes down anyway. */
  close(): void {
    this.#forget();
    for (const active of this.#active) clearTimeout(active.timer);
    this.#active.clear();
  }

  #forget(): void {
    for (const timer of this.#toCome) clearTimeout(timer);
    this.#toCome.clear();
  }

  #begin(fault: Fault, ended: () => void): () => void {
    const plan = this.#reach.plan();
    if ('from' in fault) return () => {};
    switch (fault.do) {
      case 'kill':
      case 'power-off':
        return this.#takeDown(machines(fault.target, plan), fault.do === 'power-off');
      case 'restart':
        return this.#restart(machines(fault.target, plan), fault.forUs ?? 0, ended);
      case 'pause':
        return this.#each(machines(fault.target, plan), (seat) => this.#pause(seat));
      case 'rot':
        for (const id of machines(fault.target, plan)) {
          this.#reach.seats.get(id)?.handle?.order({ type: 'rot', bits: fault.bits });
        }
        setImmediate(ended);
        return () => {};
      case 'start': {
        const started = Array.from({ length: fault.count }, () => this.#reach.start(fault.block));
        if (fault.forUs === undefined) setImmediate(ended);
        return () => {
          for (const id of started) if (id !== undefined) this.#reach.stop(id);
        };
      }
      case 'stop':
        for (const id of machines(fault.target, plan)) this.#reach.stop(id);
        setImmediate(ended);
        return () => {};
      default:
        // These follow from which faults are active: see `#spread`.
        return () => {};
    }
  }

  #takeDown(ids: readonly NodeId[], powerless: boolean): () => void {
    return this.#each(ids, (seat) => {
      const { id } = seat.node;
      seat.holds++;
      if (powerless) {
        // First the cable, then the switch: nobody is to see its connections close.
        this.#dark.set(id, (this.#dark.get(id) ?? 0) + 1);
        this.#spread();
        setTimeout(() => {
          // Healed meanwhile: then the lights only flickered.
          if (seat.holds > 0) this.#reach.kill(seat);
        }, powerOffDelayMs);
      } else this.#reach.kill(seat);
      return () => {
        seat.holds--;
        if (powerless) {
          const left = (this.#dark.get(id) ?? 1) - 1;
          if (left > 0) this.#dark.set(id, left);
          else this.#dark.delete(id);
        }
        this.#reach.bringBack(seat);
      };
    });
  }

  #restart(ids: readonly NodeId[], downUs: Micros, ended: () => void): () => void {
    let left = ids.filter((id) => this.#reach.seats.has(id)).length;
    if (left === 0) setImmediate(ended);
    return this.#each(ids, (seat) => {
      let held = true;
      seat.holds++;
      const release = () => {
        if (!held) return;
        held = false;
        seat.holds--;
        this.#reach.bringBack(seat);
        if (--left === 0) ended();
      };
      this.#reach.drain(seat).then(() => {
        const timer = setTimeout(release, downUs / 1_000);
        timer.unref();
      });
      return release;
    });
  }

  #pause(seat: Seat): () => void {
    const paused = seat.handle;
    if (!paused) return () => {};
    if (seat.pauses++ === 0 && !paused.pause()) {
      const text = 'cannot be paused: it is no process of its own';
      this.#reach.note(seat.node.id, text);
    }
    return () => {
      // A node that was killed meanwhile came back running.
      if (seat.handle !== paused || --seat.pauses > 0) return;
      paused.resume();
      seat.heard();
    };
  }

  #each(ids: readonly NodeId[], begin: (seat: Seat) => () => void): () => void {
    const undo = ids.flatMap((id) => {
      const seat = this.#reach.seats.get(id);
      if (seat?.isGone) return [];
      if (seat) return [begin(seat)];
      const text = 'is somebody else’s: nothing can be done to it';
      this.#reach.note(id, text);
      return [];
    });
    return () => {
      for (const each of undo) each();
    };
  }

  /** Tells every node what holds for it now. */
  #spread(): void {
    const plan = this.#reach.plan();
    const faults = [...this.#active].map(({ fault }) => fault);
    this.#rules = rulesFor(faults, new Set(this.#dark.keys()), plan);
    for (const seat of this.#reach.seats.values()) {
      if (!seat.handle || seat.state === 'starting') continue;
      seat.handle.order({ type: 'rules', rules: this.rulesOf(seat) });
      seat.handle.order({ type: 'condition', condition: this.conditionOf(seat) });
      for (const order of this.orders(seat)) seat.handle.order(order);
    }
    this.#told = this.#standing();
  }

  rulesOf(seat: Seat): NodeRules {
    return this.#rules.get(seat.node.id) ?? noRules;
  }

  conditionOf(seat: Seat): Condition {
    let { slowFactor, wallOffsetUs, driftPpm, disk } = healthy;
    for (const { fault } of this.#active) {
      if (!('target' in fault)) continue;
      if (!machines(fault.target, this.#reach.plan()).includes(seat.node.id)) continue;
      if (fault.do === 'slow') slowFactor *= fault.factor;
      else if (fault.do === 'skew') {
        wallOffsetUs += fault.byUs;
        driftPpm += fault.driftPpm;
      } else if (fault.do === 'fill-disk') disk = 'full';
      else if (fault.do === 'fail-disk') disk = 'failing';
    }
    return { slowFactor, wallOffsetUs, driftPpm, disk };
  }

  /** Surge and shift as they stand, by whom they concern. */
  #standing(): ReadonlyMap<string, Message> {
    const standing = new Map<string, Message>();
    const chaos = new Map<string, readonly ChaosRule[]>();
    let factor = 1;
    for (const { fault } of this.#active) {
      if (fault.do === 'surge') factor *= fault.factor;
      else if (fault.do === 'shift') {
        const { service, traffic } = fault;
        standing.set(service, shiftMessage(service, traffic));
      } else if (fault.do === 'fail-calls' || fault.do === 'slow-calls') {
        const rules = [...(chaos.get(fault.service) ?? []), ruleOf(fault)];
        chaos.set(fault.service, rules);
        standing.set(chaosKey + fault.service, chaosMessage(fault.service, rules));
      }
    }
    if (factor !== 1) standing.set('', surgeMessage(factor));
    return standing;
  }

  /** What `seat` is to be told, now that things stand as they do; what has ended is taken back. */
  orders(seat: Seat, fresh = false): readonly Tell[] {
    const standing = this.#standing();
    const told: ReadonlyMap<string, Message> = fresh ? new Map() : this.#told;
    const orders: Tell[] = [];
    for (const key of new Set([...standing.keys(), ...told.keys()])) {
      const now = standing.get(key) ?? overMessage(key);
      if (JSON.stringify(now) === JSON.stringify(told.get(key))) continue;
      for (const port of concerned(key, seat.node)) {
        orders.push({ type: 'tell', message: now, port });
      }
    }
    return orders;
  }
}

/** A surge ('') concerns users; what is about a service the gateways, and its callers on any node. */
function concerned(key: string, { kind, programs }: NodePlan): readonly string[] {
  const service = key.startsWith(chaosKey) ? key.slice(chaosKey.length) : key;
  return programs
    .filter(({ block, role }) =>
      service === ''
        ? kind === 'users'
        : block === service || kind === 'gateway' || role === 'sidecar',
    )
    .map(({ port }) => port);
}

/** Before the name of a service: no service has a space in its name. */
const chaosKey = 'chaos ';

/** What takes back what was said under this key. */
function overMessage(key: string): Message {
  if (key === '') return surgeMessage(1);
  return key.startsWith(chaosKey)
    ? chaosMessage(key.slice(chaosKey.length), [])
    : shiftMessage(key, {});
}

function ruleOf(fault: Fault & { readonly do: 'fail-calls' | 'slow-calls' }): ChaosRule {
  const { ratio } = fault;
  return fault.do === 'fail-calls' ? { ratio, status: fault.status } : { ratio, byUs: fault.byUs };
}

function chaosMessage(service: string, rules: readonly ChaosRule[]): Message {
  const message = { type: 'chaos', service, rules };
  return message;
}

function surgeMessage(factor: number): Message {
  const message = { type: 'surge', factor };
  return message;
}

function shiftMessage(service: string, traffic: Readonly<Record<string, number>>): Message {
  const message = { type: 'shift', service, traffic };
  return message;
}
