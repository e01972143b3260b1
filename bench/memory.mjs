/**
 * Memory at 20,000 requests a second when clients wait up to 30 seconds: it must follow the requests
 * that are alive, not the timers that were set. Heap and buffers after a full collection, once a
 * virtual second, above what the booted system holds before the load begins.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { simulateHere } from '../dist/run/node/here.js';
import { parseDesign } from './designs/modelled.mjs';
import { Bench, isQuick } from './kit.mjs';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const bench = new Bench('memory', 'Memory at 20,000 requests a second, 30 s client timeouts');

const design = parseDesign({
  name: 'patient',
  zones: ['a'],
  blocks: [
    {
      kind: 'service',
      name: 'app',
      instances: 4,
      slots: 100,
      openMax: 100_000,
      cost: { exponential: '10ms' },
    },
  ],
  entry: 'app',
  users: { rate: '20000/s', timeout: '30s' },
});

const held = () => {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

let idle = 0;
let most = 0;
const { report } = await simulateHere(() => ({
  design,
  seed: 1,
  forUs: (isQuick ? 5 : 40) * 1e6,
  faults: [],
  onEvent(event) {
    if (event.type === 'phase' && event.phase === 'load') idle = held();
  },
  onSecond() {
    most = Math.max(most, held());
  },
}));
bench.figure({
  id: 'memory',
  what: 'heap and buffers above idle, at most, over 40 virtual seconds',
  unit: 'MB',
  better: 'less',
  value: (most - idle) / 1e6,
});
console.log(`${report.completed.toLocaleString('en-US')} requests completed`);
bench.end();
