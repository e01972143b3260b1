/**
 * The way of one request: who asked whom for what on its behalf, as spans within spans.
 *
 *   users ──▶ edge                                ├──────────────────────────────────┤
 *             edge ──▶ api                          ├─────────────────────────────┤
 *                      api ──▶ links/0                ├──────────┤
 *                      api ──▶ links/1                ├────────────┤
 *                      api ──▶ links/2                ├──────────────────── abandoned
 *
 * A span is a message and, as a rule, its reply: the message back, of another type, with the same id.
 * What the receiver does with the message is done in the name of the span, so messages that it sends
 * then are its children. The reply is found by its id and not by who sends it, since one sync or one
 * load may answer many.
 *
 * An attempt is a second one when the same was asked before, by the same parent of the same block,
 * and that has failed; or when the very same question goes to the same node once more. The same means:
 * equal but for the numbers in it, which count and time messages.
 */
import type { Unanswered } from '../../host/causes.ts';
import type { Address, Message, Micros } from '../../host/host.ts';
import type { Cause, SentMessage, Tracer } from '../../sim/causality.ts';
import type { TraceEvent } from '../../sim/network.ts';
import type { RequestRow, Span, Waterfall } from '../traced.ts';
import { Roots } from './requests.ts';
import { idOf, isSame, outcomeOf, type Words } from './words.ts';

/** A span while it is made. World times. */
interface Call {
  readonly number: number;
  readonly parent: Call | undefined;
  readonly from: Address;
  readonly to: Address;
  readonly block: string;
  readonly message: Message;
  readonly sentAt: Micros;
  readonly attempt: number;
  arrivedAt: Micros | undefined;
  repliedAt: Micros | undefined;
  /** The last word of its caller on it. */
  endedAt: Micros | undefined;
  end: 'reply' | 'error' | Unanswered | undefined;
  isLost: boolean;
  queuedUs: Micros;
  servedUs: Micros;
  /** Of the root. */
  outcome: string | undefined;
}

/** A message of ours on its way. */
class Flight {
  readonly call: Call;
  readonly way: 'there' | 'back' | 'cancel';

  constructor(call: Call, way: Flight['way']) {
    this.call = call;
    this.way = way;
  }
}

/** What is done on behalf of a span. */
class Work {
  readonly call: Call;

  constructor(call: Call) {
    this.call = call;
  }
}

/** A request that sets off more, such as a loop without an end, is cut off here. */
const spansMax = 2_000;
/** What goes on after the answer is worth seeing: repairs, what was published, abandoned work. */
const afterUs = 1_000_000;
const afterMaxUs = 10_000_000;

export class WaterfallTracer implements Tracer {
  readonly #words: Words;
  readonly #roots: Roots;
  readonly #index: number;
  readonly #calls: Call[] = [];
  readonly #byId = new Map<number, Call[]>();
  /** Calls that are waited for, by their caller's port and id. */
  readonly #awaited = new Set<string>();
  #leftOut = 0;

  constructor(words: Words, index: number) {
    this.#words = words;
    this.#roots = new Roots(words.users);
    this.#index = index;
  }

  begins(at: Micros): void {
    this.#roots.begins(at);
  }

  /** Requests so far. */
  get count(): number {
    return this.#roots.count;
  }

  isOver(at: Micros): boolean {
    const ended = this.#calls[0]?.endedAt;
    if (ended === undefined || at - ended < afterUs) return false;
    return at - ended > afterMaxUs || !this.#calls.some((call) => this.#isOpen(call));
  }

  /** Undefined when no such request was sent. */
  waterfall(): Waterfall | undefined {
    const root = this.#calls[0];
    if (!root) return undefined;
    const { sentAt, endedAt, from, to, message, outcome = 'in flight' } = root;
    const request: RequestRow = {
      index: this.#index,
      what: this.#words.what(from, to, message),
      startUs: sentAt - this.#origin,
      latencyUs: endedAt === undefined ? null : endedAt - sentAt,
      outcome,
    };
    return { request, spans: this.#calls.map((call) => this.#span(call)), leftOut: this.#leftOut };
  }

  sent(sent: SentMessage, cause: Cause | undefined): Cause | undefined {
    const { from, to, message } = sent;
    const number = this.#roots.number(sent);
    if (number !== undefined) {
      if (number !== this.#index) return undefined;
      return new Flight(this.#open(sent, undefined), 'there');
    }
    const doing = cause instanceof Work ? cause.call : undefined;
    const id = idOf(message);
    const known = id === undefined ? undefined : this.#byId.get(id);
    if (known) {
      if (message.type === 'cancel') {
        const call = known.find((one) => isSame(one.from, from) && isSame(one.to, to));
        if (call) return new Flight(call, 'cancel');
      }
      const answered = questionOf(known, sent, doing);
      if (answered) {
        answered.repliedAt ??= sent.at;
        return new Flight(answered, 'back');
      }
    }
    // One sync answers many: what others get by it is theirs.
    if (!doing || this.#words.isReply(to, message)) return undefined;
    // Told to who asked, and no reply: the next batch after a commit is the next turn, not this one.
    if (id === undefined && isSame(to, doing.from)) return undefined;
    if (sent.at > (this.#calls[0]!.endedAt ?? sent.at) + afterUs) return undefined;
    if (this.#calls.length >= spansMax) {
      this.#leftOut++;
      return undefined;
    }
    return new Flight(this.#open(sent, doing), 'there');
  }

  met({ at, message, what }: TraceEvent, carried: Cause | undefined): Cause | undefined {
    // A second copy comes in the name of the first; whatever it does, it belongs there.
    if (!(carried instanceof Flight)) return carried;
    const { call, way } = carried;
    if (what === 'lost' || what === 'cut') {
      if (way !== 'cancel') call.isLost = true;
      return carried;
    }
    if (what !== 'delivered') return carried;
    if (way === 'back') {
      if (call.end === undefined) {
        call.endedAt = at;
        call.end = isFailure(message) ? 'error' : 'reply';
        call.outcome = statusOf(message);
      }
      return call.parent && new Work(call.parent);
    }
    if (way === 'there') call.arrivedAt ??= at;
    return new Work(call);
  }

  refused(carried: Cause, at: Micros): Cause | undefined {
    if (!(carried instanceof Flight)) return carried;
    const { call, way } = carried;
    // A reply or a cancel that nobody takes changes nothing for who sent it.
    if (way !== 'there')
      return way === 'back' ? new Work(call) : call.parent && new Work(call.parent);
    this.#end(call, 'refused', at);
    return call.parent && new Work(call.parent);
  }

  worked(cause: Cause, queuedUs: Micros, servedUs: Micros): void {
    if (!(cause instanceof Work) || cause.call.repliedAt !== undefined) return;
    cause.call.queuedUs += queuedUs;
    cause.call.servedUs += servedUs;
  }

  asks(from: Address, id: number): void {
    if (this.#calls.length > 0) this.#awaited.add(keyOf(from, id));
  }

  ended(from: Address, id: number, why: Unanswered, at: Micros): void {
    for (const call of this.#byId.get(id) ?? []) {
      if (isSame(call.from, from)) this.#end(call, why, at);
    }
  }

  get #origin(): Micros {
    return this.#roots.beganAt ?? 0;
  }

  #open({ at, from, to, message }: SentMessage, parent: Call | undefined): Call {
    const id = idOf(message);
    const block = this.#words.blockAt(to);
    const call: Call = {
      number: this.#calls.length,
      parent,
      from,
      to,
      block,
      message,
      sentAt: at,
      attempt: this.#attempt(parent, block, to, message),
      arrivedAt: undefined,
      repliedAt: undefined,
      endedAt: undefined,
      end: undefined,
      isLost: false,
      queuedUs: 0,
      servedUs: 0,
      outcome: undefined,
    };
    this.#calls.push(call);
    if (id !== undefined) {
      const known = this.#byId.get(id);
      if (known) known.push(call);
      else this.#byId.set(id, [call]);
    }
    return call;
  }

  #attempt(parent: Call | undefined, block: string, to: Address, message: Message): number {
    const before = this.#calls.findLast(
      (call) => call.parent === parent && call.block === block && asksSame(call.message, message),
    );
    if (!parent || !before) return 1;
    const isResent = idOf(before.message) === idOf(message);
    if (!isResent) return hasFailed(before) ? before.attempt + 1 : 1;
    // One question to several nodes at once is one attempt at each.
    const there = this.#calls.findLast(
      (call) =>
        call.parent === parent &&
        isSame(call.to, to) &&
        idOf(call.message) === idOf(message) &&
        call.message.type === message.type,
    );
    return there ? there.attempt + 1 : 1;
  }

  #end(call: Call, why: Unanswered, at: Micros): void {
    if (call.end !== undefined) return;
    call.end = why;
    call.outcome = why;
    // Who gives up, or has enough answers already, learns nothing more of this one.
    if (why !== 'abandoned') call.endedAt = at;
  }

  #isOpen(call: Call): boolean {
    const id = idOf(call.message);
    return call.end === undefined && id !== undefined && this.#awaited.has(keyOf(call.from, id));
  }

  #span(call: Call): Span {
    const { from, to, message, sentAt, arrivedAt, repliedAt, endedAt } = call;
    const since = (at: Micros | undefined) => (at === undefined ? null : at - this.#origin);
    return {
      id: call.number,
      parent: call.parent?.number ?? null,
      from: from.node,
      to: to.node,
      block: call.block,
      what: this.#words.what(from, to, message),
      sentAt: sentAt - this.#origin,
      arrivedAt: since(arrivedAt),
      repliedAt: since(repliedAt),
      endedAt: since(endedAt),
      queuedUs: call.queuedUs,
      servedUs: call.servedUs,
      outcome: this.#outcome(call),
      attempt: call.attempt,
    };
  }

  #outcome(call: Call): Span['outcome'] {
    switch (call.end) {
      case 'reply':
        return 'ok';
      case 'timeout':
      case 'abandoned':
        return call.isLost ? 'lost' : call.end;
      case undefined:
        if (call.isLost) return 'lost';
        // Without anybody waiting it was only told, and that is done.
        return this.#isOpen(call) ? 'abandoned' : 'ok';
      default:
        return call.end;
    }
  }
}

/** The call that a message answers: asked the other way round, in another word. */
function questionOf(
  known: readonly Call[],
  { from, to, message }: SentMessage,
  doing: Call | undefined,
): Call | undefined {
  const asked = known.filter(
    (call) => isSame(call.from, to) && isSame(call.to, from) && call.message.type !== message.type,
  );
  if (doing && asked.includes(doing)) return doing;
  return asked.find((call) => call.repliedAt === undefined) ?? asked[0];
}

function hasFailed({ end }: Call): boolean {
  return end !== undefined && end !== 'reply' && end !== 'abandoned';
}

/** A status of 500 and more, or a refusal: those say how certain they are. */
function isFailure(message: Message): boolean {
  const { status } = message as { readonly status?: unknown };
  return typeof status === 'number' ? status >= 500 : 'certain' in message;
}

function statusOf(message: Message): string {
  const { status } = message as { readonly status?: unknown };
  return typeof status === 'number' ? outcomeOf(status) : 'ok';
}

function keyOf({ node, port }: Address, id: number): string {
  return `${node} ${port} ${id}`;
}

/** Equal but for numbers. */
function asksSame(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => asksSame(a[name as never], b[name as never]))
  );
}
