/**
 * Requests through asynchronous user code, simulated: Hono and two store calls, calls from service
 * to service, and the whole shortener. As users get it: in a worker thread of the pool that `loadpath sim`
 * and `hunt` start, with the young generation that it gives them, over the 30 virtual seconds that a run
 * lasts by default (the shortener, which is asked less a second, a minute). A first run goes before, as
 * in a hunt: what the engine's compiler does in it is not counted, what it does later is.
 *
 * Beside the Hono rows, in turns with them: the same handler asked directly with Node's own Request, without
 * any system around it. What a simulated request carries through a network, a store and its journals is to
 * be had for about what Node takes to make the objects of one.
 *
 * CPU of all threads counts, and of everything from the first boot to the verdict, judging included; only
 * what a run costs before its load (measured as a run of one second) is taken off.
 */
import { fileURLToPath } from 'node:url';
import { simulate } from '../dist/index.js';
import { bundleDesign } from '../dist/run/node/bundle.js';
import { Pool } from '../dist/run/node/pool.js';
import { Bench, cpuSeconds, isQuick, median } from './kit.mjs';
import { askDirectly } from './peers/hono-direct.mjs';
import { profiled } from './profile.mjs';

const bench = new Bench('user-code', 'Simulated requests through asynchronous user code');
const rounds = isQuick ? 1 : 3;

const directly = isQuick ? 5_000 : 50_000;

/** Completed requests per CPU-second, those of the peer, and the last report. */
async function measure(path, { seconds }) {
  const file = fileURLToPath(new URL(path, import.meta.url));
  const pool = new Pool(bundleDesign(file), 1);
  const task = {
    kind: 'simulate',
    seed: 1,
    faults: [],
    ownFaults: true,
    check: false,
    trace: false,
  };
  const run = (length) => pool.run({ ...task, forUs: length * 1e6 });
  try {
    await run(seconds);
    await askDirectly(directly);
    const rates = [];
    const peers = [];
    let report;
    for (let round = 0; round < rounds; round++) {
      const began = cpuSeconds();
      await run(1);
      const short = cpuSeconds();
      report = await run(seconds);
      // The difference of two runs: what booting and preloading cost falls out.
      const used = cpuSeconds() - short - (short - began);
      rates.push((report.completed * (seconds - 1)) / seconds / used);
      const start = cpuSeconds();
      peers.push((await askDirectly(directly)) / (cpuSeconds() - start));
    }
    return { perSec: median(rates), peerPerSec: median(peers), report };
  } finally {
    await pool.close();
  }
}

const length = isQuick ? 5 : 30;
const one = await measure('designs/hono-one-replica.ts', { seconds: length });
bench.figure({
  id: 'hono-one-replica',
  what: 'Hono and two calls to a store of one replica',
  unit: 'requests per CPU-second',
  value: one.perSec,
  peer: "the handler alone, on Node's Request",
  peerValue: one.peerPerSec,
});
const quorum = await measure('designs/hono-quorum.ts', { seconds: length });
bench.figure({
  id: 'hono-quorum',
  what: 'the same on a quorum of three, with loss and kills',
  unit: 'requests per CPU-second',
  value: quorum.perSec,
  peer: "the handler alone, on Node's Request",
  peerValue: quorum.peerPerSec,
});
const door = await measure('designs/hono-quorum-gateway.ts', { seconds: length });
bench.figure({
  id: 'hono-quorum-gateway',
  what: 'the same through a gateway in front',
  unit: 'requests per CPU-second',
  value: door.perSec,
  peer: "the handler alone, on Node's Request",
  peerValue: door.peerPerSec,
});
const pair = await measure('designs/two-services.ts', { seconds: length });
bench.figure({
  id: 'rpc',
  what: 'calls between asynchronous services, with faults and fingerprint',
  unit: 'calls per CPU-second',
  // Ten to the other service, and the visit itself.
  value: pair.perSec * 11,
});
const whole = await measure('../examples/shortener/design.ts', { seconds: length * 2 });
bench.figure({
  id: 'shortener',
  what: 'the whole shortener: 3 copies, cache, click counts, all judged',
  unit: 'requests per CPU-second',
  value: whole.perSec,
});

const shares = await profiled(() =>
  simulate(new URL('../examples/shortener/design.ts', import.meta.url), {
    for: isQuick ? '5s' : '20s',
  }),
);
console.log('\nwhere the shortener spends it');
for (const { area, share } of shares) {
  if (share >= 0.01) console.log(`  ${(share * 100).toFixed(0).padStart(3)} %  ${area}`);
}
bench.also({
  shares,
  messagesPerRequest: Number(
    (
      Object.values(whole.report.blocks).reduce((sum, block) => sum + block.requestsPerSec, 0) /
      whole.report.throughputPerSec
    ).toFixed(1),
  ),
  availability: { quorum: quorum.report.availability, pair: pair.report.availability },
});
bench.end();
