/**
 * A counterexample for a terminal. Time runs to the right, each event has a column of its own (so
 * that what is a microsecond apart can be told apart), and a bar without an end may still take
 * effect:
 *
 *   key 'a': get by ann returned 1, though put 2 by bob had come after it and returned (kv)
 *
 *     eve  put 1    ├──┤              1.000 … 2.000 ms
 *     bob  put 2          ├──┤        3.000 … 4.000 ms
 *     ann  get = 1              ├──┤  5.000 … 6.000 ms  ◀ here
 */
import { excerptOf } from './excerpt.ts';
import { isList, showValue } from './values.ts';
import { type Counterexample, countOf, type TimedOperation } from './verdict.ts';

export interface PrintOptions {
  /** Times since the start. Default true; false for a history that had none. */
  readonly timed?: boolean;
  /** The width of the time line in characters. Default 48. */
  readonly width?: number;
}

export function printCounterexample(
  counterexample: Counterexample,
  options: PrintOptions = {},
): string {
  const excerpt = excerptOf(counterexample);
  const { operations, culprit, leftOut } = excerpt;
  const timed = options.timed ?? true;
  const bars = barsOf(operations, options.width ?? 48);
  const clients = operations.map((operation) => operation.client);
  const texts = operations.map(describeOperation);
  const clientWidth = Math.max(...clients.map((client) => client.length));
  const textWidth = Math.max(...texts.map((text) => text.length));
  const barWidth = Math.max(...bars.map((bar) => bar.length));
  const lines = operations.map((operation, i) => {
    const when = timed ? `  ${timesOf(operation)}` : '';
    const mark = i === culprit ? '  ◀ here' : '';
    return `  ${clients[i]!.padEnd(clientWidth)}  ${texts[i]!.padEnd(textWidth)}  ${bars[i]!.padEnd(barWidth)}${when}${mark}`.trimEnd();
  });
  // An order of a part of them would explain nothing.
  const more =
    leftOut > 0
      ? ['', `  ${countOf(leftOut, 'more operation')} not shown.`]
      : orderLine(excerpt, texts);
  const key = counterexample.key === undefined ? '' : `key '${counterexample.key}': `;
  return [`${key}${counterexample.reason} (${counterexample.model})`, '', ...lines, ...more].join(
    '\n',
  );
}

/** `put 2`, `get = 1`, `cas 1 → 2`, `get = ?` while nobody knows. */
export function describeOperation(operation: TimedOperation): string {
  const { f, input, output, outcome } = operation;
  const unknown = outcome === 'unknown' ? ' = ?' : '';
  if (f === 'cas' && isList(input)) {
    const failed = output === false ? ' = false' : '';
    return `${f} ${showValue(input[0])} → ${showValue(input[1])}${failed}${unknown}`;
  }
  const asked = input === null ? '' : ` ${showValue(input)}`;
  const answers = f === 'get' || f === 'read' || f === 'next' || f === 'claim';
  const answered = answers && outcome === 'ok' ? ` = ${showValue(output)}` : unknown;
  return `${f}${asked}${answered}`;
}

/** Milliseconds to the microsecond: what went wrong mostly happened within one. */
function timesOf(operation: TimedOperation): string {
  const ms = (at: number): string => (at / 1_000).toFixed(3);
  const end = operation.endedAt === undefined ? '' : ` ${ms(operation.endedAt)}`;
  return `${ms(operation.invokedAt)} …${end} ms`;
}

function barsOf(operations: readonly TimedOperation[], width: number): string[] {
  const events: { readonly at: number; readonly end: boolean; readonly operation: number }[] = [];
  for (const [i, operation] of operations.entries()) {
    events.push({ at: operation.invokedAt, end: false, operation: i });
    if (operation.outcome === 'ok' && operation.endedAt !== undefined) {
      events.push({ at: operation.endedAt, end: true, operation: i });
    }
  }
  // At one instant a return stands before a call: what a session did next came after.
  events.sort((a, b) => a.at - b.at || Number(b.end) - Number(a.end) || a.operation - b.operation);
  const step = Math.min(3, Math.max(1, width / events.length));
  const starts = operations.map(() => 0);
  const ends = operations.map(() => -1);
  for (const [rank, event] of events.entries()) {
    const column = Math.round(rank * step);
    if (event.end) ends[event.operation] = column;
    else starts[event.operation] = column;
  }
  const last = Math.round(events.length * step);
  return operations.map((_, i) => {
    const start = starts[i]!;
    const end = ends[i]!;
    const before = ' '.repeat(start);
    if (end >= 0) return `${before}├${'─'.repeat(Math.max(0, end - start - 1))}┤`;
    return `${before}├${'─'.repeat(Math.max(0, last - start - 1))}╌`;
  });
}

function orderLine(counterexample: Counterexample, texts: readonly string[]): string[] {
  const { order, operations } = counterexample;
  if (order.length === 0) return [];
  const steps = order.map((i) => `${texts[i]!} (${operations[i]!.client})`);
  return ['', `  The longest order that works: ${steps.join(', ')}; then nothing fits.`];
}
