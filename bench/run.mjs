/**
 * Runs the benches and writes what they found to bench/results.json.
 *
 *   npm run bench                     all of them, a few minutes
 *   npm run bench -- memory live      these
 *   npm run bench -- --quick          shorter and rougher; nothing is written
 *
 * One after the other, each in a process of its own: on two cores side by side would be each
 * other's noise. Everything is measured in CPU seconds where that is what is asked.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const notBenches = new Set(['kit.mjs', 'processes.mjs', 'profile.mjs', 'run.mjs']);
const known = readdirSync(folder)
  .filter((file) => file.endsWith('.mjs') && !notBenches.has(file))
  .map((file) => file.slice(0, -'.mjs'.length));
const given = process.argv.slice(2);
const flags = given.filter((name) => name.startsWith('-'));
const wanted = given.filter((name) => !name.startsWith('-'));
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}. There are ${known.join(', ')}.`);
  process.exit(2);
}

const children = new Set();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    for (const child of children) child.kill(signal);
    process.exitCode = 130;
  });
}

/** What the last line of a bench says. */
function run(name) {
  return new Promise((resolve, reject) => {
    const args = [`${folder}${name}.mjs`, ...flags];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.add(child);
    let out = '';
    child.stdout.on('data', (piece) => {
      out += piece;
      // All but what may be the beginning of the line for us.
      process.stdout.write(String(piece).replace(/^\{"bench".*\n?/m, ''));
    });
    child.on('close', (code) => {
      children.delete(child);
      if (code !== 0) return reject(new Error(`${name} ended with exit code ${code}`));
      resolve(JSON.parse(out.trim().split('\n').at(-1)));
    });
  });
}

const path = `${folder}results.json`;
const before = (() => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return {};
  }
})();
const benches = { ...before.benches };
let failed = false;
for (const name of wanted.length > 0 ? wanted : known) {
  if (process.exitCode === 130) break;
  console.log(`\n── ${name} ${'─'.repeat(80 - name.length)}`);
  try {
    const { bench: _, ...found } = await run(name);
    benches[name] = {
      at: new Date().toISOString().slice(0, 10),
      node: process.version,
      ...found,
    };
  } catch (error) {
    failed = true;
    console.error(error.message);
  }
}
if (!flags.includes('--quick')) {
  const result = {
    machine: `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    platform: `${process.platform} ${process.arch}`,
    load: Number(loadavg()[1].toFixed(1)),
    benches: Object.fromEntries(Object.entries(benches).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
  console.log('\nbench/results.json written; `npm run rewrite` brings the documents up to date.');
}
if (failed) process.exitCode = 1;
