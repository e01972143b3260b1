/**
 * The long hunts: the shortener, which must survive every seed, its quorum variant, which must not,
 * and the planted mistakes, each of which must be found; and malformed requests against a live edge, none of
 * which may get past it. Prints a table and one line of JSON.
 *
 *   npm run prove                      1,000 seeds of the shortener, 200 of each planted mistake
 *   npm run prove -- --seeds 100       fewer of the shortener
 *   npm run prove -- --requests 200000   malformed requests; 100,000 by default, and only these with --seeds 0
 *   npm run prove -- --write           puts the table into docs/hunting.md
 *
 * At the end all labs, in full, each of which must come to its recorded verdict.
 *
 * Exit code 1 when something broke that must hold, held that must break, or more than one seed in a
 * hundred had no verdict.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { root } from './machine.mjs';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    requests: { type: 'string', default: '100000' },
    jobs: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const seeds = Number(values.seeds);
const jobs = values.jobs === undefined ? undefined : Number(values.jobs);
const requests = Number(values.requests);
if (!Number.isInteger(seeds) || seeds < 0) throw new Error('--seeds must be at least 0');
if (!Number.isInteger(requests)) throw new Error('--requests must be a whole number');

const { runner } = await import(pathToFileURL(join(root, 'dist/run/index.js')).href);

const proofs = [];
const failures = [];

function tell(proof, expected) {
  proofs.push(proof);
  const wrong =
    (expected === 'survives' && proof.violated > 0) ||
    (expected === 'breaks' && proof.violated === 0) ||
    proof.unknown > proof.seeds / 100 ||
    (proof.faultsLeft ?? 0) > 5;
  if (wrong) failures.push(proof.what);
  process.stderr.write(`${line(proof)}${wrong ? '  <- not as it must be' : ''}\n`);
}

async function huntFile(what, path, expected, options) {
  const report = await runner.hunt(join(root, path), {
    seedFirst: 1,
    seedCount: seeds,
    ratePerSec: 50,
    forUs: 20_000_000,
    faultsMin: 3,
    findingsMax: 50,
    shrink: true,
    workers: jobs,
    ...options,
  });
  const finding = report.findings[0];
  tell(
    {
      what,
      seeds: report.seedsDone,
      violated: report.violatedCount,
      unknown: report.unknownCount,
      firstSeed: finding?.seed ?? null,
      faultsDrawn: finding?.faultCountBefore ?? null,
      faultsLeft: finding?.faults.length ?? null,
      schedule: finding?.faults ?? [],
      violatedSeeds: report.violatedSeeds,
      seconds: report.wallSeconds,
    },
    expected,
  );
}

/** What is proved is TypeScript beside the tests: bundled with the sources that it is about. */
async function bundled(path) {
  const folder = join(root, '.cache');
  // Each a name of its own: what was imported once under a name is not read again.
  const outfile = join(folder, `${basename(path, '.ts')}-${process.pid}.mjs`);
  mkdirSync(folder, { recursive: true });
  try {
    await build({
      entryPoints: [join(root, path)],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'es2022',
      packages: 'external',
      alias: {
        loadpath: join(root, 'src/index.ts'),
        'loadpath/verify': join(root, 'src/verify/index.ts'),
      },
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(outfile, { force: true });
  }
}

const headings = ['hunted', 'seeds', 'broke', 'unknown', 'first', 'drawn', 'left', 'seconds'];

function cells({ what, seeds, violated, unknown, firstSeed, faultsDrawn, faultsLeft, seconds }) {
  const few = [seeds, violated, unknown, firstSeed ?? '', faultsDrawn ?? '', faultsLeft ?? ''];
  return [what, ...few.map(String), seconds.toFixed(1)];
}

function line(proof) {
  const [what, ...rest] = cells(proof);
  return `${what.padEnd(34)}${rest.map((cell) => cell.padStart(9)).join('')}`;
}

function table() {
  const rows = [headings, headings.map((_, index) => (index === 0 ? '---' : '---:'))];
  return [...rows, ...proofs.map(cells)].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

const heading = headings.map((text, i) => (i === 0 ? text.padEnd(34) : text.padStart(9))).join('');
process.stderr.write(`${heading}\n`);
if (seeds > 0) {
  await huntFile('examples/shortener', 'examples/shortener', 'survives', {});
  await huntFile('examples/shortener/quorum.ts', 'examples/shortener/quorum.ts', 'breaks', {
    seedCount: 100,
  });
  const { prove } = await bundled('test/hunt/prove.ts');
  await prove(200, (proof) => tell(proof, proof.what.endsWith('mended') ? 'survives' : 'breaks'));
}
const { fuzz } = await bundled('test/live/fuzz.ts');
const malformed = requests > 0 ? await fuzz(1, requests) : undefined;
if (malformed) {
  const { cases, read, served, wrong, statuses } = malformed;
  if (wrong.length > 0) failures.push('malformed requests');
  const answers = Object.entries(statuses).map(([status, count]) => `${count} times ${status}`);
  process.stderr.write(
    `${cases} malformed requests: ${read} read, ${served} served; ${answers.join(', ')}\n`,
  );
  for (const text of wrong) process.stderr.write(`  ${text}  <- not as it must be\n`);
}

const { listLabs, runLabs } = await import(pathToFileURL(join(root, 'dist/run/node/labs.js')).href);
await runLabs(
  listLabs(),
  { isFull: true, workers: jobs },
  {
    onEnd: ({ id, record: recorded }, { record, wallSeconds }) => {
      const wrong = record.verdict !== recorded?.verdict;
      if (wrong) failures.push(id);
      process.stderr.write(
        `${id.padEnd(34)}${record.verdict.padStart(12)}${wallSeconds.toFixed(1).padStart(9)}${wrong ? '  <- not as recorded' : ''}\n`,
      );
    },
  },
);

const machine = { node: process.version, cores: availableParallelism(), cpu: cpus()[0]?.model };
if (values.write) {
  const path = join(root, 'docs/hunting.md');
  const about = `Measured on ${machine.cores} cores (${machine.cpu}), Node ${machine.node}.`;
  const between = /<!-- prove -->[\s\S]*<!-- end prove -->/;
  const text = `<!-- prove -->\n\n${table()}\n\n${about}\n\n<!-- end prove -->`;
  writeFileSync(
    path,
    readFileSync(path, 'utf8').replace(between, () => text),
  );
}
process.stdout.write(`${table()}\n${JSON.stringify({ machine, proofs, malformed, failures })}\n`);
process.exitCode = failures.length > 0 ? 1 : 0;
