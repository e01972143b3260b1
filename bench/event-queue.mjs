// The hold model: N events wait; take the earliest, push one a random time ahead, again and again.
// What an event queue costs a simulator, beside the queues one would write or install instead.
//   npm run build && node bench/event-queue.mjs [--quick]
import process from 'node:process';
import TinyQueue from 'tinyqueue';
import { EventQueue } from '../dist/sim/queue.js';
import { Bench, isQuick } from './kit.mjs';

const sizes = [100, 10_000, 1_000_000];
const rounds = isQuick ? 3 : 5;

/** Exponential steps with a mean of 1000, drawn beforehand: the draw is not what is measured. */
const steps = new Float64Array(1 << 16);
let state = 12345;
for (let i = 0; i < steps.length; i++) {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  steps[i] = Math.round(-1000 * Math.log(1 - (state >>> 0) / 2 ** 32)) + 1;
}

let ran = 0;
const run = () => {
  ran++;
};

function ladder(size) {
  const queue = new EventQueue();
  let at = 0;
  for (let i = 0; i < size; i++) queue.push(steps[at++ & 65535], 1, 0, 0, run, undefined);
  return (count) => {
    for (let i = 0; i < count; i++) {
      queue.pop(Number.POSITIVE_INFINITY);
      queue.a();
      queue.push(queue.now + steps[at++ & 65535], 1, 0, 0, run, undefined);
    }
  };
}

const earlier = (a, b) => a.time - b.time || a.sequence - b.sequence;

class ObjectHeap {
  items = [];

  push(item) {
    const { items } = this;
    let i = items.push(item) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (earlier(items[parent], item) <= 0) break;
      items[i] = items[parent];
      i = parent;
    }
    items[i] = item;
  }

  pop() {
    const { items } = this;
    const first = items[0];
    const last = items.pop();
    const { length } = items;
    if (length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= length) break;
      if (child + 1 < length && earlier(items[child + 1], items[child]) < 0) child++;
      if (earlier(items[child], last) >= 0) break;
      items[i] = items[child];
      i = child;
    }
    items[i] = last;
    return first;
  }
}

function objects(queue, size) {
  let at = 0;
  let sequence = 0;
  for (let i = 0; i < size; i++) {
    queue.push({ time: steps[at++ & 65535], sequence: sequence++, run });
  }
  return (count) => {
    for (let i = 0; i < count; i++) {
      const event = queue.pop();
      event.run();
      queue.push({ time: event.time + steps[at++ & 65535], sequence: sequence++, run });
    }
  };
}

/** Four children a node, in typed arrays: the best heap we know how to write. */
class TypedHeap {
  constructor(capacity) {
    this.times = new Float64Array(capacity);
    this.sequences = new Float64Array(capacity);
    this.runs = new Array(capacity).fill(undefined);
    this.slots = new Int32Array(capacity);
    this.free = Int32Array.from({ length: capacity }, (_, i) => i);
    this.freeCount = capacity;
    this.size = 0;
    this.sequence = 0;
  }

  push(time, run) {
    const { times, sequences, slots } = this;
    const slot = this.free[--this.freeCount];
    const sequence = this.sequence++;
    times[slot] = time;
    sequences[slot] = sequence;
    this.runs[slot] = run;
    let i = this.size++;
    while (i > 0) {
      const parent = (i - 1) >> 2;
      const other = slots[parent];
      if (times[other] <= time) break;
      slots[i] = other;
      i = parent;
    }
    slots[i] = slot;
  }

  /** The slot, still readable until the next push. */
  pop() {
    const { times, sequences, slots } = this;
    const first = slots[0];
    this.free[this.freeCount++] = first;
    const size = --this.size;
    if (size === 0) return first;
    const last = slots[size];
    const time = times[last];
    const sequence = sequences[last];
    let i = 0;
    for (;;) {
      const from = 4 * i + 1;
      if (from >= size) break;
      let child = from;
      let best = slots[from];
      const to = Math.min(from + 4, size);
      for (let other = from + 1; other < to; other++) {
        const slot = slots[other];
        if (
          times[slot] < times[best] ||
          (times[slot] === times[best] && sequences[slot] < sequences[best])
        ) {
          child = other;
          best = slot;
        }
      }
      if (times[best] > time || (times[best] === time && sequences[best] > sequence)) break;
      slots[i] = best;
      i = child;
    }
    slots[i] = last;
    return first;
  }
}

function typed(size) {
  const heap = new TypedHeap(size + 1);
  let at = 0;
  for (let i = 0; i < size; i++) heap.push(steps[at++ & 65535], run);
  return (count) => {
    for (let i = 0; i < count; i++) {
      const slot = heap.pop();
      const time = heap.times[slot];
      heap.runs[slot]();
      heap.push(time + steps[at++ & 65535], run);
    }
  };
}

const queues = {
  'ladder (ours)': ladder,
  'object heap': (size) => objects(new ObjectHeap(), size),
  'typed 4-ary heap': typed,
  'tinyqueue 3.0.0': (size) => objects(new TinyQueue([], earlier), size),
};

const results = {};
for (const size of sizes) {
  const row = {};
  const holds = (size >= 1_000_000 ? 1_000_000 : 2_000_000) / (isQuick ? 4 : 1);
  const made = Object.entries(queues).map(([name, make]) => [name, make(size), []]);
  for (const [, hold] of made) hold(Math.min(holds, 500_000));
  // Taken in turns, so that a busy machine slows all of them alike.
  for (let round = 0; round < rounds; round++) {
    for (const [, hold, rates] of made) {
      const before = process.cpuUsage();
      hold(holds);
      const used = process.cpuUsage(before);
      rates.push(holds / (used.user + used.system));
    }
  }
  for (const [name, , rates] of made) row[name] = rates.sort((a, b) => a - b)[rounds >> 1];
  results[size] = row;
}

const bench = new Bench('event-queue', `Event queue, hold model, median of ${rounds} rounds`);
for (const size of sizes) {
  const row = results[size];
  bench.figure({
    id: `queue-${size}`,
    what: `event queue, ${size.toLocaleString('en-US')} events pending`,
    unit: 'million events per CPU-second',
    value: row['ladder (ours)'],
    peer: 'heap of objects',
    peerValue: row['object heap'],
  });
}
console.log('\nmillion events per CPU-second');
console.log(['queue', ...sizes].map((text) => String(text).padEnd(18)).join(''));
for (const name of Object.keys(queues)) {
  const cells = sizes.map((size) => results[size][name].toFixed(2));
  console.log([name, ...cells].map((text) => text.padEnd(18)).join(''));
}
if (ran === 0) throw new Error('nothing ran');
bench.also({ results });
bench.end();
