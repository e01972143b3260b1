/**
 * A whole call through the policies of a path, in nanoseconds, beside the same stages of a peer.
 *
 *   node bench/pipeline.mjs [--quick]        (built first: npm run build)
 *
 * Ours: limit by address, shed, fallback, deadline, bulkhead, retry with its budget, balance over ten instances, a
 * breaker for each, attempt timeout, send, and back, with its meters; the node at the other end of `send` answers at
 * once. Timeouts are on the live world's wheel. The peer is `cockatiel` with what it has of that: retry, breaker,
 * timeout and bulkhead around a function that returns at once. CPU time, in one process, in turn; medians of the
 * rounds. Each row takes one stage more than the one before it.
 */
import * as cockatiel from 'cockatiel';
import { Meters } from '../dist/kit/meters.js';
import { seeded } from '../dist/kit/random.js';
import { Wheel } from '../dist/live/wheel.js';
import { configure } from '../dist/parts/config.js';
import { KeyedLimiter, limiterOf } from '../dist/parts/limit.js';
import { Shedder, shedderKnobs } from '../dist/parts/shedder.js';
import { Caller } from '../dist/path/caller.js';
import { Calls } from '../dist/path/calls.js';
import { pathPolicy } from '../dist/path/policy.js';
import { Bench, cpuSeconds, isQuick, median } from './kit.mjs';

const rounds = isQuick ? 3 : 9;
const calls = isQuick ? 50_000 : 300_000;
const instances = Array.from({ length: 10 }, (_, i) => `api/${i}`);
const addresses = Array.from({ length: 1_000 }, (_, i) => `20.0.${i >> 8}.${i & 255}`);

/** Kept, so that nothing measured is thrown away by the compiler. */
let sink = 0;

/** A node as far as callers know it: what it sends is answered at once. Time goes on by a call a microsecond. */
function node() {
  let now = 1_000_000;
  const asked = [];
  const wheel = new Wheel(
    () => now,
    (fires) => fires(),
  );
  const host = {
    self: 'edge/0',
    address: { node: 'edge/0', port: 'web' },
    zone: 'a',
    life: 1,
    now: () => now,
    after: (delayUs, fire) => wheel.after(delayUs, fire),
    send: (_to, message) => asked.push(message),
    meter: new Meters().meter('edge/0', 'edge', () => {}),
    random: seeded(1),
  };
  return { host, asked, tick: () => now++, close: () => wheel.close() };
}

const everything = {
  timeout: '1s',
  attemptTimeout: '250ms',
  balance: 'least-requests',
  retry: { attempts: 2, budget: 0.1 },
  breaker: {},
  bulkhead: { slots: 50 },
  fallback: { staleMax: '0ms' },
};

function pipeline(options, atDoor) {
  const { host, asked, tick, close } = node();
  const { policy } = pathPolicy('bench', options);
  const waiting = new Calls(host, { failed: ({ status }) => status >= 500 });
  const targets = { releases: { v1: instances }, traffic: { v1: 1 } };
  const caller = new Caller({
    host,
    calls: waiting,
    service: 'api',
    policy,
    targets,
    random: seeded(1),
  });
  const rate = { count: 1_000_000, periodUs: 1_000_000 };
  const law = limiterOf({ algorithm: 'gcra', rate, burst: 1_000_000, parts: 10 });
  const limiter = new KeyedLimiter(law, { keysMax: 10_000 });
  const shedder = new Shedder(configure('bench', shedderKnobs, {}).config);
  let good = 0;
  const done = (outcome) => {
    if (outcome.ok) good++;
  };
  const call = (i) => {
    const now = tick();
    const ip = addresses[i % 1_000];
    if (atDoor && limiter.take(ip, now) > 0) return;
    if (atDoor && !shedder.admit(now, 1, (i % 128) / 128)) return;
    const request = { method: 'GET', url: 'http://api/', headers: [], body: null, ip };
    caller.call(request, undefined, done);
    const { id } = asked.pop();
    waiting.settle(id, { type: 'reply', id, status: 200, headers: [], body: null });
    if (atDoor) shedder.started(now, 0);
  };
  return { call, good: () => good, close };
}

const rows = {
  'a call, balanced, with a deadline': () => pipeline({ timeout: '1s' }, false),
  'and retries with a budget': () => pipeline({ timeout: '1s', retry: everything.retry }, false),
  'and a breaker for each instance': () =>
    pipeline({ timeout: '1s', retry: everything.retry, breaker: {} }, false),
  'and a bulkhead and a fallback': () => pipeline(everything, false),
  'the whole pipeline, with limit and shedding': () => pipeline(everything, true),
};

function nanoseconds(make) {
  const { call, good, close } = make();
  const before = cpuSeconds();
  for (let i = 0; i < calls; i++) call(i);
  const spent = ((cpuSeconds() - before) * 1e9) / calls;
  if (good() !== calls) throw new Error(`${calls - good()} of ${calls} calls failed`);
  close();
  return spent;
}

const wrapped = () =>
  cockatiel.wrap(
    cockatiel.retry(cockatiel.handleAll, {
      maxAttempts: 1,
      backoff: new cockatiel.ConstantBackoff(10),
    }),
    cockatiel.circuitBreaker(cockatiel.handleAll, {
      halfOpenAfter: 5_000,
      breaker: new cockatiel.SamplingBreaker({ threshold: 0.5, duration: 10_000 }),
    }),
    cockatiel.timeout(1_000, cockatiel.TimeoutStrategy.Cooperative),
    cockatiel.bulkhead(50, 50),
  );
const answer = async () => 1;

/** A tenth of the calls: one costs ten times as much. */
async function peerNanoseconds() {
  const policy = wrapped();
  const before = cpuSeconds();
  for (let i = 0; i < calls / 10; i++) sink += await policy.execute(answer);
  return ((cpuSeconds() - before) * 1e9) / (calls / 10);
}

const bench = new Bench('pipeline', 'A call through all policies of a path');
const samples = Object.fromEntries(Object.keys(rows).map((what) => [what, []]));
const peer = [];
// Once for the compiler: it is what all rows share that it would make the first pay for.
for (const make of Object.values(rows)) nanoseconds(make);
for (let round = 0; round < rounds; round++) {
  for (const [what, make] of Object.entries(rows)) samples[what].push(nanoseconds(make));
  peer.push(await peerNanoseconds());
}
const whole = Object.keys(rows).at(-1);
for (const what of Object.keys(rows)) {
  bench.figure({
    id: `pipeline-${what.replaceAll(/[^a-z0-9]+/gi, '-')}`,
    what,
    unit: 'ns',
    better: 'less',
    value: median(samples[what]),
    ...(what === whole
      ? { peer: 'cockatiel', peerValue: median(peer), atLeast: 1_000, aim: 500 }
      : {}),
  });
}
if (sink === 0) throw new Error('nothing ran');
bench.end();
