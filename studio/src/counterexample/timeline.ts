/**
 * The operations of a counterexample on an axis of time that leaves out what is empty: operations
 * last milliseconds and may lie seconds apart, so long gaps are shortened and said. Pure.
 */
import type { Evidence, EvidenceOperation } from 'loadpath/studio';
import { durationText } from '../parts/format.ts';

export interface Bar {
  readonly operation: EvidenceOperation;
  /** `put 2`; with letters for values that are too long to be told apart: `put A`. */
  readonly what: string;
  /** Index in the evidence. */
  readonly index: number;
  /** From the top; a client has as many rows as it has operations at once. */
  readonly row: number;
  /** 0 to 1 on the axis. */
  readonly from: number;
  readonly to: number;
  /** Nobody learned of an end: it may have happened at any time after. */
  readonly isOpen: boolean;
  readonly isCulprit: boolean;
  /** Its place in the order found, from 1; null: it is not in it. */
  readonly place: number | null;
}

export interface Lane {
  readonly client: string;
  readonly row: number;
  readonly rowCount: number;
}

export interface Break {
  readonly at: number;
  /** `2.4 s` */
  readonly text: string;
}

export interface OperationsTimeline {
  readonly bars: readonly Bar[];
  readonly lanes: readonly Lane[];
  readonly rowCount: number;
  /** Where time was left out. */
  readonly breaks: readonly Break[];
  /** Where no explanation is left. */
  readonly culpritAt: number;
  readonly placeOf: (us: number) => number;
  readonly letters: ReadonlyMap<string, string>;
}

export function timelineOf(evidence: Evidence): OperationsTimeline {
  const { operations, culprit, order } = evidence;
  const scale = scaleOf(operations, evidence.at);
  const letters = lettersFor(operations);
  const places = new Map(order.map((index, place) => [index, place + 1]));
  const lanes: Lane[] = [];
  const bars: Bar[] = [];
  let rowCount = 0;
  for (const client of new Set(operations.map((operation) => operation.client))) {
    const own = operations.flatMap((operation, index) =>
      operation.client === client ? [{ operation, index }] : [],
    );
    const rowEnds: number[] = [];
    for (const { operation, index } of own) {
      const isOpen = operation.endedAt === undefined;
      const from = scale.placeOf(operation.invokedAt);
      const to = isOpen ? 1 : Math.max(from + 0.004, scale.placeOf(operation.endedAt!));
      const free = rowEnds.findIndex((end) => end <= from);
      const row = free === -1 ? rowEnds.length : free;
      rowEnds[row] = to;
      bars.push({
        operation,
        what: shortWhat(operation, letters),
        index,
        row: rowCount + row,
        from,
        to,
        isOpen,
        isCulprit: index === culprit,
        place: places.get(index) ?? null,
      });
    }
    lanes.push({ client, row: rowCount, rowCount: rowEnds.length });
    rowCount += rowEnds.length;
  }
  bars.sort((a, b) => a.index - b.index);
  return {
    bars,
    lanes,
    rowCount,
    breaks: scale.breaks,
    culpritAt: scale.placeOf(evidence.at),
    placeOf: scale.placeOf,
    letters,
  };
}

/** Longer values are cut where they stand, and look alike. */
const valueMax = 12;

/** A letter for each value, in the order in which they are met; none while all are short. */
export function lettersFor(operations: readonly EvidenceOperation[]): ReadonlyMap<string, string> {
  const values = new Set(
    operations.flatMap(({ input, output }) => [input, output].filter((value) => value !== null)),
  );
  if (![...values].some((value) => value.length > valueMax)) return new Map();
  return new Map(
    [...values].map((value, i) => [value, i < 26 ? String.fromCharCode(65 + i) : `V${i + 1}`]),
  );
}

function shortWhat(
  { f, input, output, what }: EvidenceOperation,
  letters: ReadonlyMap<string, string>,
): string {
  if (letters.size === 0 || (input === null && output === null)) return what;
  const asked = input === null ? '' : ` ${letters.get(input) ?? input}`;
  const answered = output === null ? '' : ` = ${letters.get(output) ?? output}`;
  return `${f}${asked}${answered}`;
}

/** A gap beyond so many usual ones says nothing more by being drawn longer. */
const gapMax = 5;

function scaleOf(operations: readonly EvidenceOperation[], at: number) {
  const instants = [
    ...new Set([...operations.flatMap((one) => [one.invokedAt, one.endedAt ?? one.invokedAt]), at]),
  ].sort((a, b) => a - b);
  const gaps = instants.slice(1).map((instant, i) => instant - instants[i]!);
  const usual = [...gaps].sort((a, b) => a - b)[gaps.length >> 1] ?? 1;
  // A room before the first and after the last, where what has no end goes on.
  let length = usual;
  const starts = [length];
  const shortened: { after: number; us: number }[] = [];
  gaps.forEach((gap, i) => {
    const isLong = gap > usual * gapMax;
    if (isLong) shortened.push({ after: i, us: gap });
    length += isLong ? usual * gapMax : Math.max(gap, usual / 3);
    starts.push(length);
  });
  // And room for the words of the last one.
  const whole = Math.max(length + usual * 2, length * 1.25);
  const placeOf = (us: number): number => {
    if (us <= instants[0]!) return us === instants[0] ? starts[0]! / whole : 0;
    let i = 0;
    while (i + 1 < instants.length && instants[i + 1]! <= us) i++;
    if (i + 1 === instants.length) return us === instants[i] ? starts[i]! / whole : 1;
    const share = (us - instants[i]!) / (instants[i + 1]! - instants[i]!);
    return (starts[i]! + share * (starts[i + 1]! - starts[i]!)) / whole;
  };
  const breaks = shortened.map(({ after, us }) => ({
    at: (starts[after]! + starts[after + 1]!) / 2 / whole,
    text: durationText(us),
  }));
  return { placeOf, breaks };
}

/** What one operation was, for who points at it. */
export function operationInWords({ operation, what, place, isCulprit, isOpen }: Bar): string {
  const { client, key, invokedAt, endedAt } = operation;
  const at = (us: number) => `${(us / 1e6).toFixed(4)} s`;
  const about = key === undefined ? '' : ` of ${key}`;
  const when =
    endedAt === undefined ? `asked at ${at(invokedAt)}` : `from ${at(invokedAt)} to ${at(endedAt)}`;
  const how = isCulprit
    ? ': no order explains this one'
    : place === null
      ? ': not needed to explain the others'
      : `: number ${place} in the order found`;
  const unknown =
    isOpen || operation.outcome === 'unknown' ? '. Nobody learned whether it happened' : '';
  return `${client}: ${what}${about}, ${when}${how}${unknown}.`;
}

/** The order in words: what must have happened, and what then cannot be. */
export function orderInWords(
  { order }: Evidence,
  { bars }: Pick<OperationsTimeline, 'bars'>,
): string {
  const steps = order.map((index) => bars[index]?.what ?? '?');
  const culprit = bars.find((bar) => bar.isCulprit);
  const before =
    steps.length === 0
      ? 'No order explains anything before it'
      : `All before it can be explained as ${steps.join(', then ')}`;
  return culprit
    ? `${before}. ${culprit.operation.client} then saw ${culprit.what}.`
    : `${before}.`;
}
