/**
 * Histories recorded elsewhere, read from text (who reads the file is not our business):
 *
 *   {:process 0, :type :invoke, :f :read, :value nil, :time 123}     Jepsen's EDN, one a line or in one vector
 *   INFO  jepsen.util - 0  :invoke  :read  nil                       Jepsen's log
 *   {"process":0,"type":"invoke","f":"get","key":"a","value":null}   JSON lines
 *   {"block":"links","phase":"invoke","op":1,"f":"get", …}           JSON lines that Loadpath recorded
 *
 * The order of the lines is the order of the events, unless every line has a time and they are
 * not sorted by it: then the times decide, and of one instant calls stand before others' returns.
 */
import type { HistoryEvent, Phase } from '../host/history.ts';
import type { Value } from '../host/host.ts';
import { LoadpathError, type Problem } from '../kit/errors.ts';
import { inTime } from '../parts/in-time.ts';
import { readEdn, readEdnItems } from './edn.ts';
import { judgeOperations } from './linearizability.ts';
import { type ModelName, modelNames, models } from './models.ts';
import { Operations } from './operations.ts';
import { canonical, fieldOf, isList } from './values.ts';
import { type Budget, type Counterexample, countOf, unknown, type Verdict } from './verdict.ts';

export interface RecordedHistory {
  readonly history: readonly HistoryEvent[];
  /** False when the file had no times: then `at` counts events. */
  readonly timed: boolean;
  /** Its lines were not in the order of their times, so that within an instant nobody knows what came first. */
  readonly sorted?: boolean;
}

export interface ParseOptions {
  /** The file's name, for messages. Default `history`. */
  readonly name?: string;
  /** Default: what the text looks like. */
  readonly format?: 'edn' | 'log' | 'json';
  /**
   * Whether values are `[key value]` tuples, as Jepsen's independent tests write them. Default:
   * they are when each operation is called with a list of two.
   */
  readonly tuples?: boolean;
  /** Which block of a history that Loadpath recorded. Needed when it has several. */
  readonly block?: string;
}

export interface FileVerdict {
  readonly answer: 'linearizable' | 'not linearizable' | 'unknown';
  readonly detail: string;
  readonly counterexample?: Counterexample;
}

/** One line of a file, whatever its format. */
interface Entry {
  readonly process: string;
  readonly type: Phase;
  readonly f: string;
  readonly key?: Value;
  readonly value: Value;
  /** Microseconds. */
  readonly at?: number;
  readonly line: number;
  readonly column: number;
}

const phases = new Set<string>(['invoke', 'ok', 'fail', 'info']);
/** Jepsen's short names in transactions. */
const longNames: Readonly<Record<string, string>> = { r: 'read', w: 'write' };
/** Beyond it a file is not a history with mistakes, it is something else. */
const problemsMax = 10;

/** Reads a history. Throws `LoadpathError` 'bad-input' that names each mistake's line and column. */
export function parseHistory(text: string, options: ParseOptions = {}): RecordedHistory {
  const name = options.name ?? 'history';
  const clean = text.startsWith('\ufeff') ? text.slice(1) : text;
  const problems = new Problems(name);
  const format = options.format ?? formatOf(clean);
  if (format === undefined) {
    problems.add(1, 1, 'neither EDN, nor JSON lines, nor a Jepsen log');
    return problems.refuse();
  }
  if (format === 'json') {
    const rows = jsonRows(clean, problems);
    problems.refuseAny();
    if (rows.some((row) => fieldOf(row.value, 'phase') !== undefined)) {
      return ownHistory(rows, options.block, problems);
    }
    refuseBlock(options.block, problems);
    return paired(entriesOf(rows, '', 1, problems), options, problems);
  }
  refuseBlock(options.block, problems);
  const rows = format === 'edn' ? readEdnItems(clean, name) : logRows(clean, name, problems);
  // Jepsen counts nanoseconds.
  return paired(entriesOf(rows, ':', 1e-3, problems), options, problems);
}

/** Whether the operations of a history have an order in real time that `model` could have answered in. */
export function judge(
  recorded: RecordedHistory,
  model: ModelName,
  budget: Budget = {},
): FileVerdict {
  refuseStrangers(recorded.history, model);
  const found = judgeRecorded(recorded, model, budget);
  const answer =
    found.verdict === 'holds'
      ? 'linearizable'
      : found.verdict === 'violated'
        ? 'not linearizable'
        : 'unknown';
  return {
    answer,
    detail: found.detail,
    ...(found.counterexample ? { counterexample: found.counterexample } : {}),
  };
}

/** Forgetting `--model` must not look like a search that found no answer. */
function refuseStrangers(history: readonly HistoryEvent[], model: ModelName): void {
  const known = models[model].operations;
  const strangers = new Set(history.flatMap(({ f }) => (known.includes(f) ? [] : f)));
  if (strangers.size === 0) return;
  const all = new Set(history.map(({ f }) => f));
  const fitting = modelNames.filter((name) =>
    [...all].every((f) => models[name].operations.includes(f)),
  );
  const hint = fitting.length > 0 ? `model ${fitting.join(' or ')} does` : 'no model does';
  const what = `model ${model} (${known.join(', ')}) does not know ${[...strangers].join(', ')}; ${hint}`;
  throw new LoadpathError('bad-input', what, { problems: [{ at: 'model', what }] });
}

function judgeRecorded(
  { history, sorted }: RecordedHistory,
  model: ModelName,
  budget: Budget,
): Verdict {
  const found = judgeOperations(Operations.of(history), model, budget);
  if (found.verdict !== 'violated' || !sorted) return found;
  // Where a process did several things in one instant, so that others' may have come in between,
  // only what is wrong without any order in that instant is surely wrong.
  const loose = [...history].sort(
    (a, b) => a.at - b.at || Number(a.phase !== 'invoke') - Number(b.phase !== 'invoke'),
  );
  const sure = judgeOperations(Operations.of(loose), model, budget);
  return sure.verdict === 'violated'
    ? sure
    : unknown(
        'the lines are not in the order of their times, and the times are too coarse for one',
      );
}

function refuseBlock(block: string | undefined, problems: Problems): void {
  if (block === undefined) return;
  problems.add(1, 1, `no operation here names a block, so ${block} cannot be picked out`);
  problems.refuse();
}

interface Row {
  readonly value: Value;
  readonly line: number;
  readonly column: number;
}

class Problems {
  readonly #name: string;
  readonly #found: Problem[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  add(line: number, column: number, what: string): void {
    this.#found.push({ at: `${this.#name}:${line}:${column}`, what });
    if (this.#found.length === problemsMax) this.refuse();
  }

  refuseAny(): void {
    if (this.#found.length > 0) this.refuse();
  }

  refuse(): never {
    const lines = this.#found.map((problem) => `${problem.at}: ${problem.what}`);
    const more = this.#found.length === problemsMax ? '\nand perhaps more' : '';
    throw new LoadpathError('bad-input', `${lines.join('\n')}${more}`, { problems: this.#found });
  }
}

function formatOf(text: string): 'edn' | 'log' | 'json' | undefined {
  const start = /^(?:\s|,|;[^\n]*\n)*/.exec(text)![0].length;
  const head = text.slice(start, start + 200);
  if (head === '') return 'json';
  if (/^(?:\[\s*)?\{\s*"/.test(head)) return 'json';
  if (/^[[({#]/.test(head)) return 'edn';
  if (/:(?:invoke|ok|fail|info)\s/.test(text)) return 'log';
  return undefined;
}

function jsonRows(text: string, problems: Problems): Row[] {
  const rows: Row[] = [];
  const add = (parsed: unknown, line: number, column = 1): void => {
    const wrong = unsafeRow(parsed);
    if (wrong) problems.add(line, column, wrong);
    else rows.push({ value: parsed as Value, line, column });
  };
  if (text.trimStart().startsWith('[')) {
    const parsed = parseJson(text, 1, problems);
    const items: readonly unknown[] = Array.isArray(parsed) ? parsed : [];
    const places = itemPlaces(text);
    for (const [i, value] of items.entries()) {
      const { line, column } = places[i] ?? { line: 1, column: 1 };
      add(value, line, column);
    }
    return rows;
  }
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    if (line.trim() === '') continue;
    const parsed = parseJson(line, i + 1, problems);
    if (parsed !== undefined) add(parsed, i + 1);
  }
  return rows;
}

function parseJson(text: string, line: number, problems: Problems): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const position = /position (\d+)/.exec(message);
    const column = position ? Number(position[1]) + 1 : text.length + 1;
    problems.add(line, column, `not JSON: ${message.replace(/ in JSON at position.*$/s, '')}`);
    return undefined;
  }
}

/** Where the items of a JSON array begin. The text has been parsed already, so it is one. */
function itemPlaces(text: string): { readonly line: number; readonly column: number }[] {
  const places: { line: number; column: number }[] = [];
  let line = 1;
  let lineStart = 0;
  let depth = 0;
  let isAwaited = false;
  for (let at = 0; at < text.length; at++) {
    const here = text[at]!;
    if (here === '\n') {
      line++;
      lineStart = at + 1;
    }
    if (/\s/.test(here)) continue;
    if (here === ',' && depth === 1) {
      isAwaited = true;
      continue;
    }
    if (isAwaited && here !== ']') places.push({ line, column: at - lineStart + 1 });
    isAwaited = false;
    if (here === '"') {
      for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
    } else if (here === '[' || here === '{') isAwaited = ++depth === 1;
    else if (here === ']' || here === '}') depth--;
  }
  return places;
}

/** Of a time only differences matter, and those of large ones are near enough. */
function unsafeRow(row: unknown): string | undefined {
  if (typeof row !== 'object' || row === null) return unsafe(row);
  return unsafe({ ...row, time: 0 });
}

/** Deeper than any history, and far from the end of the stack. */
const depthMax = 200;

/** JSON has read 9007199254740993 as 9007199254740992 by now: two values would look like one. */
function unsafe(value: unknown, depth = 0): string | undefined {
  if (depth > depthMax) return `nested deeper than ${depthMax}`;
  if (typeof value === 'number') {
    return Number.isInteger(value) && !Number.isSafeInteger(value)
      ? `${value} is beyond what a JSON number holds exactly; write it as a text`
      : undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  for (const part of Object.values(value)) {
    const wrong = unsafe(part, depth + 1);
    if (wrong) return wrong;
  }
  return undefined;
}

/** `INFO  jepsen.util - 0 :invoke :read nil`; other lines of a log are none of ours. */
function logRows(text: string, name: string, problems: Problems): Row[] {
  const rows: Row[] = [];
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const match = /^(.*?)(\S+)\s+(:(?:invoke|ok|fail|info))\s+(:\S+)(?:\s+(.*\S))?\s*$/.exec(
      lines[i]!,
    );
    if (!match) continue;
    const column = match[1]!.length + 1;
    const [value, error] = readEdn(match[5] ?? 'nil', `${name}:${i + 1}`);
    if (!/^:?[\w/-]+$/.test(match[2]!)) {
      problems.add(i + 1, column, `${match[2]} is no process`);
      continue;
    }
    const process = /^\d+$/.test(match[2]!) ? Number(match[2]) : match[2]!;
    rows.push({
      value: {
        ':process': process,
        ':type': match[3]!,
        ':f': match[4]!,
        ':value': value?.value ?? null,
        ...(error ? { ':error': error.value } : {}),
      },
      line: i + 1,
      column,
    });
  }
  return rows;
}

function entriesOf(
  rows: readonly Row[],
  colon: string,
  timeToUs: number,
  problems: Problems,
): Entry[] {
  const times = rows.map(({ value }) => fieldOf(value, `${colon}time`));
  const clock = new Clock(times, timeToUs);
  return rows.flatMap((row) => entryOf(row, colon, clock, problems));
}

/** The entry of a row, or none when it is the nemesis at work. */
function entryOf(row: Row, colon: string, clock: Clock, problems: Problems): Entry[] {
  const { line, column } = row;
  const field = (name: string): Value | undefined => fieldOf(row.value, colon + name);
  const wrong = (what: string): Entry[] => {
    problems.add(line, column, what);
    return [];
  };
  if (typeof row.value !== 'object' || row.value === null || isList(row.value)) {
    return wrong('an operation must be a map with process, type, f and value');
  }
  const process = field('process');
  if (typeof process === 'string' && process.replace(/^:/, '') === 'nemesis') return [];
  if (typeof process !== 'number' && typeof process !== 'string') {
    return wrong('process must be a number or a name');
  }
  const type = bare(field('type'));
  if (type === undefined || !phases.has(type)) {
    return wrong(`type must be invoke, ok, fail or info, got ${canonical(field('type'))}`);
  }
  const f = bare(field('f'));
  if (f === undefined || f === '') return wrong('f, the name of the operation, is missing');
  const time = field('time');
  const at = clock.at(time);
  if (at === undefined && time !== undefined && time !== null) {
    return wrong(`time must be a number, got ${canonical(time)}`);
  }
  const key = field('key');
  return [
    {
      process: String(process),
      type: type as Phase,
      f: longNames[f] ?? f,
      value: field('value') ?? null,
      ...(key === undefined || key === null ? {} : { key }),
      ...(at === undefined ? {} : { at }),
      line,
      column,
    },
  ];
}

function bare(value: Value | undefined): string | undefined {
  return typeof value === 'string' ? value.replace(/^:/, '') : undefined;
}

/** Keys as texts: 1 and "1" are two keys, where both of them come. */
function keyTexts(entries: readonly Entry[]): (key: Value) => string {
  const texts = new Set<Value>();
  for (const { key } of entries) if (typeof key === 'string') texts.add(key);
  return (key) => {
    if (typeof key === 'string') return key;
    let text = canonical(key);
    while (texts.has(text)) text = `${text} (no text)`;
    return text;
  };
}

/**
 * Times in microseconds. Those too large to be told apart as numbers (nanoseconds since 1970) are
 * counted from the first of them: only what lies between matters.
 */
class Clock {
  readonly #toUs: number;
  readonly #origin: bigint | undefined;

  constructor(times: readonly (Value | undefined)[], toUs: number) {
    this.#toUs = toUs;
    const first = times.find((time) => time !== undefined && time !== null);
    const isLarge = times.some((time) => Math.abs(Number(wholeOf(time) ?? 0n)) > 2 ** 53);
    this.#origin = isLarge ? wholeOf(first) : undefined;
  }

  at(time: Value | undefined): number | undefined {
    const whole = wholeOf(time);
    if (this.#origin !== undefined && whole !== undefined) {
      return Number(whole - this.#origin) * this.#toUs;
    }
    if (typeof time === 'number') return time * this.#toUs;
    return whole === undefined ? undefined : Number(whole) * this.#toUs;
  }
}

/** A time without what is below its unit: a number, a large one, or its digits as a text. */
function wholeOf(time: Value | undefined): bigint | undefined {
  if (typeof time === 'bigint') return time;
  if (typeof time === 'number') return Number.isFinite(time) ? BigInt(Math.trunc(time)) : undefined;
  return typeof time === 'string' && /^-?\d+$/.test(time) ? BigInt(time) : undefined;
}

/** By their times, where these do not rise with the lines. */
function sortedByTime(entries: readonly Entry[]): readonly Entry[] | undefined {
  if (entries.some((entry) => entry.at === undefined)) return undefined;
  if (entries.every((entry, i) => i === 0 || entry.at! >= entries[i - 1]!.at!)) return undefined;
  return inTime(ownOrder(entries), {
    at: (entry) => entry.at!,
    lane: (entry) => entry.process,
    isCall: (entry) => entry.type === 'invoke',
  });
}

/** What took no time, and whose return stands on an earlier line, began before it ended all the same. */
function ownOrder(entries: readonly Entry[]): Entry[] {
  const sorted = [...entries].sort((a, b) => a.at! - b.at!);
  const open = new Set<string>();
  for (let i = 0; i < sorted.length; i++) {
    const { process, type, at } = sorted[i]!;
    if (type === 'invoke') open.add(process);
    else if (!open.delete(process)) {
      let call = i + 1;
      const isOther = ({ process: other, type }: Entry): boolean =>
        other !== process || type !== 'invoke';
      while (sorted[call]?.at === at && isOther(sorted[call]!)) call++;
      if (sorted[call]?.at !== at) continue;
      sorted.splice(i, 0, ...sorted.splice(call, 1));
      i--;
    }
  }
  return sorted;
}

/** Pairs invocations and completions by process, and says which do not pair. */
function paired(
  entries: readonly Entry[],
  options: ParseOptions,
  problems: Problems,
): RecordedHistory {
  problems.refuseAny();
  const sorted = sortedByTime(entries);
  const open = new Map<string, { readonly op: number; readonly entry: Entry }>();
  const untupled = keyed(single(sorted ?? entries, problems), options.tuples, problems);
  problems.refuseAny();
  const timed = untupled.length > 0 && untupled.every((entry) => entry.at !== undefined);
  const keyText = keyTexts(untupled);
  const history: HistoryEvent[] = [];
  let ops = 0;
  for (const [position, entry] of untupled.entries()) {
    const { process, type, line, column } = entry;
    const current = open.get(process);
    let op: number;
    if (type === 'invoke') {
      if (current) {
        problems.add(
          line,
          column,
          `process ${process} invokes ${entry.f} while its ${current.entry.f} of line ${current.entry.line} is still open`,
        );
        continue;
      }
      op = ops++;
      open.set(process, { op, entry });
    } else {
      if (!current) {
        problems.add(line, column, `process ${process} completes ${entry.f}, but has nothing open`);
        continue;
      }
      if (current.entry.f !== entry.f) {
        problems.add(
          line,
          column,
          `process ${process} completes ${entry.f}, but its ${current.entry.f} of line ${current.entry.line} is open`,
        );
        continue;
      }
      op = current.op;
      open.delete(process);
    }
    const key = entry.key ?? current?.entry.key;
    history.push({
      block: 'history',
      phase: type,
      op,
      f: entry.f,
      ...(key === undefined ? {} : { key: keyText(key) }),
      value: entry.value,
      session: process,
      node: process,
      life: 1,
      at: timed ? entry.at! : position,
    });
  }
  problems.refuseAny();
  return { history, timed, sorted: sorted !== undefined };
}

/** A transaction of one operation is that operation; of several it needs another judge. */
function single(entries: readonly Entry[], problems: Problems): readonly Entry[] {
  if (!entries.some((entry) => entry.f === 'txn')) return entries;
  const called = new Map<string, Entry>();
  return entries.flatMap((entry): Entry[] => {
    if (entry.f !== 'txn') return [entry];
    // What failed may carry anything, so its call says what it was.
    const value = entry.type === 'ok' || entry.type === 'invoke' ? entry.value : null;
    const step = isList(value) ? value[0] : undefined;
    if (value !== null && (!isList(value) || value.length !== 1 || !isList(step))) {
      problems.add(
        entry.line,
        entry.column,
        'a transaction of several operations: linearizability of single operations cannot judge it',
      );
      return [];
    }
    const before = called.get(entry.process);
    if (!isList(step)) return before ? [{ ...before, type: entry.type, value: null }] : [entry];
    const f = bare(step[0]) ?? '';
    const made = {
      ...entry,
      f: longNames[f] ?? f,
      key: step[1] ?? null,
      value: step[2] ?? null,
    };
    called.set(entry.process, made);
    return [made];
  });
}

/** Takes `[key value]` apart where values are such tuples. */
function keyed(
  entries: readonly Entry[],
  tuples: boolean | undefined,
  problems: Problems,
): readonly Entry[] {
  const calls = entries.filter((entry) => entry.type === 'invoke');
  const looksSo =
    calls.length > 0 &&
    calls.every(
      (entry) =>
        entry.key === undefined &&
        isList(entry.value) &&
        entry.value.length === 2 &&
        (entry.f !== 'cas' || isList(entry.value[1])),
    );
  if (!(tuples ?? looksSo)) return entries;
  return entries.flatMap((entry): Entry[] => {
    const pair = isList(entry.value) && entry.value.length === 2 ? entry.value : undefined;
    if (pair) return [{ ...entry, key: pair[0]!, value: pair[1]! }];
    // Completions that say nothing (`:timed-out`) take the key of their call.
    if (entry.type === 'fail' || entry.type === 'info') return [{ ...entry, value: null }];
    problems.add(entry.line, entry.column, `the value of ${entry.f} must be [key value]`);
    return [];
  });
}

/** What `recordHistory` of a run wrote: events as they are. */
function ownHistory(
  rows: readonly Row[],
  block: string | undefined,
  problems: Problems,
): RecordedHistory {
  const history: HistoryEvent[] = [];
  const blocks = new Set<string>();
  for (const row of rows) {
    const event = row.value as { readonly [name: string]: Value | undefined };
    const text = (name: string): string | undefined => {
      const value = event[name];
      return typeof value === 'string' ? value : undefined;
    };
    const phase = text('phase');
    const f = text('f');
    const node = text('node');
    const of = text('block');
    const { op, life, at } = event;
    if (
      phase === undefined ||
      !phases.has(phase) ||
      f === undefined ||
      node === undefined ||
      of === undefined ||
      typeof op !== 'number' ||
      typeof life !== 'number' ||
      typeof at !== 'number'
    ) {
      problems.add(row.line, row.column, 'an event needs block, phase, op, f, node, life and at');
      continue;
    }
    blocks.add(of);
    if (block !== undefined && of !== block) continue;
    const key = text('key');
    const session = text('session');
    history.push({
      block: of,
      phase: phase as Phase,
      op,
      f,
      ...(key === undefined ? {} : { key }),
      value: event.value ?? null,
      ...(session === undefined ? {} : { session }),
      node,
      life,
      at,
    });
  }
  if (block !== undefined && blocks.size > 0 && !blocks.has(block)) {
    problems.add(1, 1, `there is no block ${block} in this history, but ${[...blocks].join(', ')}`);
  }
  if (block === undefined && blocks.size > 1) {
    problems.add(
      1,
      1,
      `${countOf(blocks.size, 'block')} in one history (${[...blocks].join(', ')}): say which one`,
    );
  }
  problems.refuseAny();
  return { history, timed: true };
}
