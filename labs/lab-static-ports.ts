/** A rolling replacement of all instances, seen by callers with a fixed list and by callers of a registry. */
import { gateway, registry, service, simulate, system, users } from 'loadpath';
import { digits, estimate, lab, lines, percent, table } from 'loadpath/lab';

const firstAtS = 10;
const everyS = 10;
const instances = 3;

interface Variant {
  readonly name: string;
  readonly discovers: boolean;
  readonly attempts: number;
}

const variants: readonly Variant[] = [
  { name: 'fixed list, one attempt', discovers: false, attempts: 1 },
  { name: 'fixed list, three attempts', discovers: false, attempts: 3 },
  { name: 'registry, one attempt', discovers: true, attempts: 1 },
];

/** Every ten seconds one more comes under a new address, and two seconds later an old one goes. */
function design({ discovers, attempts }: Variant) {
  const names = registry('names');
  const api = service('api', {
    instances,
    cost: '2ms',
    ...(discovers ? { discovery: names } : {}),
  });
  const retry = { attempts, budget: 1, reserve: 1_000 };
  return system('rolling', {
    entry: gateway('edge', { routes: { '/': api }, policy: { timeout: '1s', retry } }),
    faults: Array.from({ length: instances }, (_, index) => {
      const atS = firstAtS + index * everyS;
      return [`start 1 api at ${atS}s`, `stop api/${index} at ${atS + 2}s`];
    }).flat(),
    workload: users({ rate: '100/s' }),
  });
}

export default lab({
  id: 'lab-static-ports',
  claims: ['lab-static-ports'],
  title: 'A fixed list ends with the last of its addresses',
  claim: 'Static addresses do not work for instances that come and go.',
  question:
    'Three instances are replaced one after the other, as a deploy does. Which calls fail when callers have a fixed list, and which when they follow a registry?',
  method:
    'A new instance starts every ten seconds and an old one leaves two seconds later, gracefully. Callers have the first three addresses for good, with one attempt or with three, or follow a registry.',
  advice:
    'A retry hides a stale address only while others of the list are alive: it makes the failure later and total. Where instances get new addresses, callers must be told; otherwise keep the addresses (a name, a virtual address, a proxy that is told).',
  expected: 'true',
  seeds: { full: 4, small: 1 },
  design: design(variants[2]!),
  async measure({ seeds }) {
    const found = [];
    for (const variant of variants) {
      const runs: Awaited<ReturnType<typeof simulate>>[] = [];
      for (const seed of seeds) {
        runs.push(await simulate(design(variant), { seed, for: '50s' }));
      }
      const share = (from: number, to: number) =>
        estimate(
          runs.map(({ series }) => {
            const sum = (all: readonly number[]) => all.slice(from, to).reduce((a, b) => a + b, 0);
            const [bad, good] = [sum(series.errors), sum(series.throughput)];
            return bad / Math.max(1, bad + good);
          }),
        ).mean;
      found.push({
        name: variant.name,
        one: share(firstAtS + 3, firstAtS + everyS),
        two: share(firstAtS + everyS + 3, firstAtS + 2 * everyS),
        all: share(firstAtS + 2 * everyS + 3, 50),
        failed: estimate(runs.map(({ failed }) => failed)),
        errors: runs[0]!.series.errors,
      });
    }
    return found;
  },
  verdict(found) {
    const [fixed, retried, told] = found as [
      (typeof found)[0],
      (typeof found)[0],
      (typeof found)[0],
    ];
    const holds = fixed.all > 0.99 && retried.all > 0.99 && told.failed.mean === 0;
    return {
      verdict: holds ? 'true' : 'partly',
      why: `With a fixed list ${percent(fixed.one)} of calls fail after one of three instances was replaced, ${percent(fixed.two)} after two and ${percent(fixed.all)} after all; with three attempts ${percent(retried.one)}, ${percent(retried.two)} and ${percent(retried.all)}. With a registry ${digits(told.failed.mean)} calls fail.`,
    };
  },
  figures: (found) => [
    lines({
      title: 'Calls that fail while three instances are replaced',
      x: { label: 'time', unit: 's' },
      y: { label: 'failed', unit: '/s' },
      series: found.map(({ name, errors }) => ({
        name,
        isStepped: true,
        points: errors.map((count, second) => [second, count] as const),
      })),
    }),
    table({
      title: 'Share of calls that fail',
      head: ['callers', 'one replaced', 'two replaced', 'all replaced'],
      rows: found.map(({ name, one, two, all }) => [
        name,
        percent(one),
        percent(two),
        percent(all),
      ]),
    }),
  ],
});
