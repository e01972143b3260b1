/**
 * The price of durability and replication: live systems under `loadpath load`, beside a bare Hono
 * server that keeps everything in a Map, under the same load on the same cores. At a rate that both hold, and
 * (the service on a quorum) at the limit of each. Both are warm: what a compiler does in the first half minute
 * of a process is no part of what a request costs.
 *
 * CPU seconds of all processes of the system count (supervisor, gateway, services, replicas), read
 * from /proc; those of the load generator do not. Runs only on Linux.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { closedLoop, loadedBy, openCount } from './closed-loop.mjs';
import { Bench, isQuick, medians } from './kit.mjs';
import { freePort, serving, treeSeconds } from './processes.mjs';

const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const seconds = isQuick ? 3 : 8;
const rounds = isQuick ? 1 : 3;
const warmUpSeconds = isQuick ? 2 : 25;

function load(design, url, perSec, length) {
  const args = [
    cli,
    'load',
    design,
    '--url',
    url,
    '--rps',
    perSec,
    '--for',
    `${length}s`,
    '--json',
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args.map(String), { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (piece) => {
      out += piece;
    });
    child.stderr.on('data', (piece) => {
      err += piece;
    });
    child.on('close', () => {
      try {
        resolve(JSON.parse(out));
      } catch {
        reject(new Error(`the load gave no report: ${err}`));
      }
    });
  });
}

/** What `perSec` requests a second cost of a system that runs. */
async function atRate({ pid, url }, design, perSec) {
  const before = treeSeconds(pid);
  const report = await load(design, url, perSec, seconds);
  const cpu = treeSeconds(pid) - before;
  return {
    perCpuSecond: report.completed / cpu,
    cpuMicros: (cpu / report.completed) * 1e6,
    completedPerSec: report.throughputPerSec,
    availability: report.availability,
    p50Ms: report.latencyMs.p50,
    p99Ms: report.latencyMs.p99,
  };
}

async function atLimit({ pid, url }, paths) {
  const before = treeSeconds(pid);
  const loop = await closedLoop(url, seconds, { paths });
  if (loop.failed > 0) throw new Error(`${loop.failed} of ${loop.requests} requests failed`);
  return {
    perSec: loop.perSec,
    cpuMicros: ((treeSeconds(pid) - before) / loop.requests) * 1e6,
    p99Ms: loop.p99Ms,
  };
}

const peerFile = fileURLToPath(new URL('peers/hono-map.mjs', import.meta.url));

/** Both stand there at once and are asked in turn: a busy machine slows them alike. */
async function pair(design, { perSec, paths }) {
  const folder = mkdtempSync(join(tmpdir(), 'loadpath-bench-'));
  try {
    const port = await freePort();
    const own = ['--data', folder, '--fresh', '--port', String(port), '--no-own-faults'];
    const ownUrl = `http://127.0.0.1:${port}`;
    return await serving([cli, 'run', design, ...own], ownUrl, async (pid) => {
      const peerPort = await freePort();
      const peerUrl = `http://127.0.0.1:${peerPort}`;
      return serving([peerFile, String(peerPort)], peerUrl, async (peerPid) => {
        const ours = { pid, url: ownUrl };
        const peer = { pid: peerPid, url: peerUrl };
        for (const { url } of [ours, peer]) await load(design, url, perSec, warmUpSeconds);
        const atRates = await inTurn((system) => atRate(system, design, perSec), ours, peer);
        if (!paths) return { perSec, ...atRates };
        return {
          perSec,
          ...atRates,
          limit: await inTurn((system) => atLimit(system, paths), ours, peer),
        };
      });
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Medians of each figure of both. */
async function inTurn(measure, ours, peer) {
  const found = { ours: [], peer: [] };
  for (let round = 0; round < rounds; round++) {
    found.ours.push(await measure(ours));
    found.peer.push(await measure(peer));
  }
  return { ours: medians(found.ours), peer: medians(found.peer) };
}

const bench = new Bench('live', 'Live, beside a bare Hono server on a Map');
const designs = [
  [
    'live-quorum',
    'a service behind a gateway, on a quorum of three, durable',
    'designs/hono-live.ts',
    { perSec: 300, paths: Array.from({ length: 1_000 }, (_none, n) => `/count/${n * 10}`) },
  ],
  [
    'live-shortener',
    'the shortener, all of it durable',
    '../examples/shortener/design.ts',
    { perSec: 200 },
  ],
];
const runs = {};
for (const [id, what, file, asked] of designs) {
  const { perSec } = asked;
  const both = await pair(fileURLToPath(new URL(file, import.meta.url)), asked);
  runs[id] = both;
  const { ours, peer, limit } = both;
  const beside = 'bare Hono on a Map';
  bench.figure({
    id,
    what: `live, ${what}, at ${perSec}/s`,
    unit: 'requests per CPU-second',
    value: ours.perCpuSecond,
    peer: beside,
    peerValue: peer.perCpuSecond,
  });
  bench.figure({
    id: `${id}-p99`,
    what: `p99 of ${what}, at ${perSec}/s`,
    unit: 'ms',
    better: 'less',
    value: ours.p99Ms,
    peer: beside,
    peerValue: peer.p99Ms,
  });
  console.log(
    `  served ${ours.completedPerSec.toFixed(0)}/s, available ${(ours.availability * 100).toFixed(2)} %; peer ${peer.completedPerSec.toFixed(0)}/s`,
  );
  if (!limit) continue;
  bench.figure({
    id: `${id}-limit`,
    what: `live, ${what}, at its limit`,
    unit: 'requests per second',
    value: limit.ours.perSec,
    peer: beside,
    peerValue: limit.peer.perSec,
  });
  bench.figure({
    id: `${id}-limit-cpu`,
    what: `CPU a request of ${what}, at its limit`,
    unit: 'us',
    better: 'less',
    value: limit.ours.cpuMicros,
    peer: beside,
    peerValue: limit.peer.cpuMicros,
  });
  bench.figure({
    id: `${id}-limit-p99`,
    what: `p99 of ${what}, at its limit`,
    unit: 'ms',
    better: 'less',
    value: limit.ours.p99Ms,
    peer: beside,
    peerValue: limit.peer.p99Ms,
  });
}
bench.also({ runs, load: loadedBy, connections: openCount });
bench.end();
