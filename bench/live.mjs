/**
 * The price of durability and replication: live systems under `loadpath load`, beside a bare Hono
 * server that keeps everything in a Map, under the same load on the same cores.
 *
 * CPU seconds of all processes of the system count (supervisor, gateway, services, replicas), read
 * from /proc; those of the load generator do not. Runs only on Linux.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Bench, isQuick } from './kit.mjs';
import { freePort, serving, treeSeconds } from './processes.mjs';

const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const seconds = isQuick ? 4 : 10;

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

async function measure(args, design, url, perSec) {
  return serving(args, url, async (pid) => {
    await load(design, url, perSec, 2);
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
  });
}

const peerFile = fileURLToPath(new URL('peers/hono-map.mjs', import.meta.url));

async function pair(design, perSec) {
  const folder = mkdtempSync(join(tmpdir(), 'loadpath-bench-'));
  try {
    const port = await freePort();
    const own = ['--data', folder, '--fresh', '--port', String(port), '--no-own-faults'];
    const ours = await measure(
      [cli, 'run', design, ...own],
      design,
      `http://127.0.0.1:${port}`,
      perSec,
    );
    const peerPort = await freePort();
    const peer = await measure(
      [peerFile, String(peerPort)],
      design,
      `http://127.0.0.1:${peerPort}`,
      perSec,
    );
    return { perSec, ours, peer };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const bench = new Bench('live', 'Live, beside a bare Hono server on a Map');
const designs = [
  [
    'live-quorum',
    'a service behind a gateway, on a quorum of three, durable',
    'designs/hono-live.ts',
    300,
  ],
  ['live-shortener', 'the shortener, all of it durable', '../examples/shortener/design.ts', 200],
];
const runs = {};
for (const [id, what, file, perSec] of designs) {
  const both = await pair(fileURLToPath(new URL(file, import.meta.url)), perSec);
  runs[id] = both;
  const { ours, peer } = both;
  bench.figure({
    id,
    what: `live, ${what}, at ${perSec}/s`,
    unit: 'requests per CPU-second',
    value: ours.perCpuSecond,
    peer: 'bare Hono on a Map',
    peerValue: peer.perCpuSecond,
  });
  bench.figure({
    id: `${id}-p99`,
    what: `p99 of ${what}, at ${perSec}/s`,
    unit: 'ms',
    better: 'less',
    value: ours.p99Ms,
    peer: 'bare Hono on a Map',
    peerValue: peer.p99Ms,
  });
  console.log(
    `  served ${ours.completedPerSec.toFixed(0)}/s, available ${(ours.availability * 100).toFixed(2)} %; peer ${peer.completedPerSec.toFixed(0)}/s`,
  );
}
bench.also({ runs });
bench.end();
