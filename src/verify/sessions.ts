/**
 * Session guarantees: what one user may expect who reads after writing, or reads twice, whoever
 * else writes meanwhile (Terry and others, "Session guarantees for weakly consistent replicated
 * data", 1994).
 *
 * Which of two writes is older is taken from real time: p is certainly older than q when p
 * returned before q was called. A read is matched with its write by the value; where several
 * writes had that value, all of them must be certainly older before anything is called a
 * violation. So a violation is one; some may stay unseen, those between writes that overlap.
 */
import type { History } from '../host/history.ts';
import { damagedBy, never, Operations } from './operations.ts';
import { isList, nothing, showValue } from './values.ts';
import { type Counterexample, countOf, holds, shown, unknown, type Verdict } from './verdict.ts';

const reads = new Set(['get', 'read']);
const writes = new Set(['put', 'write', 'set', 'delete']);

/** What sessions are judged by. */
export const sessionOperations: readonly string[] = [...reads, ...writes, 'cas'];

/** The value that an operation wrote, or may have written; undefined when it wrote none. */
function writtenBy(operations: Operations, index: number): number | undefined {
  if (operations.failed(index)) return undefined;
  const f = operations.f(index);
  if (f === 'delete') return nothing;
  if (writes.has(f)) return operations.inputId(index);
  if (f !== 'cas' || operations.output(index) === false) return undefined;
  const pair = operations.input(index);
  return isList(pair) ? operations.values.idOf(pair[1]) : undefined;
}

/** The first operation of which nobody knows what it does to a value; there should be none. */
function strangerIn(operations: Operations, group: Int32Array): string | undefined {
  for (const index of group) {
    const f = operations.f(index);
    const isKnown = reads.has(f) || writes.has(f) || f === 'cas' || operations.failed(index);
    if (!isKnown) return f;
  }
  return undefined;
}

/** Writes of one value on one key, in the order of their calls. */
interface Writers {
  readonly indexes: number[];
  /** The latest return among the first 1, 2, 3 … of them. */
  readonly endMax: number[];
}

/** The writes of one key by value. */
class Writes {
  readonly #byValue = new Map<number, Writers>();
  readonly #operations: Operations;

  constructor(operations: Operations, group: Int32Array) {
    this.#operations = operations;
    for (const index of group) {
      const value = writtenBy(operations, index);
      if (value === undefined) continue;
      const end = operations.ok(index) ? operations.end(index) : never;
      const writers = this.#byValue.get(value);
      if (!writers) this.#byValue.set(value, { indexes: [index], endMax: [end] });
      else {
        writers.endMax.push(Math.max(end, writers.endMax[writers.endMax.length - 1]!));
        writers.indexes.push(index);
      }
    }
  }

  /**
   * When the last write that may have caused this read had surely returned; undefined when the
   * value came from outside the history. Absence is caused by a delete, or by there being no write yet.
   */
  returnedBy(read: number): { readonly end: number; readonly writer?: number } | undefined {
    const value = this.#operations.outputId(read);
    const before = this.#operations.end(read);
    const writers = this.#byValue.get(value);
    const count = writers ? this.#countBefore(writers, before) : 0;
    if (count === 0) return value === nothing ? { end: 0 } : undefined;
    return { end: writers!.endMax[count - 1]!, writer: writers!.indexes[count - 1]! };
  }

  /** The first call among the writes that may have caused this read; undefined for what was there before. */
  calledFrom(read: number): number | undefined {
    const value = this.#operations.outputId(read);
    if (value === nothing) return undefined;
    const first = this.#byValue.get(value)?.indexes[0];
    if (first === undefined || this.#operations.call(first) > this.#operations.end(read)) {
      return undefined;
    }
    return first;
  }

  #countBefore(writers: Writers, position: number): number {
    let low = 0;
    let high = writers.indexes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#operations.call(writers.indexes[middle]!) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

interface Mark {
  /** Position of its operation's return. */
  readonly end: number;
  /** How new it is: position of a write's call. */
  readonly mark: number;
  readonly index: number;
}

/**
 * What one session has behind it on one key: the newest mark among its operations that returned.
 * A session's operations may overlap, so each counts only once it has returned.
 */
class Marks {
  #open: Mark[] = [];
  #best: Mark | undefined;

  add(end: number, mark: number, index: number): void {
    this.#open.push({ end, mark, index });
  }

  /** The newest among those that returned before `position`. Positions must not fall. */
  before(position: number): Mark | undefined {
    if (this.#open.length > 0) {
      const still: Mark[] = [];
      for (const entry of this.#open) {
        if (entry.end > position) still.push(entry);
        else if (!this.#best || entry.mark > this.#best.mark) this.#best = entry;
      }
      this.#open = still;
    }
    return this.#best;
  }
}

/** A read never returns a value that was overwritten before the session's own last write began. */
export function judgeReadYourWrites(history: History, block: string): Verdict {
  return judgeSessions(history, block, 'read-your-writes');
}

/** A read never returns a value older than one that the session has read before. */
export function judgeMonotonicReads(history: History, block: string): Verdict {
  return judgeSessions(history, block, 'monotonic-reads');
}

function judgeSessions(
  history: History,
  block: string,
  guarantee: 'read-your-writes' | 'monotonic-reads',
): Verdict {
  const operations = Operations.of(history, block);
  if (operations.count === 0) return unknown('nothing was recorded');
  if (operations.orphanCount > 0) return unknown(damagedBy(operations.orphanCount));
  if (operations.sessions.size === 0) return unknown('no operation names its session');
  const own = guarantee === 'read-your-writes';
  let judged = 0;
  let first:
    | { readonly read: number; readonly behind: number; readonly writer?: number }
    | undefined;
  let count = 0;
  let stranger: string | undefined;
  for (const group of operations.byKey()) {
    const strange = strangerIn(operations, group);
    if (strange !== undefined) {
      stranger ??= strange;
      continue;
    }
    const written = new Writes(operations, group);
    const behind = new Map<number, Marks>();
    for (const index of group) {
      const session = operations.clientId(index);
      if (!operations.ok(index) || !operations.sessions.has(session)) continue;
      let marks = behind.get(session);
      if (!marks) {
        marks = new Marks();
        behind.set(session, marks);
      }
      const f = operations.f(index);
      if (own && writtenBy(operations, index) !== undefined) {
        marks.add(operations.end(index), operations.call(index), index);
      }
      if (!reads.has(f)) continue;
      const newest = marks.before(operations.call(index));
      if (newest) {
        judged++;
        const source = written.returnedBy(index);
        if (source && source.end < newest.mark) {
          count++;
          if (!first || operations.end(index) < operations.end(first.read)) {
            first = { read: index, behind: newest.index, ...omit(source.writer) };
          }
        }
      }
      if (!own) {
        const writer = written.calledFrom(index);
        if (writer !== undefined) {
          marks.add(operations.end(index), operations.call(writer), index);
        }
      }
    }
  }
  if (first) {
    const counterexample = explain(operations, guarantee, first);
    const more = count > 1 ? ` (and ${countOf(count - 1, 'more read')})` : '';
    return shown(counterexample, more);
  }
  if (stranger !== undefined) return unknown(unjudged(stranger));
  if (judged === 0) {
    return unknown(
      own ? 'no session read a key that it had written' : 'no session read a key twice',
    );
  }
  return holds(`${countOf(judged, 'read')} in ${countOf(operations.sessions.size, 'session')}`);
}

function unjudged(stranger: string): string {
  return `nobody knows what '${stranger}' does to a value: only get, put, delete and cas can be judged`;
}

function omit(writer: number | undefined): { readonly writer?: number } {
  return writer === undefined ? {} : { writer };
}

function explain(
  operations: Operations,
  guarantee: 'read-your-writes' | 'monotonic-reads',
  found: { readonly read: number; readonly behind: number; readonly writer?: number },
): Counterexample {
  const few = [found.behind, found.read];
  if (found.writer !== undefined) few.push(found.writer);
  if (guarantee === 'monotonic-reads') {
    // The write behind the newer read shows why that one is newer.
    const value = operations.outputId(found.behind);
    for (let i = 0; i < operations.count; i++) {
      if (operations.keyId(i) !== operations.keyId(found.read)) continue;
      if (writtenBy(operations, i) !== value) continue;
      few.push(i);
      break;
    }
  }
  few.sort((a, b) => a - b);
  const read = operations.timed(found.read);
  const behind = operations.timed(found.behind);
  const older =
    found.writer === undefined
      ? 'nothing, as before any write'
      : `${showValue(read.output)}, which is older`;
  const reason =
    guarantee === 'read-your-writes'
      ? `${read.client} wrote ${showValue(operations.values.valueOf(writtenBy(operations, found.behind) ?? nothing))} and then read ${older}`
      : `${read.client} read ${showValue(behind.output)} and later ${older}`;
  return {
    model: guarantee,
    ...(read.key === undefined ? {} : { key: read.key }),
    operations: few.map((index) => operations.timed(index)),
    culprit: few.indexOf(found.read),
    at: read.endedAt ?? read.invokedAt,
    order: [],
    reason,
  };
}

/**
 * At the end nothing that was acknowledged is gone: the last read of each key, when it began
 * after all writes of that key had returned, gives a value that no later write replaced.
 */
export function judgeDurable(history: History, block: string): Verdict {
  const operations = Operations.of(history, block);
  if (operations.count === 0) return unknown('nothing was recorded');
  if (operations.orphanCount > 0) return unknown(damagedBy(operations.orphanCount));
  let judged = 0;
  let stranger: string | undefined;
  for (const group of operations.byKey()) {
    const strange = strangerIn(operations, group);
    if (strange !== undefined) {
      stranger ??= strange;
      continue;
    }
    const written = new Writes(operations, group);
    let lastRead: number | undefined;
    let newest: number | undefined;
    let writesEnd = 0;
    for (const index of group) {
      if (!operations.ok(index)) continue;
      const f = operations.f(index);
      if (reads.has(f)) {
        if (lastRead === undefined || operations.call(index) > operations.call(lastRead)) {
          lastRead = index;
        }
      } else if (writtenBy(operations, index) !== undefined) {
        // In the order of calls: the last one has the latest.
        newest = index;
        writesEnd = Math.max(writesEnd, operations.end(index));
      }
    }
    if (lastRead === undefined || newest === undefined) continue;
    if (operations.call(lastRead) < writesEnd) continue;
    judged++;
    const source = written.returnedBy(lastRead);
    if (source && source.end >= operations.call(newest)) continue;
    const read = operations.timed(lastRead);
    const lost = operations.timed(newest);
    const two = [newest, lastRead].sort((a, b) => a - b);
    const reason = `${lost.f} of ${showValue(lost.input)} by ${lost.client} was acknowledged, and at the end ${showValue(read.output)} was read`;
    return shown({
      model: 'durable',
      ...(read.key === undefined ? {} : { key: read.key }),
      operations: two.map((index) => operations.timed(index)),
      culprit: two.indexOf(lastRead),
      at: read.endedAt ?? read.invokedAt,
      order: [],
      reason,
    });
  }
  if (stranger !== undefined) return unknown(unjudged(stranger));
  if (judged === 0) return unknown('no key was read after its last write');
  return holds(`${countOf(judged, 'key')} read at the end`);
}
