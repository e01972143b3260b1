/**
 * The gateway on loopback, with one bare route and with policies, beside nothing at all, nginx and HAProxy
 * (configured by `loadpath export` from the same designs) and the proxies of npm.
 *
 *   node bench/gateway.mjs [--quick]        (built first: npm run build)
 *
 * Requests a second and p99 are of 64 connections that never wait, with wrk where it is (Debian's), so p99 is
 * that of a proxy at its limit. CPU is that of all processes of a proxy, for each request; it is the figure that a
 * busy machine spoils least. nginx and HAProxy are held to one thread, as a Node process has one.
 * Those two do less under "policies": who calls, quotas and usage have no words in their configuration.
 * Memory is what a connection costs that asked once and is kept open.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { haveProxies } from '../scripts/proxies.mjs';
import { closedLoop, loadedBy, openCount } from './closed-loop.mjs';
import { Bench, isQuick, medians, rounded } from './kit.mjs';
import { freePort, outputOf, serving, treeBytes, treeSeconds } from './processes.mjs';

const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const seconds = isQuick ? 1 : 4;
const warmUpSeconds = isQuick ? 1 : 3;
const rounds = isQuick ? 1 : 5;
const idleCount = isQuick ? 1_000 : 10_000;
/** Who asks, for those that want to know. */
const key = 'bench-key';
const headers = { 'x-api-key': key };
const { nginx, haproxy } = await haveProxies();
const folder = mkdtempSync(join(tmpdir(), 'loadpath-bench-'));

/**
 * Opens connections, has each answered once, and keeps them. Ours takes 10,000 in all, and one or two of
 * who asked before may still be open, so a few may be turned away.
 */
async function idle(port, count) {
  const sockets = new Set();
  const one = () =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(`GET / HTTP/1.1\r\nhost: localhost\r\nx-api-key: ${key}\r\n\r\n`);
      });
      sockets.add(socket);
      socket.once('data', resolve);
      socket.on('error', () => {});
      socket.once('close', () => {
        sockets.delete(socket);
        resolve();
      });
    });
  for (let i = 0; i < count; i += 100) {
    await Promise.all(Array.from({ length: Math.min(100, count - i) }, one));
  }
  const close = () => {
    for (const socket of sockets) socket.destroy();
  };
  if (sockets.size >= 0.99 * count) return { openCount: sockets.size, close };
  close();
  throw new Error(`only ${sockets.size} of ${count} idle connections were kept`);
}

/** Starts all of `contenders` before `use` gets their ports and processes, by name. */
async function withAll(contenders, use, running = {}) {
  const [first, ...others] = contenders;
  if (!first) return use(running);
  const [name, start] = first;
  const port = await freePort();
  const { args, command, env } = await start(port);
  const url = `http://127.0.0.1:${port}`;
  return serving(
    args,
    url,
    async (pid) => withAll(others, use, { ...running, [name]: { pid, port, url } }),
    { command, env },
  );
}

/** Load on one of them, as hard as it takes. */
async function loaded({ pid, url }, name, length = seconds) {
  const before = treeSeconds(pid);
  const { requests, perSec, p99Ms, failed } = await closedLoop(url, length, { headers });
  if (failed > 0) throw new Error(`${name}: ${failed} of ${requests} requests failed`);
  return { perSec, p99Ms, cpuMicros: ((treeSeconds(pid) - before) / requests) * 1e6 };
}

/** They take turns, so that a busy machine slows all alike; medians of each figure, by name. */
async function inTurn(running) {
  for (const [name, one] of Object.entries(running)) await loaded(one, name, warmUpSeconds);
  const results = Object.fromEntries(Object.keys(running).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, one] of Object.entries(running)) results[name].push(await loaded(one, name));
  }
  return Object.fromEntries(Object.entries(results).map(([name, list]) => [name, medians(list)]));
}

async function idleBytesOf({ pid, port }) {
  const before = treeBytes(pid);
  const { openCount: keptCount, close } = await idle(port, idleCount);
  const bytes = (treeBytes(pid) - before) / keptCount;
  close();
  return bytes;
}

/** A proxy as it is exported, held to one thread. */
async function exported(product, design, port, origin) {
  const out = join(folder, `${product}-${port}`);
  const [host, originPort] = origin.split(':');
  const where = ['--target', `origin=${host}:${originPort}`, '--listen', `127.0.0.1:${port}`];
  const args = [cli, 'export', here(design), '--for', product, ...where, '--out', out];
  await outputOf(process.execPath, args, { LOADPATH_BENCH_EXPORT: '1' });
  const file = join(out, product === 'nginx' ? 'nginx.conf' : 'haproxy.cfg');
  const text = readFileSync(file, 'utf8')
    .replace('worker_processes auto;', 'worker_processes 1;\nuser root;')
    .replace('\nglobal\n', '\nglobal\n  nbthread 1\n');
  writeFileSync(file, process.getuid() === 0 ? text : text.replace('user root;', ''));
  return product === 'nginx'
    ? { command: nginx, args: ['-p', out, '-c', 'nginx.conf', '-g', 'daemon off;'] }
    : { command: haproxy, args: ['-db', '-f', file] };
}

function originServer(port) {
  if (!nginx) return { args: [here('peers/origin.mjs'), String(port)] };
  const file = join(folder, 'origin.conf');
  const body = 'x'.repeat(200);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${name};`,
  );
  writeFileSync(
    file,
    `${process.getuid() === 0 ? 'user root; ' : ''}worker_processes 1; pid origin.pid; error_log stderr crit; events { worker_connections 4096; }
http { access_log off; keepalive_requests 100000000; ${paths.join(' ')}
server { listen 127.0.0.1:${port}; location / { return 200 "${body}"; } } }\n`,
  );
  return { command: nginx, args: ['-p', folder, '-c', 'origin.conf', '-g', 'daemon off;'] };
}

const bench = new Bench('gateway', 'The gateway on loopback, beside others');
console.log(`load: ${loadedBy}, ${openCount} connections`);
const found = {};
try {
  const originPort = await freePort();
  const origin = `127.0.0.1:${originPort}`;
  const { args: originArgs, ...originMore } = originServer(originPort);
  await serving(
    originArgs,
    `http://${origin}/`,
    async (pid) => {
      const env = { LOADPATH_BENCH_ORIGIN: `http://${origin}` };
      const ours = (design) => async (port) => {
        const more = ['--port', String(port), '--data', join(folder, `data-${port}`)];
        return { args: [cli, 'run', here(design), ...more], env };
      };
      const peer = (file) => async (port) => ({
        args: [here(file), String(port), `http://${origin}`],
      });
      const contenders = {
        'gateway, bare route': ours('designs/gateway-bare.ts'),
        'gateway, policies': ours('designs/gateway-policies.ts'),
      };
      for (const [product, program] of Object.entries({ nginx, haproxy })) {
        if (!program) continue;
        for (const kind of ['bare', 'policies']) {
          const name = `${product}, ${kind === 'bare' ? 'bare route' : 'policies'}`;
          contenders[name] = (port) =>
            exported(product, `designs/gateway-${kind}.ts`, port, origin);
        }
      }
      contenders['http-proxy'] = peer('peers/http-proxy.mjs');
      contenders['@fastify/http-proxy'] = peer('peers/fastify-http-proxy.mjs');
      await withAll(Object.entries(contenders), async (running) => {
        const direct = { pid, url: `http://${origin}` };
        Object.assign(found, await inTurn({ direct, ...running }));
        // Last, since what many connections took is not given back at once.
        for (const [name, one] of Object.entries(running)) {
          found[name].idleBytes = await idleBytesOf(one);
        }
      });
      for (const [name, { perSec, p99Ms, cpuMicros, idleBytes = 0 }] of Object.entries(found)) {
        console.log(
          `  ${name.padEnd(24)} ${rounded(perSec)}/s, p99 ${rounded(p99Ms)} ms, ${rounded(cpuMicros)} us of CPU, ${rounded(idleBytes)} B idle`,
        );
      }
    },
    originMore,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const measured = [
  ['perSec', 'requests a second', 'requests/s', 'more'],
  ['p99Ms', 'p99 at the limit', 'ms', 'less'],
  ['cpuMicros', 'CPU a request', 'us', 'less'],
  [
    'idleBytes',
    `memory of each of ${idleCount.toLocaleString('en-US')} idle connections`,
    'B',
    'less',
  ],
];
for (const kind of ['bare route', 'policies']) {
  const own = found[`gateway, ${kind}`];
  const peers = ['http-proxy', '@fastify/http-proxy', `nginx, ${kind}`, `haproxy, ${kind}`];
  for (const [key, what, unit, better] of measured) {
    for (const peer of ['direct', ...peers]) {
      if (found[peer]?.[key] === undefined) continue;
      bench.figure({
        id: `gateway-${kind.split(' ')[0]}-${key}-${peer.replaceAll(/[^a-z]+/g, '-').replace(/^-/, '')}`,
        what: `gateway, ${kind}: ${what}`,
        unit,
        better,
        value: own[key],
        peer,
        peerValue: found[peer][key],
      });
    }
  }
}
bench.also({ found, load: loadedBy });
bench.end();
