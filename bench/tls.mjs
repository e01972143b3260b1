/**
 * TLS handshakes that a gateway does, beside nginx with one worker: the same certificate (ECDSA P-256), TLS 1.3,
 * no session taken up again, nothing asked afterwards.
 *
 *   node bench/tls.mjs [--quick]        (built first: npm run build; needs openssl)
 *
 * The clients are `openssl s_time`, which work on the same machine. So what a handshake costs the server in CPU is the
 * figure to look at; handshakes a second are what both sides of it come to together.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../scripts/packages.mjs';
import { haveProxies } from '../scripts/proxies.mjs';
import { Bench, isQuick, median, rounded } from './kit.mjs';
import { freePort, outputOf, serving, treeSeconds } from './processes.mjs';

const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const design = fileURLToPath(new URL('designs/gateway-tls.ts', import.meta.url));
const seconds = isQuick ? 2 : 5;
const rounds = isQuick ? 1 : 3;
const clientCount = 4;
const openssl = findProgram('openssl');
const { nginx } = await haveProxies();
const bench = new Bench('tls', 'TLS handshakes, beside nginx');
const folder = mkdtempSync(join(tmpdir(), 'loadpath-bench-'));

/** How many handshakes all clients did, each in `length` seconds. */
async function handshakes(port, length) {
  const args = ['s_time', '-connect', `127.0.0.1:${port}`, '-new', '-time', String(length)];
  const said = await Promise.all(
    Array.from({ length: clientCount }, () => outputOf(openssl, args)),
  );
  return said.reduce(
    (sum, text) => sum + Number(/(\d+) connections in \d+ real/.exec(text)?.[1]),
    0,
  );
}

async function measure({ args, command, env }, port) {
  return serving(
    args,
    `https://127.0.0.1:${port}/`,
    async (pid) => {
      await handshakes(port, 1);
      const found = { perSec: [], cpuMicros: [] };
      for (let round = 0; round < rounds; round++) {
        const before = treeSeconds(pid);
        const count = await handshakes(port, seconds);
        found.perSec.push(count / seconds);
        found.cpuMicros.push(((treeSeconds(pid) - before) / count) * 1e6);
      }
      return { perSec: median(found.perSec), cpuMicros: median(found.cpuMicros) };
    },
    { command, env },
  );
}

function nginxServer(port, cert, key) {
  const file = join(folder, 'tls.conf');
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${name};`,
  );
  writeFileSync(
    file,
    `${process.getuid() === 0 ? 'user root; ' : ''}worker_processes 1; pid tls.pid; error_log stderr crit; events { worker_connections 4096; }
http { access_log off; ${paths.join(' ')}
server { listen 127.0.0.1:${port} ssl; ssl_certificate ${cert}; ssl_certificate_key ${key}; ssl_protocols TLSv1.2 TLSv1.3; location / { return 200 "fine"; } } }\n`,
  );
  return { command: nginx, args: ['-p', folder, '-c', 'tls.conf', '-g', 'daemon off;'] };
}

const found = {};
try {
  if (openssl) {
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const about = ['-subj', '/CN=localhost', '-days', '2', '-keyout', key, '-out', cert];
    await outputOf(openssl, ['req', '-x509', ...curve, ...about]);
    const contenders = {
      gateway: (port) => {
        const more = ['--port', String(port), '--data', join(folder, 'data')];
        const env = { LOADPATH_BENCH_CERT: cert, LOADPATH_BENCH_KEY: key };
        return { args: [cli, 'run', design, ...more], env };
      },
      ...(nginx ? { nginx: (port) => nginxServer(port, cert, key) } : {}),
    };
    for (const [name, start] of Object.entries(contenders)) {
      const port = await freePort();
      found[name] = await measure(start(port), port);
      const { perSec, cpuMicros } = found[name];
      console.log(
        `  ${name.padEnd(10)} ${rounded(perSec)}/s, ${rounded(cpuMicros)} us of CPU each`,
      );
    }
  } else console.log('openssl is missing: nothing to measure with');
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const beside = (key) => (found.nginx ? { peer: 'nginx', peerValue: found.nginx[key] } : {});
if (found.gateway) {
  bench.figure({
    id: 'tls-per-sec',
    what: 'TLS handshakes, with the clients on the same machine',
    unit: 'handshakes/s',
    value: found.gateway.perSec,
    ...beside('perSec'),
  });
  bench.figure({
    id: 'tls-cpu',
    what: 'CPU of the server for a TLS handshake',
    unit: 'us',
    better: 'less',
    value: found.gateway.cpuMicros,
    ...beside('cpuMicros'),
  });
}
bench.also({ found });
bench.end();
