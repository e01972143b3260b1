/**
 * How fast histories are judged.
 *
 *   node bench/linearizability.mjs            both
 *   node bench/linearizability.mjs one        100,000 operations of 5 clients on one register
 *   node bench/linearizability.mjs many       5,000,000 operations of 500 clients on 5,000 keys, 1 % unknown
 *
 * Each in two forms: ten values that come again and again (the search), and values of their own
 * (decided in n log n). Time is from the recorded events to the verdict: pairing, then judging.
 * Ends with one line of JSON. `--quick` judges a tenth of the large one.
 */
import { judgeOperations, Operations } from '../dist/verify/index.js';
import { Bench, isQuick } from './kit.mjs';

const what = process.argv.slice(2).find((given) => !given.startsWith('-')) ?? 'both';
const bench = new Bench('linearizability', 'Judging histories');
const details = {};

if (what !== 'many') {
  const one = { count: 100_000, clients: 5, keys: 1, unknownRatio: 0 };
  measure('one register, 5 clients, values repeat', 'oneRepeat', { ...one, values: 10 });
  measure('one register, 5 clients, own values', 'oneOwn', { ...one, values: 0 });
  const few = { count: 10_000, clients: 10, keys: 1, unknownRatio: 0.01 };
  measure('one register, 10 clients, values repeat, 1 % unknown', 'oneUnknown', {
    ...few,
    values: 10,
  });
  measure('one register, 20 clients, own values, 1 % unknown', 'oneCrowded', {
    ...few,
    clients: 20,
    values: 0,
  });
}
if (what !== 'one') {
  const many = {
    count: isQuick ? 500_000 : 5_000_000,
    clients: 500,
    keys: 5_000,
    unknownRatio: 0.01,
  };
  measure('5,000 keys, 500 clients, values repeat, 1 % unknown', 'manyRepeat', {
    ...many,
    values: 10,
  });
  measure('5,000 keys, 500 clients, own values, 1 % unknown', 'manyOwn', { ...many, values: 0 });
}
bench.also({ details });
bench.end();

function measure(title, name, shape) {
  const operations = new Operations();
  const pairing = stopwatch();
  for (const batch of generate(shape)) {
    pairing.start();
    for (let i = 0; i < batch.length; i++) operations.add(batch[i]);
    pairing.stop();
  }
  const judging = stopwatch();
  judging.start();
  const { verdict } = judgeOperations(operations, 'register');
  judging.stop();
  const seconds = pairing.seconds + judging.seconds;
  const cpuSeconds = pairing.cpuSeconds + judging.cpuSeconds;
  const perSec = Math.round(shape.count / seconds);
  bench.figure({
    id: `judge-${name}`,
    what: `judging ${title}: ${verdict}`,
    unit: 'operations per CPU-second',
    value: shape.count / cpuSeconds,
  });
  details[name] = {
    operations: shape.count,
    verdict,
    seconds: Number(seconds.toFixed(3)),
    cpuSeconds: Number(cpuSeconds.toFixed(3)),
    perSec,
  };
}

/** Wall and CPU time: on a busy machine the second is the fairer one. */
function stopwatch() {
  let began = 0;
  let cpuBegan;
  const watch = { seconds: 0, cpuSeconds: 0 };
  return Object.assign(watch, {
    start() {
      began = performance.now();
      cpuBegan = process.cpuUsage();
    },
    stop() {
      watch.seconds += (performance.now() - began) / 1e3;
      const { user, system } = process.cpuUsage(cpuBegan);
      watch.cpuSeconds += (user + system) / 1e6;
    },
  });
}

/**
 * Clients with one operation open each, on random registers. Batches share their event objects, so
 * that ten million events never exist at once.
 */
function* generate({ count, clients, keys, values, unknownRatio }) {
  let word = 12_345;
  const random = () => {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) | 0;
    return (word >>> 0) / 4_294_967_296;
  };
  const names = Array.from({ length: keys }, (_, i) => `key-${i}`);
  const nodes = Array.from({ length: clients }, (_, i) => `client/${i}`);
  const state = new Array(keys).fill(null);
  const open = nodes.map(() => ({
    idle: true,
    done: false,
    op: 0,
    key: 0,
    writes: false,
    value: null,
  }));
  const pool = Array.from({ length: 10_000 }, () => ({
    block: 'b',
    phase: 'invoke',
    op: 0,
    f: 'read',
    key: '',
    value: null,
    node: '',
    life: 1,
    at: 0,
  }));
  let filled = 0;
  let started = 0;
  let openCount = 0;
  for (let at = 1; started < count || openCount > 0; at++) {
    const client = Math.floor(random() * clients);
    const current = open[client];
    if (current.idle && started === count) continue;
    if (!current.idle && !current.done) {
      // It takes effect at some moment of its own.
      if (current.writes) state[current.key] = current.value;
      else current.value = state[current.key];
      current.done = true;
      continue;
    }
    const event = pool[filled++];
    event.at = at;
    event.node = nodes[client];
    if (current.idle) {
      current.idle = false;
      current.done = false;
      current.key = Math.floor(random() * keys);
      current.writes = random() < 0.5;
      current.op = started++;
      current.value = !current.writes
        ? null
        : values > 0
          ? Math.floor(random() * values)
          : current.op;
      openCount++;
      event.phase = 'invoke';
      event.value = current.value;
    } else {
      current.idle = true;
      openCount--;
      event.phase = random() < unknownRatio ? 'info' : 'ok';
      event.value = current.writes || event.phase === 'info' ? null : current.value;
    }
    event.op = current.op;
    event.f = current.writes ? 'write' : 'read';
    event.key = names[current.key];
    if (filled === pool.length) {
      yield pool;
      filled = 0;
    }
  }
  yield pool.slice(0, filled);
}
