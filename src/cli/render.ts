/**
 * A report for a terminal: the verdict first, then what it rests on, then where the time went.
 * At most 100 columns, and readable without colour.
 */
import type { RunEvent } from '../host/events.ts';
import { faultSpansOf } from '../run/fault-spans.ts';
import {
  type InvariantResult,
  type ObjectiveResult,
  outcomeOf,
  type Report,
} from '../run/report.ts';
import type { Estimate, Summary } from '../run/summary.ts';
import { bars, type Fold, fold, lanes, type Span } from './chart.ts';
import { clock, count, digits, ms, percent, perSec, seconds } from './figures.ts';
import { cut, plainStyle, type Style, table, wrap } from './style.ts';

export const columnsMax = 100;

export function renderReport(report: Report, style: Style = plainStyle): string {
  return join([
    [headline(report, style), verdictLine(report, style)],
    section('Objectives', objectiveLines(report.objectives, style), style),
    section(
      'Invariants',
      report.invariants.flatMap((it) => invariantLines(it, style)),
      style,
    ),
    section('Requests', requestLines(report), style),
    section('Latency', latencyLines(report), style),
    section('Errors', errorLines(report), style),
    section('Blocks', blockLines(report), style),
    section('Timeline', timelineLines(report), style),
    section('Notes', noteLines(report.notes), style),
  ]);
}

function join(sections: readonly (readonly string[])[]): string {
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function section(title: string, lines: readonly string[], style: Style): string[] {
  if (lines.length === 0) return [];
  return [style.strong(title), ...lines.map((line) => `  ${line}`.trimEnd())];
}

function headline(report: Report, style: Style): string {
  const { design, world, seed, digest, simulatedSeconds, wallSeconds } = report;
  const took =
    world === 'simulated'
      ? `${seconds(simulatedSeconds)} simulated in ${seconds(wallSeconds)}`
      : `${seconds(simulatedSeconds)} of load`;
  const facts = [
    ...(world === 'load' ? [] : [world]),
    took,
    `seed ${seed}`,
    ...(digest === null ? [] : [`digest ${digest}`]),
  ];
  const text = facts.join(' · ');
  const gap = design.length + 1 + text.length > columnsMax ? '\n' : ' ';
  return `${style.strong(cut(design, columnsMax))}${gap}${style.dim(text)}`;
}

function verdictLine(report: Report, style: Style): string {
  const outcome = outcomeOf(report);
  const promised = report.objectives.length + report.invariants.length;
  if (outcome === 'holds') {
    return style.good(`HOLDS: ${promised === 1 ? 'its one promise' : `all ${promised} promises`}`);
  }
  const broken = [
    ...report.objectives.filter((it) => !it.holds).map((it) => it.name),
    ...report.invariants.filter((it) => it.verdict === 'violated').map((it) => it.name),
  ];
  if (outcome === 'violated') return style.bad(wrap(`VIOLATED: ${broken.join(', ')}`, columnsMax));
  const unknown = report.invariants.filter((it) => it.verdict === 'unknown').map((it) => it.name);
  return style.doubt(wrap(`UNKNOWN: could not decide ${unknown.join(', ')}`, columnsMax));
}

const words = { holds: 'holds', violated: 'VIOLATED', unknown: 'unknown' } as const;

function mark(verdict: keyof typeof words, style: Style): string {
  const paint = { holds: style.good, violated: style.bad, unknown: style.doubt }[verdict];
  return paint(words[verdict]);
}

function objectiveLines(objectives: readonly ObjectiveResult[], style: Style): string[] {
  return table(
    objectives.map((objective) => [
      mark(objective.holds ? 'holds' : 'violated', style),
      objective.name,
      // No latency is ever zero: nothing was completed, so there is none.
      objective.unit === 'ms' && objective.measured === 0
        ? 'none'
        : amount(objective.measured, objective.unit),
      `${objective.unit === 'ms' ? 'at most' : 'at least'} ${amount(objective.target, objective.unit)}`,
    ]),
    [false, false, true],
  );
}

function amount(value: number, unit: string): string {
  if (unit === 'ms') return ms(value);
  return unit === 'ratio' ? percent(value) : perSec(value);
}

const counterexampleLinesMax = 30;

function invariantLines(invariant: InvariantResult, style: Style): string[] {
  const { name, verdict, detail, counterexample = [] } = invariant;
  const space = ' '.repeat(10 - words[verdict].length);
  const text = wrap(`${name}: ${detail}`, columnsMax - 14, '');
  const [first, ...rest] = text.split('\n');
  const shown = counterexample.slice(0, counterexampleLinesMax);
  const hidden = counterexample.length - shown.length;
  return [
    `${mark(verdict, style)}${space}${first}`,
    ...rest.map((line) => `          ${line}`),
    ...shown.map((line) => `            ${cut(line, columnsMax - 16)}`),
    ...(hidden > 0 ? [`            … and ${hidden} more lines (--json has them all)`] : []),
  ];
}

function requestLines(report: Report): string[] {
  const { generated, completed, rejected, failed, inFlight } = report;
  return [
    `${count(generated)} generated = ${count(completed)} completed + ${count(rejected)} rejected` +
      ` + ${count(failed)} failed + ${count(inFlight)} in flight`,
    `${perSec(report.throughputPerSec)} served, ${percent(report.availability)} available`,
  ];
}

function latencyLines({ latencyMs, completed }: Report): string[] {
  if (completed === 0) return ['nothing was completed'];
  const { p50, p90, p99, p999, max, mean } = latencyMs;
  const pairs = [
    ['p50', p50],
    ['p90', p90],
    ['p99', p99],
    ['p99.9', p999],
    ['max', max],
    ['mean', mean],
  ] as const;
  return [pairs.map(([name, value]) => `${name} ${ms(value)}`).join('   ')];
}

const reasonsMax = 12;

function errorLines({ errors }: Report): string[] {
  const reasons = Object.entries(errors);
  const shown = reasons.slice(0, reasonsMax).map(([reason, times]) => [count(times), reason]);
  const lines = table(shown, [true]).map((line) => cut(line, columnsMax - 2));
  const hidden = reasons.length - shown.length;
  return hidden > 0 ? [...lines, `… and ${hidden} more reasons`] : lines;
}

function blockLines(report: Report): string[] {
  const blocks = Object.entries(report.blocks);
  if (blocks.length === 0) return [];
  const rows = blocks.map(([name, block]) => [
    cut(name, 20),
    cut(block.kind, 12),
    String(block.nodes.length),
    perSec(block.requestsPerSec),
    percent(block.utilisation),
    count(block.queueMax),
    ms(block.p99Ms),
    count(block.errors),
  ]);
  const head = ['block', 'kind', 'nodes', 'requests', 'busy', 'queue', 'p99', 'errors'];
  const lines = table([head, ...rows], [false, false, true, true, true, true, true, true]);
  return lines.flatMap((line, index) => {
    const block = index === 0 ? undefined : blocks[index - 1]![1];
    const more = block ? meterText(block.meters) : '';
    if (more === '') return [line];
    const room = columnsMax - 4 - line.length;
    // Beside the row when it fits; else under it, so that the columns stay readable.
    return more.length <= room
      ? [`${line}  ${more}`]
      : [
          line,
          ...wrap(more, columnsMax - 8)
            .split('\n')
            .map((text) => `    ${text}`),
        ];
  });
}

function meterText(meters: Readonly<Record<string, number>>): string {
  return Object.entries(meters)
    .filter(([, value]) => value !== 0)
    .map(([name, value]) => `${name} ${digits(value)}`)
    .join(', ');
}

const labelWidth = 20;

function timelineLines(report: Report): string[] {
  const { series } = report;
  const length = series.at.length;
  if (length < 2) return [];
  const columns = Math.min(columnsMax - labelWidth - 3, length);
  // A short run is drawn wider: a second may take several columns.
  const widen = Math.max(1, Math.floor((columnsMax - labelWidth - 3) / length));
  const width = columns * widen;
  const end = clock(length);
  const scale = widen > 1 ? `${widen} columns = 1 s` : `1 column = ${digits(length / columns)} s`;
  const strips = [
    ...strip('completed', series.throughput, columns, 2, 'mean', perSec),
    ...strip('p99', series.p99Ms, columns, 2, 'max', ms),
    ...strip('errors a second', series.errors, columns, 1, 'max', count),
  ];
  return [
    ...strips.map(({ label, bars: row }) => `${label} ${widened(row, widen)}`),
    ...faultLines(report.events, length, width),
    `${scale.padEnd(labelWidth)} 0:00${end.padStart(Math.max(end.length + 1, width - 4))}`,
  ].map((line) => line.trimEnd());
}

function widened(row: string, times: number): string {
  return [...row].map((mark) => mark.repeat(times)).join('');
}

interface StripRow {
  readonly label: string;
  readonly bars: string;
}

function strip(
  name: string,
  values: readonly number[],
  columns: number,
  rows: number,
  how: Fold,
  format: (value: number) => string,
): StripRow[] {
  const folded = fold(values, columns, how);
  const top = folded.reduce((max, value) => Math.max(max, value), 0);
  const text = top === 0 ? '0' : format(top);
  const label = name.padEnd(labelWidth - text.length) + text;
  if (top === 0) return [{ label, bars: '·'.repeat(folded.length) }];
  return bars(folded, top, rows).map((row, index) => ({
    label: index === 0 ? label : ' '.repeat(labelWidth),
    bars: row,
  }));
}

const faultsShownMax = 12;
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

function faultLines(events: readonly RunEvent[], length: number, columns: number): string[] {
  const spans = faultSpans(events);
  if (spans.length === 0) return [];
  const shown = spans.slice(0, faultsShownMax);
  const marked = shown.map((span, i) => ({ ...span, label: letters[i % letters.length]! }));
  const legend = shown.map(
    (span, i) =>
      `${' '.repeat(labelWidth - 2)}${letters[i]} ${cut(
        `${timeText(span)} ${span.label}`,
        columnsMax - labelWidth - 3,
      )}`,
  );
  const hidden = spans.length - shown.length;
  return [
    ...lanes(marked, length, columns, 6).map(
      (lane, i) => `${(i === 0 ? 'faults' : '').padEnd(labelWidth)} ${lane}`,
    ),
    ...legend,
    ...(hidden > 0 ? [`${' '.repeat(labelWidth)} … and ${hidden} more faults`] : []),
  ];
}

function timeText(span: Span): string {
  return span.to === undefined ? `${clock(span.from)}-` : `${clock(span.from)}-${clock(span.to)}`;
}

/** What ends only in the heal has no end here. */
export function faultSpans(events: readonly RunEvent[]): Span[] {
  return faultSpansOf(events).map(({ text, fromUs, untilUs }) => ({
    label: text,
    from: fromUs / 1e6,
    to: untilUs === undefined ? undefined : untilUs / 1e6,
  }));
}

function noteLines(notes: readonly string[]): string[] {
  return notes.flatMap((note) => wrap(`- ${note}`, columnsMax - 2, '  ').split('\n'));
}

// Several runs as one -----------------------------------------------------------------------------

export function renderSummary(summary: Summary, style: Style = plainStyle): string {
  const { seeds, latencyMs } = summary;
  const figure = (name: string, value: Estimate, format: (value: number) => string) => [
    name,
    format(value.mean),
    value.plusMinus === null ? '' : `± ${format(value.plusMinus)}`,
    `${format(value.min)} … ${format(value.max)}`,
  ];
  const figures = table(
    [
      ['', 'mean', '95 %', 'range'],
      figure('throughput', summary.throughputPerSec, perSec),
      figure('available', summary.availability, percent),
      figure('p50', latencyMs.p50, ms),
      figure('p90', latencyMs.p90, ms),
      figure('p99', latencyMs.p99, ms),
      figure('p99.9', latencyMs.p999, ms),
      figure('mean', latencyMs.mean, ms),
    ],
    [false, true, false, false],
  );
  const range = `${seeds[0]} … ${seeds[seeds.length - 1]}`;
  const took = `${seconds(summary.simulatedSeconds)} in ${seconds(summary.wallSeconds)}`;
  const broken =
    summary.objectives.some((it) => it.brokenSeeds.length > 0) ||
    summary.invariants.some((it) => it.violatedSeeds.length > 0);
  const unknown = summary.invariants.some((it) => it.unknownSeeds.length > 0);
  const verdict = broken
    ? style.bad('VIOLATED in some of the runs')
    : unknown
      ? style.doubt('UNKNOWN in some of the runs')
      : style.good(`HOLDS in all ${seeds.length} runs`);
  return join([
    [
      `${style.strong(summary.design)} ${style.dim(`${summary.world} · ${seeds.length} runs, seeds ${range} · ${took}`)}`,
      verdict,
    ],
    section('Figures', figures, style),
    section('Objectives', summaryObjectives(summary, style), style),
    section('Invariants', summaryInvariants(summary, style), style),
  ]);
}

function summaryObjectives(summary: Summary, style: Style): string[] {
  return table(
    summary.objectives.map((objective) => [
      mark(objective.brokenSeeds.length > 0 ? 'violated' : 'holds', style),
      objective.name,
      amount(objective.measured.mean, objective.unit),
      `${objective.unit === 'ms' ? 'at most' : 'at least'} ${amount(objective.target, objective.unit)}`,
      seedText('broken by seed', objective.brokenSeeds),
    ]),
    [false, false, true],
  );
}

function summaryInvariants(summary: Summary, style: Style): string[] {
  return summary.invariants.map((invariant) => {
    const { violatedSeeds, unknownSeeds } = invariant;
    const verdict =
      violatedSeeds.length > 0 ? 'violated' : unknownSeeds.length > 0 ? 'unknown' : 'holds';
    const space = ' '.repeat(10 - words[verdict].length);
    const more = [
      seedText('violated by seed', violatedSeeds),
      seedText('unknown with seed', unknownSeeds),
    ].filter((text) => text !== '');
    return `${mark(verdict, style)}${space}${[invariant.name, ...more].join('  ')}`;
  });
}

function seedText(what: string, seeds: readonly number[]): string {
  if (seeds.length === 0) return '';
  const shown = seeds.slice(0, 8).join(', ');
  return `${what} ${shown}${seeds.length > 8 ? ` and ${seeds.length - 8} more` : ''}`;
}
