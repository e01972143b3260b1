/**
 * Who is let in when there is more than can be done: the least important first turned away, by how long
 * those before them wait (`shed`), and no more at once than the instance bears (`concurrency`).
 *
 *   request ── level, rank ──▶ shedder ──▶ adaptive limit ──▶ in
 *                                └──────────────┴──▶ 503, at once
 */
import type { Host, Micros } from '../../../host/host.ts';
import type { WebRequest } from '../../../host/web.ts';
import { hashText } from '../../../kit/random.ts';
import { AdaptiveLimit } from '../../../parts/adaptive-limit.ts';
import { Shedder } from '../../../parts/shedder.ts';
import { urgencyOf } from '../../../path/headers.ts';
import type { InstanceConfig } from './config.ts';

export class Admission {
  readonly #shedder: Shedder | undefined;
  readonly #limit: AdaptiveLimit | undefined;
  readonly #level: number;
  readonly #meter: Host['meter'];

  constructor(host: Host, { shed, concurrency }: InstanceConfig) {
    this.#shedder = shed && new Shedder(shed);
    this.#level = shed?.level ?? 0;
    this.#limit = concurrency && new AdaptiveLimit(concurrency, host.random.fork('concurrency'));
    this.#meter = host.meter;
  }

  /** Undefined when everything is let in. */
  static of(host: Host, config: InstanceConfig): Admission | undefined {
    return config.shed || config.concurrency ? new Admission(host, config) : undefined;
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
