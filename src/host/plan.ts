/**
 * A plan is what a design expands into: nodes, the programs on each, the network between the
 * zones. Plain data: it can be printed, compared, sent to a child process and drawn by Studio.
 */
import type { Distribution } from '../kit/distribution.ts';
import type { Micros, NodeId, Value } from './host.ts';

export interface Plan {
  readonly design: string;
  readonly zones: readonly ZonePlan[];
  readonly nodes: readonly NodePlan[];
  readonly network: NetworkPlan;
  /** Addresses that several nodes share. */
  readonly addresses?: readonly AddressPlan[] | undefined;
}

export interface AddressPlan {
  /** As if it were one more node of the block: `lb/address`. */
  readonly node: NodeId;
  readonly members: readonly NodeId[];
  /** Live, the port where it is reached. */
  readonly listen: number;
  readonly isFixed?: boolean | undefined;
  /** All listen there at once (`parts/listeners.ts`). Undefined: one has it at a time, at first the first. */
  readonly lines?: LinesPlan | undefined;
}

/** How new connections wait for processes that listen on one address, and how many may. */
export interface LinesPlan {
  readonly how: 'shared' | 'sharded';
  readonly backlog: number;
}

export interface ZonePlan {
  readonly name: string;
  readonly region: string;
}

export interface NodePlan {
  readonly id: NodeId;
  /** Name of the declaration that this node is a member of. */
  readonly block: string;
  readonly kind: string;
  /** What the node does in its block: `replica`, `broker`, `instance`, `client` … */
  readonly role: string;
  readonly zone: string;
  readonly cores: number;
  /** True when asynchronous user code runs here: the simulator drains microtasks after its events. */
  readonly userCode: boolean;
  /** Live, this node is somebody else's: requests to its port `web` go to this URL, no process is started. */
  readonly outside?: string | undefined;
  /** In the order of booting: a program finds those before it already open. */
  readonly programs: readonly ProgramPlan[];
}

export interface ProgramPlan {
  readonly port: string;
  /** The declaration that this program belongs to: its own block, or a bound one (its client half). */
  readonly block: string;
  /** Key in that block's `programs`. */
  readonly role: string;
  /** The program's `Config`, as data. */
  readonly config: Value;
  /** Blocks whose nodes this program may start and stop through `control`. */
  readonly operates?: readonly string[] | undefined;
  /** Connections that a balancer passes to this port are encrypted up to here. With an edge, that says so. */
  readonly tls?: TlsPlan | undefined;
  /** This port is also spoken to from outside: live, over HTTP. */
  readonly edge?: EdgePlan | undefined;
  /** Live, this port also answers questions about names, over UDP and TCP. */
  readonly names?: { readonly listen: number } | undefined;
}

export type EdgePlan = {
  /** 0 for any free port. */
  readonly listen: number;
  /** Somebody asked for that port; else one above it will do where another door of the design has it. */
  readonly isFixed?: boolean | undefined;
  readonly tls?: TlsPlan | undefined;
  /**
   * The program takes connections (`host/connection.ts`) and not requests: what comes over them ends
   * behind it. `tls`: and is encrypted.
   */
  readonly passes?: 'plain' | 'tls' | undefined;
  /** Its connections come to an address where others listen, too. */
  readonly shares?: LinesPlan | undefined;
  /** Its program takes `CONNECT` (`host/web.ts`). Else who asks for a tunnel gets 405. */
  readonly tunnels?: boolean | undefined;
  /** Undefined: the defaults of the world hold. */
  readonly limits?: EdgeLimits | undefined;
};

/** What a real connection may take its time for, and how much of it is read. */
export type EdgeLimits = {
  readonly headersTimeoutUs: Micros;
  readonly requestTimeoutUs: Micros;
  readonly keepAliveUs: Micros;
  readonly headersMax: number;
  readonly headerMaxBytes: number;
  readonly urlMaxBytes: number;
  readonly max: number;
};

/** How an edge speaks TLS. Files are PEM, their paths as given; empty: none. */
export type TlsPlan = {
  /** Empty: a certificate of our own making, for development. */
  readonly cert: string;
  readonly key: string;
  /** For other names that clients ask for (SNI): `shop.example.com`, `*.example.com`. */
  readonly names: Readonly<Record<string, { readonly cert: string; readonly key: string }>>;
  /** Who vouches for clients; with it, they show certificates. */
  readonly clientCa: string;
  /** `required`: who shows none that it vouches for is turned away. */
  readonly clients: 'required' | 'asked';
} & TlsCosts;

/** Processor time of a handshake when simulated: of a first one, and of one that goes on from it. */
export type TlsCosts = { readonly handshakeCostUs: Micros; readonly resumeCostUs: Micros };

/**
 * The plan of a member that is started while the system runs: the `index`-th of its block, counted
 * on from the last. Undefined where the number of members cannot change.
 */
export type Grow = (block: string, index: number, zone: string) => NodePlan | undefined;

/** One-way figures between two nodes, by how far apart they are. */
export interface LinkPlan {
  /** One-way delay in microseconds. */
  readonly delay: Distribution;
  /** Bytes a second one connection can carry; undefined: unbounded. */
  readonly bytesPerSec?: number | undefined;
  readonly lossRatio: number;
  readonly duplicateRatio: number;
}

export interface NetworkPlan {
  /** Between programs of one node. */
  readonly loopback: LinkPlan;
  readonly sameZone: LinkPlan;
  readonly sameRegion: LinkPlan;
  readonly betweenRegions: LinkPlan;
  /** A connection attempt or a message into a cut fails after this long at the sender (as SYN retries would). */
  readonly connectTimeoutUs: Micros;
}
