/**
 * What the scripts share: running a child so that Ctrl-C reaches it and nothing is left behind,
 * hashing files, and one lock for the whole checkout.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const children = new Set();
const cleanups = new Set();

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    for (const child of children) child.kill(signal);
    // A child that ignores the signal must not keep the terminal.
    const patience = setTimeout(finish, 3_000, signal);
    const done = () => {
      if (children.size > 0) return;
      clearTimeout(patience);
      finish(signal);
    };
    for (const child of children) child.once('close', done);
    done();
  });
}
process.on('exit', cleanUp);

function finish(signal) {
  for (const child of children) child.kill('SIGKILL');
  process.exit(128 + constants.signals[signal]);
}

function cleanUp() {
  for (const cleanup of cleanups) cleanup();
  cleanups.clear();
}

/** Runs `node arguments…` in the checkout. Resolves to its exit code and, when `quiet`, its output. */
export function runNode(args, options = {}) {
  return run(process.execPath, args, options);
}

export function run(command, args, { quiet = false, shell = false, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      shell,
      env: { ...process.env, ...env },
      stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
    });
    children.add(child);
    let output = '';
    child.stdout?.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', (error) => {
      children.delete(child);
      reject(error);
    });
    child.on('close', (code) => {
      children.delete(child);
      resolve({ code: code ?? 1, output });
    });
  });
}

/** The npm that called us, or the one on the path. */
export function runNpm(args, options = {}) {
  const cli = process.env.npm_execpath;
  if (cli && /npm-cli\.c?js$/.test(cli)) return runNode([cli, ...args], options);
  return run('npm', args, { ...options, shell: process.platform === 'win32' });
}

/** One hash over the names and contents of `paths`: files, or folders walked to the end. */
export function hashOf(paths, keep = () => true) {
  const hash = createHash('sha256');
  for (const path of paths) {
    for (const file of filesUnder(join(root, path)).filter(keep)) {
      hash.update(`${relative(root, file)}\0`);
      hash.update(readFileSync(file));
      hash.update('\0');
    }
  }
  return hash.digest('hex');
}

/** Every file under `path`, sorted; `path` itself when it is a file; nothing when it is not there. */
export function filesUnder(path) {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((entry) => filesUnder(join(path, entry.name)));
  } catch (error) {
    if (error.code === 'ENOTDIR') return [path];
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

export function readText(path) {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/**
 * Runs `work` while no other script of this checkout does. The lock is a file with our process
 * id, so that one left behind by a kill -9 is recognised and taken over.
 */
export async function locked(work) {
  const path = join(root, '.cache', 'setup.lock');
  mkdirSync(dirname(path), { recursive: true });
  let waited = false;
  while (!take(path)) {
    if (!waited) console.log('Another setup of this checkout is at work; waiting for it.');
    waited = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const release = () => rmSync(path, { force: true });
  cleanups.add(release);
  try {
    return await work();
  } finally {
    cleanups.delete(release);
    release();
  }
}

function take(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  const owner = ownerOf(path);
  if (owner === undefined || alive(owner)) return false;
  // Set the stale lock aside and look again: between reading and renaming, someone else may have
  // taken it over, and then it must go back.
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
    if (ownerOf(aside) !== owner) linkSync(aside, path);
    unlinkSync(aside);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  }
  return false;
}

function ownerOf(path) {
  try {
    const id = Number(readFileSync(path, 'utf8'));
    return Number.isInteger(id) && id > 0 ? id : undefined;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function alive(id) {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
