/** How long the dead stay listed, what that costs callers, and what shorter heartbeats cost the registry. */
import { gateway, registry, service, simulate, system, users } from 'loadpath';
import { bars, digits, estimate, lab, listed, percent, table, within } from 'loadpath/lab';

const heartbeatsS = [2, 5, 10, 60] as const;
/** A lease is three heartbeats: two may be lost. */
const beatsPerLease = 3;
const killedAtS = 20;
const instances = 5;

interface Variant {
  readonly heartbeatS: number;
  readonly retries: boolean;
  readonly ratePerSec: number;
}

/** One of five instances loses its power: calls to it are not even refused. */
function design({ heartbeatS, retries, ratePerSec }: Variant) {
  const names = registry('names', {
    renewEvery: `${heartbeatS}s`,
    ttl: `${beatsPerLease * heartbeatS}s`,
  });
  const api = service('api', { instances, cost: '2ms', discovery: names });
  const retry = { attempts: retries ? 2 : 1, budget: 1, reserve: 1_000 };
  return system('ghosts', {
    entry: gateway('edge', {
      routes: { '/': api },
      policy: { timeout: '2s', attemptTimeout: '200ms', retry },
    }),
    faults: [`power off api/0 at ${killedAtS}s`],
    workload: users({ rate: `${ratePerSec}/s` }),
  });
}

async function measured(variant: Variant, seed: number) {
  const lengthS = killedAtS + (beatsPerLease + 1) * variant.heartbeatS;
  const report = await simulate(design(variant), { seed, for: `${lengthS}s` });
  const lapsed = report.events.find(
    (event) => event.type === 'note' && event.text === 'the lease of api/0 has lapsed',
  );
  const { meters, requestsPerSec } = report.blocks.names!;
  return {
    staleS: lapsed ? lapsed.at / 1e6 - killedAtS : Number.POSITIVE_INFINITY,
    failed: report.failed / variant.ratePerSec,
    registryPerSec: requestsPerSec / instances,
    lapsed: meters.lapsed ?? 0,
    p99: report.latencyMs.p99,
  };
}

export default lab({
  id: 'lab-registry-staleness',
  claims: ['lab-registry-staleness'],
  title: 'The dead stay listed for a lease',
  claim: 'A heartbeat every 10 s or every minute decides how long dead instances stay listed.',
  question:
    'One of five instances loses its power. For how long does the registry list it, how many calls fail meanwhile, and what do heartbeats cost the registry?',
  method:
    'Instances renew every 2, 5, 10 or 60 s, and a lease is three renewals long. The gateway balances over those that are listed; a call to the dead one waits 200 ms in vain. Counted are failed calls, given in seconds of traffic, once with a single attempt and once with a second one at another instance.',
  advice:
    'Let a lease be about three heartbeats, ten seconds each, and do not rely on it: a second attempt at another instance, or a breaker for each instance, hides the dead from users at once. Shorter heartbeats cost the registry in proportion and still leave seconds.',
  expected: 'true',
  seeds: { full: 4, small: 1 },
  design: design({ heartbeatS: 10, retries: false, ratePerSec: 50 }),
  async measure({ seeds, pick }) {
    const found = [];
    for (const heartbeatS of heartbeatsS) {
      const runs = async (retries: boolean) => {
        const all = [];
        for (const seed of seeds) {
          all.push(await measured({ heartbeatS, retries, ratePerSec: pick(50, 10) }, seed));
        }
        return all;
      };
      const [once, twice] = [await runs(false), await runs(true)];
      found.push({
        heartbeatS,
        staleS: estimate(once.map(({ staleS }) => staleS)),
        failedS: estimate(once.map(({ failed }) => failed)),
        retriedS: estimate(twice.map(({ failed }) => failed)),
        perSec: estimate(once.map(({ registryPerSec }) => registryPerSec)),
      });
    }
    return found;
  },
  verdict(found) {
    const of = (heartbeatS: number) => found.find((one) => one.heartbeatS === heartbeatS)!;
    const [ten, minute] = [of(10), of(60)];
    const follows = found.every(
      ({ heartbeatS, staleS }) =>
        staleS.mean >= (beatsPerLease - 1) * heartbeatS * 0.95 &&
        staleS.mean <= beatsPerLease * heartbeatS * 1.1,
    );
    const costs = minute.failedS.mean > 3 * ten.failedS.mean;
    return {
      verdict: follows && costs ? 'true' : 'false',
      why: `With a heartbeat every ${listed(found.map(({ heartbeatS }) => String(heartbeatS)))} s the dead instance stays listed for ${listed(found.map(({ staleS }) => digits(staleS.mean)))} s; with one a minute ${digits(minute.failedS.mean)} seconds of traffic fail, with one every ten seconds ${digits(ten.failedS.mean)}. A second attempt at another instance leaves ${digits(minute.retriedS.mean)} and ${digits(ten.retriedS.mean)}.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'How long a dead instance stays listed',
      x: { label: 'time', unit: 's' },
      groups: found.map(({ heartbeatS }) => `heartbeat ${heartbeatS} s`),
      series: [
        {
          name: 'listed',
          values: found.map(({ staleS }) => staleS.mean),
          plusMinus: found.map(({ staleS }) => staleS.plusMinus),
        },
      ],
    }),
    table({
      title: 'In numbers',
      head: [
        'heartbeat',
        'lease',
        'listed after its death',
        'calls failed',
        'with a second attempt',
        'messages to the registry',
      ],
      rows: found.map(({ heartbeatS, staleS, failedS, retriedS, perSec }) => [
        `${heartbeatS} s`,
        `${beatsPerLease * heartbeatS} s`,
        `${within(staleS)} s`,
        `${within(failedS)} s of traffic`,
        `${within(retriedS)} s of traffic`,
        `${digits(perSec.mean)} /s an instance`,
      ]),
      note: `A fifth of the calls go to the dead one: ${percent(1 / instances)} of the time that it is listed.`,
    }),
  ],
});
