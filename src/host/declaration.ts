/**
 * A declaration is a part of a design: `kv('links', …)`. It is a name, a checked config, and a
 * `block`, which knows how to expand it into nodes and what handle user code gets. The factory
 * travels inside the declaration, so that no floor below needs a registry of blocks.
 */
import type { Knobs } from '../kit/config.ts';
import type { Problem } from '../kit/errors.ts';
import type { Handlers, Host, Message, Micros, NodeId, Program, Value } from './host.ts';
import type { AddressPlan, NodePlan, ZonePlan } from './plan.ts';

/** On whose behalf a handle is used: one request. */
export interface RequestContext {
  /** The user, for session guarantees in the history. */
  readonly session?: string | undefined;
  /** On this node's `now()`; calls made after it are not worth making. */
  readonly deadlineAt?: Micros | undefined;
  /** How important the request is, 0 the most, if it says so: passed on, for whoever sheds load. */
  readonly urgency?: number | undefined;
}

/** `Handle` is what user code gets for this declaration in its `env`. */
export interface Declaration<Handle = unknown> {
  readonly name: string;
  readonly block: Block;
  /** Data, checked, units in names. */
  readonly config: Value;
  /** What was wrong with the options; `system()` reports them all together. */
  readonly problems: readonly Problem[];
  /** What this declaration needs: bindings by the name user code sees. */
  readonly binds: Readonly<Record<string, Declaration>>;
  /** Topics that this declaration reads from as a consumer group. */
  readonly consumes?: readonly Declaration[];
  /** Whose sidecars stand beside its nodes. */
  readonly mesh?: Declaration | undefined;
  /** Services that stand in for this one, or for what it calls, when they fail. */
  readonly standsIn?: readonly Declaration[];
  /** The registry in which its instances are found, or that it keeps. */
  readonly discovery?: Declaration | undefined;
  /** Services whose nodes it starts, stops or asks how they are. */
  readonly operates?: readonly Declaration[];
  /** Those that it operates do not register themselves: it does. */
  readonly registers?: boolean;
  /** What no plan can carry: user functions. Read by this block's own programs only. */
  readonly code?: unknown;
  /** Never set: carries the handle's type. */
  readonly handle?: Handle;
  /** Never set, and only on what can be consumed: the type of a batch. */
  readonly delivers?: unknown;
}

/** The client half of a block, running on the caller's node. */
export interface Client extends Handlers {
  /** What `block.handle` wraps in promises. Typed by the block. */
  readonly api: unknown;
}

/** What a `consumer` program offers the service that reads from its block. */
export interface Consumer {
  /** `done` ends a batch: without an error it is committed, with one it is delivered again. */
  start(handle: (batch: never, done: (failure?: unknown) => void) => void): void;
  stop(done: () => void): void;
}

/** How a block looks to Loadpath. One object a kind, in its `block.ts`. */
export interface Block {
  /** `kv`, `topic`. */
  readonly kind: string;
  readonly family: string;
  /** One sentence. */
  readonly purpose: string;
  readonly knobs: Knobs;
  /** Options besides, by the table that they stand in: `policy`, `policy.retry`; '' beside the knobs. */
  readonly tables?: Readonly<Record<string, Knobs>>;
  /** What it takes that is no knob (functions, other blocks, tables of them), and what each is, in a sentence. */
  readonly besides?: Readonly<Record<string, string>>;
  /** Its nodes answer requests on port `web`: users, routes and calls may lead to it. */
  readonly servesWeb?: boolean;
  /** Takes connections on port `web`, and passes their bytes to those that it binds. */
  readonly passesConnections?: boolean;
  /** Where users reach it, if its nodes have one address between them. */
  address?(declaration: Declaration): Omit<AddressPlan, 'members'> | undefined;
  /** Whether what it serves is encrypted. */
  endsTls?(declaration: Declaration): boolean;
  /** Of a block that resolves names: those that lead to `entry`, in the order of its records. */
  namesOf?(declaration: Declaration, entry: Declaration): readonly string[];
  /** Users go to the nearest of its nodes that answers, as with anycast; otherwise to all by turns. */
  readonly servesNearest?: boolean;
  readonly view: {
    readonly shape: 'box' | 'store' | 'queue' | 'person' | 'cloud';
    readonly colour: string;
  };
  /** The nodes of one declaration. */
  expand(declaration: Declaration, site: Site): readonly NodePlan[];
  /** The node of one further member, in `zone`, where members may come while the system runs. */
  member?(declaration: Declaration, site: Site, index: number, zone: string): NodePlan;
  /** By role. */
  readonly programs: Readonly<Record<string, Program<never, never, never>>>;
  /** Config of the client half on a node of `zone`, when others may bind to this block. */
  clientConfig?(declaration: Declaration, site: Site, zone: string): Value;
  /** Config of the client half of a registry: which lists it keeps, and whom it registers. */
  directoryConfig?(declaration: Declaration, site: Site, use: DirectoryUse): Value;
  client?(host: Host, config: never, code: ProgramCode): Client;
  /**
   * Roles whose programs read what no plan can carry, `code` and `binds` of their declaration; `client` is the client half's.
   * The others get a declaration without them, and a process that runs no such program never loads the design.
   */
  readonly readsCode?: readonly string[];
  /** Config of the program with role `consumer` that delivers to a member of `group` in `zone`. */
  consumerConfig?(declaration: Declaration, site: Site, group: string, zone: string): Value;
  /** Config of the program with role `sidecar` beside an instance. */
  sidecarConfig?(declaration: Declaration, site: Site, beside: BesideInstance): Value;
  /** Made once a request, so keep it light: bind `context` and return. */
  handle?(api: never, context: RequestContext, declaration: Declaration): unknown;
  /**
   * What callers lack while one of its nodes is down. `share`: what lives on that node alone. `nothing`: they go
   * on without the block. By default another node does the work, if there is one.
   */
  readonly lossOfNode?: 'share' | 'nothing';
  /** The operations that its client half and its consumers put into the history, for judges. */
  readonly records?: readonly string[];
  /** One line for a message: trace, golden story and tooltip. */
  describe(message: Message): string;
}

/** What a proxy is told of the instance that it stands beside. */
export type BesideInstance = {
  readonly service: string;
  /** Whom the instance calls through it, and how. */
  readonly routes: Readonly<Record<string, Value>>;
  /** The port of the registry's half that keeps the instance listed; null: none does. */
  readonly registration: string | null;
  /** How long it goes on serving when it is stopped and others take it out of the lists. */
  readonly lingerUs: Micros;
};

/** What a node needs a registry for. */
export interface DirectoryUse {
  /** Services that are called from there. */
  readonly services: readonly string[];
  /** This node is an instance, and registers itself. */
  readonly register: { readonly service: string; readonly release: string } | null;
}

/** What expansion may ask of the design around it. */
export interface Site {
  readonly zones: readonly ZonePlan[];
  /** Node ids of another declaration, in order, with their zones. */
  members(
    declaration: Declaration,
  ): readonly { readonly id: NodeId; readonly zone: string; readonly role: string }[];
  /** The `ProgramPlan`s of the client halves that `declaration.binds` need, to put before its own. */
  clients(declaration: Declaration, zone: string): NodePlan['programs'];
  /**
   * The client halves of the registries that name whom `declaration` calls, and of its own if it is to
   * `register` there. To be put before everything else.
   */
  directories(declaration: Declaration, register: DirectoryUse['register']): NodePlan['programs'];
  /** Who starts, stops or probes instances of this declaration. */
  operators(declaration: Declaration): readonly Declaration[];
  /** Whether its connections come through somebody who passes them on. */
  isBehind(declaration: Declaration): boolean;
  /** Whose calls go through this mesh. */
  meshed(mesh: Declaration): readonly Declaration[];
  /** Who reads from this declaration (services with `on: { topic }`), by name. */
  consumers(declaration: Declaration): readonly Declaration[];
}

/** The third argument of every program. */
export interface ProgramCode {
  readonly declaration: Declaration;
  /** Halves of other blocks opened on this node before this program, by port; a client's port is its declaration's name. */
  readonly open: ReadonlyMap<string, { readonly api: unknown; readonly declaration: Declaration }>;
  /** Runs asynchronous user code and accounts for it: an unhandled end is reported, not lost. */
  readonly run: (what: string, start: () => Promise<void> | void) => void;
}
