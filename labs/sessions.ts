/** A shop whose instances keep baskets in their own memory: what the labs on sessions look at. */
import { cache, gateway, ids, type Report, service, simulate, system, users } from 'loadpath';

/** Where a basket is, and who finds the way to it. */
export type Where =
  | 'memory, by turn'
  | 'memory, sticky cookie'
  | 'memory, sticky by user'
  | 'memory, hash of the user'
  | 'shared store'
  | 'in a cookie';

export interface Sight {
  readonly atMs: number;
  readonly user: number;
  /** The server knows this user, or need not. */
  readonly isKnown: boolean;
  /** He has been served before. */
  readonly isOld: boolean;
}

export interface Shop {
  readonly instances: number;
  /** Popularity of users: 0 is all alike, 1 is Zipf’s law. */
  readonly exponent: number;
  readonly people: number;
  readonly perSec: number;
}

/** Ranges of ids of this length have a beginning of their own. */
const rangeLength = 62 ** 3;

const policies = {
  'memory, by turn': { balance: 'round-robin' },
  'memory, sticky cookie': { balance: 'round-robin', sticky: {} },
  'memory, sticky by user': { balance: 'round-robin', sticky: { by: 'header:x-user' } },
  'memory, hash of the user': { balance: 'source-hash', hash: { key: 'header:x-user' } },
  'shared store': { balance: 'round-robin' },
  'in a cookie': { balance: 'round-robin' },
} as const;

export function shop(where: Where, { instances, exponent, people, perSec }: Shop) {
  const seen: Sight[] = [];
  // What an instance remembers, by its life: each life has a range of ids of its own.
  const memories = new Map<string, Set<string>>();
  const lives = ids('lives', { block: rangeLength });
  const store = cache<string>('store', { nodes: 2, ttl: '10min' });
  const api = service('api', {
    instances,
    openMax: 200,
    cost: { cpu: '5ms' },
    env: { lives, store },
    async fetch(request, env) {
      const user = request.headers.get('x-user') ?? '';
      if (where === 'shared store') {
        const known = (await env.store.get(user)) !== undefined;
        if (!known) await env.store.set(user, 'basket');
        return Response.json(known);
      }
      if (where === 'in a cookie') {
        const known = /\bbasket=/.test(request.headers.get('cookie') ?? '');
        return Response.json(known, { headers: { 'set-cookie': 'basket=one-thing' } });
      }
      const life = (await env.lives.next()).slice(0, -3);
      const memory = memories.get(life) ?? new Set();
      memories.set(life, memory);
      const known = memory.has(user);
      memory.add(user);
      return Response.json(known);
    },
  });
  const cookies = new Map<number, string>();
  const served = new Set<number>();
  const design = system('shop-with-baskets', {
    entry: gateway('edge', {
      routes: { '/': api },
      policy: { timeout: '2s', ...policies[where] },
    }),
    workload: users({
      rate: `${perSec}/s`,
      async act(user) {
        const who = user.zipf(people, exponent);
        const cookie = cookies.get(who);
        const headers = { 'x-user': `${who}`, ...(cookie ? { cookie } : {}) };
        const isOld = served.has(who);
        const atMs = performance.now();
        const reply = await user.fetch('/basket', { headers }).catch(() => undefined);
        if (!reply?.ok) return;
        const set = reply.headers.get('set-cookie');
        if (set) cookies.set(who, set.split(';', 1)[0]!);
        served.add(who);
        seen.push({ atMs, user: who, isKnown: (await reply.json()) === true, isOld });
      },
    }),
  });
  return { design, seen };
}

export interface Ran {
  readonly seen: readonly Sight[];
  readonly report: Report;
  /** Requests of the busiest instance over the mean. */
  readonly fullest: number;
}

export async function ran(
  where: Where,
  options: Shop,
  run: { readonly seed: number; readonly for: `${number}s`; readonly faults?: readonly string[] },
): Promise<Ran> {
  const { design, seen } = shop(where, options);
  const report = await simulate(design, run);
  const loads = report.blocks.api!.nodes.map(({ requestsPerSec }) => requestsPerSec);
  const mean = loads.reduce((total, load) => total + load, 0) / loads.length;
  return { seen, report, fullest: Math.max(...loads) / mean };
}

/** Of requests by users who had been served before, those whose basket the server did not have. */
export function missing(seen: readonly Sight[]): number {
  const old = seen.filter(({ isOld }) => isOld);
  return old.filter(({ isKnown }) => !isKnown).length / Math.max(1, old.length);
}
