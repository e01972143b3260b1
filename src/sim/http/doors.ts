/**
 * Where a simulated system takes connections, and who has which address now: at balancers, and where
 * TLS ends. Elsewhere users' requests are plain messages.
 */
import { type Connection, connectionPort } from '../../host/connection.ts';
import type { HoldAddress } from '../../host/control.ts';
import type { Address, Handlers, Message, Meter, NodeId } from '../../host/host.ts';
import type { AddressPlan, NodePlan, Plan } from '../../host/plan.ts';
import type { Stream, StreamEvents } from '../../host/stream.ts';
import { type WebCancel, type WebRequest, webPort } from '../../host/web.ts';
import type { Random } from '../../kit/random.ts';
import { type HostServices, SimHost } from '../host.ts';
import type { Machine } from '../machine.ts';
import type { TraceEvent } from '../network.ts';
import type { EventQueue } from '../queue.ts';
import type { Held } from '../streams.ts';
import { HttpClient } from './client.ts';
import { clientOf, Lines } from './lines.ts';
import { httpServer } from './server.ts';

type Trace = (from: Address, to: Address, message: Message) => void;

export class Doors {
  /** Nodes and addresses that take connections. */
  readonly #takers = new Map<NodeId, Taker>();
  readonly #addresses: ReadonlyMap<NodeId, AddressPlan>;
  /** By address. */
  readonly #holders = new Map<NodeId, NodeId>();
  readonly #lines: Lines;

  /** What is carried over connections, as it arrives. */
  readonly trace: Trace | undefined;

  constructor(
    { nodes, addresses = [] }: Plan,
    queue: EventQueue,
    onTrace: ((event: TraceEvent) => void) | undefined,
    { machineOf, causes }: Pick<HostServices, 'machineOf' | 'causes'>,
  ) {
    this.trace =
      onTrace &&
      ((from, to, message) => onTrace({ at: queue.now, from, to, message, what: 'delivered' }));
    this.#addresses = new Map(addresses.map((address) => [address.node, address]));
    for (const { node, members } of addresses) this.#holders.set(node, members[0]!);
    this.#lines = new Lines(addresses, machineOf, (at, run) => causes?.(at).queued(run) ?? run);
    for (const node of nodes) {
      const taker = takerOf(node);
      if (taker) this.#takers.set(node.id, taker);
    }
    for (const { node, members } of addresses) {
      this.#takers.set(node, this.#takers.get(members[0]!)!);
    }
  }

  hostOf(
    services: HostServices,
    machine: Machine,
    port: string,
    random: Random,
    meter: Meter,
  ): SimHost {
    if (this.#takers.size === 0) return new SimHost(services, machine, port, random, meter);
    return new ConnectedHost(services, machine, port, random, meter, this);
  }

  /** With the end of connections beside the program that serves. */
  serve(
    plan: NodePlan,
    ports: ReadonlyMap<string, Handlers>,
    hostOf: (port: string) => SimHost,
  ): ReadonlyMap<string, Handlers> {
    if (this.#takers.size === 0 || passes(plan) || !ports.has(webPort)) return ports;
    const port = connectionPort(webPort);
    const program = plan.programs.find((one) => one.port === webPort);
    const tls = program?.tls ?? program?.edge?.tls;
    return new Map([...ports, [port, httpServer(hostOf(port), webPort, tls, this.trace)]]);
  }

  /** Whether a message is to go over a connection. */
  isFor(to: Address, message: Message, self: NodeId): boolean {
    if (message.type !== 'request' && message.type !== 'cancel') return false;
    // Within a node there is no door to go through.
    return to.node !== self && to.port === webPort && this.#takers.has(to.node);
  }

  /** Where an address is now, and where connections for it go in. */
  resolve(to: Address, connection: Connection): Address {
    const node =
      this.#lines.dealt(to.node, clientOf(connection)) ?? this.#holders.get(to.node) ?? to.node;
    return { node, port: this.#takers.get(node)?.port ?? to.port };
  }

  isSecure(to: Address): boolean {
    return this.#takers.get(to.node)?.isSecure ?? false;
  }

  /** Whether what arrived for `to` waits in line. */
  holds(to: Address, opening: Message, held: Held): boolean {
    return this.#lines.hold(to, opening, held);
  }

  /** It listens from now on, where others do, too. */
  joined(machine: Machine): void {
    this.#lines.joined(machine);
  }

  left(machine: Machine): void {
    this.#lines.left(machine);
  }

  hold({ address }: HoldAddress, node: NodeId): void {
    if (this.#addresses.get(address)?.members.includes(node)) this.#holders.set(address, node);
  }
}

/** A host whose requests to such doors go over connections. */
class ConnectedHost extends SimHost {
  readonly #doors: Doors;
  readonly #client: HttpClient;

  constructor(
    services: HostServices,
    machine: Machine,
    port: string,
    random: Random,
    meter: Meter,
    doors: Doors,
  ) {
    super(services, machine, port, random, meter);
    this.#doors = doors;
    this.#client = new HttpClient({
      host: this,
      connect: (to, events, opening) => super.connect(to, events, opening),
      program: () => machine.ports.get(port),
      resolve: (to, connection) => doors.resolve(to, connection),
      isSecure: (to) => doors.isSecure(to),
      trace: doors.trace && ((from, message) => doors.trace?.(from, this.address, message)),
    });
  }

  override send(to: Address, message: Message): void {
    if (!this.#doors.isFor(to, message, this.self)) return super.send(to, message);
    if (message.type === 'cancel') this.#client.cancel((message as WebCancel).id);
    else this.#client.request(to, message as WebRequest);
  }

  override connect(to: Address, events: StreamEvents, opening: Message): Stream {
    if (!this.#doors.isFor(to, opening, this.self)) return super.connect(to, events, opening);
    return this.#client.open(to, events, opening as WebRequest);
  }
}

interface Taker {
  readonly port: string;
  readonly isSecure: boolean;
}

/** Who passes connections on, whose wait in line, and who ends TLS: its handshakes want a connection. */
function takerOf({ programs }: NodePlan): Taker | undefined {
  const edge = programs.find(({ port }) => port === webPort)?.edge;
  if (edge?.passes) return { port: webPort, isSecure: edge.passes === 'tls' };
  if (!edge?.tls && !edge?.shares) return undefined;
  return { port: connectionPort(webPort), isSecure: edge.tls !== undefined };
}

function passes({ programs }: NodePlan): boolean {
  return programs.some(({ edge }) => edge?.passes !== undefined);
}
