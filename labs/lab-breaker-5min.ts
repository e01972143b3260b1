/** How long a breaker should stay open: M3 is sick for twenty seconds, the wait goes from 1 s to 5 min. */
import { gateway, service, simulate, system, users } from 'loadpath';
import { bars, estimate, lab, lines, ms, percent, table, within } from 'loadpath/lab';

const sickFromS = 10;
const sickForS = 20;
const healthyAtS = sickFromS + sickForS;

interface Way {
  readonly openFor: `${number}s`;
  readonly trials: number;
}

const waits: readonly Way[] = (['1s', '5s', '15s', '30s', '60s', '300s'] as const).map(
  (openFor) => ({ openFor, trials: 1 }),
);
/** Half-open everybody may try. */
const flood: Way = { openFor: '5s', trials: 1_000 };

function design({ openFor, trials }: Way, perSec: number) {
  const m3 = service('m3', {
    instances: 1,
    openMax: 100,
    cost: { cpu: '5ms' },
  });
  const policy = {
    timeout: '250ms',
    breaker: { per: 'service', openFor, trials, window: '2s', volumeMin: 10 },
  } as const;
  return system('breaker-wait', {
    entry: gateway('edge', { routes: { '/': m3 }, policy }),
    faults: [`slow m3 by 60x at ${sickFromS}s for ${sickForS}s`],
    workload: users({ rate: `${perSec}/s` }),
  });
}

export default lab({
  id: 'lab-breaker-5min',
  claims: ['lab-breaker-5min'],
  title: 'Five minutes of waiting for twenty seconds of trouble',
  claim: 'After five minutes a trial request is sent, and its success restores the connection.',
  question:
    'M3 is sick for twenty seconds. For how long are users refused who could be served again, and how many calls still reach M3 while it is sick, when the breaker waits from one second to five minutes? What if half-open not one call is let through, but everybody’s?',
  method:
    'One caller, 40 requests a second (15 in small), calls wait 250 ms. M3 is 60 times slower from 10 s to 30 s, so that nothing is answered in time. The breaker opens when half of at least 10 calls within 2 s failed. Needless is the time between M3’s recovery and the last refused request.',
  advice:
    'Wait about as long as a restart takes: seconds. A single trial costs one user one timeout, which is cheap beside minutes without a service that is well. Let one call try and not all of them: a callee that has just come back is given a line of work that the breaker was there to keep from it.',
  expected: 'conditional',
  seeds: { full: 5, small: 1 },
  design: design(waits[1]!, 40),
  async measure({ seeds, pick }) {
    const found = [];
    for (const way of [...waits, flood]) {
      const runs = [];
      for (const seed of seeds) {
        const { series, blocks, failed, generated } = await simulate(
          design(way, pick(40, 15)),
          // Long enough for one whole wait after M3 is well.
          { seed, for: way.openFor === '300s' ? '340s' : '120s' },
        );
        const lastBad = series.errors.findLastIndex((errors) => errors > 0);
        const m3 = series.blocks.m3 ?? [];
        runs.push({
          needlessMs: 1_000 * Math.max(0, lastBad + 1 - healthyAtS),
          // From when the breaker has surely opened.
          tried: m3.slice(sickFromS + 3, healthyAtS).reduce((total, calls) => total + calls, 0),
          failed,
          refused: blocks.edge!.meters['breaker refused m3'] ?? 0,
          generated,
          m3,
        });
      }
      found.push({
        ...way,
        needlessMs: estimate(runs.map(({ needlessMs }) => needlessMs)),
        tried: estimate(runs.map(({ tried }) => tried)),
        failed: estimate(runs.map(({ failed }) => failed)),
        refused: estimate(runs.map(({ refused, generated }) => refused / generated)),
        m3: runs[0]!.m3,
      });
    }
    return found;
  },
  verdict(found) {
    const of = (openFor: string, trials = 1) =>
      found.find((one) => one.openFor === openFor && one.trials === trials)!;
    const [short, five, long, all] = [of('1s'), of('5s'), of('300s'), of('5s', flood.trials)];
    const restores = found.every(({ m3 }) => m3.slice(-5).every((calls) => calls > 0));
    const isTrade =
      long.needlessMs.mean > 10 * five.needlessMs.mean && short.tried.mean > long.tried.mean;
    return {
      verdict: !restores ? 'false' : isTrade ? 'conditional' : 'true',
      why: `The trial restores the connection each time; with a wait of five minutes ${within(long.needlessMs, ms)} after M3 is well, with five seconds ${within(five.needlessMs, ms)}. That costs ${within(five.tried)} calls to a sick M3 in 17 s instead of ${within(long.tried)} (with one second ${within(short.tried)}); when everybody may try half-open, ${within(all.tried)}.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'Time for which users are refused although M3 is well again',
      x: { label: 'time', unit: 's', scale: 'log', min: 0.1 },
      groups: found.map(nameOf),
      series: [
        {
          name: 'needless',
          values: found.map(({ needlessMs }) => Math.max(0.1, needlessMs.mean / 1_000)),
          plusMinus: found.map(({ needlessMs }) => (needlessMs.plusMinus ?? 0) / 1_000),
        },
      ],
    }),
    lines({
      title: 'Calls that reach M3, which is sick from 10 s to 30 s',
      x: { label: 'time', unit: 's', max: 100 },
      y: { label: 'calls', unit: '/s' },
      series: found
        .filter(({ openFor }) => openFor === '5s' || openFor === '30s' || openFor === '60s')
        .map((one) => ({
          name: nameOf(one),
          points: one.m3.slice(0, 101).map((calls, second) => [second, calls] as const),
        })),
    }),
    table({
      title: 'In numbers',
      head: [
        'breaker waits',
        'needlessly refused for',
        'calls to a sick M3',
        'failed requests',
        'refused',
      ],
      rows: found.map((one) => [
        nameOf(one),
        within(one.needlessMs, ms),
        within(one.tried),
        within(one.failed),
        percent(one.refused.mean),
      ]),
    }),
  ],
});

function nameOf({ openFor, trials }: Way): string {
  const wait = openFor === '300s' ? '5 min' : openFor.replace('s', ' s');
  return trials === 1 ? wait : `${wait}, all may try`;
}
