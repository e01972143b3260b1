/**
 * Load that never waits: so many connections, each asking again as soon as it is answered. With wrk where it is
 * (Debian's, installed if need be), else our own. What it measures is a system at its limit, so its p99 is one too.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, installPackages } from '../scripts/packages.mjs';
import { outputOf } from './processes.mjs';

export const openCount = 64;

if (!findProgram('wrk')) await installPackages(['wrk'], 'wrk for the bench');
const wrk = findProgram('wrk');
export const loadedBy = wrk ? 'wrk' : 'own';

/**
 * { requests, perSec, p99Ms, failed } of `seconds` of it against `origin`. Asks for `paths` in turn.
 */
export async function closedLoop(origin, seconds, { paths = ['/'], headers = {} } = {}) {
  if (!wrk) return ownLoop(origin, seconds, paths, headers);
  const folder = mkdtempSync(join(tmpdir(), 'loadpath-wrk-'));
  try {
    const script = join(folder, 'paths.lua');
    writeFileSync(
      script,
      `local paths = { ${paths.map((path) => JSON.stringify(path)).join(', ')} }
local at = 0
request = function()
  at = at % #paths + 1
  return wrk.format("GET", paths[at])
end
`,
    );
    const out = await outputOf(wrk, [
      '-t1',
      `-c${openCount}`,
      `-d${seconds}s`,
      '--latency',
      ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
      ...(paths.length > 1 ? ['-s', script] : []),
      `${origin}${paths[0]}`,
    ]);
    const [, p99, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(out) ?? [];
    return {
      requests: Number(/(\d+) requests in/.exec(out)?.[1]),
      perSec: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)?.[1]),
      p99Ms: Number(p99) * { us: 0.001, ms: 1, s: 1_000 }[unit],
      failed: Number(/Non-2xx or 3xx responses: (\d+)/.exec(out)?.[1] ?? 0),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function ownLoop(origin, seconds, paths, headers) {
  const agent = new Agent({ keepAlive: true, maxSockets: openCount });
  const times = [];
  let failed = 0;
  let asked = 0;
  const until = performance.now() + seconds * 1_000;
  const one = () =>
    new Promise((resolve) => {
      const began = performance.now();
      get(`${origin}${paths[asked++ % paths.length]}`, { agent, headers }, (reply) => {
        if (reply.statusCode >= 400) failed++;
        reply.resume().on('end', () => {
          times.push(performance.now() - began);
          resolve();
        });
      }).on('error', () => {
        failed++;
        resolve();
      });
    });
  await Promise.all(
    Array.from({ length: openCount }, async () => {
      while (performance.now() < until) await one();
    }),
  );
  agent.destroy();
  times.sort((a, b) => a - b);
  const p99Ms = times[Math.floor(times.length * 0.99)];
  return { requests: times.length, perSec: times.length / seconds, p99Ms, failed };
}
