/** The one balancer in front of healthy servers dies: with and without a standby. */
import {
  type BalancerOptions,
  balancer,
  gateway,
  service,
  simulate,
  system,
  users,
} from 'loadpath';
import { bars, digits, estimate, lab, lines, percent, table, within } from 'loadpath/lab';

const usersPerSec = 100;
const diesAtS = 5;
const downS = 6;

interface Way {
  readonly name: string;
  readonly options: Omit<BalancerOptions, 'to'>;
  readonly fault: string;
  /** How long nobody serves, as the heartbeats have it. */
  readonly foretoldS: number;
}

const kill = `kill lb/0 at ${diesAtS}s, restart after ${downS}s`;

function pair(heartbeatMs: number, silenceMs: number): Way {
  const standby = { heartbeat: `${heartbeatMs}ms`, silence: `${silenceMs}ms` } as const;
  return {
    name: `a standby, silence ${silenceMs} ms`,
    options: { nodes: 2, standby },
    fault: kill,
    foretoldS: (silenceMs + heartbeatMs / 2) / 1_000,
  };
}

const lone: Way = { name: 'alone', options: {}, fault: kill, foretoldS: downS };
const pairs = [pair(50, 175), pair(100, 350), pair(300, 1_000), pair(1_000, 3_500)];
const planned: Way = {
  name: 'a standby, planned switch',
  options: { nodes: 2, standby: true },
  fault: `restart lb/0 at ${diesAtS}s`,
  foretoldS: 0,
};

function design({ options, fault }: Way) {
  const api = service('api', { instances: 3, cost: { cpu: '2ms' } });
  const edge = gateway('edge', { nodes: 2, routes: { '/': api } });
  return system('one-door', {
    entry: balancer('lb', { to: edge, ...options }),
    faults: [fault],
    workload: users({ rate: `${usersPerSec}/s`, population: 200, timeout: '1s' }),
  });
}

export default lab({
  id: 'lab-lb-spof',
  claims: ['lab-lb-spof'],
  title: 'A lone balancer takes everything down',
  claim: 'A lone balancer takes the system down although its servers are fine; a standby fixes it.',
  question:
    'The balancer in front of two gateways and three servers, all of them well, dies for six seconds. What share of requests is served, alone and with a standby, by how soon that notices; and what does a planned switch cost?',
  method:
    '100 requests a second of 200 users with connections of their own, which wait a second. The balancer is killed at 5 s and comes back at 11 s, or is restarted on purpose. The standby takes the address when nothing was heard of the active one for `silence`; the forecast is that time and half a heartbeat.',
  advice:
    'Have two, with one address. A standby does not remove the gap but makes it as short as the silence that it waits for, which must be longer than the pauses of a healthy process. Switch on purpose for upgrades: that costs nothing.',
  expected: 'true',
  seeds: { full: 3, small: 1 },
  design: design(pairs[1]!),
  async measure({ seeds, pick }) {
    const ways = pick<readonly Way[]>([lone, ...pairs, planned], [lone, pairs[1]!, planned]);
    const found = [];
    for (const way of ways) {
      const runs = [];
      for (const seed of seeds) {
        const { failed, generated, series } = await simulate(design(way), { seed, for: '14s' });
        runs.push({ failed, availability: 1 - failed / generated, errors: series.errors });
      }
      found.push({
        name: way.name,
        foretoldS: way.foretoldS,
        failed: estimate(runs.map(({ failed }) => failed)),
        gapS: estimate(runs.map(({ failed }) => failed / usersPerSec)),
        availability: estimate(runs.map(({ availability }) => availability)),
        errors: runs[0]!.errors,
      });
    }
    return found;
  },
  verdict(found) {
    const of = (name: string) => found.find((one) => one.name === name)!;
    const [alone, two, switched] = [of(lone.name), of(pairs[1]!.name), of(planned.name)];
    const isFixed = two.failed.mean < alone.failed.mean / 5 && alone.availability.mean < 0.7;
    return {
      verdict: isFixed ? 'true' : 'false',
      why: `Alone ${within(alone.failed)} requests fail, as long as it is down: ${percent(alone.availability.mean)} are served. With a standby that waits for 350 ms of silence ${within(two.failed)} fail, a gap of ${digits(two.gapS.mean)} s (${digits(two.foretoldS)} s foretold), and ${percent(two.availability.mean)} are served. A planned switch fails ${within(switched.failed)}.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'How long users find nobody',
      x: { label: 'gap', unit: 's' },
      groups: found.map(({ name }) => name),
      series: [
        { name: 'measured', values: found.map(({ gapS }) => gapS.mean) },
        { name: 'foretold', values: found.map(({ foretoldS }) => foretoldS) },
      ],
    }),
    lines({
      title: 'Requests that fail, by second; the balancer dies at 5 s',
      x: { label: 'time', unit: 's' },
      y: { label: 'failed', unit: '/s' },
      series: found
        .filter(({ name }) => name === lone.name || name === pairs[1]!.name)
        .map(({ name, errors }) => ({
          name,
          points: errors.map((failed, second) => [second, failed] as const),
        })),
    }),
    table({
      title: 'In numbers',
      head: ['balancer', 'failed', 'gap (s)', 'foretold (s)', 'served'],
      rows: found.map(({ name, failed, gapS, foretoldS, availability }) => [
        name,
        within(failed),
        digits(gapS.mean),
        digits(foretoldS),
        percent(availability.mean),
      ]),
    }),
  ],
});
