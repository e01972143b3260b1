/** Load steps up: instances that start in 2 s and in 90 s, with cooldowns and without. */
import { exponential, fleet, gateway, registry, service, simulate, system, users } from 'loadpath';
import { bars, digits, estimate, lab, lines, percent, table, within } from 'loadpath/lab';

interface Variant {
  readonly name: string;
  readonly startDelay: '2s' | '90s';
  readonly cools: boolean;
  readonly by: 'cpu' | 'rate';
}

const variants: readonly Variant[] = [
  { name: 'container (2 s), by CPU', startDelay: '2s', cools: true, by: 'cpu' },
  { name: 'container (2 s), by request count', startDelay: '2s', cools: true, by: 'rate' },
  { name: 'container (2 s), no cooldown', startDelay: '2s', cools: false, by: 'cpu' },
  { name: 'virtual machine (90 s), by CPU', startDelay: '90s', cools: true, by: 'cpu' },
  { name: 'virtual machine (90 s), no cooldown', startDelay: '90s', cools: false, by: 'cpu' },
];

const stepAtS = 60;
const stepForS = 240;
const baseRate = 8;
const factor = 6;

/** 8 requests a second, then six times as many for four minutes. */
function design({ startDelay, cools, by }: Variant) {
  const names = registry('names');
  // 25 requests a second are all that one can do.
  const api = service('api', {
    instances: 1,
    openMax: 50,
    cost: { cpu: exponential('40ms') },
    discovery: names,
  });
  const patient = { cooldownUp: '10s', cooldownDown: '60s', warmUp: '5s', tolerance: 0.1 } as const;
  const hasty = { cooldownUp: '0s', cooldownDown: '0s', warmUp: '0s', tolerance: 0 } as const;
  const keeper = fleet('keeper', {
    of: api,
    min: 1,
    max: 20,
    startDelay,
    startMax: '30s',
    heal: 'none',
    scale: { ...(by === 'cpu' ? { cpu: 0.6 } : { rate: '15/s' }), ...(cools ? patient : hasty) },
  });
  return system('elastic', {
    entry: gateway('edge', {
      routes: { '/': api },
      policy: { timeout: '2s', retry: { attempts: 1 } },
    }),
    blocks: [keeper],
    faults: [`surge ${factor}x at ${stepAtS}s for ${stepForS}s`],
    workload: users({ rate: `${baseRate}/s` }),
  });
}

export default lab({
  id: 'lab-autoscale',
  claims: ['lab-autoscale'],
  title: 'Scaling is as fast as what it starts',
  claim: 'Autoscaling follows CPU or request count, and containers follow faster than machines.',
  question:
    'Load grows sixfold at once. How much is shed until there are enough instances, how far does scaling overshoot, and does it flap, with instances that start in 2 s or in 90 s?',
  method:
    'An instance can do 25 requests a second and should be busy to 60 %. 8 a second become 48 for four minutes. Compared are start delays, and cooldowns with a tolerance of a tenth against none. Shed are requests beyond 50 at an instance, and what waited two seconds.',
  advice:
    'What comes within the start delay must be survived by what is there: spare capacity, shedding, or a limit at the door. Cooldowns shorter than the start delay plus the time until a figure settles buy nothing but starts and stops.',
  expected: 'true',
  seeds: { full: 3, small: 1 },
  design: design(variants[0]!),
  async measure({ seeds }) {
    const found = [];
    for (const variant of variants) {
      const runs = [];
      for (const seed of seeds) {
        const report = await simulate(design(variant), { seed, for: '420s' });
        const { started = 0, stopped = 0 } = report.blocks.keeper!.meters;
        runs.push({
          failed: report.failed,
          lostS: report.series.errors.filter((errors) => errors > 0.05 * baseRate * factor).length,
          started,
          stopped,
          hours: report.blocks.api!.nodeHours,
          errors: report.series.errors,
          generated: report.generated,
        });
      }
      found.push({
        name: variant.name,
        failed: estimate(runs.map(({ failed, generated }) => failed / generated)),
        lostS: estimate(runs.map(({ lostS }) => lostS)),
        started: estimate(runs.map(({ started }) => started)),
        stopped: estimate(runs.map(({ stopped }) => stopped)),
        minutes: estimate(runs.map(({ hours }) => hours * 60)),
        errors: runs[0]!.errors,
      });
    }
    return found;
  },
  verdict(found) {
    const of = (name: string) => found.find((one) => one.name === name)!;
    const quick = of('container (2 s), by CPU');
    const counted = of('container (2 s), by request count');
    const slow = of('virtual machine (90 s), by CPU');
    const hasty = of('container (2 s), no cooldown');
    const isFaster = slow.lostS.mean > 3 * quick.lostS.mean;
    const follows = quick.lostS.mean < 60 && counted.lostS.mean < 60;
    const flaps = hasty.started.mean + hasty.stopped.mean;
    const calm = quick.started.mean + quick.stopped.mean;
    return {
      verdict: isFaster && follows ? 'true' : 'partly',
      why: `After load grew sixfold, more than 5 % were shed for ${digits(quick.lostS.mean)} s with containers by CPU, ${digits(counted.lostS.mean)} s by request count and ${digits(slow.lostS.mean)} s with machines that take 90 s; in all ${percent(quick.failed.mean)}, ${percent(counted.failed.mean)} and ${percent(slow.failed.mean)} failed. Without cooldown containers were started and stopped ${digits(flaps)} times, with it ${digits(calm)} times.`,
    };
  },
  figures: (found) => [
    lines({
      title: `Requests shed when load grows sixfold at ${stepAtS} s`,
      x: { label: 'time', unit: 's' },
      y: { label: 'shed', unit: '/s' },
      series: found
        .filter(({ name }) => !name.includes('count'))
        .map(({ name, errors }) => ({
          name,
          points: errors.map((count, second) => [second, count] as const),
        })),
    }),
    bars({
      title: 'Starts and stops',
      x: { label: 'orders' },
      groups: found.map(({ name }) => name),
      series: [
        { name: 'started', values: found.map(({ started }) => started.mean) },
        { name: 'stopped', values: found.map(({ stopped }) => stopped.mean) },
      ],
    }),
    table({
      title: 'In numbers',
      head: [
        'instances',
        'seconds with shedding',
        'failed',
        'started',
        'stopped',
        'instance minutes',
      ],
      rows: found.map(({ name, lostS, failed, started, stopped, minutes }) => [
        name,
        within(lostS),
        percent(failed.mean),
        within(started),
        within(stopped),
        within(minutes),
      ]),
    }),
  ],
});
