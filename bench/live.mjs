/**
 * The price of durability and replication: live systems under `loadpath load`, beside a bare Hono
 * server that keeps everything in a Map, under the same load on the same cores.
 *
 * CPU seconds of all processes of the system count (supervisor, gateway, services, replicas), read
 * from /proc; those of the load generator do not. Runs only on Linux.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Bench, isQuick } from './kit.mjs';

const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const seconds = isQuick ? 4 : 10;

/** Clock ticks a second, as /proc counts them on every Linux that matters. */
const ticksPerSec = 100;

function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold spaces.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return undefined;
  }
}

/** CPU seconds of a process and all that descend from it. */
function treeSeconds(root) {
  const stats = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = statOf(name);
    if (stat) stats.set(Number(name), stat);
  }
  const belongs = (pid) => {
    for (let at = pid; at > 1; at = stats.get(at)?.parent ?? 0) if (at === root) return true;
    return false;
  };
  let ticks = 0;
  for (const [pid, stat] of stats) if (belongs(pid)) ticks += stat.ticks;
  return ticks / ticksPerSec;
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const answers = async (url) => {
  try {
    await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(1_000) });
    return true;
  } catch {
    return false;
  }
};

/** Starts `args`, waits until `url` answers, and hands both to `use`. */
async function serving(args, url, use) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (piece) => {
    said = (said + piece).slice(-2_000);
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  try {
    for (let tries = 0; !(await answers(url)); tries++) {
      if (child.exitCode !== null || tries > 150) throw new Error(`did not come up: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return await use(child.pid);
  } finally {
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), 15_000);
    await ended;
    clearTimeout(patience);
  }
}

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
