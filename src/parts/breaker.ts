/**
 * Circuit breaker: stops calling what keeps failing, so that it can recover and callers get their
 * bad news at once; tries again after a while, with few.
 *
 *             too many failed or slow
 *   closed ───────────────────────────▶ open ──┐
 *     ▲                                  ▲     │ openFor
 *     │ all trials well        one is not │     ▼
 *     └────────────────────────────── half-open      at most `trials` pass
 *
 * ```ts
 * import { Breaker, breakerKnobs } from 'loadpath/parts/breaker';
 * import { configure } from 'loadpath/parts/config';
 *
 * const { config } = configure('breaker', breakerKnobs, { consecutive: 2, openFor: '5s' });
 * const breaker = new Breaker(config);
 * for (const now of [0, 1]) breaker.failed(breaker.enter(now), now, 900);
 * [breaker.enter(2), breaker.retryAfterUs(2)]; // → [0, 4_999_999]
 * const trial = breaker.enter(5_000_001);
 * breaker.succeeded(trial, 5_002_000, 1_999);
 * breaker.phaseAt(5_002_000); // → 'closed'
 * ```
 *
 * Each call takes a permit, 0 when it is refused, and gives it back with its outcome. A permit is good
 * for the state it was given in: the late failures of calls from before do not spoil a trial.
 * Nygard, "Release It!" (2007). Use one a target where targets fail apart, or a sick one closes the
 * service; outlier ejection (`outliers.ts`) does that by comparison.
 */
import type { Micros } from '../host/host.ts';
import { type ConfigOf, count, duration, optional, ratio } from '../kit/config.ts';

export const breakerKnobs = {
  failureRatio: ratio(0.5, {
    min: 0.01,
    doc: 'Opens when this share of the calls in the window failed. Half: below that most callers are still served.',
  }),
  volumeMin: count(20, {
    min: 1,
    doc: 'Calls in the window before a share means anything. Of 20 fair coins two in a thousand show 16 heads.',
  }),
  window: duration('10s', {
    min: '10ms',
    doc: 'How far back calls count. Long enough for some hundred calls, short enough to notice within seconds.',
  }),
  consecutive: optional(
    count(5, {
      min: 1,
      doc: 'Opens also after this many failures in a row, however few calls there are. Left out: does not.',
    }),
  ),
  slowCall: optional(
    duration('1s', {
      min: '1us',
      doc: 'Calls that take this long or longer are slow, however they end. Left out: none is.',
    }),
  ),
  slowRatio: ratio(0.8, {
    min: 0.01,
    doc: 'Opens when this share of the calls in the window was slow. Above the failure ratio: a slow answer is still one.',
  }),
  openFor: duration('5s', {
    min: '1ms',
    doc: 'How long it stays open before a trial. About what a restart takes; every second more than the callee needs is a second without it.',
  }),
  trials: count(1, {
    min: 1,
    max: 1_000,
    doc: 'Calls that may pass half-open; all must go well. One can do the callee no harm.',
  }),
};

export type BreakerConfig = ConfigOf<typeof breakerKnobs>;

export type BreakerPhase = 'closed' | 'open' | 'half-open' | 'forced-open' | 'forced-closed';

export interface BreakerChange {
  readonly from: BreakerPhase;
  readonly to: BreakerPhase;
  readonly at: Micros;
}

type State =
  | { readonly phase: 'closed' | 'forced-open' | 'forced-closed' }
  | { readonly phase: 'open'; readonly until: Micros }
  | { readonly phase: 'half-open'; given: number; passed: number };

/** The window in ten parts: what leaves it leaves by a tenth. */
const parts = 10;

export class Breaker {
  readonly #config: BreakerConfig;
  readonly #onChange: ((change: BreakerChange) => void) | undefined;
  readonly #partUs: Micros;
  #state: State = { phase: 'closed' };
  /** What permits are good for: it grows with each change. */
  #permit = 1;
  #failuresInRow = 0;
  #part = 0;
  #partEndsAt: Micros = 0;
  #callCount = 0;
  #failedCount = 0;
  #slowCount = 0;
  readonly #calls = new Uint32Array(parts);
  readonly #failures = new Uint32Array(parts);
  readonly #slows = new Uint32Array(parts);

  constructor(config: BreakerConfig, onChange?: (change: BreakerChange) => void) {
    this.#config = config;
    this.#onChange = onChange;
    this.#partUs = Math.ceil(config.windowUs / parts);
  }

  /** Its phase at `now`: an open breaker is half-open once its time is over. */
  phaseAt(now: Micros): BreakerPhase {
    const state = this.#state;
    return state.phase === 'open' && now >= state.until ? 'half-open' : state.phase;
  }

  /** A permit for one call, or 0: refused. Each permit goes back by `succeeded`, `failed` or `abandoned`. */
  enter(now: Micros): number {
    const state = this.#state;
    switch (state.phase) {
      case 'closed':
      case 'forced-closed':
        return this.#permit;
      case 'forced-open':
        return 0;
      case 'open':
        if (now < state.until) return 0;
        this.#change({ phase: 'half-open', given: 1, passed: 0 }, now);
        return this.#permit;
      case 'half-open':
        if (state.given >= this.#config.trials) return 0;
        state.given++;
        return this.#permit;
    }
  }

  succeeded(permit: number, now: Micros, tookUs: Micros): void {
    if (permit !== this.#permit) return;
    const state = this.#state;
    const isSlow = this.#isSlow(tookUs);
    this.#failuresInRow = 0;
    if (state.phase === 'closed') return this.#count(now, 0, isSlow);
    if (state.phase !== 'half-open') return;
    if (isSlow) return this.#open(now);
    if (++state.passed === this.#config.trials) this.#change({ phase: 'closed' }, now);
  }

  failed(permit: number, now: Micros, tookUs: Micros): void {
    if (permit !== this.#permit) return;
    const { phase } = this.#state;
    if (phase === 'half-open') return this.#open(now);
    if (phase !== 'closed') return;
    this.#failuresInRow++;
    if (this.#failuresInRow === this.#config.consecutive) return this.#open(now);
    this.#count(now, 1, this.#isSlow(tookUs));
  }

  /** The call was given up and says nothing about the callee: another may take its place as a trial. */
  abandoned(permit: number): void {
    const state = this.#state;
    if (permit === this.#permit && state.phase === 'half-open') state.given--;
  }

  /** How long until a trial, for `Retry-After`: 0 when calls pass, infinite while it is forced open. */
  retryAfterUs(now: Micros): Micros {
    const state = this.#state;
    if (state.phase === 'forced-open') return Number.POSITIVE_INFINITY;
    return state.phase === 'open' ? Math.max(0, state.until - now) : 0;
  }

  /** By hand: open during a migration, closed when it errs. `undefined` lets it decide again. */
  force(to: 'open' | 'closed' | undefined, now: Micros): void {
    this.#change({ phase: to === undefined ? 'closed' : (`forced-${to}` as const) }, now);
  }

  #isSlow(tookUs: Micros): boolean {
    const { slowCallUs } = this.#config;
    return slowCallUs !== undefined && tookUs >= slowCallUs;
  }

  #count(now: Micros, failed: 0 | 1, isSlow: boolean): void {
    if (now >= this.#partEndsAt) this.#turn(now);
    const part = this.#part;
    this.#calls[part]!++;
    this.#callCount++;
    if (failed === 1) {
      this.#failures[part]!++;
      this.#failedCount++;
    }
    if (isSlow) {
      this.#slows[part]!++;
      this.#slowCount++;
    } else if (failed === 0) return;
    const { volumeMin, failureRatio, slowRatio } = this.#config;
    if (this.#callCount < volumeMin) return;
    const tooMany =
      this.#failedCount >= failureRatio * this.#callCount ||
      (isSlow && this.#slowCount >= slowRatio * this.#callCount);
    if (tooMany) this.#open(now);
  }

  /** Begins the part that `now` is in; those that have left the window count no more. */
  #turn(now: Micros): void {
    const passed = Math.floor((now - this.#partEndsAt) / this.#partUs) + 1;
    for (let i = Math.min(passed, parts); i > 0; i--) {
      this.#part = (this.#part + 1) % parts;
      this.#callCount -= this.#calls[this.#part]!;
      this.#failedCount -= this.#failures[this.#part]!;
      this.#slowCount -= this.#slows[this.#part]!;
      this.#calls[this.#part] = 0;
      this.#failures[this.#part] = 0;
      this.#slows[this.#part] = 0;
    }
    this.#partEndsAt += passed * this.#partUs;
  }

  #open(now: Micros): void {
    this.#change({ phase: 'open', until: now + this.#config.openForUs }, now);
  }

  /** Every state begins with a clean slate: what led into the last one must not decide the next. */
  #change(state: State, at: Micros): void {
    const from = this.#state.phase;
    this.#state = state;
    this.#permit++;
    this.#failuresInRow = 0;
    this.#callCount = 0;
    this.#failedCount = 0;
    this.#slowCount = 0;
    this.#calls.fill(0);
    this.#failures.fill(0);
    this.#slows.fill(0);
    this.#onChange?.({ from, to: state.phase, at });
  }
}
