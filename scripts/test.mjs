/**
 * The whole gate, the same here and in CI: lint and format, types, build, tests. Arguments go to
 * Vitest: `npm test -- src/parts`. The last line is `N passed, N failed`, counting every test and
 * each of the other steps once.
 *
 * What is slow takes turns by the day (see test/turns.ts); `npm test -- --all` takes everything.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { haveBrowser, noBrowser } from './browser.mjs';
import { buildIfChanged } from './build.mjs';
import { locked, root, runNode } from './machine.mjs';
import { haveProxies, noProxies } from './proxies.mjs';

const failures = [];
let passedCount = 0;

function note(name, passed, output = '') {
  if (passed) {
    passedCount++;
    console.log(`${name}: ok`);
  } else {
    failures.push(name);
    console.log(`${name}: FAILED`);
    if (output) console.log(output.trimEnd());
  }
}

const bin = (...path) => join(root, 'node_modules', ...path);

const tsc = (...args) =>
  runNode([bin('typescript', 'bin', 'tsc'), '--noEmit', ...args], { quiet: true });

// Two cores: linter and build are done about when the type checker is. The page is checked against
// the declarations that the build wrote.
const [types, { lint, isBuilt, page }] = await Promise.all([
  tsc(),
  (async () => ({
    lint: await runNode(
      [bin('@biomejs', 'biome', 'bin', 'biome'), 'check', '--error-on-warnings', '.'],
      { quiet: true },
    ),
    isBuilt: await locked(buildIfChanged),
    page: await tsc('-p', 'studio'),
  }))(),
]);
note('lint', lint.code === 0, lint.output);
note('types', types.code === 0, types.output);
note('build', isBuilt);
note('types of the page', page.code === 0, page.output);

const isAll = process.argv.includes('--all');
const args = process.argv.slice(2).filter((arg) => arg !== '--all');
// Who names tests on the command line may have no use for a browser or a proxy.
if (args.length === 0) {
  note('browser', (await haveBrowser()) !== undefined, noBrowser);
  const { nginx, haproxy } = await haveProxies();
  note('proxies', nginx !== undefined && haproxy !== undefined, noProxies);
}

/** As many as test/turns.ts has. */
const turnCount = 6;
const today = Math.floor(Date.now() / 86_400_000);
const turn = isAll || args.length > 0 ? undefined : today % turnCount;

await runTests(args);
if (turn !== undefined) {
  console.log(
    `\nOf what is slow a part was tested, turn ${turn + 1} of ${turnCount}: \`npm test -- --all\` takes everything.`,
  );
}

if (failures.length > 0) {
  console.log(`\nFailed:\n${failures.map((name) => `  ${name}`).join('\n')}`);
}
console.log(`\n${passedCount} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;

async function runTests(args) {
  if (turn !== undefined) process.env.LOADPATH_TURN = String(turn);
  const folder = mkdtempSync(join(tmpdir(), 'loadpath-test-'));
  try {
    const outcome = join(folder, 'tests.json');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${outcome}`];
    const { code } = await runNode([bin('vitest', 'vitest.mjs'), 'run', ...reporters, ...args]);
    count(readOutcome(outcome), code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readOutcome(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    // Vitest ended before it could report: its exit code and the missing tests say so.
    return { testResults: [] };
  }
}

function count(outcome, code) {
  const failedBefore = failures.length;
  let executedCount = 0;
  for (const file of outcome.testResults) {
    const name = relative(root, file.name);
    for (const test of file.assertionResults) {
      if (test.status === 'passed') passedCount++;
      if (test.status === 'failed') failures.push(`${name} > ${test.fullName.trim()}`);
      if (test.status === 'passed' || test.status === 'failed') executedCount++;
    }
    const failedItself = file.status === 'failed' && !file.assertionResults.some(isFailed);
    if (failedItself) failures.push(`${name}: ${firstLine(file.message) || 'did not load'}`);
  }
  if (executedCount === 0) failures.push('tests: none was executed');
  if (code !== 0 && failures.length === failedBefore) {
    failures.push(`tests: Vitest ended with exit code ${code}, see above`);
  }
}

function isFailed(test) {
  return test.status === 'failed';
}

function firstLine(text) {
  return (text ?? '').trim().split('\n')[0];
}
