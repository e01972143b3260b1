/**
 * The simulated network: between each two machines a connection each way, in order, with a delay
 * drawn by how far apart they are. Faults are rules: a message comes in, and pass, delay or drop
 * comes out.
 *
 *   send ──draw delay──▶ cut? lost? ──▶ wait for the line, fly ──▶ cut? anybody there? ──▶ handler
 *                         │                                              │
 *                         └─ nothing for now: the sender learns it       └─ refused, one flight later
 *                            after `connectTimeoutUs`, if at all
 *
 * All draws belong to one connection and are numbered by message, so that adding or removing a fault
 * shifts nobody else's luck. Not modelled: retransmission (a lost message is lost, and
 * docs/what-if.md says why), congestion between connections, and half-open handshakes.
 */
import type { Address, Handlers, Message, Micros, Value } from '../host/host.ts';
import type { LinkPlan, Plan } from '../host/plan.ts';
import { type Sampler, sampler } from '../kit/distribution.ts';
import type { Random } from '../kit/random.ts';
import * as kinds from './kinds.ts';
import type { Machine } from './machine.ts';
import type { EventQueue } from './queue.ts';

/** From a program to an address: resolved once, then used for every message. */
export interface Route {
  readonly from: Address;
  readonly to: Address;
  /** The sender's life: hints for an earlier one are nobody's. */
  readonly life: number;
  readonly source: Machine;
  /** Undefined for a name that no plan knows. */
  readonly target: Machine | undefined;
  readonly link: Link | undefined;
  /** Who listens there, as looked up in `ports` of the target: its life may have ended since. */
  handlers: Handlers | undefined;
  ports: ReadonlyMap<string, Handlers> | undefined;
}

/** One direction between two machines. */
export interface Link {
  readonly source: Machine;
  readonly target: Machine;
  readonly delay: Sampler;
  readonly delays: Random;
  readonly losses: Random;
  readonly duplicates: Random;
  /** Delays of second copies, and of refusals and resets. */
  readonly copies: Random;
  readonly hints: Random;
  readonly bytesPerUs: number;
  readonly base: LinkPlan;
  /** Messages sent so far: the number under which their luck is drawn. */
  count: number;
  arrivesAt: Micros;
  lineFreeAt: Micros;
  /** The target's life that the connection leads to; 0: not open. */
  openTo: number;
  /** The last life of the target whose end this side has heard of. */
  heardLife: number;
  isTimingOut: boolean;
  /** What the rules in force come to, as of `version`. */
  version: number;
  isCut: boolean;
  lossRatio: number;
  duplicateRatio: number;
  extraUs: Micros;
}

/** A fault on the network. Sets hold machine indexes. */
export interface Rule {
  readonly from: ReadonlySet<number>;
  readonly to: ReadonlySet<number>;
  readonly bothWays: boolean;
  readonly cut?: boolean;
  readonly lossRatio?: number;
  readonly duplicateRatio?: number;
  readonly delayUs?: Micros;
}

/** Where every message went. Sent = delivered + lost + cut + refused + in flight. */
export interface NetworkCounts {
  sent: number;
  delivered: number;
  /** By chance. */
  lost: number;
  /** Into a cut, or to a machine without power. */
  cut: number;
  /** Nobody listened. */
  refused: number;
  /** Second copies delivered: on top of the sum. */
  duplicated: number;
  inFlight: number;
}

export interface TraceEvent {
  readonly at: Micros;
  readonly from: Address;
  readonly to: Address;
  readonly message: Message;
  readonly what: 'delivered' | 'duplicated' | 'lost' | 'cut' | 'refused';
}

export class Network {
  readonly #queue: EventQueue;
  readonly #plan: Plan;
  readonly #random: Random;
  readonly #onTrace: ((event: TraceEvent) => void) | undefined;
  readonly #regionOf: ReadonlyMap<string, string>;
  readonly #samplers = new Map<LinkPlan, Sampler>();
  readonly #rules = new Set<Rule>();
  #version = 1;
  readonly counts: NetworkCounts = {
    sent: 0,
    delivered: 0,
    lost: 0,
    cut: 0,
    refused: 0,
    duplicated: 0,
    inFlight: 0,
  };

  constructor(
    queue: EventQueue,
    plan: Plan,
    random: Random,
    onTrace: ((event: TraceEvent) => void) | undefined,
  ) {
    this.#queue = queue;
    this.#plan = plan;
    this.#random = random;
    this.#onTrace = onTrace;
    this.#regionOf = new Map(plan.zones.map((zone) => [zone.name, zone.region]));
  }

  add(rule: Rule): void {
    this.#rules.add(rule);
    this.#version++;
  }

  remove(rule: Rule): void {
    if (this.#rules.delete(rule)) this.#version++;
  }

  route(
    from: Address,
    life: number,
    source: Machine,
    to: Address,
    target: Machine | undefined,
  ): Route {
    const link = target && this.link(source, target);
    return { from, to, life, source, target, link, handlers: undefined, ports: undefined };
  }

  link(source: Machine, target: Machine): Link {
    const known = source.links[target.index];
    if (known) return known;
    const link = this.#open(source, target);
    source.links[target.index] = link;
    return link;
  }

  send(route: Route, message: Message): void {
    const { link } = route;
    const queue = this.#queue;
    this.counts.sent++;
    if (link === undefined) {
      // A name that leads nowhere, as a failed look-up: the sender learns it at once.
      this.counts.refused++;
      this.#trace(route, message, 'refused');
      queue.push(queue.now, kinds.refused, route.source.index, route.life, message, route);
      return;
    }
    // Draw before deciding, so that a fault does not shift the delays of later messages.
    const delayUs = link.delay(link.delays);
    const number = link.count++;
    if (link.version !== this.#version) this.#refresh(link);
    if (link.isCut) {
      this.counts.cut++;
      this.#trace(route, message, 'cut');
      this.#hintLater(route, message);
      return;
    }
    if (link.lossRatio > 0 && link.losses.at(number) < link.lossRatio) {
      this.counts.lost++;
      this.#trace(route, message, 'lost');
      return;
    }
    let leavesAt = queue.now;
    if (link.bytesPerUs > 0) {
      leavesAt = Math.max(leavesAt, link.lineFreeAt) + Math.ceil(sizeOf(message) / link.bytesPerUs);
      link.lineFreeAt = leavesAt;
    }
    let at = leavesAt + delayUs + link.extraUs;
    if (at < link.arrivesAt) at = link.arrivesAt;
    link.arrivesAt = at;
    this.counts.inFlight++;
    // Any life of the target: whether somebody is there shows on arrival.
    const isTwice = link.duplicateRatio > 0 && link.duplicates.at(number) < link.duplicateRatio;
    const kind = isTwice ? kinds.deliverTwice : kinds.deliver;
    queue.push(at, kind, link.target.index, 0, message, route);
  }

  /** A message reaches its machine. Returns the handlers to run, if somebody is there for it. */
  arrive(route: Route, message: Message, isTwice: boolean): Handlers | undefined {
    const link = route.link!;
    const { target } = link;
    this.counts.inFlight--;
    if (link.version !== this.#version) this.#refresh(link);
    if (link.isCut || target.phase === 'powerless') {
      this.counts.cut++;
      this.#trace(route, message, 'cut');
      this.#hintLater(route, message);
      return undefined;
    }
    if (link.openTo === 0 && target.isUp) link.openTo = target.life;
    const handlers = link.openTo === target.life ? listenersOf(route, target) : undefined;
    if (handlers === undefined || !target.isUp) {
      this.counts.refused++;
      this.#trace(route, message, 'refused');
      const at = this.#queue.now + link.delay(link.hints);
      this.#queue.push(at, kinds.refused, route.source.index, route.life, message, route);
      // The connection led to an earlier life, which the sender did not know: it is reset.
      if (target.isUp && link.openTo !== target.life) {
        const { source, openTo } = link;
        const id = target.plan.id;
        this.#queue.push(at, kinds.disconnected, source.index, route.life, id, openTo);
      }
      return undefined;
    }
    this.counts.delivered++;
    if (this.#onTrace) this.#trace(route, message, 'delivered');
    if (isTwice) {
      const at = this.#queue.now + link.delay(link.copies);
      this.#queue.push(at, kinds.deliverAgain, target.index, 0, message, route);
    }
    return handlers;
  }

  /** The second copy. Never to a machine that was not up for the first. */
  arriveAgain(route: Route, message: Message): Handlers | undefined {
    const { target, openTo } = route.link!;
    if (!target.isUp || openTo !== target.life) return undefined;
    const handlers = listenersOf(route, target);
    if (!handlers) return undefined;
    this.counts.duplicated++;
    this.#trace(route, message, 'duplicated');
    return handlers;
  }

  /** A process ended: its connections are gone, and whoever was connected hears of it. */
  ended(machine: Machine, machines: readonly Machine[], isSilent: boolean): void {
    for (const peer of machines) {
      const there = machine.links[peer.index];
      const back = peer.links[machine.index];
      const wasOpen =
        (there !== undefined && there.openTo !== 0 && there.openTo === peer.life) ||
        (back !== undefined && back.openTo === machine.life);
      if (there) there.openTo = 0;
      if (wasOpen && !isSilent && peer !== machine) this.#tell(machine, peer);
    }
  }

  #tell(machine: Machine, peer: Machine): void {
    const link = this.link(machine, peer);
    const delayUs = link.delay(link.hints);
    if (link.version !== this.#version) this.#refresh(link);
    if (link.isCut || !peer.isUp) return;
    const at = this.#queue.now + delayUs;
    const id = machine.plan.id;
    this.#queue.push(at, kinds.disconnected, peer.index, peer.life, id, machine.life);
  }

  /**
   * A machine hears that `life` of `target` is gone, or (0) that only the connection broke: its next
   * message opens a new one. False when that is no news.
   */
  close(machine: Machine, target: Machine, life: number): boolean {
    const link = this.link(machine, target);
    if (life === 0) {
      const wasOpen = link.openTo !== 0;
      link.openTo = 0;
      return wasOpen;
    }
    // By a reset of each message under way, and by the end itself: once is enough.
    if (life <= link.heardLife) return false;
    link.heardLife = life;
    if (link.openTo <= life) link.openTo = 0;
    return true;
  }

  /**
   * Into silence. On an open connection the system below gives up after a while and reports a
   * broken connection, once; a connection attempt fails, and then the message certainly never came.
   */
  #hintLater(route: Route, message: Message): void {
    const link = route.link!;
    const at = this.#queue.now + this.#plan.network.connectTimeoutUs;
    if (link.openTo === 0) {
      this.#queue.push(at, kinds.refused, route.source.index, route.life, message, route);
    } else if (!link.isTimingOut) {
      this.#breakAt(link, at);
    }
  }

  #breakAt(link: Link, at: Micros): void {
    if (link.isTimingOut) return;
    link.isTimingOut = true;
    const { source, target } = link;
    const { life } = source;
    this.#queue.push(
      at,
      kinds.act,
      0,
      0,
      () => {
        link.isTimingOut = false;
        if (link.version !== this.#version) this.#refresh(link);
        // Healed in time: what was lost stays lost, but the connection lives.
        if (!link.isCut && target.isUp && link.openTo === target.life) return;
        if (link.openTo === 0 || source.life !== life || !source.isUp) return;
        this.#queue.push(
          this.#queue.now,
          kinds.disconnected,
          source.index,
          life,
          target.plan.id,
          0,
        );
      },
      undefined,
    );
  }

  #trace(route: Route, message: Message, what: TraceEvent['what']): void {
    this.#onTrace?.({ at: this.#queue.now, from: route.from, to: route.to, message, what });
  }

  #open(source: Machine, target: Machine): Link {
    const base = this.#between(source, target);
    const random = this.#random.fork(`${source.plan.id} > ${target.plan.id}`);
    let delay = this.#samplers.get(base);
    if (!delay) {
      delay = sampler(base.delay);
      this.#samplers.set(base, delay);
    }
    return {
      source,
      target,
      delay,
      delays: random.fork('delay'),
      losses: random.fork('loss'),
      duplicates: random.fork('duplicate'),
      copies: random.fork('copy'),
      hints: random.fork('hint'),
      bytesPerUs: (base.bytesPerSec ?? 0) / 1_000_000,
      base,
      count: 0,
      arrivesAt: 0,
      lineFreeAt: 0,
      openTo: 0,
      heardLife: 0,
      isTimingOut: false,
      version: 0,
      isCut: false,
      lossRatio: 0,
      duplicateRatio: 0,
      extraUs: 0,
    };
  }

  #between(a: Machine, b: Machine): LinkPlan {
    const { network } = this.#plan;
    if (a === b) return network.loopback;
    if (a.plan.zone === b.plan.zone) return network.sameZone;
    return this.#regionOf.get(a.plan.zone) === this.#regionOf.get(b.plan.zone)
      ? network.sameRegion
      : network.betweenRegions;
  }

  /** With what the rules in force come to. */
  refreshed(link: Link): Link {
    if (link.version !== this.#version) this.#refresh(link);
    return link;
  }

  #refresh(link: Link): void {
    link.version = this.#version;
    link.isCut = false;
    link.extraUs = 0;
    let kept = 1 - link.base.lossRatio;
    let single = 1 - link.base.duplicateRatio;
    // What never leaves the machine is out of the network's reach.
    if (link.source !== link.target) {
      for (const rule of this.#rules) {
        if (!applies(rule, link)) continue;
        if (rule.cut) link.isCut = true;
        kept *= 1 - (rule.lossRatio ?? 0);
        single *= 1 - (rule.duplicateRatio ?? 0);
        link.extraUs += rule.delayUs ?? 0;
      }
    }
    link.lossRatio = 1 - kept;
    link.duplicateRatio = 1 - single;
  }
}

function listenersOf(route: Route, target: Machine): Handlers | undefined {
  if (route.ports !== target.ports) {
    route.ports = target.ports;
    route.handlers = target.ports.get(route.to.port);
  }
  return route.handlers;
}

function applies(rule: Rule, link: Link): boolean {
  const source = link.source.index;
  const target = link.target.index;
  return (
    (rule.from.has(source) && rule.to.has(target)) ||
    (rule.bothWays && rule.from.has(target) && rule.to.has(source))
  );
}

/** About how many bytes a message takes on the wire: names are counted, lengths estimated. */
export function sizeOf(value: Value | Message | undefined): number {
  if (value === null || value === undefined) return 1;
  switch (typeof value) {
    case 'string':
      return 2 + value.length;
    case 'number':
      return 5;
    case 'boolean':
      return 1;
    case 'bigint':
      return 9;
    case 'object':
      break;
  }
  if (value instanceof Uint8Array) return 3 + value.length;
  let size = 3;
  if (Array.isArray(value)) {
    for (const item of value as readonly Value[]) size += sizeOf(item);
    return size;
  }
  const fields = value as { readonly [name: string]: Value | undefined };
  for (const name in fields) size += 1 + name.length + sizeOf(fields[name]);
  return size;
}
