/** One breaker for a service, or one for each of its instances: one instance is sick, or all of them. */
import { gateway, service, simulate, system, users } from 'loadpath';
import { bars, estimate, lab, percent, table, whole, within } from 'loadpath/lab';

const instanceCount = 4;
const usersPerSec = 120;
const sickFromS = 10;
const sickForS = 20;
const guards = ['none', 'service', 'instance'] as const;
type Guard = (typeof guards)[number];
const ratios = [0.1, 0.2, 0.5] as const;

/** Each of four can do 100 a second; together they get 120. A sick one answers nothing in time. */
function design(guard: Guard, failureRatio: number, sickCount: number) {
  const api = service('api', { instances: instanceCount, openMax: 50, cost: { cpu: '10ms' } });
  const breaker = {
    per: 'instance',
    failureRatio,
    volumeMin: 20,
    window: '2s',
    openFor: '2s',
  } as const;
  const guarded = guard === 'none' ? {} : { breaker: { ...breaker, per: guard } as const };
  const sick = Array.from({ length: sickCount }, (_, index) => `api/${instanceCount - 1 - index}`);
  return system('breaker-width', {
    entry: gateway('edge', {
      routes: { '/': api },
      policy: { timeout: '250ms', balance: 'round-robin', ...guarded },
    }),
    faults: sick.map((node) => `slow ${node} by 100x at ${sickFromS}s for ${sickForS}s`),
    workload: users({ rate: `${usersPerSec}/s` }),
  });
}

const sum = (list: readonly number[]) => list.reduce((total, one) => total + one, 0);

async function run(guard: Guard, ratio: number, sickCount: number, seeds: readonly number[]) {
  const runs = [];
  for (const seed of seeds) {
    const report = await simulate(design(guard, ratio, sickCount), { seed, for: '32s' });
    const { series, blocks } = report;
    const during = (list: readonly number[]) => sum(list.slice(sickFromS, sickFromS + sickForS));
    const [good, bad] = [during(series.throughput), during(series.errors)];
    runs.push({
      failed: bad / Math.max(1, good + bad),
      // Of a fair share of what is asked for, those that are well could have served all.
      reached: during(series.blocks.api ?? []),
      refused: (blocks.edge!.meters['breaker refused api'] ?? 0) / Math.max(1, good + bad),
    });
  }
  return {
    guard,
    ratio,
    sickCount,
    failed: estimate(runs.map(({ failed }) => failed)),
    reached: estimate(runs.map(({ reached }) => reached)),
    refused: estimate(runs.map(({ refused }) => refused)),
  };
}

export default lab({
  id: 'lab-breaker-wide',
  claims: ['lab-breaker-wide'],
  title: 'One bad instance, and a breaker before all of them',
  claim: 'One bad shard opens a breaker for all; one breaker an instance is better.',
  question:
    'Four instances have more than twice the capacity they need, and one of them stops answering for twenty seconds. What share of requests fails with one breaker before the service, with one before each instance, and with none? And what do the two come to when all four are sick?',
  method:
    'Round robin from one gateway, 120 requests a second, calls wait 250 ms, a sick instance is 100 times slower from 10 s to 30 s. Breakers look at 2 s and at least 20 calls, open at a share of failures of 10, 20 or 50 %, and wait 2 s. Refused are requests that no instance saw, though three were well.',
  advice:
    'Put breakers before instances where one can be sick alone and another can do its work. Where all of them stand or fall with the same thing (a database, a shard that only one of them has), one before the service notices sooner, with fewer calls. A breaker before a service must open at a share of failures well above what one bad instance makes, 1/n: at 50 % of four it does not notice one at all, which is right.',
  expected: 'compare',
  seeds: { full: 3, small: 1 },
  design: design('service', 0.2, 1),
  async measure({ seeds, pick }) {
    const one = [await run('none', 0.5, 1, seeds)];
    for (const guard of ['service', 'instance'] as const) {
      for (const ratio of pick<readonly number[]>(ratios, [0.2]))
        one.push(await run(guard, ratio, 1, seeds));
    }
    const all = [];
    for (const guard of guards) all.push(await run(guard, 0.2, instanceCount, seeds));
    return { one, all };
  },
  verdict({ one, all }) {
    const of = (guard: Guard) =>
      one.find((row) => row.guard === guard && (guard === 'none' || row.ratio === 0.2))!;
    const sick = (guard: Guard) => all.find((row) => row.guard === guard)!;
    const [none, wide, narrow] = [of('none'), of('service'), of('instance')];
    const eachWinsOnce =
      narrow.failed.mean < wide.failed.mean / 3 &&
      sick('service').reached.mean < sick('instance').reached.mean;
    const verdict = eachWinsOnce
      ? 'compare'
      : narrow.failed.mean < wide.failed.mean
        ? 'true'
        : 'false';
    return {
      verdict,
      why: `With one of four sick, a breaker before the service (opening at 20 %) makes ${within(wide.failed, percent)} of requests fail, one before each instance ${within(narrow.failed, percent)}, none at all ${within(none.failed, percent)}. With all four sick the one before the service lets ${within(sick('service').reached, whole)} calls through in 20 s, those before the instances ${within(sick('instance').reached, whole)}, none ${within(sick('none').reached, whole)}.`,
    };
  },
  figures: ({ one, all }) => [
    bars({
      title: 'Requests that fail while one of four instances is sick',
      x: { label: 'share of requests', unit: '%' },
      groups: one.map(nameOf),
      series: [
        {
          name: 'failed',
          values: one.map(({ failed }) => 100 * failed.mean),
          plusMinus: one.map(({ failed }) => 100 * (failed.plusMinus ?? 0)),
        },
      ],
      level: { at: 100 / instanceCount, name: 'the share of the sick one' },
    }),
    bars({
      title: 'Calls that reach the service in 20 s in which all of it is sick',
      x: { label: 'calls', scale: 'log', min: 1 },
      groups: all.map(nameOf),
      series: [
        {
          name: 'calls',
          values: all.map(({ reached }) => reached.mean),
          plusMinus: all.map(({ reached }) => reached.plusMinus),
        },
      ],
    }),
    table({
      title: 'In numbers',
      head: ['breaker', 'sick', 'failed', 'refused unseen', 'calls that reached it in 20 s'],
      rows: [...one, ...all].map((row) => [
        nameOf(row),
        `${row.sickCount} of ${instanceCount}`,
        within(row.failed, percent),
        percent(row.refused.mean),
        within(row.reached, whole),
      ]),
    }),
  ],
});

function nameOf({ guard, ratio }: { readonly guard: Guard; readonly ratio: number }): string {
  if (guard === 'none') return 'none';
  const where = guard === 'service' ? 'before the service' : 'before each instance';
  return `${where}, at ${100 * ratio} %`;
}
