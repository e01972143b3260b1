/**
 * Who holds the lock of which key, at the node that owns those locks. First come, first served; a
 * holder that does not give it back has it for one lease. Each grant has a token greater than all
 * before it, and what is written with a token that is not the latest is refused: so a holder that
 * was paused past its lease does no harm.
 */
import type { Micros } from '../../../host/host.ts';

interface Lock<W> {
  token: number;
  /** 0: nobody holds it. */
  heldUntil: Micros;
  readonly waiting: W[];
}

export class Locks<W> {
  readonly #leaseUs: Micros;
  readonly #locks = new Map<string, Lock<W>>();
  #nextToken: number;
  /** Grants of a former life may still be out until then. */
  readonly #opensAt: Micros;

  /** `life` makes tokens grow over restarts. */
  constructor(options: {
    readonly leaseUs: Micros;
    readonly life: number;
    readonly now: Micros;
  }) {
    this.#leaseUs = options.leaseUs;
    this.#nextToken = options.life * 2 ** 32;
    this.#opensAt = options.life === 1 ? options.now : options.now + options.leaseUs;
  }

  get size(): number {
    return this.#locks.size;
  }

  ask(key: string, who: W): void {
    const lock = this.#locks.get(key) ?? { token: 0, heldUntil: 0, waiting: [] };
    this.#locks.set(key, lock);
    lock.waiting.push(who);
  }

  /** Whose turn it is now, with his token; or how long until it may be; undefined: nobody waits. */
  next(key: string, now: Micros): { readonly who: W; readonly token: number } | Micros | undefined {
    const lock = this.#locks.get(key);
    if (!lock || lock.waiting.length === 0) return undefined;
    const freeAt = Math.max(lock.heldUntil, this.#opensAt);
    if (freeAt > now) return freeAt - now;
    lock.token = this.#nextToken++;
    lock.heldUntil = now + this.#leaseUs;
    return { who: lock.waiting.shift()!, token: lock.token };
  }

  /** Whether what is written with `token` still counts. */
  isLatest(key: string, token: number): boolean {
    const lock = this.#locks.get(key);
    return lock === undefined || token >= lock.token;
  }

  release(key: string, token: number): void {
    const lock = this.#locks.get(key);
    if (lock?.token !== token) return;
    lock.heldUntil = 0;
    if (lock.waiting.length === 0) this.#locks.delete(key);
  }

  /** Who waits no longer. */
  leave(isGone: (who: W) => boolean): void {
    for (const lock of this.#locks.values()) {
      for (let i = lock.waiting.length - 1; i >= 0; i--) {
        if (isGone(lock.waiting[i]!)) lock.waiting.splice(i, 1);
      }
    }
  }
}
