/** A name comes to lead elsewhere: who still goes to the old address, and for how long. */
import { dns, service, simulate, system, users } from 'loadpath';
import { bars, digits, estimate, lab, lines, percent, table, within } from 'loadpath/lab';

const ttls = [10, 20, 60] as const;
/** When within the life of the remembered answer the address is lost, as a share of it. */
const phases = [0.1, 0.3, 0.5, 0.7, 0.9] as const;
const usersPerSec = 30;
const intervalMs = 200;
const fall = 2;
/** Half an interval until the next check, and the other checks that must fail. */
const noticedAfterSec = (intervalMs * (fall - 0.5)) / 1_000;

function lostAtMs(ttlSec: number, phase: number): number {
  return Math.round((1 + phase) * ttlSec * 1_000);
}

/** Two regions serve; the name leads to the first while it is well, and then to the second. */
function design(ttlSec: number, phase: number) {
  const regions = ['old', 'new', 'far'] as const;
  const site = service('site', { instances: 2, cost: { cpu: '1ms' } });
  const names = dns('names', {
    records: { 'shop.test': { to: site, by: 'priority', regions: ['old', 'new'] } },
    ttl: `${ttlSec}s`,
    health: { interval: `${intervalMs}ms`, intervalUndecided: `${intervalMs}ms`, fall, jitter: 0 },
  });
  return system('repointed', {
    entry: site,
    zones: regions.map((region) => ({ name: `${region}-a`, region })),
    faults: [`kill site/0 at ${lostAtMs(ttlSec, phase)}ms`],
    workload: users({
      rate: `${usersPerSec}/s`,
      from: Object.fromEntries(regions.map((region) => [region, 1])),
      resolver: names,
      timeout: '2s',
    }),
  });
}

/** For each second after the loss: the share of users who went to the old address. */
async function shares(ttlSec: number, phase: number, seed: number): Promise<readonly number[]> {
  const lostAt = lostAtMs(ttlSec, phase) / 1_000;
  const untilSec = Math.ceil(lostAt + ttlSec + 3);
  const { series } = await simulate(design(ttlSec, phase), { seed, for: `${untilSec}s` });
  const from = Math.ceil(lostAt);
  return series.errors.slice(from, untilSec).map((failed, index) => {
    const all = failed + (series.throughput[from + index] ?? 0);
    return all === 0 ? 0 : failed / all;
  });
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

export default lab({
  id: 'lab-dns-ttl',
  claims: ['lab-dns-ttl'],
  title: 'A name moves within its time to live',
  claim: 'A change of DNS takes effect after its time to live.',
  question:
    'A name leads to another address from one moment to the next, since the old one is lost. Which share of users still goes to the old one, second by second, when answers may be remembered for 10, 20 and 60 seconds?',
  method: `Users of three regions look the name up; resolver and client remember the answer for the time that is left of it. The servers ask the address each ${intervalMs} ms whether it is there, and after ${fall} bad answers name the next one. The loss comes at five moments of the life of the remembered answers, a tenth, three, five, seven and nine tenths into it, and shares are over all of them. Whoever goes to the old address is refused: that is how they are counted. Foretold is the time to notice, and half a life for the mean, a whole one for the last.`,
  advice:
    'Lower the time to live before a planned change, at least one old life ahead, and keep the old address answering for one life after it. For failover, set it to what users may be without service, less the time to notice; the price is a lookup more each. Clients that remember longer than they may (long-lived connections, caches of runtimes) are not reached by it at all.',
  expected: 'true',
  seeds: { full: 3, small: 1 },
  design: design(20, 0.5),
  async measure({ seeds, pick }) {
    const found = [];
    for (const ttlSec of pick<readonly number[]>(ttls, [10])) {
      const bySeed: (readonly number[])[][] = [];
      for (const seed of seeds) {
        const runs = [];
        for (const phase of phases) runs.push(await shares(ttlSec, phase, seed));
        bySeed.push(runs);
      }
      const runs = bySeed.flat();
      const seconds = Array.from({ length: ttlSec + 2 }, (_, second) => second);
      found.push({
        ttlSec,
        // Old for so many seconds: the sum of the shares.
        meanSec: estimate(
          bySeed.map((own) => mean(own.map((run) => run.reduce((sum, share) => sum + share, 0)))),
        ),
        lastSec: Math.max(...runs.map((run) => run.findLastIndex((share) => share > 0) + 1)),
        curve: seconds.map((second) => mean(runs.map((run) => run[second] ?? 0))),
      });
    }
    return found;
  },
  verdict(found) {
    const inTime = found.every(({ ttlSec, lastSec }) => lastSec <= ttlSec + noticedAfterSec + 2);
    const takesLong = found.every(({ ttlSec, meanSec }) => meanSec.mean > ttlSec / 4);
    const longest = found.at(-1)!;
    const [half] = longest.curve.slice(Math.round(longest.ttlSec / 2));
    return {
      verdict: inTime && takesLong ? 'true' : 'false',
      why: `${found
        .map(
          ({ ttlSec, meanSec, lastSec }) =>
            `With ${ttlSec} s users go to the old address for ${within(meanSec)} s in the mean (${digits(noticedAfterSec + ttlSec / 2)} foretold) and for ${lastSec} s at most`,
        )
        .join('. ')}. Half of the longest life after the loss it is ${percent(half!)} of them.`,
    };
  },
  figures: (found) => [
    lines({
      title: 'Users at the old address after it was lost',
      x: { label: 'since the loss', unit: 's' },
      y: { label: 'share', unit: '%' },
      series: found.map(({ ttlSec, curve }) => ({
        name: `remembered for ${ttlSec} s`,
        points: curve.map((share, second) => [second, 100 * share] as const),
      })),
    }),
    bars({
      title: 'How long users go to the old address',
      x: { label: 'time', unit: 's' },
      groups: found.map(({ ttlSec }) => `remembered for ${ttlSec} s`),
      series: [
        { name: 'measured', values: found.map(({ meanSec }) => meanSec.mean) },
        { name: 'foretold', values: found.map(({ ttlSec }) => noticedAfterSec + ttlSec / 2) },
      ],
    }),
    table({
      title: 'In numbers',
      head: ['remembered for', 'mean', 'foretold', 'at most', 'foretold'],
      rows: found.map(
        ({ ttlSec, meanSec, lastSec }) =>
          [
            `${ttlSec} s`,
            `${within(meanSec)} s`,
            `${digits(noticedAfterSec + ttlSec / 2)} s`,
            `${lastSec} s`,
            `${digits(noticedAfterSec + ttlSec)} s`,
          ] as const,
      ),
    }),
  ],
});
