/** M2 falls silent without closing a connection: what becomes of M1, with and without a timeout. */
import { call, gateway, mesh, service, simulate, sometimes, system, users } from 'loadpath';
import { bars, estimate, lab, lines, ms, percent, table, within } from 'loadpath/lab';

const silentFromS = 5;
const silentForS = 20;
const usersPerSec = 100;
const threads = 50;

interface Way {
  readonly name: string;
  /** M1’s own. Ten minutes are none: by then the connection itself is given up. */
  readonly timeout: `${number}${'ms' | 's' | 'min'}`;
  readonly byMesh?: `${number}ms`;
}

const ways: readonly Way[] = [
  { name: 'no timeout', timeout: '10min' },
  { name: '5 s', timeout: '5s' },
  { name: '1 s', timeout: '1s' },
  { name: '200 ms', timeout: '200ms' },
  { name: 'none of its own, 200 ms by the mesh', timeout: '10min', byMesh: '200ms' },
];

/** M1 holds a thread for each request, of which it has 50; one request in five needs M2. */
function design({ timeout, byMesh }: Way) {
  const net = mesh('net', { stageFor: '0ms', sync: '100ms' });
  const within_ = byMesh === undefined ? {} : { mesh: net };
  const m2 = service('m2', { instances: 1, cost: '5ms', policy: { timeout }, ...within_ });
  const m1 = service('m1', {
    instances: 1,
    slots: threads,
    holds: 'request',
    openMax: 500,
    cost: '10ms',
    calls: [sometimes(0.2, call(m2))],
    ...within_,
  });
  const ops = service('ops', {
    instances: 1,
    env: { net },
    fetch: async (_request, env) =>
      Response.json(await env.net.apply({ m2: { policy: { timeout: byMesh ?? '1s' } } })),
  });
  return system('silent-callee', {
    entry: gateway('edge', {
      routes: byMesh === undefined ? { '/': m1 } : { '/': m1, '/ops': ops },
      policy: { timeout: '60s' },
    }),
    faults: [`pause m2 at ${silentFromS}s for ${silentForS}s`],
    workload: users({
      rate: `${usersPerSec}/s`,
      timeout: '60s',
      ...(byMesh === undefined ? {} : { setup: async (user) => void (await user.fetch('/ops')) }),
    }),
  });
}

const sum = (list: readonly number[]) => list.reduce((total, one) => total + one, 0);

export default lab({
  id: 'lab-timeout-missing',
  claims: ['lab-timeout-missing'],
  title: 'Without a timeout a silent callee takes its caller along',
  claim: 'Without a timeout the caller hangs until the callee closes the connection.',
  question:
    'M2 stops answering for twenty seconds, and its connections stay open. One in five requests to M1 needs it. What becomes of the others, with no timeout, with timeouts from 5 s to 200 ms, and with one that a mesh imposes on a caller who has none?',
  method:
    'M1 has 50 threads, needs 10 ms for a request and gets 100 a second, which keep one or two threads busy. Users wait a minute; when one leaves, M1 is told and frees his thread, so that impatient users are a timeout too. M2 is paused from 5 s to 25 s. Without a timeout means ten minutes here, which is later than anybody waits. For the mesh a control plane gives the policy to the proxies before the load begins.',
  advice:
    'Every call needs a timeout, and a short one: threads stuck are rate × share × timeout, so five seconds already take all fifty. Where developers forget it, let the mesh or the client library set it. Four in five requests that had nothing to do with M2 fail otherwise.',
  expected: 'true',
  seeds: { full: 4, small: 1 },
  design: design(ways[0]!),
  async measure({ seeds }) {
    const found = [];
    for (const way of ways) {
      const runs = [];
      for (const seed of seeds) {
        const { series } = await simulate(design(way), { seed, for: '35s' });
        const during = (list: readonly number[]) =>
          sum(list.slice(silentFromS + 5, silentFromS + silentForS)) / (silentForS - 5);
        const normal = series.throughput.findIndex(
          (served, at) => at >= silentFromS + silentForS && served >= 0.75 * usersPerSec,
        );
        runs.push({
          served: during(series.throughput),
          p99: Math.max(...series.p99Ms.slice(silentFromS + 5, silentFromS + silentForS)),
          after: normal < 0 ? Number.POSITIVE_INFINITY : normal - silentFromS - silentForS,
          throughput: series.throughput,
        });
      }
      found.push({
        name: way.name,
        served: estimate(runs.map(({ served }) => served)),
        p99: estimate(runs.map(({ p99 }) => p99)),
        after: Math.max(...runs.map(({ after }) => after)),
        throughput: runs[0]!.throughput,
      });
    }
    return found;
  },
  verdict(found) {
    const of = (name: string) => found.find((one) => one.name === name)!;
    const [none, five, short, byMesh] = [
      of('no timeout'),
      of('5 s'),
      of('200 ms'),
      of('none of its own, 200 ms by the mesh'),
    ];
    // Four in five requests do not need M2.
    const share = (served: { readonly mean: number }) => served.mean / (0.8 * usersPerSec);
    const hangs = share(none.served) < 0.1;
    const cured = share(short.served) > 0.9 && share(byMesh.served) > 0.9;
    return {
      verdict: hangs && cured ? 'true' : hangs || cured ? 'partly' : 'false',
      why: `While M2 is silent M1 serves ${within(none.served)} of 100 requests a second without a timeout, although only 20 need M2; ${within(five.served)} with one of 5 s, ${within(short.served)} with 200 ms, and ${within(byMesh.served)} when the mesh imposes 200 ms on a caller who has none.`,
    };
  },
  figures: (found) => [
    lines({
      title: 'Requests that M1 serves while M2 is silent from 5 s to 25 s',
      x: { label: 'time', unit: 's' },
      y: { label: 'served', unit: '/s' },
      series: found.map(({ name, throughput }) => ({
        name,
        points: throughput.map((served, second) => [second, served] as const),
      })),
      level: { at: 0.8 * usersPerSec, name: 'do not need M2' },
    }),
    bars({
      title: 'Served while M2 is silent, from its sixth second on',
      x: { label: 'requests', unit: '/s' },
      groups: found.map(({ name }) => name),
      series: [
        {
          name: 'served',
          values: found.map(({ served }) => served.mean),
          plusMinus: found.map(({ served }) => served.plusMinus),
        },
      ],
      level: { at: 0.8 * usersPerSec, name: 'do not need M2' },
    }),
    table({
      title: 'In numbers',
      head: ['timeout before M2', 'served', 'of those who do not need M2', 'p99', 'normal again'],
      rows: found.map(({ name, served, p99, after }) => [
        name,
        `${within(served)}/s`,
        percent(Math.min(1, served.mean / (0.8 * usersPerSec))),
        ms(p99.mean),
        after === Number.POSITIVE_INFINITY ? 'not within the run' : `after ${after} s`,
      ]),
    }),
  ],
});
