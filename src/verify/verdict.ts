/**
 * What a judge answers. There are three answers, and 'unknown' is an honest one: it never counts
 * as clean. A judge is a pure function of a recorded history, so that the same history always
 * gets the same answer.
 */
import type { History } from '../host/history.ts';
import type { Micros, Value } from '../host/host.ts';

export interface Verdict {
  readonly verdict: 'holds' | 'violated' | 'unknown';
  /** One sentence: what was looked at, or what was found. */
  readonly detail: string;
  readonly counterexample?: Counterexample;
}

export interface Invariant {
  /** `links is linearizable`. */
  readonly name: string;
  /** The judge: `linearizable`, `no-loss`. */
  readonly kind: string;
  /** The block it watches, when it watches one. */
  readonly block?: string;
  /** The operations it can judge; undefined: any. A block that records others is refused. */
  readonly judges?: readonly string[];
  check(history: History, budget?: Budget): Verdict;
}

/**
 * How long a search may go on before it answers 'unknown'. Steps rather than seconds wherever
 * the answer must not depend on the machine: a step is a configuration visited, about a third of
 * a microsecond. A clock may be added by those who have one; judges own none.
 */
export interface Budget {
  /** Default 10,000,000. */
  readonly stepsMax?: number;
  /** Any clock in milliseconds, for `limitMs`. */
  readonly now?: () => number;
  /** Counted from the start of the check, on `now`. */
  readonly limitMs?: number;
}

/** One operation as a client saw it. */
export interface TimedOperation {
  /** The session when there is one, else the node or process. */
  readonly client: string;
  readonly f: string;
  readonly key?: string;
  /** What was asked: the value of a put, `[from, to]` of a cas. */
  readonly input: Value;
  /** What was answered; null while unknown. */
  readonly output: Value;
  /** `unknown`: it may have happened at any later time, or never. */
  readonly outcome: 'ok' | 'unknown';
  readonly invokedAt: Micros;
  /** Undefined when nobody learned of an end. */
  readonly endedAt?: Micros;
}

/** The few operations that together cannot be explained. Plain data, for terminal and Studio. */
export interface Counterexample {
  /** `kv`, `register`, `read-your-writes` … */
  readonly model: string;
  readonly key?: string;
  /** In the order of their invocation. */
  readonly operations: readonly TimedOperation[];
  /** Index in `operations` of the one at whose end no explanation is left. */
  readonly culprit: number;
  /** When that was. */
  readonly at: Micros;
  /** Indexes in `operations`: an order that explains everything that ended before the culprit. */
  readonly order: readonly number[];
  /** One sentence, without the key. */
  readonly reason: string;
}

export function holds(detail: string): Verdict {
  return { verdict: 'holds', detail };
}

export function violated(detail: string, counterexample?: Counterexample): Verdict {
  return counterexample
    ? { verdict: 'violated', detail, counterexample }
    : { verdict: 'violated', detail };
}

/** Violated, for the reason its counterexample gives. */
export function shown(counterexample: Counterexample, more = ''): Verdict {
  const key = counterexample.key === undefined ? '' : `key '${counterexample.key}': `;
  return violated(`${key}${counterexample.reason}${more}`, counterexample);
}

export function unknown(detail: string): Verdict {
  return { verdict: 'unknown', detail };
}

/** Steps left, and the clock when there is one. Made once a check and handed down. */
export class Allowance {
  #left: number;
  #nextLook: number;
  readonly #now: (() => number) | undefined;
  readonly #deadlineMs: number;
  readonly stepsMax: number;

  constructor(budget: Budget = {}) {
    this.stepsMax = budget.stepsMax ?? 10_000_000;
    this.#left = this.stepsMax;
    this.#now = budget.limitMs === undefined ? undefined : budget.now;
    this.#deadlineMs = this.#now && budget.limitMs !== undefined ? this.#now() + budget.limitMs : 0;
    this.#nextLook = this.#left - lookEverySteps;
  }

  get left(): number {
    return Math.max(0, this.#left);
  }

  /** False when it is time to give up. */
  spend(steps: number): boolean {
    this.#left -= steps;
    if (this.#left <= this.#nextLook) {
      this.#nextLook = this.#left - lookEverySteps;
      if (this.#now && this.#now() > this.#deadlineMs) this.#left = 0;
    }
    return this.#left > 0;
  }
}

/** Reading a clock costs as much as a hundred steps. */
const lookEverySteps = 4_096;

/** `12,345`: the same in every locale. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** `1 key`, `2 keys`. */
export function countOf(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}
