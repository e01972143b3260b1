/**
 * Every kind of fault on every stage of a path. Whether a fault acts is read off what the caller sends and is
 * answered: the same run without it is the measure, and until the fault begins the two must be equal. Whatever
 * happens, every call ends exactly once and in time, no budget is exceeded, no place is lost, and when the fault
 * is over the path is as good as before it.
 */
import { describe, expect, test } from 'vitest';
import { type Answering, type Path, path, serving } from '../../test/path.ts';
import type { ChaosRule, Fault, Target } from '../host/fault.ts';
import type { PathOptions } from './policy.ts';

const nodes = ['api/0', 'api/1', 'api/2'];
const sick: Target = { node: 'api/0' };
const all: Target = { all: true };
const beginsAtUs = 75_000;
const lastsUs = 150_000;
const timed = { atUs: beginsAtUs, forUs: lastsUs } as const;

const retry = { attempts: 3, budget: 0.2, reserve: 5, backoff: '2ms' } as const;
const hedge = { percentile: 50, budget: 0.2, reserve: 5, samplesMin: 5 } as const;
const bulkhead = { slots: 4, queueMax: 2 } as const;
const stages: Readonly<Record<string, PathOptions>> = {
  deadline: {},
  retry: { retry },
  hedge: { hedge },
  'breaker for each instance': { breaker: { consecutive: 3, openFor: '100ms' } },
  'breaker before the service': { breaker: { per: 'service', consecutive: 3, openFor: '100ms' } },
  bulkhead: { bulkhead },
  pace: { pace: { rate: '100/s', burst: 4 } },
  outliers: { outliers: { consecutive: 3, ejectFor: '100ms' } },
  health: { health: { interval: '50ms', intervalUndecided: '20ms', timeout: '20ms' } },
  fallback: { fallback: { staleMax: '60s' } },
  'round robin': { balance: 'round-robin' },
  'consistent hash': { balance: 'consistent-hash', hash: { key: 'header:x-user' } },
  latency: { balance: 'latency' },
  'sticky by cookie': { sticky: {} },
};

/** How it is done, and whether anybody at the caller may notice. */
interface Kind {
  readonly faults?: readonly Fault[];
  readonly chaos?: readonly ChaosRule[];
  /** Who serves meanwhile. */
  readonly serve?: readonly string[];
  readonly acts: boolean;
}

const kinds: Readonly<Record<string, Kind>> = {
  ...Object.fromEntries(
    (['kill', 'power-off', 'restart', 'pause'] as const).map((verb) => [
      verb,
      { faults: [{ do: verb, target: sick, ...timed }], acts: true },
    ]),
  ),
  slow: { faults: [{ do: 'slow', target: sick, factor: 20, ...timed }], acts: true },
  cut: { faults: [{ do: 'cut', from: sick, to: all, oneWay: false, ...timed }], acts: true },
  'cut one way': {
    faults: [{ do: 'cut', from: sick, to: all, oneWay: true, ...timed }],
    acts: true,
  },
  lose: { faults: [{ do: 'lose', from: sick, to: all, ratio: 0.6, ...timed }], acts: true },
  delay: { faults: [{ do: 'delay', from: sick, to: all, byUs: 60_000, ...timed }], acts: true },
  duplicate: {
    faults: [{ do: 'duplicate', from: sick, to: all, ratio: 0.9, ...timed }],
    acts: true,
  },
  'fail calls': { chaos: [{ ratio: 0.5, status: 503 }], acts: true },
  'slow calls': { chaos: [{ ratio: 0.5, byUs: 60_000 }], acts: true },
  stop: { serve: ['api/1', 'api/2'], acts: true },
  shift: { serve: ['api/2'], acts: true },
  skew: { faults: [{ do: 'skew', target: sick, byUs: 5e6, driftPpm: 0, ...timed }], acts: false },
  'fill disk': { faults: [{ do: 'fill-disk', target: sick, ...timed }], acts: false },
  'fail disk': { faults: [{ do: 'fail-disk', target: sick, ...timed }], acts: false },
};

interface Call {
  readonly at: number;
  readonly isPost: boolean;
  ends: number;
  endedAt: number;
  outcome: string;
}

interface Ran {
  readonly made: Path;
  readonly calls: readonly Call[];
  /** What arrived and how calls ended, in order, each line beginning with its time. */
  readonly lines: readonly string[];
  readonly isWell: boolean;
}

const callCount = 60;
const answering: Answering = () => ({ status: 200, afterUs: 5_000 });

function run(stage: PathOptions, { faults = [], chaos, serve }: Kind): Ran {
  const made = path({
    timeout: '200ms',
    attemptTimeout: '80ms',
    ...stage,
    instances: Object.fromEntries(nodes.map((node) => [node, answering])),
  });
  const { world, caller, requests, start } = made;
  const from = world.now;
  world.applyFaults(faults, from);
  const calls: Call[] = [];
  const lines: string[] = [];
  const ask = (index: number): Call => {
    const isPost = index % 4 === 0;
    const call: Call = { at: world.now, isPost, ends: 0, endedAt: 0, outcome: '' };
    const headers = ['x-call', `${index}`, 'x-user', `${index % 23}`];
    start(
      isPost ? 'POST' : 'GET',
      (outcome) => {
        call.ends++;
        call.endedAt = world.now;
        call.outcome = outcome.ok ? `${outcome.reply.status}` : outcome.why;
        lines.push(`${world.now - from} call ${index} ${call.outcome}`);
      },
      undefined,
      headers,
    );
    return call;
  };
  for (let i = 0; i < callCount; i++) {
    if (world.now - from >= beginsAtUs && world.now - from < beginsAtUs + 5_000) {
      if (chaos) caller.disturb(chaos);
      if (serve) caller.retarget(serving(serve));
    }
    if (i === Math.floor((beginsAtUs + lastsUs) / 5_000)) {
      caller.disturb([]);
      caller.retarget(serving(nodes));
    }
    calls.push(ask(i));
    world.run(world.now + 5_000);
  }
  world.healAll();
  world.run(world.now + 600_000);
  for (const { node, request, at } of requests) {
    lines.push(`${at - from} to ${node} ${request.headers[1] ?? 'check'}`);
  }
  lines.sort((a, b) => Number.parseFloat(a) - Number.parseFloat(b) || (a < b ? -1 : 1));
  // A breaker that tries again is closed by the first of these.
  const after = Array.from({ length: 12 }, (_, i) => {
    const call = ask(callCount + 1 + 4 * i);
    world.run(world.now + 50_000);
    return call;
  });
  const isWell = after.slice(3).every(({ outcome }) => outcome === '200');
  return { made, calls, lines, isWell };
}

/** Distinct requests that arrived for a call, hedges and retries included, without what the network sent twice. */
function attemptsOf({ made }: Ran): ReadonlyMap<number, ReadonlySet<number>> {
  const found = new Map<number, Set<number>>();
  for (const { request } of made.requests) {
    if (request.headers[0] !== 'x-call') continue;
    const index = Number(request.headers[1]);
    const ids = found.get(index) ?? new Set();
    found.set(index, ids.add(request.id));
  }
  return found;
}

function expectLaws(ran: Ran, stage: PathOptions): void {
  const { made, calls } = ran;
  const attempts = attemptsOf(ran);
  calls.forEach((call, index) => {
    expect(call.ends, `call ${index} ends once`).toBe(1);
    expect(call.endedAt - call.at, `call ${index} ends in time`).toBeLessThanOrEqual(201_000);
    const arrived = attempts.get(index)?.size ?? 0;
    expect(arrived).toBeLessThanOrEqual(stage.retry ? 3 : stage.hedge ? 2 : 1);
    // What may have happened is not done twice.
    if (call.isPost) expect(arrived, `POST ${index} arrives once`).toBeLessThanOrEqual(1);
  });
  for (const { request } of made.requests) expect(request.timeoutUs).toBeGreaterThan(0);
  const { counters } = made.world.meters.snapshot().find(({ node }) => node === 'edge/0')!;
  const asked = calls.length + 12;
  expect(made.caller.retryCount).toBeLessThanOrEqual(5 + 0.2 * asked);
  expect(counters['hedges api'] ?? 0).toBeLessThanOrEqual(5 + 0.2 * asked);
  if (stage.bulkhead) expect(mostAtOnce(ran)).toBeLessThanOrEqual(bulkhead.slots);
  expect(ran.isWell, 'all is well afterwards').toBe(true);
}

/** Calls that had arrived somewhere and not ended: what is open at once is at least that. */
function mostAtOnce({ made, calls }: Ran): number {
  const changes: [at: number, by: number][] = [];
  const seen = new Set<number>();
  for (const { request, at } of made.requests) {
    const index = Number(request.headers[1]);
    const call = calls[index];
    if (!call || seen.has(index) || at >= call.endedAt) continue;
    seen.add(index);
    changes.push([at, 1], [call.endedAt, -1]);
  }
  changes.sort(([a, byA], [b, byB]) => a - b || byA - byB);
  let open = 0;
  return Math.max(0, ...changes.map(([, by]) => (open += by)));
}

describe.each(Object.entries(stages))('%s', (_name, stage) => {
  const calm = run(stage, { acts: false });

  test('keeps its laws while all is well', () => {
    expectLaws(calm, stage);
    expect(calm.calls.filter(({ outcome }) => outcome !== '200')).toEqual([]);
  });

  test.each(Object.entries(kinds))('under %s', (_kind, kind) => {
    const ran = run(stage, kind);
    expectLaws(ran, stage);
    if (!kind.acts) return expect(ran.lines).toEqual(calm.lines);
    const first = calm.lines.findIndex((line, index) => line !== ran.lines[index]);
    expect(first, 'it acts').toBeGreaterThanOrEqual(0);
    expect(Number.parseFloat(ran.lines[first]!), 'not before it begins').toBeGreaterThanOrEqual(
      beginsAtUs,
    );
  });
});
