/**
 * Leaky bucket as a queue: requests drip out at a steady rate, at most `queueMax` wait, the rest
 * overflows. It smooths where the other limiters refuse, so its answer is a delay.
 *
 *   arrivals ──▶ │░░░░│ full: refused      with `burst` above 1 it is a traffic shaper: that many
 *                │░░░░│                    leave at once before the dripping begins (nginx's
 *                └─╥──┘                    `limit_req burst= delay=` is this)
 *                  ▼ one every period / count
 *
 * ```ts
 * import { LeakyQueue } from 'loadpath/parts/limit/leaky-queue';
 *
 * const queue = new LeakyQueue({ rate: { count: 1, periodUs: 1_000_000 }, queueMax: 2, burst: 1 });
 * [0, 0, 0, 0].map((now) => queue.enter(now)); // → [0, 1_000_000, 2_000_000, Infinity]
 * queue.waiting(500_000); // → 2
 * ```
 *
 * The queue itself is nowhere: a request is told how long it waits, and its caller sets the timer.
 * Turner, "New directions in communications" (1986). Use `Gcra` when a late answer is worth less
 * than a quick refusal.
 */
import type { Micros } from '../../host/host.ts';
import type { Rate } from '../../kit/units.ts';
import { Gcra } from './gcra.ts';

export interface LeakyQueueOptions {
  readonly rate: Rate;
  /** Requests that may wait. */
  readonly queueMax: number;
  /** Requests that leave at once before others wait: 1 is the leaky bucket of the books. */
  readonly burst: number;
}

export class LeakyQueue {
  /** What may have entered, and what of it has not had to wait: two bounds on the same debt. */
  readonly #entered: Gcra;
  readonly #left: Gcra;

  constructor(options: LeakyQueueOptions) {
    const { rate, queueMax, burst } = options;
    this.#entered = new Gcra({ rate, burst: burst + queueMax });
    this.#left = new Gcra({ rate, burst });
  }

  /** How long the request waits before it goes on; infinite: the queue is full and it is refused. */
  enter(now: Micros, slot = 0): Micros {
    const delayUs = this.delayUs(now, slot);
    if (delayUs === Number.POSITIVE_INFINITY) return delayUs;
    this.#entered.spend(now, 1, slot);
    this.#left.spend(now, 1, slot);
    return delayUs;
  }

  /** What `enter` would answer, without entering. */
  delayUs(now: Micros, slot = 0): Micros {
    if (this.#entered.waitUs(now, 1, slot) > 0) return Number.POSITIVE_INFINITY;
    return this.#left.waitUs(now, 1, slot);
  }

  /** How long until there is room in the queue; 0: there is. */
  roomUs(now: Micros, slot = 0): Micros {
    return this.#entered.waitUs(now, 1, slot);
  }

  /** Requests that entered and have not left. */
  waiting(now: Micros, slot = 0): number {
    const owed = this.#entered.limit - this.#entered.remaining(now, slot);
    return Math.max(0, owed - this.#left.limit);
  }

  clear(slot: number): void {
    this.#entered.clear(slot);
    this.#left.clear(slot);
  }

  grow(slotCount: number): void {
    this.#entered.grow(slotCount);
    this.#left.grow(slotCount);
  }
}
