/**
 * Queueing theory knows what some systems do on average; the simulated cores must agree, within the
 * 95 % interval of independent seeds. In small here; `bench/` walks the whole table.
 */
import { describe, expect, test } from 'vitest';
import { sandbox } from '../../test/sandbox.ts';
import { type Distribution, sampler } from '../kit/distribution.ts';

interface Model {
  readonly name: string;
  readonly cores: number;
  readonly load: number;
  readonly service: Distribution;
  /** Mean wait in line, in mean service times. */
  readonly wait: number;
}

/** Microseconds, so that rounding to whole ones is below what can be seen. */
const meanUs = 10_000;

const models: readonly Model[] = [
  {
    name: 'M/M/1',
    cores: 1,
    load: 0.8,
    service: { kind: 'exponential', mean: meanUs },
    wait: 4,
  },
  {
    name: 'M/M/4',
    cores: 4,
    load: 0.8,
    service: { kind: 'exponential', mean: meanUs },
    // Erlang's C formula.
    wait: 0.745_54,
  },
  {
    name: 'M/D/1',
    cores: 1,
    load: 0.8,
    service: { kind: 'constant', value: meanUs },
    // Pollaczek and Khinchine: half of what M/M/1 waits.
    wait: 2,
  },
  {
    name: 'M/G/1, gamma of cv 2',
    cores: 1,
    load: 0.7,
    service: { kind: 'gamma', mean: meanUs, cv: 2 },
    wait: (0.7 / 0.3) * ((1 + 2 * 2) / 2),
  },
];

const jobs = 60_000;
const warmUp = 2_000;

/** Mean wait in line of one run, in mean service times. */
function waited(model: Model, seed: number): { wait: number; busy: number } {
  let sum = 0;
  let count = 0;
  const world = sandbox({
    seed,
    clocks: { offsetMaxUs: 0, driftMaxPpm: 0 },
    nodes: {
      server: {
        cores: model.cores,
        programs: {
          p: (host) => {
            const arrivals = host.random.fork('arrivals');
            const services = host.random.fork('services');
            const next = sampler({
              kind: 'exponential',
              mean: meanUs / (model.load * model.cores),
            });
            const cost = sampler(model.service);
            let arrived = 0;
            const arrive = () => {
              const at = host.now();
              const costUs = cost(services);
              const index = arrived++;
              host.cpu.charge(costUs, () => {
                if (index < warmUp) return;
                sum += host.now() - at - costUs;
                count++;
              });
              if (arrived < jobs) host.after(next(arrivals), arrive);
            };
            arrive();
            return { message() {} };
          },
        },
      },
    },
  });
  world.bootAll();
  world.run(Number.MAX_SAFE_INTEGER, () => count === jobs - warmUp);
  return {
    wait: sum / count / meanUs,
    busy: world.usage()[0]!.busyUs / world.now / model.cores,
  };
}

describe.each(models)('$name at load $load', (model) => {
  test('waits as long as theory says', () => {
    const runs = Array.from({ length: 10 }, (_, i) => waited(model, i + 1));
    const mean = runs.reduce((total, run) => total + run.wait, 0) / runs.length;
    const variance =
      runs.reduce((total, run) => total + (run.wait - mean) ** 2, 0) / (runs.length - 1);
    // Student's t for nine degrees of freedom, 99.9 %: ten seeds that are fixed may be unlucky ones.
    const half = 4.781 * Math.sqrt(variance / runs.length);
    expect(Math.abs(mean - model.wait), `mean ${mean}, theory ${model.wait}`).toBeLessThan(half);
    expect(half / model.wait).toBeLessThan(0.15);
    for (const { busy } of runs) expect(Math.abs(busy - model.load)).toBeLessThan(0.03);
  });
});
