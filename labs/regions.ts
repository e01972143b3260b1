/** Two regions 40 ms apart, each with an instance and a limiter node: what several labs look at. */
import { gateway, limiter, type System, service, simulate, system, users } from 'loadpath';

export type Mode = 'central' | 'sticky' | 'lock' | 'replicated';

export const limit = 5;

export interface Take {
  readonly region: string;
  readonly allowed: boolean;
  readonly by: string;
  /** When it was asked, in milliseconds of the run's own clock, and how long the verdict took. */
  readonly atMs: number;
  readonly tookMs: number;
}

export interface VisitSeen {
  readonly user: string;
  readonly takes: readonly Take[];
}

export interface RegionsOptions {
  readonly mode: Mode;
  /** Requests of a visit one after the other, a second apart, then two with this gap. */
  readonly before: number;
  readonly gapMs: (random: number) => number;
  readonly rate?: `${number}/s`;
  readonly whenLost?: 'policy' | 'move';
  readonly lease?: `${number}ms`;
  readonly timeout?: `${number}ms`;
  readonly whenUnreachable?: 'allow' | 'refuse';
  readonly users?: number;
}

/** The design, and what its users have seen once it ran. */
export function regions(options: RegionsOptions): { design: System; seen: VisitSeen[] } {
  const { mode, before, gapMs, rate = '50/s', whenUnreachable = 'refuse' } = options;
  const seen: VisitSeen[] = [];
  const limits = limiter('limits', {
    mode,
    limit: `${limit}/min`,
    whenUnreachable,
    ...(options.whenLost ? { whenLost: options.whenLost } : {}),
    ...(options.lease ? { lease: options.lease } : {}),
    ...(options.timeout ? { timeout: options.timeout } : {}),
  });
  // Which of its instances it is, an instance learns from the limiter: whose region is nearest.
  const places = limiter('places', { mode: 'replicated' });
  const api = service('api', {
    instances: 2,
    env: { limits, places },
    async fetch(request, env) {
      const user = new URL(request.url).searchParams.get('user') ?? '';
      const takenAt = Date.now();
      const askedAt = performance.now();
      const { allowed, by } = await env.limits.take(user);
      const take: Take = {
        region: env.places.home(user),
        allowed,
        by,
        atMs: takenAt,
        tookMs: performance.now() - askedAt,
      };
      return Response.json(take, { status: allowed ? 200 : 429 });
    },
  });
  const design = system('two-regions', {
    entry: gateway('edge', {
      routes: { '/': api },
      policy: { timeout: '5s', balance: 'random' },
    }),
    zones: [
      { name: 'asia-a', region: 'asia' },
      { name: 'europe-a', region: 'europe' },
    ],
    workload: users({
      rate,
      population: options.users ?? 1_000_000,
      async act(user) {
        const name = options.users === undefined ? user.random.next().toString(36) : `${user.id}`;
        const ask = async () =>
          (await (await user.fetch(`/?user=${name}`)).json()) as unknown as Take;
        const takes: Take[] = [];
        for (let i = 0; i < before; i++) {
          takes.push(await ask());
          await user.sleep(1_000);
        }
        const first = ask();
        await user.sleep(gapMs(user.random.next()));
        const second = ask();
        takes.push(await first, await second);
        seen.push({ user: name, takes });
      },
    }),
  });
  return { design, seen };
}

export async function visits(
  options: RegionsOptions,
  run: { readonly seed: number; readonly for: `${number}s`; readonly faults?: readonly string[] },
): Promise<VisitSeen[]> {
  const { design, seen } = regions(options);
  await simulate(design, run);
  return seen;
}

export const admittedOf = ({ takes }: VisitSeen): number =>
  takes.filter(({ allowed }) => allowed).length;
