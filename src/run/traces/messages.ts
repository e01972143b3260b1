/**
 * Who said what to whom in a span of time: what a space-time diagram is drawn from.
 *
 * A message belongs to the span when it was under way in it. Whether a reply came late is known from
 * its question, so those are remembered from a while before until they are answered; of everything
 * else only what is told is kept, and no more of it than was asked for.
 */
import type { Unanswered } from '../../host/causes.ts';
import type { Address, Message, Micros, NodeId } from '../../host/host.ts';
import type { Cause, SentMessage, Tracer } from '../../sim/causality.ts';
import type { TraceEvent } from '../../sim/network.ts';
import type { MessageQuery, MessageRow, MessageWindow } from '../traced.ts';
import { Leading } from './leading.ts';
import { idOf, isSame, type Words } from './words.ts';

/** World times. */
class Sent {
  readonly at: Micros;
  readonly from: Address;
  readonly to: Address;
  readonly message: Message;
  readonly number: number;
  /** The question that this is the reply to. */
  readonly question: Sent | undefined;
  arrivedAt: Micros | undefined = undefined;
  fate: MessageRow['fate'] = 'delivered';
  isLate = false;
  /** Its caller got no reply in time, or needs none any more. */
  isOver = false;

  constructor({ at, from, to, message }: SentMessage, number: number, question?: Sent) {
    this.at = at;
    this.from = from;
    this.to = to;
    this.message = message;
    this.number = number;
    this.question = question;
  }
}

/** Longer than any call waits by default; questions older than that are forgotten. */
const memoryUs = 10_000_000;
/** Remembered questions between two sweeps. */
const sweepEvery = 50_000;

export class MessageTracer implements Tracer {
  readonly #words: Words;
  readonly #query: MessageQuery;
  readonly #nodes: ReadonlySet<NodeId>;
  readonly #blocks: ReadonlySet<string>;
  readonly #rows: Leading<Sent>;
  readonly #questions = new Map<number, Sent[]>();
  #questionCount = 0;
  #number = 0;
  #told = 0;
  #underWay = 0;
  #origin = Number.POSITIVE_INFINITY;

  constructor(words: Words, query: MessageQuery) {
    this.#words = words;
    this.#query = query;
    this.#nodes = new Set(query.nodes?.flatMap((name) => words.members.get(name) ?? [name]));
    this.#blocks = new Set(query.blocks);
    this.#rows = new Leading(query.maxCount, (a, b) => a.number < b.number);
  }

  begins(at: Micros): void {
    this.#origin = at;
  }

  isOver(at: Micros): boolean {
    const { toUs } = this.#query;
    return (
      at >= this.#origin + toUs && (this.#underWay === 0 || at >= this.#origin + toUs + memoryUs)
    );
  }

  window(): MessageWindow {
    const { fromUs, toUs } = this.#query;
    const messages = this.#rows.items.map((sent) => this.#row(sent));
    return { fromUs, toUs, messages, leftOut: this.#told - messages.length };
  }

  sent(message: SentMessage): Cause | undefined {
    const { at, from, to } = message;
    const { fromUs, toUs } = this.#query;
    if (at < this.#origin + fromUs - memoryUs || at > this.#origin + toUs) return undefined;
    if (!this.#isWanted(from, to)) return undefined;
    const sent = new Sent(message, this.#number++, this.#questionOf(message));
    this.#underWay++;
    if (!sent.question) this.#remember(sent);
    return sent;
  }

  met({ at, what }: TraceEvent, carried: Cause | undefined): Cause | undefined {
    const sent = carried as Sent | undefined;
    if (!sent) return undefined;
    if (what === 'duplicated') {
      const copy = new Sent(sent, sent.number + 0.5);
      copy.arrivedAt = at;
      copy.fate = 'twice';
      this.#tell(copy);
      return sent;
    }
    this.#underWay--;
    if (what === 'delivered') {
      sent.arrivedAt = at;
      sent.isLate = sent.question?.isOver === true;
    } else sent.fate = what;
    if (sent.question) this.#forget(sent.question);
    this.#tell(sent, at);
    return sent;
  }

  refused(): undefined {}

  worked(): void {}

  asks(): void {}

  ended(from: Address, id: number, _why: Unanswered): void {
    for (const question of this.#questions.get(id) ?? []) {
      if (isSame(question.from, from)) question.isOver = true;
    }
  }

  /** Between chosen nodes; of a single one, all that it says and hears. */
  #isWanted(from: Address, to: Address): boolean {
    const nodes = this.#nodes;
    if (nodes.size === 1 && !nodes.has(from.node) && !nodes.has(to.node)) return false;
    if (nodes.size > 1 && !(nodes.has(from.node) && nodes.has(to.node))) return false;
    const blocks = this.#blocks;
    if (blocks.size === 0) return true;
    return blocks.has(this.#words.blockAt(from)) || blocks.has(this.#words.blockAt(to));
  }

  #remember(sent: Sent): void {
    const id = idOf(sent.message);
    if (id === undefined) return;
    const known = this.#questions.get(id);
    if (known) known.push(sent);
    else this.#questions.set(id, [sent]);
    if (++this.#questionCount < sweepEvery) return;
    this.#questionCount = 0;
    for (const [old, questions] of this.#questions) {
      if (questions.every(({ at }) => at < sent.at - memoryUs)) this.#questions.delete(old);
    }
  }

  #forget(question: Sent): void {
    const id = idOf(question.message)!;
    const left = this.#questions.get(id)?.filter((one) => one !== question) ?? [];
    if (left.length > 0) this.#questions.set(id, left);
    else this.#questions.delete(id);
  }

  /** The latest that this may be the reply to: asked the other way round, in another word. */
  #questionOf({ from, to, message }: SentMessage): Sent | undefined {
    const id = idOf(message);
    if (id === undefined) return undefined;
    return this.#questions
      .get(id)
      ?.findLast(
        (one) => isSame(one.from, to) && isSame(one.to, from) && one.message.type !== message.type,
      );
  }

  /** `until` is when it ended, on whichever way. */
  #tell(sent: Sent, until = sent.arrivedAt ?? sent.at): void {
    if (until < this.#origin + this.#query.fromUs) return;
    this.#told++;
    this.#rows.add(sent);
  }

  #row({ from, to, message, at, arrivedAt, fate, isLate }: Sent): MessageRow {
    return {
      from: from.node,
      to: to.node,
      block: this.#words.blockAt(to),
      what: this.#words.what(from, to, message),
      sentAt: at - this.#origin,
      arrivedAt: arrivedAt === undefined ? null : arrivedAt - this.#origin,
      fate,
      late: isLate,
    };
  }
}
