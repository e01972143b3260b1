/** A report as the list that is read: what is broken first, each in words with its figures. */
import { type Evidence, type ObjectiveResult, outcomeOf, type Report } from 'loadpath/studio';
import { msText, plural, rateText, shareText } from '../parts/format.ts';

export type Standing = 'holds' | 'violated' | 'unknown';

export interface Promised {
  readonly key: string;
  readonly type: 'objective' | 'invariant';
  readonly name: string;
  readonly standing: Standing;
  /** What was measured or judged. */
  readonly detail: string;
  /** What was promised; empty for invariants, whose name says it. */
  readonly target: string;
  /** Measured as a share of the target, for a bar; null where it says nothing. */
  readonly share: number | null;
  /** The smallest history that shows it, one line an operation. */
  readonly counterexample: readonly string[];
  /** The same as data, where a checker gives it. */
  readonly evidence: Evidence | null;
}

const gravity: readonly Standing[] = ['violated', 'unknown', 'holds'];

export function promisesOf(report: Report): readonly Promised[] {
  const objectives = report.objectives.map((objective) => ({
    key: `objective ${objective.name}`,
    type: 'objective' as const,
    name: nameOf(objective),
    standing: objective.holds ? ('holds' as const) : ('violated' as const),
    detail: amountText(objective, objective.measured),
    target: `${isCeiling(objective) ? 'at most' : 'at least'} ${amountText(objective, objective.target)}`,
    // The difference between 99 % and 99.9 % is not one of length.
    share:
      objective.target > 0 && objective.unit !== 'ratio'
        ? objective.measured / objective.target
        : null,
    counterexample: [],
    evidence: null,
  }));
  const invariants = report.invariants.map((invariant) => ({
    key: `invariant ${invariant.name}`,
    type: 'invariant' as const,
    name: invariant.name,
    standing: invariant.verdict,
    detail: invariant.detail,
    target: '',
    share: null,
    counterexample: invariant.counterexample ?? [],
    evidence: invariant.evidence ?? null,
  }));
  return [...objectives, ...invariants].sort(
    (a, b) => gravity.indexOf(a.standing) - gravity.indexOf(b.standing),
  );
}

export interface Headline {
  readonly standing: Standing;
  /** `Broken`, `Holds`, `Undecided`. */
  readonly word: string;
  readonly text: string;
  /** For the top bar: `2 of 6`. */
  readonly short: string;
}

export function headlineOf(report: Report): Headline {
  const promises = promisesOf(report);
  const standing = outcomeOf(report);
  const count = promises.length;
  const of = (which: Standing) => promises.filter((one) => one.standing === which);
  switch (standing) {
    case 'holds':
      return {
        standing,
        word: 'Holds',
        text: count === 1 ? 'The one promise is kept' : `All ${count} promises are kept`,
        short: `${count}/${count}`,
      };
    case 'violated': {
      const broken = of('violated');
      const names = broken.map((one) => one.name).join(', ');
      return {
        standing,
        word: 'Broken',
        text: `${broken.length} of ${plural(count, 'promise')} ${broken.length === 1 ? 'is' : 'are'} broken: ${names}`,
        short: `${broken.length} of ${count}`,
      };
    }
    case 'unknown':
      return {
        standing,
        word: 'Undecided',
        text: `${of('unknown').length} of ${plural(count, 'promise')} could not be decided`,
        short: `${of('unknown').length} of ${count}`,
      };
  }
}

/** How the requests ended, in one sentence. */
export function accountOf(report: Report): string {
  if (report.generated === 0) {
    return `Nobody sent a request in ${report.simulatedSeconds} s: the design has no users, or their rate is too low to meet one.`;
  }
  const parts = [`${plural(report.generated, 'request')} in ${report.simulatedSeconds} s`];
  parts.push(`${plural(report.completed, 'answered', 'answered')}`);
  if (report.failed > 0) parts.push(`${plural(report.failed, 'failed', 'failed')}`);
  if (report.rejected > 0) parts.push(`${plural(report.rejected, 'turned away', 'turned away')}`);
  if (report.inFlight > 0)
    parts.push(`${plural(report.inFlight, 'still under way', 'still under way')}`);
  return `${parts.join(', ')}.`;
}

export interface Figure {
  readonly name: string;
  readonly value: string;
}

export function figuresOf(report: Report): readonly Figure[] {
  const { latencyMs, completed, generated } = report;
  // Where nothing was measured, nought would be a figure.
  const latency = (ms: number) => (completed === 0 ? '–' : msText(ms));
  return [
    { name: 'answered', value: rateText(report.throughputPerSec) },
    { name: 'availability', value: generated === 0 ? '–' : shareText(report.availability) },
    { name: 'p50', value: latency(latencyMs.p50) },
    { name: 'p90', value: latency(latencyMs.p90) },
    { name: 'p99', value: latency(latencyMs.p99) },
    { name: 'p99.9', value: latency(latencyMs.p999) },
  ];
}

function nameOf(objective: ObjectiveResult): string {
  return objective.name === 'p999' ? 'p99.9' : objective.name;
}

function isCeiling(objective: ObjectiveResult): boolean {
  return objective.unit === 'ms';
}

function amountText({ unit }: ObjectiveResult, value: number): string {
  if (unit === 'ms') return msText(value);
  return unit === 'ratio' ? shareText(value) : rateText(value);
}
