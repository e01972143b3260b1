/**
 * Who called how often: counters of the run, and a page where users read their own and an
 * administrator reads all. Since the gateway started; what must outlive it is a quota.
 */
import type { Counter, Host } from '../../../host/host.ts';
import type { UsageConfig } from './config.ts';
import { splitUrl } from './url.ts';
import { type Parts, plain, type Stage, type Visit } from './visit.ts';

interface Used {
  calls: number;
  /** Turned away by the gateway: over a limit, not allowed. */
  refused: number;
  errors: number;
  bytesOut: number;
  readonly meter: Counter;
}

/** Whoever is not known, and whoever came when there was no room. */
const nobody = 'anonymous';
const others = 'others';

export class UsageStage implements Stage {
  readonly #host: Host;
  readonly #config: UsageConfig;
  readonly #users = new Map<string, Used>();

  constructor(host: Host, config: UsageConfig) {
    this.#host = host;
    this.#config = config;
  }

  enter(visit: Visit): Parts | undefined {
    const { request, identity } = visit;
    const { path, adminTier } = this.#config;
    if (request.method !== 'GET') return undefined;
    if ((visit.match?.place ?? splitUrl(request.url)).path !== path) return undefined;
    if (!identity) return plain(401, 'who are you?');
    const isAdmin = identity.tier === adminTier;
    const own = this.#users.get(identity.user);
    const seen = isAdmin ? [...this.#users] : own ? [[identity.user, own] as const] : [];
    const table = Object.fromEntries(
      seen.map(([user, { calls, refused, errors, bytesOut }]) => [
        user,
        { calls, refused, errors, bytesOut },
      ]),
    );
    return {
      status: 200,
      headers: ['content-type', 'application/json'],
      body: JSON.stringify(table),
    };
  }

  leave(visit: Visit, reply: Parts | undefined): Parts | undefined {
    const used = this.#of(visit.identity?.user ?? nobody);
    used.calls++;
    used.meter.add();
    if (!reply) return reply;
    if (reply.status === 429 || reply.status === 403) used.refused++;
    if (reply.status >= 500) used.errors++;
    used.bytesOut += reply.body?.length ?? 0;
    return reply;
  }

  #of(user: string): Used {
    const known = this.#users.get(user);
    if (known) return known;
    if (this.#users.size >= this.#config.usersMax && user !== others) return this.#of(others);
    const meter = this.#host.meter.counter(`calls by ${user}`);
    const used = { calls: 0, refused: 0, errors: 0, bytesOut: 0, meter };
    this.#users.set(user, used);
    return used;
  }
}
