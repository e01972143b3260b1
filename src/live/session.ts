/**
 * A node under supervision: the orders it gets and the news it sends. In a child process both
 * travel over the channel to the parent; with `--single` they are plain calls.
 *
 *   supervisor                                   node
 *       │ ── init: who you are ──────────────────▶ │  loads the design, opens its files
 *       │ ◀──────────────── listening: my ports ── │
 *       │ ── start: everybody's ports ───────────▶ │  boots its programs
 *       │ ◀──────────────────────────────── ready ─│
 *       │ ── peers, rules, condition, tell, drain ▶│
 *       │ ◀── event, control, reading, crashed, … ─│
 */
import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import type { Boot } from '../host/boot.ts';
import type { RunEvent } from '../host/events.ts';
import type { Address, Message, Micros } from '../host/host.ts';
import type { NodePlan } from '../host/plan.ts';
import { type ErrorCode, LoadpathError } from '../kit/errors.ts';
import { type Condition, LiveNode, type LiveNodeOptions, type Reading } from './live-node.ts';
import type { NodeRules } from './rules.ts';
import type { Peer, Peers } from './transport.ts';

/** What a node is told first. `childData` is whatever the caller wants its boot to know. */
export interface NodeInit
  extends Omit<LiveNodeOptions, 'boot' | 'onEvent' | 'onControl' | 'onCrash' | 'within'> {
  readonly childData: unknown;
}

export type Order =
  | { readonly type: 'init'; readonly init: NodeInit }
  | {
      readonly type: 'start';
      readonly peers: Peers;
      readonly rules: NodeRules;
      readonly condition: Condition;
    }
  | { readonly type: 'peers'; readonly peers: Peers }
  | { readonly type: 'rules'; readonly rules: NodeRules }
  | { readonly type: 'condition'; readonly condition: Condition }
  | { readonly type: 'rot'; readonly bits: number }
  | { readonly type: 'tell'; readonly message: Message; readonly port: string | undefined }
  /** A connection to `port` comes with it, that somebody else accepted. */
  | { readonly type: 'connection'; readonly port: string }
  /** Connections wait: it is to say when its loop comes round to them. */
  | { readonly type: 'connections' }
  | { readonly type: 'read' }
  | { readonly type: 'clear' }
  | { readonly type: 'drain'; readonly graceUs: Micros };

export type News =
  | { readonly type: 'listening'; readonly peer: Peer }
  | { readonly type: 'ready' }
  /** It has a connection that it was handed. */
  | { readonly type: 'taken' }
  /** Its loop came round to the connections that wait. */
  | { readonly type: 'turn' }
  /** Somebody outside asked this process to end (SIGTERM, SIGHUP). */
  | { readonly type: 'asked' }
  | { readonly type: 'event'; readonly event: RunEvent }
  | { readonly type: 'control'; readonly from: Address; readonly message: Message }
  | { readonly type: 'reading'; readonly reading: Reading }
  | {
      readonly type: 'crashed';
      readonly code: ErrorCode | undefined;
      readonly message: string;
      /** Where it came from, for people. Undefined for a mistake that its message explains. */
      readonly trace: string | undefined;
    }
  | { readonly type: 'drained' };

/** How an error left the code that it arose in: thrown, or as the rejection of a promise that nobody awaits. */
export type HowItFell = 'thrown' | 'rejected';

/** Loads what the node runs. Called once a life. */
export type MakeBoot = (childData: unknown, node: NodePlan) => Promise<Boot> | Boot;

const readingEveryMs = 1_000;

export class Session {
  readonly #makeBoot: MakeBoot;
  readonly #tell: (news: News) => void;
  readonly #ended: () => void;
  readonly #within: ((run: () => void) => void) | undefined;
  #node: LiveNode | undefined;
  #timer: NodeJS.Timeout | undefined;
  #wasAsked = false;
  #over = false;

  /**
   * `ended` is called when this life is over by itself: it crashed, or it has drained. `within` runs what it does, where
   * it shares a process with others.
   */
  constructor(
    makeBoot: MakeBoot,
    tell: (news: News) => void,
    ended: () => void,
    within?: (run: () => void) => void,
  ) {
    this.#within = within;
    this.#makeBoot = makeBoot;
    this.#tell = tell;
    this.#ended = ended;
  }

  take(order: Order, socket?: Socket): void {
    if (this.#over) {
      socket?.destroy();
      return;
    }
    switch (order.type) {
      case 'init':
        this.#init(order.init).catch((error: unknown) => this.crash(error));
        return;
      case 'start':
        this.#start(order.peers, order.rules, order.condition);
        return;
      case 'peers':
        this.#node?.setPeers(order.peers);
        return;
      case 'rules':
        this.#node?.setRules(order.rules);
        return;
      case 'condition':
        this.#node?.setCondition(order.condition);
        return;
      case 'rot':
        this.#node?.rot(order.bits);
        return;
      case 'tell':
        this.#node?.tell(order.message, order.port);
        return;
      case 'connection':
        if (!this.#node || !socket) socket?.resetAndDestroy();
        else this.#node.takeConnection(order.port, socket);
        this.#tell({ type: 'taken' });
        return;
      case 'connections':
        this.#tell({ type: 'turn' });
        return;
      case 'read':
        this.#wasAsked = true;
        this.#read();
        return;
      case 'clear':
        this.#node?.clearMeters();
        return;
      case 'drain':
        this.#drain(order.graceUs).catch((error: unknown) => this.crash(error));
    }
  }

  /** The node cannot go on: says why, loudly, and ends. */
  crash(error: unknown, how: HowItFell = 'thrown'): void {
    if (this.#over) return;
    this.kill();
    this.#tell({
      type: 'crashed',
      code: error instanceof LoadpathError ? error.code : undefined,
      message: error instanceof Error ? error.message : String(error),
      trace: error instanceof LoadpathError ? undefined : traceOf(error, how),
    });
    this.#ended();
  }

  /** Ends at once and says nothing. */
  kill(): void {
    this.#over = true;
    clearInterval(this.#timer);
    this.#node?.kill();
  }

  async #init(init: NodeInit): Promise<void> {
    const boot = await this.#makeBoot(init.childData, init.node);
    if (this.#over) return;
    const node = await LiveNode.open({
      ...init,
      boot,
      onEvent: (event) => this.#tell({ type: 'event', event }),
      onControl: (from, message) => this.#tell({ type: 'control', from, message }),
      onCrash: (error) => this.crash(error),
      within: this.#within,
    });
    if (this.#over) {
      node.kill();
      return;
    }
    this.#node = node;
    const peer = await node.listen();
    if (!this.#over) this.#tell({ type: 'listening', peer });
  }

  #start(peers: Peers, rules: NodeRules, condition: Condition): void {
    this.#node?.setCondition(condition);
    this.#node?.start(peers, rules);
    if (this.#over) return;
    this.#timer = setInterval(() => {
      // Whoever asks once a second has been told.
      if (!this.#wasAsked) this.#read();
      this.#wasAsked = false;
    }, readingEveryMs);
    this.#tell({ type: 'ready' });
  }

  #read(): void {
    if (this.#node && !this.#over) this.#tell({ type: 'reading', reading: this.#node.reading() });
  }

  async #drain(graceUs: Micros): Promise<void> {
    await this.#node?.drain(graceUs);
    if (this.#over) return;
    this.#read();
    this.kill();
    this.#tell({ type: 'drained' });
    this.#ended();
  }
}

function traceOf(error: unknown, how: HowItFell): string {
  const thrown = error instanceof Error ? (error.stack ?? String(error)) : inspect(error);
  return how === 'thrown' ? thrown : `a promise that nobody awaits was rejected: ${thrown}`;
}
