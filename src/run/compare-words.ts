/** A comparison in sentences that contain the measured figures, the most important first. */
import type { ComparedPromise, ComparedRow, Comparison, Side } from './compare.ts';
import type { Estimate } from './summary.ts';

/** Blocks have many figures: these many of them, by how far they moved. */
const blockSentencesMax = 6;
/** They move with the percentiles around them. */
const inTableOnly = ['p90', 'mean'];
/** Who is busy for less than this share idles, and idling a little more or less is no news. */
const idleShare = 0.01;
const faultsNamedMax = 3;

export function sentencesOf(
  comparison: Omit<Comparison, 'cautions' | 'sentences'>,
  isSameRun: boolean,
): readonly string[] {
  const { a, b, evidence, rows, promises } = comparison;
  const changes = b.changes.filter((change) => !a.changes.includes(change));
  const undone = a.changes.filter((change) => !b.changes.includes(change));
  // What was set is told in its own words.
  const isSet = changes.length + undone.length > 0;
  const moved = rows.filter(({ difference }) => isMove(difference)).filter(isNews);
  const whole = moved.filter(({ block, what }) => block === null && !inTableOnly.includes(what));
  const ofBlocks = moved
    .filter(({ block, what }) => block !== null && !(isSet && what === 'nodes'))
    .sort((one, other) => extent(other) - extent(one))
    .slice(0, blockSentencesMax);
  const told = [
    ...promises.flatMap(promiseSentence),
    ...[...whole, ...ofBlocks].map((row) => rowSentence(row)),
  ];
  const set = changes.map((change) => `The second ran with ${change}.`);
  const unset = undone.map((change) => `The first ran with ${change}.`);
  const done = [...unset, ...set, ...faultSentences(a.faults, b.faults)];
  if (isSameRun) return [...done, 'Both are the same run, event by event.'];
  const base = evidenceSentence(evidence, a.seeds.length, b.seeds.length);
  const nothing = evidence === 'one seed' ? 'Nothing differs by more than 5 %.' : noClaim;
  return [...done, ...(told.length > 0 ? told : [nothing]), base];
}

const noClaim = 'Nothing differs by more than chance explains.';

function evidenceSentence(evidence: Comparison['evidence'], a: number, b: number): string {
  switch (evidence) {
    case 'one seed':
      return a === 1 && b === 1
        ? 'One seed each: differences beyond 5 % are named, and other seeds may show others.'
        : 'One side is a single seed: differences beyond 5 % are named, and other seeds may show others.';
    case 'same seeds':
      return `Over the same ${a} seeds: what is named is beyond chance, with 95 % confidence each.`;
    case 'other seeds':
      return `Over ${a} and ${b} seeds: what is named is beyond chance, with 95 % confidence each.`;
  }
}

/** What went wrong in one of them only: that is why most else differs. */
function faultSentences(a: Side['faults'], b: Side['faults']): string[] {
  if (a === null || b === null) return [];
  const only = (which: string, ours: readonly string[], theirs: readonly string[]): string[] => {
    const own = ours.filter((fault) => !theirs.includes(fault));
    if (own.length === 0) return [];
    const more = own.length - faultsNamedMax;
    const rest = more > 0 ? [`${more} more ${more === 1 ? 'fault' : 'faults'}`] : [];
    const named = [...own.slice(0, faultsNamedMax), ...rest];
    return [`Only the ${which} had ${named.join(', ')}.`];
  };
  return [...only('first', a, b), ...only('second', b, a)];
}

function isNews({ what, a, b }: ComparedRow): boolean {
  return what !== 'utilisation' || Math.max(a.mean, b.mean) >= idleShare;
}

function isMove(difference: ComparedRow['difference']): boolean {
  return difference !== 'same' && difference !== 'unclear';
}

/** How far it moved, up and down alike: to double is as far as to halve. */
function extent({ ratio, a, b }: ComparedRow): number {
  if (ratio === null || ratio === 0) return a.mean === b.mean ? 0 : Number.POSITIVE_INFINITY;
  return Math.abs(Math.log(ratio));
}

function rowSentence(row: ComparedRow): string {
  const { block, what, unit, a, b, ratio } = row;
  const subject = block === null ? figureName(what) : `${block}: ${figureName(what)}`;
  if (block !== null && ratio !== null && what === 'requests a node') {
    return `${block}: ${short(ratio)}x the requests a node (${pair(a, b, unit)})`;
  }
  const verb = b.mean > a.mean ? 'rose' : 'fell';
  return `${subject} ${verb} from ${pair(a, b, unit, ' to ')}${changeText(row)}`;
}

function changeText({ unit, ratio, change, a }: ComparedRow): string {
  // Shares are told in percent already: a percentage of them would be taken for points.
  if (ratio === null || unit === 'ratio') return '';
  const percent = (ratio - 1) * 100;
  const text = ratio >= 3 ? `${short(ratio)}x` : signed(percent);
  if (change === null || ratio >= 3) return ` (${text})`;
  const half = ((change.to - change.from) / 2 / Math.abs(a.mean)) * 100;
  return half < 0.05 ? ` (${text})` : ` (${text} ±${short(half, 2)})`;
}

function signed(percent: number): string {
  const text = short(percent, Math.abs(percent) < 10 ? 2 : 3);
  return `${percent > 0 ? '+' : ''}${Math.abs(percent) >= 10 ? Math.round(percent) : text} %`;
}

/** `48 to 31 ms`: the unit once. */
function pair(a: Estimate, b: Estimate, unit: ComparedRow['unit'], between = ' → '): string {
  if (unit === 'ratio') return `${percentText(a.mean)}${between}${percentText(b.mean)}`;
  const text = `${short(a.mean)}${between}${short(b.mean)}`;
  return unit === 'count' ? text : unit === 'ms' ? `${text} ms` : `${text}/s`;
}

function promiseSentence({ name, a, b, measured }: ComparedPromise): string[] {
  if (a === b || a === 'absent' || b === 'absent') return [];
  const figures =
    measured === null
      ? ''
      : `: ${pair(point(measured.a), point(measured.b), unitOf(measured.unit))}`;
  if (b === 'broken') return [`${name} is broken now${figures}`];
  if (a === 'broken') return [`${name} is ${b === 'kept' ? 'kept' : 'undecided'} now${figures}`];
  return [
    `${name} was ${a === 'kept' ? 'kept' : 'undecided'} and is ${b === 'kept' ? 'kept' : 'undecided'} now`,
  ];
}

/** `p99 at most 40 ms`. */
export function objectiveName({
  name,
  unit,
  target,
}: {
  readonly name: string;
  readonly unit: string;
  readonly target: number;
}): string {
  const figure = figureName(name);
  if (unit === 'ms') return `${figure} at most ${target} ms`;
  return `${figure} at least ${unit === 'ratio' ? percentText(target) : `${target}/s`}`;
}

/** As people write it. */
function figureName(name: string): string {
  return name === 'p999' ? 'p99.9' : name;
}

function point(mean: number): Estimate {
  return { mean, plusMinus: null, min: mean, max: mean };
}

function unitOf(unit: string): ComparedRow['unit'] {
  return unit === 'ms' || unit === '/s' || unit === 'ratio' ? unit : 'count';
}

/** Nearly everything and everything stay apart: 99.95 %, 100 %; and little from less: 0.12 %. */
function percentText(ratio: number): string {
  const percent = ratio * 100;
  if (percent < 1) return `${short(percent, 2)} %`;
  const missing = 100 - percent;
  const decimals = missing > 0 && missing < 1 ? 3 : 1;
  return `${Number(percent.toFixed(decimals))} %`;
}

function short(value: number, digits = 3): string {
  if (Math.abs(value) >= 1_000) return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
  return String(Number(value.toPrecision(digits)));
}
