/**
 * The requests of a run that are worth a look: the slowest of those that were answered, and the first
 * of those that failed. Only what users send and get is looked at, and of all others no more is kept
 * than of those under way: ten million requests take the memory of a few hundred.
 */
import type { Unanswered } from '../../host/causes.ts';
import type { Address, Micros, NodeId } from '../../host/host.ts';
import type { WebMessage, WebRequest } from '../../host/web.ts';
import type { SentMessage, Tracer } from '../../sim/causality.ts';
import type { TraceEvent } from '../../sim/network.ts';
import type { RequestRow, RequestSample } from '../traced.ts';
import { Leading } from './leading.ts';
import { outcomeOf, type Words } from './words.ts';

interface Open {
  readonly index: number;
  readonly from: Address;
  readonly to: Address;
  readonly request: WebRequest;
  readonly sentAt: Micros;
}

/** Of either kind. */
const rowsMax = 200;

/** Counts what users send, from the beginning of the load: the number by which a request is known. */
export class Roots {
  readonly #users: ReadonlySet<NodeId>;
  #count = 0;
  /** When the load began; undefined before. */
  beganAt: Micros | undefined;

  constructor(users: ReadonlySet<NodeId>) {
    this.#users = users;
  }

  get count(): number {
    return this.#count;
  }

  begins(at: Micros): void {
    this.beganAt = at;
  }

  isUser(node: NodeId): boolean {
    return this.#users.has(node);
  }

  /** The number of a user's request, or undefined for any other message. What `setup` asks is not counted. */
  number({ from, message }: SentMessage): number | undefined {
    if (message.type !== 'request' || this.beganAt === undefined) return undefined;
    return this.#users.has(from.node) ? this.#count++ : undefined;
  }
}

interface Ended {
  readonly open: Open;
  readonly latencyUs: Micros | null;
  readonly outcome: string;
}

export class RequestTracer implements Tracer {
  readonly #words: Words;
  readonly #roots: Roots;
  readonly #open = new Map<NodeId, Map<number, Open>>();
  readonly #slowest = new Leading<Ended>(rowsMax, (a, b) => a.latencyUs! > b.latencyUs!);
  readonly #failed = new Leading<Ended>(rowsMax, (a, b) => a.open.index < b.open.index);
  #answeredCount = 0;
  #failedCount = 0;

  constructor(words: Words) {
    this.#words = words;
    this.#roots = new Roots(words.users);
    for (const node of words.users) this.#open.set(node, new Map());
  }

  begins(at: Micros): void {
    this.#roots.begins(at);
  }

  isOver(): boolean {
    return false;
  }

  /** Asked once, at the end. */
  sample(): RequestSample {
    for (const opens of this.#open.values()) {
      for (const open of opens.values()) {
        this.#fails({ open, latencyUs: null, outcome: 'in flight' });
      }
    }
    return {
      slowest: this.#slowest.items.map((ended) => this.#row(ended)),
      failed: this.#failed.items.map((ended) => this.#row(ended)),
      answeredCount: this.#answeredCount,
      failedCount: this.#failedCount,
    };
  }

  sent(sent: SentMessage): undefined {
    const index = this.#roots.number(sent);
    if (index === undefined) return;
    const { at, from, to, message } = sent;
    const request = message as WebRequest;
    this.#open.get(from.node)!.set(request.id, { index, from, to, request, sentAt: at });
  }

  met({ at, to, message, what }: TraceEvent): undefined {
    if (what !== 'delivered' || !this.#roots.isUser(to.node)) return;
    const web = message as WebMessage;
    if (web.type !== 'reply') return;
    const open = this.#take(to.node, web.id);
    if (!open) return;
    const ended = { open, latencyUs: at - open.sentAt, outcome: outcomeOf(web.status) };
    if (web.status >= 500) return this.#fails(ended);
    this.#answeredCount++;
    this.#slowest.add(ended);
  }

  refused(): undefined {}

  worked(): void {}

  asks(): void {}

  ended(from: Address, id: number, why: Unanswered, at: Micros): void {
    const open = this.#take(from.node, id);
    if (open) this.#fails({ open, latencyUs: at - open.sentAt, outcome: why });
  }

  #fails(ended: Ended): undefined {
    this.#failedCount++;
    this.#failed.add(ended);
  }

  #take(node: NodeId, id: number): Open | undefined {
    const opens = this.#open.get(node);
    const open = opens?.get(id);
    if (open) opens!.delete(id);
    return open;
  }

  #row({ open, latencyUs, outcome }: Ended): RequestRow {
    const { index, from, to, request, sentAt } = open;
    const what = this.#words.what(from, to, request);
    return { index, what, startUs: sentAt - this.#roots.beganAt!, latencyUs, outcome };
  }
}
