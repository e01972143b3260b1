/**
 * What it costs to watch: the shortener with frames of 100 ms, ten a second for everybody in it, beside
 * the same runs without, each in a warm worker of its own as users have it; frames cross to this
 * thread. Studio always watches; a hunt or a command line without a page never does.
 */
import { fileURLToPath } from 'node:url';
import { runner } from '../dist/run/index.js';
import { Bench, isQuick, perCpuSecond } from './kit.mjs';

const design = fileURLToPath(new URL('../examples/shortener', import.meta.url));
const seconds = isQuick ? 10 : 30;
const bench = new Bench('watching', `The shortener watched, ${seconds} virtual seconds a run`);

let frameCount = 0;
let bytes = 0;
const watch = {
  onFrame(frame) {
    if (frameCount++ % 100 === 0) bytes = JSON.stringify(frame).length;
  },
};
const asked = { forUs: seconds * 1e6, faults: [], ownFaults: false, check: false };
const simulators = { watched: runner.openSimulator(design), alone: runner.openSimulator(design) };
/** The same seed for both, so that nothing but watching tells them apart. */
const work = {
  watched: async (round) =>
    (await simulators.watched.simulate({ ...asked, seed: round + 1, frameCountMax: 6_000 }, watch))
      .completed,
  alone: async (round) =>
    (await simulators.alone.simulate({ ...asked, seed: round + 1 })).completed,
};
await perCpuSecond(work, 2);
const rates = await perCpuSecond(work, isQuick ? 9 : 15);
bench.figure({
  id: 'watching',
  what: 'requests through the shortener, watched',
  unit: 'requests per CPU-second',
  value: rates.watched,
  peer: 'not watched',
  peerValue: rates.alone,
});
console.log(`a frame is about ${bytes} bytes`);
bench.also({ frameBytes: bytes });
bench.end();
await Promise.all(Object.values(simulators).map((simulator) => simulator.close()));
