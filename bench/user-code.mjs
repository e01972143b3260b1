/**
 * Requests through asynchronous user code, simulated: Hono and two store calls, calls from service
 * to service, and the whole shortener. CPU of everything from the first boot to the verdict counts,
 * judging included; only the loading of the design (measured as a run of no length) is taken off.
 */
import { simulate } from '../dist/index.js';
import { Bench, cpuSeconds, isQuick, median } from './kit.mjs';
import { profiled } from './profile.mjs';

const bench = new Bench('user-code', 'Simulated requests through asynchronous user code');
const rounds = isQuick ? 1 : 3;

/** Completed requests per CPU-second, and the last report. */
async function measure(path, { seconds, rate }) {
  const file = new URL(path, import.meta.url);
  const run = (length) => simulate(file, { seed: 1, for: `${length}s`, ...(rate ? { rate } : {}) });
  await run(2);
  const rates = [];
  let report;
  for (let round = 0; round < rounds; round++) {
    const began = cpuSeconds();
    await run(1);
    const short = cpuSeconds();
    report = await run(seconds);
    // The difference of two runs: what loading, booting and preloading cost falls out.
    const used = cpuSeconds() - short - (short - began);
    rates.push((report.completed * (seconds - 1)) / seconds / used);
  }
  return { perSec: median(rates), report };
}

const length = isQuick ? 5 : 11;
const one = await measure('designs/hono-one-replica.ts', { seconds: length });
bench.figure({
  id: 'hono-one-replica',
  what: 'Hono and two calls to a store of one replica',
  unit: 'requests per CPU-second',
  value: one.perSec,
});
const quorum = await measure('designs/hono-quorum.ts', { seconds: length });
bench.figure({
  id: 'hono-quorum',
  what: 'the same through a gateway on a quorum of three, with loss and kills',
  unit: 'requests per CPU-second',
  value: quorum.perSec,
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
