/**
 * An open-loop HTTP load generator, free of coordinated omission: requests start when the
 * schedule says, whether or not earlier ones were answered, and each is timed from its intended
 * start. A server that stalls for a second is seen to stall by everyone who would have come.
 *
 *   schedule   | | || |  |||  |      when users come
 *   sockets    |-----| |--|          waiting for one counts as latency
 *
 * Arrivals that are due are sent in batches: a timer each could not keep up above some hundred a
 * second. What was really put on the wire is compared with what was asked for, because a
 * generator that falls behind quietly measures itself.
 */
import { type Dispatcher, Pool } from 'undici';
import type { Micros } from '../host/host.ts';
import { Histogram } from '../kit/histogram.ts';
import { seeded } from '../kit/random.ts';

export interface LoadRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly body?: string | undefined;
  /** What it was answered when it was recorded. */
  readonly recordedStatus?: number | undefined;
}

export interface LoadOptions {
  /** `http://localhost:8080`. */
  readonly origin: string;
  readonly requests: Requests;
  /** Length of the load. */
  readonly forUs: Micros;
  /** Sockets at most. A request waits for a free one, and the wait counts. */
  readonly connectionsMax: number;
  readonly timeoutUs: Micros;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  onSecond?(second: LoadSecond): void;
}

/** Intended starts in microseconds since the begin, not decreasing, and what is asked. */
export type Requests = Iterator<{ readonly atUs: Micros; readonly request: LoadRequest }>;

export interface LoadSecond {
  /** The second since the begin, from 0. */
  readonly at: number;
  readonly sent: number;
  readonly completed: number;
  readonly rejected: number;
  readonly failed: number;
  readonly p50Us: Micros;
  readonly p99Us: Micros;
}

export interface LoadOutcome {
  readonly generated: number;
  readonly completed: number;
  /** Of these, before the load had ended. */
  readonly servedCount: number;
  readonly rejected: number;
  readonly failed: number;
  readonly inFlight: number;
  /** From the intended start to the last byte of the answer, completed requests only. */
  readonly latencies: Histogram;
  /** Of those that were given up: each as long as the timeout. */
  readonly inVain: Histogram;
  /** By reason, those of the completed as well that were answered 4xx: `timeout`, `404`, `503`. */
  readonly errors: Readonly<Record<string, number>>;
  /** Answers that are no errors, 1xx to 3xx. */
  readonly goodCount: number;
  /** Answered as an error and recorded as none, or the other way round; in words, the first of them. */
  readonly otherwise: { readonly count: number; readonly first: string };
  readonly seconds: readonly LoadSecond[];
  /** How long requests were sent. Less than asked for when interrupted. */
  readonly loadUs: Micros;
  readonly wallUs: Micros;
  /** Starts that fell into the load, a second. */
  readonly requestedPerSec: number;
  /** Given a socket during the load, a second. */
  readonly achievedPerSec: number;
}

/** How many requests may wait or run at once; beyond it they fail unsent, so that memory is bounded. */
export const openMax = 100_000;

/** Poisson arrivals by default, as from many independent users; `constant` for a metronome. */
export function* arrivals(
  ratePerSec: number,
  forUs: Micros,
  kind: 'poisson' | 'constant',
  request: LoadRequest,
  seed: number,
): Requests & Generator<{ atUs: Micros; request: LoadRequest }> {
  const random = seeded(seed).fork('arrivals');
  const gapUs = 1e6 / ratePerSec;
  for (let i = 0, at = 0; ; i++) {
    at = kind === 'constant' ? i * gapUs : at - Math.log(1 - random.next()) * gapUs;
    if (at >= forUs) return;
    yield { atUs: Math.floor(at), request };
  }
}

export async function generateLoad(options: LoadOptions): Promise<LoadOutcome> {
  const load = new Load(options);
  try {
    return await load.run();
  } finally {
    await load.close();
  }
}

/** One request between its intended start and its end. */
interface Open {
  readonly startUs: number;
  readonly request: LoadRequest;
  done: boolean;
  cancel: ((why: Error) => void) | undefined;
}

class Load {
  readonly #options: LoadOptions;
  readonly #pool: Pool;
  readonly #headers: readonly string[];
  readonly #latencies = new Histogram();
  readonly #inVain = new Histogram();
  readonly #secondLatencies = new Histogram();
  readonly #errors = new Map<string, number>();
  readonly #seconds: LoadSecond[] = [];
  /** By intended start, since all have the same timeout: the oldest times out first. */
  readonly #open: Open[] = [];
  #openHead = 0;
  #openCount = 0;
  /** Index in `#open` of the first that has not been given a socket yet. */
  #waitingHead = 0;
  #socketsBusy = 0;
  #generated = 0;
  #completed = 0;
  #servedCount = 0;
  #isOver = false;
  #rejected = 0;
  #failed = 0;
  #goodCount = 0;
  #otherwise = { count: 0, first: '' };
  #sent = 0;
  #sentInTime = 0;
  #atLastSecond = { sent: 0, completed: 0, rejected: 0, failed: 0 };
  #beganAt = 0;
  #loadUs: number;
  #idle: (() => void) | undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#loadUs = options.forUs;
    this.#headers = Object.entries(options.headers).flat();
    this.#pool = new Pool(options.origin, {
      connections: options.connectionsMax,
      pipelining: 1,
      // Ours, from the intended start, is the one that counts.
      headersTimeout: 0,
      bodyTimeout: 0,
      connectTimeout: Math.max(1_000, options.timeoutUs / 1_000),
    });
  }

  async run(): Promise<LoadOutcome> {
    this.#beganAt = performance.now();
    await this.#send();
    this.#isOver = true;
    await this.#drain();
    this.#closeSeconds(Math.ceil(this.#loadUs / 1e6));
    const loadSeconds = this.#loadUs / 1e6;
    return {
      generated: this.#generated,
      completed: this.#completed,
      servedCount: this.#servedCount,
      rejected: this.#rejected,
      failed: this.#failed,
      inFlight: this.#openCount,
      latencies: this.#latencies,
      inVain: this.#inVain,
      errors: Object.fromEntries(this.#errors),
      goodCount: this.#goodCount,
      otherwise: this.#otherwise,
      seconds: this.#seconds,
      loadUs: this.#loadUs,
      wallUs: Math.round(this.#now()),
      requestedPerSec: loadSeconds > 0 ? this.#generated / loadSeconds : 0,
      achievedPerSec: loadSeconds > 0 ? this.#sentInTime / loadSeconds : 0,
    };
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  #now(): number {
    return (performance.now() - this.#beganAt) * 1_000;
  }

  /** Sends what is due, sleeps about a millisecond, and so on until the load is over. */
  async #send(): Promise<void> {
    const { requests, forUs, signal } = this.#options;
    let next = requests.next();
    while (!signal?.aborted) {
      const now = this.#now();
      while (!next.done && next.value.atUs <= now && next.value.atUs < forUs) {
        this.#arrive(next.value.atUs, next.value.request);
        next = requests.next();
      }
      this.#expire(now);
      this.#closeSeconds(Math.floor(Math.min(now, forUs) / 1e6));
      if (now >= forUs) return;
      await sleep();
    }
    this.#loadUs = Math.min(forUs, Math.round(this.#now()));
  }

  /** Waits for what was sent, as long as its timeouts run. */
  async #drain(): Promise<void> {
    while (this.#openCount > 0 && !this.#options.signal?.aborted) {
      this.#expire(this.#now());
      await Promise.race([
        sleep(20),
        new Promise<void>((resolve) => {
          this.#idle = resolve;
        }),
      ]);
    }
  }

  #arrive(startUs: number, request: LoadRequest): void {
    this.#generated++;
    if (this.#openCount >= openMax) {
      this.#fail('not sent: too many requests waiting');
      return;
    }
    this.#open.push({ startUs, request, done: false, cancel: undefined });
    this.#openCount++;
    this.#pump();
  }

  /**
   * Hands out sockets in the order of arrival. Requests wait here and not in the pool, because
   * giving up one that waits must not cost a connection.
   */
  #pump(): void {
    while (this.#socketsBusy < this.#options.connectionsMax) {
      const open = this.#open[this.#waitingHead];
      if (!open) return;
      this.#waitingHead++;
      if (!open.done) this.#dispatch(open);
    }
  }

  #dispatch(open: Open): void {
    const { method, path, body } = open.request;
    this.#socketsBusy++;
    this.#sent++;
    if (this.#now() <= this.#loadUs) this.#sentInTime++;
    this.#pool.dispatch(
      {
        method: method as Dispatcher.HttpMethod,
        path,
        body: body ?? null,
        headers: this.#headers as string[],
      },
      this.#handler(open),
    );
  }

  #handler(open: Open): Dispatcher.DispatchHandler {
    let status = 0;
    return {
      onRequestStart: (controller) => {
        open.cancel = (why) => controller.abort(why);
        // It may have timed out while its connection was being made.
        if (open.done) controller.abort(new Error('timeout'));
      },
      onResponseStart: (_controller, statusCode) => {
        status = statusCode;
      },
      onResponseData: () => {},
      onResponseEnd: () => {
        if (this.#finish(open)) this.#answer(open, status);
        this.#release();
      },
      onResponseError: (_controller, error) => {
        if (this.#finish(open)) this.#fail(reasonOf(error));
        this.#release();
      },
    };
  }

  #release(): void {
    this.#socketsBusy--;
    this.#pump();
  }

  /** Counted as users of a design are, and under the same names. */
  #answer(open: Open, status: number): void {
    this.#compare(open.request, status);
    if (status < 400) this.#goodCount++;
    else this.#count(String(status));
    if (status === 429) this.#rejected++;
    else if (status >= 500) this.#failed++;
    else {
      const us = Math.max(0, Math.round(this.#now() - open.startUs));
      this.#completed++;
      if (!this.#isOver) this.#servedCount++;
      this.#latencies.record(us);
      this.#secondLatencies.record(us);
    }
  }

  #compare({ method, path, recordedStatus }: LoadRequest, status: number): void {
    if (recordedStatus === undefined || recordedStatus < 400 === status < 400) return;
    const first =
      this.#otherwise.first || `${method} ${path}, ${status} instead of ${recordedStatus}`;
    this.#otherwise = { count: this.#otherwise.count + 1, first };
  }

  #fail(reason: string): void {
    this.#failed++;
    this.#count(reason);
  }

  #count(reason: string): void {
    this.#errors.set(reason, (this.#errors.get(reason) ?? 0) + 1);
  }

  /** True for the first who ends it: a timeout, or the answer. */
  #finish(open: Open): boolean {
    if (open.done) return false;
    open.done = true;
    this.#openCount--;
    if (this.#openCount === 0) this.#idle?.();
    return true;
  }

  #expire(now: number): void {
    while (this.#openHead < this.#open.length) {
      const oldest = this.#open[this.#openHead]!;
      if (!oldest.done && now - oldest.startUs < this.#options.timeoutUs) break;
      this.#openHead++;
      if (!this.#finish(oldest)) continue;
      this.#fail('timeout');
      this.#inVain.record(now - oldest.startUs);
      oldest.cancel?.(new Error('timeout'));
    }
    // Kept as an array with a head, and cut now and then: shifting each would copy it each time.
    if (this.#openHead > 10_000 && this.#openHead * 2 > this.#open.length) {
      const past = Math.min(this.#openHead, this.#waitingHead);
      this.#open.splice(0, past);
      this.#openHead -= past;
      this.#waitingHead -= past;
    }
  }

  /** Answers that come in the drain count in the totals; the series is about the load. */
  #closeSeconds(until: number): void {
    while (this.#seconds.length < until) {
      const before = this.#atLastSecond;
      const totals = {
        sent: this.#sent,
        completed: this.#completed,
        rejected: this.#rejected,
        failed: this.#failed,
      };
      const hasLatencies = this.#secondLatencies.count > 0;
      const second: LoadSecond = {
        at: this.#seconds.length,
        sent: totals.sent - before.sent,
        completed: totals.completed - before.completed,
        rejected: totals.rejected - before.rejected,
        failed: totals.failed - before.failed,
        p50Us: hasLatencies ? this.#secondLatencies.percentile(50) : 0,
        p99Us: hasLatencies ? this.#secondLatencies.percentile(99) : 0,
      };
      this.#atLastSecond = totals;
      this.#secondLatencies.clear();
      this.#seconds.push(second);
      this.#options.onSecond?.(second);
    }
  }
}

function sleep(ms = 1): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Short and countable: an address in each reason would make every one a reason of its own. */
function reasonOf(error: Error & { readonly code?: unknown }): string {
  const names: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connection refused',
    ECONNRESET: 'connection reset',
    EPIPE: 'connection reset',
    UND_ERR_SOCKET: 'connection reset',
    UND_ERR_CONNECT_TIMEOUT: 'connect timeout',
    ENOTFOUND: 'host not found',
    EMFILE: 'out of file descriptors here',
    EADDRNOTAVAIL: 'out of ports here',
  };
  const code = typeof error.code === 'string' ? error.code : error.name;
  return names[code] ?? code;
}
