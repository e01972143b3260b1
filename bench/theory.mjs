/**
 * Queueing theory as the judge: whole modelled designs whose answer is known in closed form.
 *
 *   node bench/theory.mjs            loads up to 0.8, seeds 1 to 60, within a minute of CPU
 *   node bench/theory.mjs --full     loads up to 0.95, seeds 1 to 200; takes half an hour
 *   node bench/theory.mjs --load 0.95 --seeds 20
 *
 * For each seed a 95 % interval of the mean time in the system from batch means (ten batches of whole seconds
 * after the warm-up); the share of seeds whose interval holds the true mean should be near 95 %. All seeds
 * together give the pooled mean and, where a closed form exists, the 99th percentile.
 */
import { Histogram } from '../dist/kit/histogram.js';
import { simulateHere } from '../dist/run/node/here.js';
import { parseNearDesign } from './designs/modelled.mjs';
import { Bench, isQuick, rounded } from './kit.mjs';

const isFull = process.argv.includes('--full');
const numberAfter = (flag) => {
  const at = process.argv.indexOf(flag);
  return at < 0 ? undefined : Number(process.argv[at + 1]);
};
const seeds = numberAfter('--seeds') ?? (isFull ? 200 : isQuick ? 10 : 60);
/** Milliseconds a station works on one request. */
const mean = 10;
const batches = 10;
/** Student's t for nine degrees of freedom, 95 %. */
const t = 2.262;

/** The chance of having to wait, with c servers offered a erlangs. */
function erlangC(c, a) {
  let blocked = 1;
  for (let k = 1; k <= c; k++) blocked = (a * blocked) / (k + a * blocked);
  return blocked / (1 - (a / c) * (1 - blocked));
}

/** Smallest x with tail(x) below one in a hundred, by halving. */
function p99Of(tail) {
  let low = 0;
  let high = 1e7;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (tail(middle) > 0.01) low = middle;
    else high = middle;
  }
  return high;
}

function mm1(load) {
  const rate = (1 - load) / mean;
  return { meanMs: 1 / rate, p99Ms: Math.log(100) / rate };
}

function mmc(c, load) {
  const mu = 1 / mean;
  const waits = erlangC(c, load * c);
  const away = c * mu * (1 - load);
  // A wait is exponential with rate `away`, with chance `waits`; then comes the service.
  const tail = (x) =>
    Math.exp(-mu * x) * (1 - waits) +
    (waits * (away * Math.exp(-mu * x) - mu * Math.exp(-away * x))) / (away - mu);
  return { meanMs: mean + waits / away, p99Ms: p99Of(tail) };
}

/** Pollaczek and Khinchine. */
const mg1 = (load, cv) => ({
  meanMs: mean + (load / (1 - load)) * ((1 + cv * cv) / 2) * mean,
});

/** Jackson: each station as if it were alone. Two equal ones in a row: Erlang's distribution. */
function tandem(load) {
  const rate = (1 - load) / mean;
  return { meanMs: 2 / rate, p99Ms: p99Of((x) => Math.exp(-rate * x) * (1 + rate * x)) };
}

/** Half of the requests come back for a second turn elsewhere: an open Jackson network. */
function fork(load) {
  const rate = (1 - load) / mean;
  const half = (1 - load / 2) / mean;
  return { meanMs: 1 / rate + 0.5 / half };
}

const exponential = { exponential: `${mean}ms` };
const station = (name, more) => ({
  kind: 'service',
  name,
  instances: 1,
  slots: 1,
  openMax: 10_000_000,
  cost: exponential,
  policy: { timeout: '1h' },
  ...more,
});
const one = (more) => ({ blocks: [station('app', more)] });

const onlyLoad = numberAfter('--load');
const loads = onlyLoad ? [onlyLoad] : isFull ? [0.5, 0.8, 0.95] : [0.8];
const models = loads.flatMap((load) => [
  { name: 'M/M/1', load, servers: 1, ...one({}), truth: mm1(load) },
  { name: 'M/M/4', load, servers: 4, ...one({ slots: 4 }), truth: mmc(4, load) },
  { name: 'M/D/1', load, servers: 1, ...one({ cost: `${mean}ms` }), truth: mg1(load, 0) },
  {
    name: 'M/G/1, gamma of cv 1.5',
    load,
    servers: 1,
    ...one({ cost: { gamma: { mean: `${mean}ms`, cv: 1.5 } } }),
    truth: mg1(load, 1.5),
  },
  {
    name: 'tandem of two M/M/1',
    load,
    servers: 1,
    blocks: [station('next'), station('app', { calls: ['next'] })],
    truth: tandem(load),
  },
  {
    name: 'Jackson, every second goes on',
    load,
    servers: 1,
    blocks: [
      station('next'),
      station('app', { calls: [{ sometimes: { chance: 0.5, call: 'next' } }] }),
    ],
    truth: fork(load),
  },
]);

/** Requests a seed: enough relaxation times that batches hardly know of one another. */
const requestsOf = (load) => (load > 0.9 ? 400_000 : isQuick ? 4_000 : 40_000);

async function run({ load, servers, blocks }, seed) {
  const perSec = (load * servers * 1_000) / mean;
  const seconds = Math.ceil(requestsOf(load) / perSec / batches) * batches;
  const warmUp = Math.ceil(seconds / 10);
  const design = parseNearDesign({
    name: 'queue',
    zones: ['a'],
    blocks,
    entry: 'app',
    users: { rate: `${perSec}/s`, timeout: '1h' },
  });
  const sums = new Float64Array(batches);
  const counts = new Float64Array(batches);
  const pooled = new Histogram();
  let second = 0;
  await simulateHere(() => ({
    design,
    seed,
    forUs: (warmUp + seconds) * 1e6,
    faults: [],
    onSecond({ window }) {
      const at = second++ - warmUp;
      if (at < 0) return;
      const batch = Math.floor((at * batches) / seconds);
      for (const { block, histograms } of window.readings) {
        if (block !== 'users' || !histograms.latency) continue;
        sums[batch] += histograms.latency.sum;
        counts[batch] += histograms.latency.count;
        pooled.merge(Histogram.fromJSON(histograms.latency));
      }
    },
  }));
  const means = [...sums].map((sum, index) => sum / counts[index] / 1e3);
  const middle = means.reduce((total, value) => total + value, 0) / batches;
  const variance = means.reduce((total, value) => total + (value - middle) ** 2, 0) / (batches - 1);
  return { middle, half: t * Math.sqrt(variance / batches), pooled };
}

const bench = new Bench('theory', `Queueing theory, seeds 1 to ${seeds}`);
const rows = [];
for (const model of models) {
  const { truth, name, load } = model;
  const all = new Histogram();
  let held = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const { middle, half, pooled } = await run(model, seed);
    if (Math.abs(middle - truth.meanMs) <= half) held++;
    all.merge(pooled);
  }
  const off = (all.mean / 1e3 / truth.meanMs - 1) * 100;
  const p99Off =
    truth.p99Ms === undefined ? null : (all.percentile(99) / 1e3 / truth.p99Ms - 1) * 100;
  rows.push({
    model: `${name} at ${load}`,
    requests: all.count,
    coverage: held / seeds,
    meanMs: rounded(truth.meanMs),
    meanOffPercent: rounded(off),
    p99OffPercent: p99Off === null ? null : rounded(p99Off),
  });
  console.log(
    `${`${name} at ${load}`.padEnd(36)} covers ${((held / seeds) * 100).toFixed(0).padStart(3)} %   mean ${off.toFixed(2).padStart(6)} %   p99 ${p99Off === null ? '     –' : `${p99Off.toFixed(2).padStart(6)} %`}   ${all.count.toLocaleString('en-US')} requests`,
  );
}
const worst = (list) => Math.max(...list.map(Math.abs));
bench.figure({
  id: 'theory-coverage',
  what: 'seeds whose 95 % interval holds the true mean, least of six models',
  unit: '%',
  value: Math.min(...rows.map((row) => row.coverage)) * 100,
});
bench.figure({
  id: 'theory-mean',
  what: 'pooled mean off the closed form, worst of six models',
  unit: '%',
  better: 'less',
  value: worst(rows.map((row) => row.meanOffPercent)),
});
bench.figure({
  id: 'theory-p99',
  what: 'p99 off the closed form, worst of three models',
  unit: '%',
  better: 'less',
  value: worst(rows.flatMap((row) => row.p99OffPercent ?? [])),
});
bench.also({ rows });
bench.end();
