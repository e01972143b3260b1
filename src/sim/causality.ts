/**
 * From cause to effect: every event runs in the name of something, and what it sets off inherits that.
 *
 *   event of A ──┬── message ─────▶ delivered: in A's name, or as the tracer says
 *                ├── timer ───────▶ fires in A's name
 *                ├── work, disk ──▶ done in A's name, whoever was on the core before
 *                └── user code ───▶ goes on in A's name after each `await`
 *
 * The kernel hands causes on and knows nothing of what they are; a `Tracer` makes them, and hears what
 * became of the messages and work that carry them. It draws no chance and changes no event, so a traced
 * run is the run that it explains.
 *
 * What is not traced pays nothing: `traced.ts` stands in for queue, network and cores only then.
 */
import type { Causes, Unanswered } from '../host/causes.ts';
import type { Address, Message, Micros } from '../host/host.ts';
import type { TraceEvent } from './network.ts';

/** Opaque to the kernel. */
export type Cause = object;

export interface Tracer {
  /** A message is about to go, because of `cause`. What this gives travels with it. */
  sent(message: SentMessage, cause: Cause | undefined): Cause | undefined;
  /** What became of the message that carried `carried`. When it is delivered: in whose name it is handled. */
  met(event: TraceEvent, carried: Cause | undefined): Cause | undefined;
  /** Its sender hears that nobody listens there. The answer: in whose name. */
  refused(carried: Cause, at: Micros): Cause | undefined;
  /** Waiting for a core or slot, and working on one. */
  worked(cause: Cause, queuedUs: Micros, servedUs: Micros): void;
  /** The program at `from` is about to send `id`, and waits for the reply. */
  asks(from: Address, id: number): void;
  /** The program at `from` no longer waits for replies to `id`. */
  ended(from: Address, id: number, why: Unanswered, at: Micros): void;
}

export interface SentMessage {
  readonly at: Micros;
  readonly from: Address;
  readonly to: Address;
  readonly message: Message;
}

/** In whose name asynchronous user code runs: what remembers it over each `await`. */
export interface Continuations {
  run<T>(holder: Holder, start: () => T): T;
  current(): Holder | undefined;
}

export interface Holder {
  readonly cause: Cause | undefined;
}

export class Causality {
  readonly tracer: Tracer;
  readonly #continuations: Continuations | undefined;
  /** Of the present event. */
  #cause: Cause | undefined;
  /** Set while something runs in a name of its own within the event. */
  #holder: Holder | undefined;

  /** Without `continuations` user code runs in the name of the event, also when requests share one. */
  constructor(tracer: Tracer, continuations?: Continuations) {
    this.tracer = tracer;
    this.#continuations = continuations;
  }

  get current(): Cause | undefined {
    const holder = this.#holder ?? this.#continuations?.current();
    return holder === undefined ? this.#cause : holder.cause;
  }

  /** An event begins, or the rest of it turns out to be in another's name. */
  enter(cause: Cause | undefined): void {
    this.#cause = cause;
  }

  within<T>(cause: Cause | undefined, run: () => T): T {
    const before = this.#holder;
    this.#holder = { cause };
    try {
      return run();
    } finally {
      this.#holder = before;
    }
  }

  met(event: TraceEvent): void {
    const cause = this.tracer.met(event, this.current);
    if (event.what === 'delivered' || event.what === 'duplicated') this.enter(cause);
  }

  /** User code begins, in the name of the present event. */
  inCode<T>(start: () => T): T {
    const { current: cause } = this;
    return this.#continuations ? this.#continuations.run({ cause }, start) : start();
  }

  /** What one program tells. */
  of(address: Address, clock: { readonly now: Micros }): Causes {
    return {
      asks: (id, then) => {
        const { current } = this;
        this.tracer.asks(address, id);
        return (answer) => this.within(current, () => then(answer));
      },
      keeps: (run) => {
        const { current } = this;
        return () => this.within(current, run);
      },
      queued: (run) => {
        const { current } = this;
        const since = clock.now;
        return () => {
          if (current !== undefined) this.tracer.worked(current, clock.now - since, 0);
          return this.within(current, run);
        };
      },
      ended: (id, why) => this.tracer.ended(address, id, why, clock.now),
    };
  }
}
