/**
 * Modelled requests beside a simulator in the manner of drawing boards: client → balancer → 3
 * services of 4 slots, 5 ms → store of 5 slots, 2 ms; 2,000 requests a second, 80 % load.
 *
 * Not the same amount of work, on purpose: ours carries each request over a network with delays, loss
 * and connections, through a gateway with deadlines, retries and a balancer, keeps every latency and a
 * fingerprint; the peer has three events a request and samples.
 */
import { readFileSync } from 'node:fs';
import { systemFromJson } from '../dist/design/json.js';
import { simulate } from '../dist/index.js';
import { Bench, isQuick, perCpuSecond } from './kit.mjs';
import { simulate as simulatePeer } from './peers/canvas-simulator.mjs';

const file = new URL('designs/three-services.json', import.meta.url);
const design = systemFromJson(JSON.parse(readFileSync(file, 'utf8')));
const seconds = isQuick ? 20 : 60;
const bench = new Bench('modelled-requests', 'Modelled requests: balancer, 3 services, store');

let report;
let peer;
const work = {
  async ours(round) {
    report = await simulate(design, { seed: round + 1, for: `${seconds}s` });
    return report.completed;
  },
  peer(round) {
    peer = simulatePeer({ seed: round + 1, seconds, rate: 2_000 });
    return peer.completed;
  },
};
await perCpuSecond(work, 1);
const rates = await perCpuSecond(work, isQuick ? 3 : 5);
bench.figure({
  id: 'modelled',
  what: 'requests through three modelled services and a store',
  unit: 'requests per CPU-second',
  value: rates.ours,
  peer: 'object-heap simulator without a network',
  peerValue: rates.peer,
});
bench.also({
  latencyMs: { ours: report.latencyMs.p50, peer: peer.p50Ms },
  p99Ms: { ours: report.latencyMs.p99, peer: peer.p99Ms },
});
console.log(
  `p50 ${report.latencyMs.p50.toFixed(1)} ms, peer ${peer.p50Ms.toFixed(1)} ms; p99 ${report.latencyMs.p99.toFixed(1)} ms, peer ${peer.p99Ms.toFixed(1)} ms`,
);
bench.end();
