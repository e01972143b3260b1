/** M1 calls M2 calls M3, each of the first two trying five times: what M3 gets, and when it recovers. */
import { simulate } from 'loadpath';
import { bars, digits, estimate, lab, lines, percent, table } from 'loadpath/lab';
import { chain, recoveredAfter } from './m3.ts';

interface Policy {
  readonly name: string;
  readonly attempts: number;
  readonly budget: number;
  readonly reserve: number;
}

const unbounded = 1_000_000_000;
const policies: readonly Policy[] = [
  { name: 'one attempt', attempts: 1, budget: 0, reserve: 1 },
  { name: 'two attempts', attempts: 2, budget: 1, reserve: unbounded },
  { name: 'five attempts', attempts: 5, budget: 1, reserve: unbounded },
  { name: 'six attempts (five retries)', attempts: 6, budget: 1, reserve: unbounded },
  { name: 'five attempts, budget of 10 %', attempts: 5, budget: 0.1, reserve: 10 },
];

function design(policy: Policy, shape: { readonly isDead: boolean; readonly refreshes: boolean }) {
  const { attempts, budget, reserve } = policy;
  const retry = { attempts, budget, reserve, backoff: '0ms', backoffMax: '0ms' } as const;
  return chain({ retry, ...shape });
}

export default lab({
  id: 'lab-retry-m3',
  claims: ['lab-retry-m3'],
  title: 'Five attempts a hop are twenty-five calls',
  claim:
    'Retrying five times at each level makes an overloaded M3 worse and keeps it from recovering.',
  question:
    'M1 calls M2, M2 calls M3, and both try again. How many calls does M3 get for one user call when it fails, and how long does it need to recover from four seconds in which it was four times slower?',
  method:
    'First M3 answers 503 to everything: its calls for each call of M1 are counted. Then M3, which can do 200 a second and gets 120, is slowed four times between 8 s and 12 s; attempts wait 200 ms and retries go out at once. Users give up, or, in a second run, refresh up to twice. Recovered is when 95 % of answers are good for three seconds.',
  advice:
    'Retry in one place, not at every hop; with backoff and a budget of a tenth of the traffic. The budget does nothing while all is well and takes the multiplication away when nothing is.',
  expected: 'true',
  seeds: { full: 2, small: 1 },
  design: design(policies[2]!, { isDead: false, refreshes: false }),
  async measure({ seeds, pick }) {
    const found = [];
    for (const policy of policies) {
      const dead = await simulate(design(policy, { isDead: true, refreshes: false }), {
        for: '5s',
      });
      const calls = dead.blocks.m3!.requestsPerSec / dead.blocks.m1!.requestsPerSec;
      const pulse = async (refreshes: boolean) => {
        const runs = [];
        for (const seed of seeds) {
          const { series, blocks, failed, generated } = await simulate(
            design(policy, { isDead: false, refreshes }),
            { seed, for: pick('30s', '20s') },
          );
          runs.push({
            after: recoveredAfter(series.throughput, series.errors),
            throughput: series.throughput,
            m3: series.blocks.m3 ?? [],
            failed: failed / generated,
            perSec: blocks.m3!.requestsPerSec,
          });
        }
        return {
          after: runs.map(({ after }) => after),
          failed: estimate(runs.map(({ failed }) => failed)),
          throughput: runs[0]!.throughput,
          m3Most: Math.max(...runs.flatMap(({ m3 }) => m3)),
        };
      };
      found.push({
        name: policy.name,
        calls,
        gone: await pulse(false),
        refresh: await pulse(true),
      });
    }
    return found;
  },
  verdict(found) {
    const of = (name: string) => found.find((one) => one.name === name)!;
    const [one, five, six, budget] = [
      of('one attempt'),
      of('five attempts'),
      of('six attempts (five retries)'),
      of('five attempts, budget of 10 %'),
    ];
    const worst = (list: readonly number[]) => Math.max(...list);
    const multiplies = Math.abs(five.calls - 25) < 0.5 && Math.abs(six.calls - 36) < 0.5;
    const hinders = worst(five.gone.after) > worst(one.gone.after);
    const said = (list: readonly number[]) =>
      worst(list) === Number.POSITIVE_INFINITY ? 'not within the run' : `${worst(list)} s later`;
    return {
      verdict: multiplies && hinders ? 'true' : multiplies ? 'partly' : 'false',
      why: `A failing M3 gets ${digits(five.calls)} calls for one of M1 with five attempts a hop, ${digits(six.calls)} with five retries after the first, ${digits(budget.calls)} with a budget. After the hard time it recovers ${said(five.gone.after)} with five attempts, ${said(one.gone.after)} with one and ${said(budget.gone.after)} with the budget. Where users refresh twice it recovers ${said(five.refresh.after)} with five, ${said(one.refresh.after)} with one, ${said(budget.refresh.after)} with the budget.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'Calls at M3 for one call of M1, while it fails',
      x: { label: 'calls' },
      groups: found.map(({ name }) => name),
      series: [{ name: 'calls', values: found.map(({ calls }) => calls) }],
    }),
    lines({
      title: 'Requests served while M3 has a hard time from 8 s to 12 s',
      x: { label: 'time', unit: 's' },
      y: { label: 'served', unit: '/s' },
      series: found
        .filter(({ name }) => name !== 'six attempts (five retries)' && name !== 'two attempts')
        .map(({ name, gone }) => ({
          name,
          points: gone.throughput.map((served, second) => [second, served] as const),
        })),
    }),
    table({
      title: 'In numbers',
      head: [
        'policy',
        'calls at M3',
        'most at M3 in a second',
        'recovered after',
        'where users refresh',
        'failed in all',
      ],
      rows: found.map(({ name, calls, gone, refresh }) => [
        name,
        digits(calls),
        digits(gone.m3Most),
        shown(gone.after),
        shown(refresh.after),
        percent(gone.failed.mean),
      ]),
    }),
  ],
});

function shown(after: readonly number[]): string {
  const most = Math.max(...after);
  return most === Number.POSITIVE_INFINITY ? 'not within the run' : `${most} s`;
}
