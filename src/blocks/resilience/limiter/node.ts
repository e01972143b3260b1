/**
 * The limiter's programs, one for each way to keep counts:
 *
 *   counter      central, sticky: the only one that counts a key     take ─▶ verdict
 *   locked       lock: counts everywhere the same, changed under a lock   (`locked.ts`)
 *   replicated   each node counts for itself and tells the others         (`replicated.ts`)
 *
 * Windows are those of the wall clock: it goes on through a restart.
 */
import type { Address, Host, Micros, Program } from '../../../host/host.ts';
import { Book, type Entry } from './book.ts';
import type { NodeConfig } from './config.ts';
import type { LimiterMessage, Take, VerdictMessage } from './messages.ts';
import { remaining, type Span, spansOf, type Tally, waitUs } from './tally.ts';

/** What all three are made of: the book, the meters, and how a question is answered. */
export class Desk {
  readonly host: Host;
  readonly config: NodeConfig;
  readonly spans: readonly Span[];
  readonly book: Book;
  readonly ownRow: string;
  readonly #requests;
  readonly #errors;
  readonly #latency;
  readonly #queue;
  readonly #admitted;
  readonly #refused;
  #pending = 0;

  /** `ownRow` is whose counts these are. */
  constructor(host: Host, config: NodeConfig, ownRow: string) {
    this.host = host;
    this.config = config;
    this.ownRow = ownRow;
    this.spans = spansOf(config);
    const { keysMax, durable: isDurable } = config;
    this.book = new Book(host, { spans: this.spans, keysMax, isDurable, ownRow });
    this.#requests = host.meter.counter('requests');
    this.#errors = host.meter.counter('errors');
    this.#latency = host.meter.histogram('latency');
    this.#queue = host.meter.gauge('queue');
    this.#admitted = host.meter.counter('admitted');
    this.#refused = host.meter.counter('refused');
  }

  /** Charges the work and hands the question on, with what answers it. */
  open(from: Address, take: Take, work: (answer: Answering) => void): void {
    this.#requests.add();
    const arrivedAt = this.host.now();
    if (this.#pending >= this.config.pendingMax) return this.#send(from, take.id, undecided);
    this.#queue.set(++this.#pending);
    const answer: Answering = (verdict) => {
      this.#queue.set(--this.#pending);
      this.#latency.record(this.host.now() - arrivedAt);
      if (verdict.allowed) this.#admitted.add(take.cost);
      else if (verdict.allowed === false) this.#refused.add();
      this.#send(from, take.id, verdict);
    };
    this.host.cpu.charge(this.config.costUs, () => work(answer));
  }

  /** Counts `cost` in the own row if it fits, by all rows that are known. */
  decide(entry: Entry, cost: number): Verdict {
    const now = this.host.wall();
    this.book.prune(entry, now);
    const own = this.book.row(entry, this.ownRow);
    const wait = waitUs(this.spans, entry.list, now, cost);
    if (wait === 0) own.add(now, cost);
    return this.verdict(wait, entry.list, now);
  }

  verdict(wait: Micros, rows: readonly Tally[], now: Micros): Verdict {
    return {
      allowed: wait === 0,
      waitUs: wait === Number.POSITIVE_INFINITY ? null : wait,
      remaining: remaining(this.spans, rows, now),
    };
  }

  #send(to: Address, id: number, verdict: Verdict): void {
    if (verdict.allowed === null) this.#errors.add();
    this.host.send(to, { type: 'verdict', id, ...verdict } satisfies VerdictMessage);
  }
}

export type Verdict = Omit<VerdictMessage, 'type' | 'id'>;
export type Answering = (verdict: Verdict) => void;

export const undecided: Verdict = { allowed: null, waitUs: null, remaining: 0 };

/** What is counted stays counted when it cannot be written: the limit holds rather than the caller’s wish. */
export const counter: Program<LimiterMessage, NodeConfig> = (host, config) => {
  const desk = new Desk(host, config, config.name);
  return {
    message(from, message) {
      if (message.type !== 'take') return;
      desk.open(from, message, (answer) => {
        const entry = desk.book.entry(message.key);
        const verdict = desk.decide(entry, message.cost);
        if (!verdict.allowed) return answer(verdict);
        desk.book.keep(message.key, entry, (kept) => answer(kept ? verdict : undecided));
      });
    },
  };
};
