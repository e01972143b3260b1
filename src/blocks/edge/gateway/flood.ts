/**
 * Who is refused again and again is shut out for a time: guessing passwords, walking through
 * addresses, knocking after 429. Each refusal is a strike; more of them than `strikes` in `within`
 * is a ban of everything from there, before any other work is done for it.
 */
import type { Counter, Host, Micros } from '../../../host/host.ts';
import { Gcra } from '../../../parts/limit/gcra.ts';
import { KeyedLimiter } from '../../../parts/limit/keyed.ts';
import { Lru } from '../../../parts/lru.ts';
import { networkOf } from '../../../parts/networks.ts';
import type { FloodConfig } from './config.ts';
import { type Parts, plain, type Stage, secondsOf, type Visit } from './visit.ts';

/** What a well-behaved client meets rarely. */
const strikes: ReadonlySet<number> = new Set([400, 401, 403, 404, 405, 413, 414, 421, 429, 431]);

export class FloodStage implements Stage {
  readonly #host: Host;
  readonly #config: FloodConfig;
  readonly #limiter: KeyedLimiter;
  readonly #banned: Lru<string, Micros>;
  readonly #bans: Counter;

  constructor(host: Host, config: FloodConfig) {
    const { strikes: count, withinUs, sourcesMax } = config;
    this.#host = host;
    this.#config = config;
    const pace = new Gcra({ rate: { count, periodUs: withinUs }, burst: count });
    this.#limiter = new KeyedLimiter(pace, { keysMax: sourcesMax });
    this.#banned = new Lru({ entriesMax: sourcesMax });
    this.#bans = host.meter.counter('bans');
  }

  enter({ request }: Visit): Parts | undefined {
    const source = sourceOf(request.ip);
    const until = this.#banned.peek(source);
    if (until === undefined) return undefined;
    const leftUs = until - this.#host.now();
    if (leftUs > 0) return plain(403, 'shut out', ['retry-after', secondsOf(leftUs)]);
    this.#banned.delete(source);
    return undefined;
  }

  leave({ request }: Visit, reply: Parts | undefined): Parts | undefined {
    if (!reply || !strikes.has(reply.status)) return reply;
    const source = sourceOf(request.ip);
    if (this.#banned.has(source)) return reply;
    const now = this.#host.now();
    if (this.#limiter.take(source, now) === 0) return reply;
    this.#banned.set(source, now + this.#config.banUs);
    this.#bans.add();
    this.#host.meter.note(`shut out ${source}`);
    return reply;
  }
}

/** An address of IPv6 costs nothing: who has one has its network. */
function sourceOf(ip: string): string {
  return ip.includes(':') ? networkOf(ip) : ip;
}
