/** A hunt for a terminal: what came of it, then each finding with what it takes to see it again. */
import type { Finding, HuntReport } from '../run/api.ts';
import { count, digits, seconds } from './figures.ts';
import { cut, plainStyle, type Style, wrap } from './style.ts';

/** Of a counterexample. */
const linesMax = 30;

export function isCutShort({ ended }: HuntReport): boolean {
  return ended === 'interrupt' || ended === 'time';
}

/** `files` are those of the findings, where there are any. */
export function renderHunt(
  report: HuntReport,
  files: readonly (string | undefined)[] = [],
  style: Style = plainStyle,
): string {
  const { seedsDone, violatedCount, unknownCount, wallSeconds, simulatedSeconds } = report;
  const speed = wallSeconds > 0 ? (seedsDone / wallSeconds) * 60 : 0;
  const lines = [
    `${style.strong(report.design)} ${style.dim(
      `hunt · ${count(seedsDone)} seeds · ${seconds(simulatedSeconds)} simulated in ${seconds(wallSeconds)} · ${digits(speed)} seeds a minute`,
    )}`,
  ];
  if (violatedCount > 0) lines.push(style.bad(`VIOLATED by ${count(violatedCount)} seeds`));
  else if (unknownCount > 0) lines.push(style.doubt('UNKNOWN: nothing broke, as far as is known'));
  else lines.push(soundLine(report, style));
  if (isCutShort(report)) lines.push(cutLine(report));
  if (unknownCount > 0) lines.push(`${count(unknownCount)} seeds without a verdict`);
  for (const [index, finding] of report.findings.entries()) {
    lines.push('', ...findingLines(finding, files[index], style));
  }
  return lines.join('\n');
}

/** No seed broke anything, and each was decided. */
function soundLine({ ended, seedsDone }: HuntReport, style: Style): string {
  if (ended === 'interrupt' || seedsDone === 0) {
    return style.doubt('UNKNOWN: no seed broke anything, but the hunt did not come to its end');
  }
  if (ended === 'time') return style.good('NOTHING BROKE in the time that there was');
  return style.good('HOLDS: no seed broke anything');
}

function cutLine({ ended, seedsDone, seedCount }: HuntReport): string {
  const why = ended === 'time' ? 'the minutes were over' : 'it was interrupted';
  return `Stopped after ${count(seedsDone)} of ${count(seedCount)} seeds: ${why}`;
}

/** How far the schedule of a finding was shrunk, before it is listed. */
function shrunkText({ faults, faultCountBefore, isShrunk }: Finding): string {
  const left = faults.length;
  if (left === 0) return 'No fault is needed';
  const drawn =
    left === faultCountBefore ? `${left} faults` : `${left} of ${faultCountBefore} faults`;
  if (!isShrunk) return `${drawn}, not shrunk to the end: fewer may do:`;
  return left === faultCountBefore ? `${drawn}, and none can go:` : `${drawn} are enough:`;
}

function findingLines(finding: Finding, file: string | undefined, style: Style): string[] {
  const { seed, invariant, detail, faults, counterexample } = finding;
  const hidden = counterexample.length - linesMax;
  return [
    style.strong(`Seed ${seed} breaks ${invariant}`),
    ...wrap(detail, 98)
      .split('\n')
      .map((line) => `  ${line}`),
    `  ${shrunkText(finding)}`,
    ...faults.map((fault) => `    ${fault}`),
    ...(counterexample.length > 0 ? ['  Smallest history that shows it:'] : []),
    ...counterexample.slice(0, linesMax).map((line) => `    ${cut(line, 96)}`),
    ...(hidden > 0 ? [`    … and ${hidden} more lines (--json has them all)`] : []),
    ...(file === undefined ? [] : [`  Replay: loadpath replay ${file}`]),
  ];
}
