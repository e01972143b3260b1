import fc from 'fast-check';
import { fleet, gateway, registry, service, system, users } from 'loadpath';
import { describe, expect, test } from 'vitest';
import type { Condition } from '../../../host/agent.ts';
import type { RunEvent } from '../../../host/events.ts';
import { configure } from '../../../kit/config.ts';
import { seeded } from '../../../kit/random.ts';
import { Autoscaler, scaleKnobs } from '../../../parts/autoscale.ts';
import { simulateHere } from '../../../run/node/here.ts';
import type { FleetConfig } from './config.ts';
import { Fleet } from './fleet.ts';
import type { FleetOptions } from './index.ts';

const second = 1_000_000;

interface Asked {
  readonly faults?: readonly string[];
  readonly options?: Partial<FleetOptions>;
  readonly load?: Partial<Parameters<typeof users>[0]>;
  readonly instances?: number;
  readonly forUs?: number;
  readonly seed?: number;
}

async function run({ faults = [], options = {}, load, instances = 2, ...more }: Asked) {
  const names = registry('names', { ttl: '1500ms', renewEvery: '500ms' });
  const api = service('api', {
    instances,
    cost: { cpu: '10ms' },
    discovery: names,
    fetch: () => new Response('done'),
  });
  const keeper = fleet('keeper', {
    of: api,
    min: 2,
    max: 6,
    every: '1s',
    startDelay: '500ms',
    startMax: '2s',
    health: { interval: '300ms', intervalUndecided: '200ms', timeout: '150ms', fall: 3 },
    ...options,
  });
  const design = system('kept', {
    entry: gateway('edge', {
      routes: { '/': api },
      policy: { timeout: '2s', retry: { attempts: 3 } },
    }),
    blocks: [keeper],
    workload: users({ rate: '50/s', act: async (user) => void (await user.fetch('/')), ...load }),
    faults,
  });
  const events: RunEvent[] = [];
  const { report } = await simulateHere(() => ({
    design,
    seed: more.seed ?? 1,
    forUs: more.forUs ?? 8 * second,
    faults: design.faults,
    onEvent: (event) => events.push(event),
  }));
  const until = more.forUs ?? 8 * second;
  const sizes = sizesOf(
    events.filter(({ at }) => at <= until),
    instances,
  );
  const meters = report.blocks.keeper!.meters;
  return { report, events, meters, sizes };
}

/** How many there were after each coming and going. */
function sizesOf(events: readonly RunEvent[], planned: number): readonly number[] {
  const met = new Set(Array.from({ length: planned }, (_, index) => `api/${index}`));
  let size = planned;
  const sizes = new Map<number, number>();
  for (const event of events) {
    if (!('node' in event) || !event.node.startsWith('api/')) continue;
    if (event.type === 'boot' && !met.has(event.node)) {
      met.add(event.node);
      sizes.set(event.at, ++size);
    } else if (event.type === 'crash' && event.gone) sizes.set(event.at, --size);
  }
  return [...sizes.values()];
}

describe('healing', () => {
  test('a dead instance is replaced, and its place is never empty twice', async () => {
    const { report, meters, sizes } = await run({ faults: ['kill api/1 at 2s'] });
    expect(meters).toMatchObject({ started: 1, stopped: 1, size: 2, sick: 0 });
    expect(new Set(sizes)).toEqual(new Set([2]));
    const rows = report.blocks.api!.nodes;
    expect(rows.map(({ id }) => id)).toEqual(['api/0', 'api/1', 'api/2']);
    expect(rows[2]!.requestsPerSec * report.simulatedSeconds).toBeGreaterThan(50);
  });

  test('an instance that hangs is restarted, and replaced when that does not help', async () => {
    const options = { heal: 'restart', restartsMax: 2, backoff: '200ms' } as const;
    const hangs = await run({ options, faults: ['pause api/0 at 2s for 20s'] });
    expect(hangs.meters).toMatchObject({ restarted: 1, started: 0, sick: 0 });
    const dead = await run({ options, faults: ['kill api/0 at 1s'], forUs: 15 * second });
    expect(dead.meters).toMatchObject({ restarted: 2, started: 1, stopped: 1, sick: 0 });
  });

  test('when nobody answers the fleet takes itself to be cut off, and touches nothing', async () => {
    const { report, meters } = await run({ faults: ['cut keeper from api at 2s for 4s'] });
    expect(meters).toMatchObject({ started: 0, stopped: 0, restarted: 0 });
    expect(report.failed).toBe(0);
  });

  test('a fleet that was killed learns again who is there, and goes on', async () => {
    const faults = ['start 2 api at 1s', 'kill keeper at 2s, restart after 1s', 'kill api/0 at 4s'];
    const { meters } = await run({ faults, options: { scale: { rate: '12/s' } } });
    expect(meters.size).toBeGreaterThanOrEqual(3);
    expect(meters.sick).toBe(0);
  });
});

describe('scaling', () => {
  const ramped = { rate: '300/s' } as const;
  const scale = { cooldownUp: '1s', cooldownDown: '3s', warmUp: '1s' } as const;

  test.each([
    ['cpu', { cpu: 0.6 }],
    ['rate', { rate: '60/s' }],
    ['queue', { queue: 3 }],
    ['latency', { latency: '60ms' }],
  ] as const)('by %s: as many as the load needs', async (_by, target) => {
    const { sizes, report } = await run({
      load: ramped,
      options: { scale: { ...scale, ...target } },
      forUs: 12 * second,
    });
    expect(Math.max(...sizes)).toBeGreaterThanOrEqual(4);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(6);
    expect(report.series.throughput.at(-1)).toBeGreaterThan(250);
  });

  test('what is too much goes, after the cooldown, without a failed request', async () => {
    const { meters, report } = await run({
      instances: 5,
      options: { scale: { ...scale, rate: '40/s' } },
      forUs: 15 * second,
    });
    expect(meters.size).toBe(2);
    expect(report.failed).toBe(0);
    expect(report.blocks.api!.nodeHours * 3_600).toBeLessThan(15 * 4);
  });

  test('without cooldown and tolerance the number flaps', async () => {
    const load = { rate: '100/s' } as const;
    const changes = async (knobs: FleetOptions['scale']) => {
      const { meters } = await run({
        load,
        options: {
          every: '500ms',
          startDelay: '0s',
          scale: { rate: '33/s', warmUp: '0s', ...knobs },
        },
        forUs: 20 * second,
      });
      return meters.started! + meters.stopped!;
    };
    const wild = await changes({ cooldownUp: '0s', cooldownDown: '0s', tolerance: 0 });
    const calm = await changes({ cooldownUp: '2s', cooldownDown: '10s', tolerance: 0.2 });
    expect(wild).toBeGreaterThan(10);
    expect(calm).toBeLessThan(wild / 3);
  });
});

test('whatever is answered, the number that it orders stays between min and max', () => {
  const config = {
    ...{ of: 'api', instances: 3, min: 2, max: 5, heal: 'restart', restartsMax: 1 },
    ...{ everyUs: second, startDelayUs: 300_000, startMaxUs: second, backoffUs: 100_000 },
    ...{ backoffMaxUs: second, errorsMax: 0.5 },
    health: {
      ...{ intervalUs: 200_000, intervalUndecidedUs: 200_000, timeoutUs: 100_000 },
      ...{ rise: 1, fall: 2, jitter: 0 },
    },
    scale: {
      ...{ rate: undefined, cpu: 0.5, queue: undefined, latencyUs: undefined, tolerance: 0 },
      ...{ cooldownUpUs: 0, cooldownDownUs: 0, warmUpUs: 0, stepUp: 9, stepDown: 9 },
    },
  } as const satisfies FleetConfig;
  const step = fc.record({
    bad: fc.integer({ min: 0, max: 63 }),
    busy: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.integer(), (steps, seed) => {
      const decider = new Fleet(config, seeded(seed));
      let present = [0, 1, 2].map((index) => ({ id: `api/${index}`, zone: 'abc'[index]! }));
      let next = 3;
      let now = 0;
      let busyUs = 0;
      decider.members(present, now);
      for (const [index, { bad, busy }] of steps.entries()) {
        now += 250_000;
        busyUs += busy * 250_000;
        for (const { id } of present) {
          const slot = Number(id.slice(4)) % 6;
          const isBad = (bad >> slot) % 2 === 1;
          const condition: Condition = {
            ...{ type: 'condition', id: index, life: 1, requests: index, errors: 0, open: 0 },
            ...{ busyUs: Math.round(busyUs), cores: 1, release: 'r', p99Us: 0 },
          };
          decider.answered(id, isBad ? undefined : condition, now);
        }
        let size = present.length;
        for (const order of decider.tick(now)) {
          if (order.do === 'start') {
            present = [...present, { id: `api/${next++}`, zone: 'abc'[next % 3]! }];
          } else if (order.do === 'stop') {
            expect(present.some(({ id }) => id === order.node)).toBe(true);
            present = present.filter(({ id }) => id !== order.node);
          }
          size = present.length;
        }
        expect(size).toBeGreaterThanOrEqual(2);
        expect(size).toBeLessThanOrEqual(5);
        decider.members(present, now);
      }
    }),
    { numRuns: 60 },
  );
});

test('who has just begun to look takes nothing away before the time that it takes to be sure', () => {
  const { config } = configure('scale', scaleKnobs, { rate: '10/s', cooldownDown: '1min' });
  const idle = { ratePerSec: 1, cpuShare: 0, open: 0, p99Us: 0 };
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1_000 }),
      fc.integer({ min: 2, max: 9 }),
      (startS, size) => {
        const scaler = new Autoscaler(config);
        const loads = Array.from({ length: size }, () => idle);
        for (let s = 0; s < 60; s += 5) {
          expect(scaler.wanted((startS + s) * second, loads, 0)).toBe(size);
        }
        expect(scaler.wanted((startS + 60) * second, loads, 0)).toBe(size - 1);
      },
    ),
  );
});
