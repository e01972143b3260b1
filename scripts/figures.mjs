/**
 * Writes what was measured into the documents, so that no figure is ever typed by hand.
 *
 *   node scripts/figures.mjs           tables from bench/results.json
 *   node scripts/figures.mjs --runs    also runs the simulations whose outcome documents show
 *
 * A document marks the places. A measured block shows what the last command above it gave:
 *
 *   <!-- figures: queue-10000 modelled … -->       table         <!-- /figures -->
 *   <!-- shares -->                                list          <!-- /shares -->
 *   <!-- measured: report | outcome | estimate --> fenced text   <!-- /measured -->
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './machine.mjs';

export const documents = [
  'README.md',
  'ARCHITECTURE.md',
  'docs/studio.md',
  'examples/shortener/README.md',
  'examples/shop/README.md',
  'examples/cdn/README.md',
];

/** `text` with its tables as `results` (bench/results.json) has them. */
export function withFigures(text, results) {
  const all = Object.entries(results.benches).flatMap(([bench, found]) =>
    found.figures.map((figure) => ({ ...figure, bench, node: found.node })),
  );
  const byId = new Map(all.map((figure) => [figure.id, figure]));
  return text
    .replace(
      /(<!-- figures: ([^>]*?) -->)[\s\S]*?(<!-- \/figures -->)/g,
      (_, open, ids, close) => `${open}\n${table(ids.split(/\s+/), byId, results)}\n${close}`,
    )
    .replace(/(<!-- shares -->)[\s\S]*?(<!-- \/shares -->)/g, (_, open, close) => {
      const shares = results.benches['user-code']?.shares ?? [];
      return `${open}\n${sharesText(shares)}\n${close}`;
    });
}

function table(ids, byId, results) {
  const rows = ids.map((id) => {
    const figure = byId.get(id);
    if (!figure) throw new Error(`bench/results.json has no figure ${id}`);
    const { what, unit, value, peer, peerValue, ratio, bench } = figure;
    const beside = peer === undefined ? '' : `${peer}: ${number(peerValue)}`;
    const times = ratio === undefined ? '' : ratio.toLocaleString('en-US');
    return `| ${what.trim()} | ${number(value)} ${unit} | ${beside} | ${times} | \`${bench}\` |`;
  });
  return [
    '| what | measured | beside it, in the same run | times as good | bench |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
    `Medians on ${results.machine}, ${results.platform}.`,
  ].join('\n');
}

function sharesText(shares) {
  return shares
    .filter(({ share }) => share >= 0.03)
    .map(({ area, share }) => `- ${Math.round(share * 100)} % ${area}`)
    .join('\n');
}

function number(value) {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

/** The commands whose outcome `text` shows, with what is shown of it. */
export function measuredBlocks(text) {
  const found = [];
  const pattern = /<!-- measured: (\w+) -->[\s\S]*?<!-- \/measured -->/g;
  for (const match of text.matchAll(pattern)) {
    const above = text.slice(0, match.index);
    const fences = [...above.matchAll(/```sh\n([\s\S]*?)```/g)];
    const lines = fences.at(-1)?.[1].trim().split('\n') ?? [];
    const command = lines.findLast((line) => line.startsWith('npx loadpath '));
    if (!command) throw new Error(`a measured block needs a command above it: ${match[0]}`);
    found.push({ kind: match[1], command, block: match[0] });
  }
  return found;
}

function withRuns(text) {
  let changed = text;
  for (const { kind, command, block } of measuredBlocks(text)) {
    const shown = show(kind, argumentsOf(command));
    const fenced = `\`\`\`text\n${shown.trimEnd()}\n\`\`\``;
    changed = changed.replace(
      block,
      () => `<!-- measured: ${kind} -->\n${fenced}\n<!-- /measured -->`,
    );
  }
  return changed;
}

/** As a shell takes a command apart: blanks separate, single quotes hold together. */
function argumentsOf(command) {
  const words = command.replace(/^npx loadpath /, '').match(/'[^']*'|\S+/g) ?? [];
  return words.map((word) => word.replace(/^'(.*)'$/, '$1'));
}

function run(args) {
  const main = join(root, 'dist', 'cli', 'main.js');
  console.log(`loadpath ${args.join(' ')}`);
  const { stdout, status, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
    maxBuffer: 64 * 2 ** 20,
  });
  if (status !== 0 && status !== 1) throw new Error(`exit code ${status}: ${stderr}`);
  return stdout;
}

function show(kind, args) {
  if (kind === 'outcome') return outcome(JSON.parse(run([...args, '--json'])));
  // How long it took differs from run to run; the rest does not.
  return run(args).replace(/ simulated in [\d.]+ ?m?s/, ' simulated');
}

/** What users saw before, during and after the faults, and what the run says of its promises. */
function outcome(report) {
  const { events, series, simulatedSeconds } = report;
  const faults = events.filter((event) => event.type === 'fault');
  const from = Math.floor(Math.min(...faults.map(({ at }) => at)) / 1e6);
  const until = Math.ceil(
    Math.min(simulatedSeconds, Math.max(...faults.map(({ at }) => at)) / 1e6),
  );
  const rows = [
    ['before', 0, from],
    ['during', from, until],
    ['after', until, series.at.length],
  ].map(([name, start, end]) => {
    const of = (list) => list.slice(start, end);
    const served = sum(of(series.throughput)) / Math.max(1, end - start);
    const p99 = of(series.p99Ms).toSorted((a, b) => a - b);
    return [
      name.padEnd(7),
      `${start}–${end} s`.padEnd(9),
      `${served.toFixed(0)}/s served`.padEnd(15),
      `p99 ${ms(p99[p99.length >> 1])}`.padEnd(13),
      `worst second ${ms(p99.at(-1))}`.padEnd(22),
      `${sum(of(series.errors))} failed`,
    ].join('  ');
  });
  const errors = Object.entries(report.errors).map(([reason, count]) => `${reason}: ${count}`);
  const verdicts = [...report.objectives, ...report.invariants].map((promise) => {
    const holds = promise.holds ?? promise.verdict === 'holds';
    return `${holds ? 'holds   ' : 'VIOLATED'}  ${promise.name}${promise.detail ? `: ${promise.detail}` : `: ${shown(promise)}`}`;
  });
  const errorLine = errors.length > 0 ? [`errors: ${errors.join(', ')}`] : [];
  return [...rows, ...errorLine, '', ...verdicts].join('\n');
}

function shown({ name, measured, target }) {
  if (name === 'availability') {
    return `${(measured * 100).toFixed(3)} %, promised ${target * 100} %`;
  }
  return `${measured.toPrecision(3)} ms, promised ${target} ms`;
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}

function ms(value) {
  return value === undefined ? '–' : `${value.toPrecision(3)} ms`;
}

if (process.argv[1] === join(root, 'scripts', 'figures.mjs')) {
  const results = JSON.parse(readFileSync(join(root, 'bench', 'results.json'), 'utf8'));
  const isRunning = process.argv.includes('--runs');
  for (const name of documents) {
    const path = join(root, name);
    const before = readFileSync(path, 'utf8');
    const text = withFigures(isRunning ? withRuns(before) : before, results);
    if (text !== before) writeFileSync(path, text);
  }
}
