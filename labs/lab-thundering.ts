/** One of five servers with 5,000 connections each dies: how its clients come back. */
import { gateway, service, simulate, spike, system, users } from 'loadpath';
import { bars, digits, estimate, lab, lines, ms, table, whole, within } from 'loadpath/lab';
import { backoffUs } from 'loadpath/parts/backoff';
import { seeded } from 'loadpath/parts/balance';

const serverCount = 5;
const lostAtS = 2;

const ways = [
  'at once, then each second',
  'after a second, doubled each time',
  'after a random time, doubled each time',
  'first within ten seconds, then doubled',
] as const;
type Way = (typeof ways)[number];

/** Milliseconds before try number `attempt`, counted from 0. */
function waitMs(
  way: Way,
  attempt: number,
  chance: () => number,
  random: ReturnType<typeof seeded>,
) {
  const bounds = { backoffUs: 1_000_000, backoffMaxUs: 30_000_000 };
  switch (way) {
    case 'at once, then each second':
      return attempt === 0 ? 0 : 1_000;
    case 'after a second, doubled each time':
      return attempt === 0 ? 0 : Math.min(30_000, 1_000 * 2 ** (attempt - 1));
    case 'after a random time, doubled each time':
      return backoffUs(bounds, attempt + 1, random) / 1_000;
    case 'first within ten seconds, then doubled':
      return attempt === 0 ? 10_000 * chance() : backoffUs(bounds, attempt, random) / 1_000;
  }
}

interface Back {
  readonly afterMs: number;
  readonly tries: number;
}

/**
 * Those four that are left can do a tenth of `clients` in handshakes a second, who come within a fifth of a second
 * because they notice the broken connection at once.
 */
function design(way: Way, clients: number, seed: number) {
  const back: Back[] = [];
  const random = seeded(seed).fork('waits');
  const perSec = (1_000 * clients) / 10_000;
  const sockets = service('sockets', {
    instances: serverCount - 1,
    openMax: Math.max(20, clients / 50),
    cost: { cpu: `${(1_000 * (serverCount - 1)) / perSec}ms` },
    fetch: () => new Response('connected'),
  });
  const noticeS = 0.2;
  const made = system('reconnects', {
    entry: gateway('edge', { routes: { '/': sockets }, policy: { timeout: '1s' } }),
    workload: users({
      rate: spike({
        base: '1/d',
        peak: `${clients / noticeS}/s`,
        at: `${lostAtS}s`,
        for: `${noticeS * 1_000}ms`,
      }),
      arrivals: 'even',
      population: clients,
      timeout: '1s',
      async act(user) {
        const lostAt = performance.now();
        for (let tries = 0; ; tries++) {
          await user.sleep(waitMs(way, tries, () => user.random.next(), random));
          const reply = await user.fetch('/').catch(() => undefined);
          if (!reply?.ok) continue;
          back.push({ afterMs: performance.now() - lostAt, tries: tries + 1 });
          return;
        }
      },
    }),
  });
  return { design: made, back };
}

export default lab({
  id: 'lab-thundering',
  claims: ['lab-thundering'],
  title: 'The herd that reconnects',
  claim:
    'When a server with long-lived connections goes away, all its clients reconnect in a herd.',
  question:
    'One of five servers, with 5,000 connections on each, dies. How many handshakes a second hit the four that are left, and when is everybody back, by how long clients wait before they try and try again?',
  method:
    '5,000 clients notice within 0.2 s. The four servers can do 500 handshakes a second together (a fifth of both in small), hold only a small line and turn the rest away; a client waits 1 s for its handshake. Random times are drawn evenly between nothing and a bound that doubles from one second to thirty (full jitter).',
  advice:
    'Spread the first try, not only those that follow: the herd is there before anybody has failed. Clients that wait a random part of ten seconds make a stream that the servers can take; doubling without chance keeps the herd together and only makes it come more rarely. Ten seconds are clients over capacity: tell them the bound when they connect.',
  expected: 'true',
  seeds: { full: 2, small: 1 },
  design: design(ways[0], 1_000, 1).design,
  async measure({ seeds, pick }) {
    const clients = pick(5_000, 1_000);
    const found = [];
    for (const way of ways) {
      const runs = [];
      for (const seed of seeds) {
        const { design: made, back } = design(way, clients, seed);
        const { series } = await simulate(made, { seed, for: '90s' });
        const handshakes = series.blocks.edge ?? [];
        const times = back.map(({ afterMs }) => afterMs).sort((a, b) => a - b);
        const all = Math.floor(0.99 * clients) - 1;
        runs.push({
          peak: Math.max(...handshakes) / (clients / 10),
          allBackMs: times[all] ?? Number.POSITIVE_INFINITY,
          halfBackMs: times[Math.floor(clients / 2)] ?? Number.POSITIVE_INFINITY,
          tries: back.reduce((total, { tries }) => total + tries, 0) / Math.max(1, back.length),
          handshakes,
        });
      }
      found.push({
        way,
        peak: estimate(runs.map(({ peak }) => peak)),
        allBackMs: Math.max(...runs.map(({ allBackMs }) => allBackMs)),
        halfBackMs: Math.max(...runs.map(({ halfBackMs }) => halfBackMs)),
        tries: estimate(runs.map(({ tries }) => tries)),
        handshakes: runs[0]!.handshakes,
      });
    }
    return { clients, found };
  },
  verdict({ clients, found }) {
    const [once, doubled, jittered, spread] = found;
    const isHerd = once!.peak.mean > 5;
    const cured = spread!.peak.mean < once!.peak.mean / 3;
    return {
      verdict: isHerd && cured ? 'true' : isHerd ? 'partly' : 'false',
      why: `${whole(clients)} clients who come back at once make a peak of ${within(once!.peak)} times what the servers can do in that second, and need ${shown(once!.allBackMs)} and ${within(once!.tries)} tries each until 99 % are back. Doubling without chance takes ${shown(doubled!.allBackMs)}, with full jitter ${shown(jittered!.allBackMs)}; with the first try spread over ten seconds the peak is ${within(spread!.peak)} times, and it takes ${shown(spread!.allBackMs)} and ${within(spread!.tries)} tries.`,
    };
  },
  figures: ({ clients, found }) => [
    lines({
      title: `Handshakes that arrive, after ${whole(clients)} connections broke at ${lostAtS} s`,
      x: { label: 'time', unit: 's', max: 40 },
      y: { label: 'handshakes', unit: '/s' },
      series: found.map(({ way, handshakes }) => ({
        name: way,
        points: handshakes.slice(0, 41).map((count, second) => [second, count] as const),
      })),
      level: { at: clients / 10, name: 'what the servers can do' },
    }),
    bars({
      title: 'Time until 99 % are back (90 s: not within the run)',
      x: { label: 'time', unit: 's' },
      groups: found.map(({ way }) => way),
      series: [
        { name: 'half', values: found.map(({ halfBackMs }) => inRunS(halfBackMs)) },
        { name: '99 %', values: found.map(({ allBackMs }) => inRunS(allBackMs)) },
      ],
    }),
    table({
      title: 'In numbers',
      head: ['tries again', 'peak over capacity', 'half back', '99 % back', 'tries a client'],
      rows: found.map(({ way, peak, halfBackMs, allBackMs, tries }) => [
        way,
        `${within(peak)}×`,
        shown(halfBackMs),
        shown(allBackMs),
        digits(tries.mean),
      ]),
    }),
  ],
});

function shown(backMs: number): string {
  return backMs === Number.POSITIVE_INFINITY ? 'longer than the run of 90 s' : ms(backMs);
}

/** For the picture. */
function inRunS(backMs: number): number {
  return Math.min(90, backMs / 1_000);
}
