/** What benches of running systems share: processes that serve, and what they cost. Linux only: from /proc. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createServer } from 'node:net';

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

/** A process and all that descend from it, with their stats. */
function treeOf(root) {
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
  return [...stats].filter(([pid]) => belongs(pid));
}

/** CPU seconds of a process and all that descend from it. */
export function treeSeconds(root) {
  return treeOf(root).reduce((sum, [, { ticks }]) => sum + ticks, 0) / ticksPerSec;
}

/** Bytes that belong to them alone, and their part of what they share. */
export function treeBytes(root) {
  return treeOf(root).reduce((sum, [pid]) => {
    try {
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      return sum + Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) * 1_024;
    } catch {
      return sum;
    }
  }, 0);
}

/** What a command prints until it ends. Rejects with what it complained of when that is not well. */
export function outputOf(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (piece) => {
      out += piece;
    });
    child.stderr.on('data', (piece) => {
      err += piece;
    });
    child.on('close', (code) =>
      code === 0 ? resolve(out) : reject(new Error(`${command}: ${err}`)),
    );
  });
}

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Whatever it says, and whoever signed its certificate. */
const answers = (url) =>
  new Promise((resolve) => {
    const options = { rejectUnauthorized: false, timeout: 1_000 };
    const request = (url.startsWith('https:') ? https : http).get(url, options, (reply) => {
      reply.resume();
      resolve(true);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });

/** Starts `args`, waits until `url` answers, and hands both to `use`. */
export async function serving(args, url, use, { command = process.execPath, env = {} } = {}) {
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
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
