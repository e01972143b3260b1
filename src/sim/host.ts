/** What one program sees of the simulated world, for one life of its node. */
import type { Causes } from '../host/causes.ts';
import { control } from '../host/control.ts';
import type { Arithmetic, Crypto } from '../host/crypto.ts';
import type { HistoryEntry, HistoryEvent } from '../host/history.ts';
import type {
  Address,
  Cpu,
  Disk,
  Host,
  Message,
  Meter,
  Micros,
  NodeId,
  Timer,
} from '../host/host.ts';
import type { Stream, StreamEvents } from '../host/stream.ts';
import { assert } from '../kit/assert.ts';
import type { Random } from '../kit/random.ts';
import { SimCpu } from './cpu.ts';
import { SimCrypto } from './crypto.ts';
import { SimDisk } from './disk.ts';
import * as kinds from './kinds.ts';
import type { Machine } from './machine.ts';
import type { Network, Route } from './network.ts';
import type { EventQueue } from './queue.ts';
import type { Streams } from './streams.ts';

/** What the world lends its hosts. */
export interface HostServices {
  readonly queue: EventQueue;
  readonly network: Network;
  readonly streams: Streams;
  readonly arithmetic: Arithmetic | undefined;
  machineOf(node: NodeId): Machine | undefined;
  /** Identity, except in checking runs. */
  pass(message: Message): Message;
  record(event: HistoryEvent): void;
  isRecorded(block: string): boolean;
  /** What a program says to the run, outside of any network. */
  toControl(from: Address, message: Message): void;
  /** In a traced run: what the program at an address has to say of causes. */
  readonly causes: ((address: Address) => Causes) | undefined;
}

export class SimTimer implements Timer {
  readonly #queue: EventQueue;
  fire: (() => void) | undefined;
  slot = 0;
  generation = 0;

  constructor(queue: EventQueue, fire: () => void) {
    this.#queue = queue;
    this.fire = fire;
  }

  cancel(): void {
    if (this.fire === undefined) return;
    // Cleared as well as cancelled: a paused machine may hold it, out of the queue's reach.
    this.fire = undefined;
    this.#queue.cancel(this.slot, this.generation);
  }
}

/** As many as a program speaks to by turns; a few comparisons cost less than a look-up by name. */
const recentMax = 8;

export class SimHost implements Host {
  readonly self: NodeId;
  readonly address: Address;
  readonly zone: string;
  readonly life: number;
  readonly random: Random;
  readonly disk: Disk;
  readonly cpu: Cpu;
  readonly crypto: Crypto;
  readonly meter: Meter;
  readonly causes: Causes | undefined;
  readonly #services: HostServices;
  readonly #queue: EventQueue;
  readonly #machine: Machine;
  readonly #routes = new Map<NodeId, Route[]>();
  /** Those taken last, by the very address objects: programs keep a few and use them over and over. */
  readonly #recentTo: Address[] = [];
  readonly #recentRoutes: Route[] = [];
  #recentNext = 0;

  constructor(
    services: HostServices,
    machine: Machine,
    port: string,
    random: Random,
    meter: Meter,
  ) {
    this.#services = services;
    this.#queue = services.queue;
    this.#machine = machine;
    this.self = machine.plan.id;
    this.address = Object.freeze({ node: this.self, port });
    this.zone = machine.plan.zone;
    this.life = machine.life;
    this.random = random;
    this.meter = meter;
    this.causes = services.causes?.(this.address);
    this.disk = new SimDisk(machine.platter, () => this.#isOver());
    this.cpu = new SimCpu(machine.cores, services.queue, machine.index, machine.life);
    this.crypto = new SimCrypto(this.cpu, random, services.arithmetic);
  }

  now(): Micros {
    return this.#machine.clock.monotonic(this.#queue.now);
  }

  wall(): Micros {
    return this.#machine.clock.wall(this.#queue.now);
  }

  after(delayUs: Micros, fire: () => void): Timer {
    assert(delayUs >= 0, 'a timer is set for now or later');
    const queue = this.#queue;
    const timer = new SimTimer(queue, fire);
    const at = this.#machine.clock.after(queue.now, Math.ceil(delayUs));
    timer.slot = queue.push(at, kinds.timer, this.#machine.index, this.life, timer, undefined);
    timer.generation = queue.generation(timer.slot);
    return timer;
  }

  send(to: Address, message: Message): void {
    if (this.#isOver()) return;
    if (to.node === control.node) return this.#services.toControl(this.address, message);
    const recent = this.#recentTo;
    let index = 0;
    // Not `indexOf`: that is a call, dearer than the comparisons.
    while (index < recent.length && recent[index] !== to) index++;
    const route = index < recent.length ? this.#recentRoutes[index]! : this.#routeTo(to);
    this.#services.network.send(route, this.#services.pass(message));
  }

  connect(to: Address, events: StreamEvents, opening: Message): Stream {
    const { streams } = this.#services;
    if (this.#isOver()) return streams.closed(to);
    const target = this.#services.machineOf(to.node);
    return streams.connect(this.#machine, this.address, to, target, events, opening);
  }

  record(entry: HistoryEntry): void {
    if (this.#isOver() || !this.#services.isRecorded(entry.block)) return;
    const { self, life } = this;
    const { block, phase, op, f, key, value, session, reason } = entry;
    // Field by field: a spread of so many shapes costs as much as the rest of a store's operation.
    const at = this.#queue.now;
    this.#services.record({
      block,
      phase,
      op,
      f,
      key,
      value,
      session,
      reason,
      node: self,
      life,
      at,
    });
  }

  isRecorded(block: string): boolean {
    return this.#services.isRecorded(block);
  }

  /** The continuation of a dead program's user code may still run; the world no longer hears it. */
  #isOver(): boolean {
    return this.#machine.life !== this.life || !this.#machine.isUp;
  }

  #routeTo(to: Address): Route {
    let routes = this.#routes.get(to.node);
    if (!routes) {
      routes = [];
      this.#routes.set(to.node, routes);
    }
    let route = routes.find((known) => known.to.port === to.port);
    if (!route?.target) {
      const target = this.#services.machineOf(to.node);
      // Copied, since a caller may reuse its address object.
      const address = { node: to.node, port: to.port };
      const machine = this.#machine;
      route = this.#services.network.route(this.address, this.life, machine, address, target);
      // A name that nobody has yet may be somebody's later.
      if (!target) return route;
      routes.push(route);
    }
    this.#recentTo[this.#recentNext] = to;
    this.#recentRoutes[this.#recentNext] = route;
    this.#recentNext = (this.#recentNext + 1) % recentMax;
    return route;
  }
}
