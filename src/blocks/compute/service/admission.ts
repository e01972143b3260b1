/**
 * Who is let in when there is more than can be done: no more in a span than this instance takes, whoever asks
 * (`limit`), the least important first turned away, by how long those before them wait (`shed`), and no more at
 * once than the instance bears (`concurrency`).
 *
 *   request ──▶ limit ── level, rank ──▶ shedder ──▶ adaptive limit ──▶ in
 *                 └──▶ 429, at once         └──────────────┴──▶ 503, at once
 */
import type { Host, Micros } from '../../../host/host.ts';
import type { WebRequest } from '../../../host/web.ts';
import { hashText } from '../../../kit/random.ts';
import { AdaptiveLimit } from '../../../parts/adaptive-limit.ts';
import { limiterOf } from '../../../parts/limit/config.ts';
import { type Limiter, take } from '../../../parts/limit/limiter.ts';
import { Shedder } from '../../../parts/shedder.ts';
import { urgencyOf } from '../../../path/headers.ts';
import type { InstanceConfig } from './config.ts';

export class Admission {
  /** Kept in memory only: an instance that crashed starts with a whole limit, at most one extra burst or window. */
  readonly #rate: Limiter | undefined;
  readonly #shedder: Shedder | undefined;
  readonly #limit: AdaptiveLimit | undefined;
  readonly #level: number;
  readonly #meter: Host['meter'];

  constructor(host: Host, { limit, shed, concurrency }: InstanceConfig) {
    this.#rate = limit && limiterOf(limit);
    this.#shedder = shed && new Shedder(shed);
    this.#level = shed?.level ?? 0;
    this.#limit = concurrency && new AdaptiveLimit(concurrency, host.random.fork('concurrency'));
    this.#meter = host.meter;
  }

  /** Undefined when everything is let in. */
  static of(host: Host, config: InstanceConfig): Admission | undefined {
    const { limit, shed, concurrency } = config;
    return limit || shed || concurrency ? new Admission(host, config) : undefined;
  }

  /** 0: within the limit of this instance, and counted. Otherwise when to come back. */
  limit(now: Micros): Micros {
    return this.#rate === undefined ? 0 : take(this.#rate, now);
  }

  /** Whoever is let in also leaves. */
  enter(request: WebRequest, now: Micros): boolean {
    if (this.#shedder && !this.#shedder.admit(now, this.#levelOf(request), rankOf(request)))
      return false;
    if (!this.#limit) return true;
    const entered = this.#limit.enter();
    this.#meter.gauge('concurrency limit').set(this.#limit.limit);
    return entered;
  }

  /** Work on it begins, after so long in line. */
  started(now: Micros, waitedUs: Micros): void {
    this.#shedder?.started(now, Math.max(0, waitedUs));
    if (this.#shedder) this.#meter.gauge('admitted levels').set(this.#shedder.threshold);
  }

  leave(now: Micros, tookUs: Micros, outcome: 'ok' | 'failed' | 'ignored'): void {
    this.#limit?.leave(now, tookUs, outcome);
  }

  #levelOf({ headers }: WebRequest): number {
    return urgencyOf(headers) ?? this.#level;
  }
}

/** The same for one user, so that who is served is served wholly. */
function rankOf({ session, ip, id }: WebRequest): number {
  return (hashText(session ?? (ip || String(id))) >>> 0) / 2 ** 32;
}
