/**
 * A history's events paired into operations, kept in columns: five million of them fit into two
 * hundred megabytes.
 *
 * The order of the events is the order in which they happened. A recorder writes them so; where
 * several logs were put together, events are sorted by `at` first, and of one instant calls stand
 * before other nodes' returns.
 */
import type { History, HistoryEvent } from '../host/history.ts';
import type { Value } from '../host/host.ts';
import { inTime } from '../parts/in-time.ts';
import { nothing, Values } from './values.ts';
import { countOf, type TimedOperation } from './verdict.ts';

/** The position of an end that nobody saw. Later than every other. */
export const never = 0x7fffffff;

export type Outcome = 'ok' | 'fail' | 'unknown';

const okCode = 1;
const failCode = 2;

export class Operations {
  readonly values = new Values();
  readonly keys: string[] = [];
  readonly fs: string[] = [];
  readonly clients: string[] = [];
  /** Completions whose invocation is missing: the history is damaged, and no judge may trust it. */
  orphanCount = 0;
  okCount = 0;
  count = 0;
  /** Clients that are sessions, by index into `clients`; the others are nodes or processes. */
  readonly sessions = new Set<number>();

  #keyIds = new Map<string, number>();
  #fIds = new Map<string, number>();
  #clientIds = new Map<string, number>();
  #open = new Map<string, Map<number, OpenOps>>();
  #position = 0;

  #f = new Uint16Array(64);
  #key = new Int32Array(64);
  #client = new Int32Array(64);
  #input = new Int32Array(64);
  #output = new Int32Array(64);
  #call = new Int32Array(64);
  #end = new Int32Array(64);
  #outcome = new Uint8Array(64);
  #invokedAt = new Float64Array(64);
  #endedAt = new Float64Array(64);

  /** The operations on `block`, or all of them. An iterable that is not an array must be in order. */
  static of(history: History | Iterable<HistoryEvent>, block?: string): Operations {
    const operations = new Operations();
    for (const event of Array.isArray(history) ? inOrder(history) : history) {
      if (block === undefined || event.block === block) operations.add(event);
    }
    return operations;
  }

  add(event: HistoryEvent): void {
    let lives = this.#open.get(event.node);
    if (!lives) {
      lives = new Map();
      this.#open.set(event.node, lives);
    }
    let open = lives.get(event.life);
    if (!open) {
      open = new OpenOps();
      lives.set(event.life, open);
    }
    if (event.phase === 'invoke') {
      const index = this.invoke(event, event.session ?? event.node);
      if (event.session !== undefined) this.sessions.add(this.#client[index]!);
      open.set(event.op, index);
      return;
    }
    const index = open.take(event.op);
    if (index === undefined) {
      this.orphanCount++;
      return;
    }
    this.complete(index, event.phase === 'info' ? 'unknown' : event.phase, event.value, event.at);
  }

  invoke(
    event: {
      readonly f: string;
      readonly key?: string | undefined;
      readonly value?: Value | undefined;
      readonly at: number;
    },
    client: string,
  ): number {
    const index = this.count++;
    if (index === this.#f.length) this.#grow();
    this.#f[index] = idOf(this.#fIds, this.fs, event.f);
    this.#key[index] = idOf(this.#keyIds, this.keys, event.key ?? '');
    this.#client[index] = idOf(this.#clientIds, this.clients, client);
    this.#input[index] = this.values.idOf(event.value);
    this.#output[index] = nothing;
    this.#call[index] = ++this.#position;
    this.#end[index] = never;
    this.#outcome[index] = 0;
    this.#invokedAt[index] = event.at;
    this.#endedAt[index] = -1;
    return index;
  }

  complete(index: number, outcome: Outcome, output: Value | undefined, at: number): void {
    this.#position++;
    if (outcome === 'ok') {
      this.okCount++;
      this.#outcome[index] = okCode;
      this.#output[index] = this.values.idOf(output);
      this.#end[index] = this.#position;
    } else if (outcome === 'fail') {
      this.#outcome[index] = failCode;
      this.#end[index] = this.#position;
    }
    this.#endedAt[index] = at;
  }

  f(index: number): string {
    return this.fs[this.#f[index]!]!;
  }

  /** Index into `fs`. */
  fId(index: number): number {
    return this.#f[index]!;
  }

  /** Index into `keys`. */
  keyId(index: number): number {
    return this.#key[index]!;
  }

  /** Index into `clients`. */
  clientId(index: number): number {
    return this.#client[index]!;
  }

  inputId(index: number): number {
    return this.#input[index]!;
  }

  /** `nothing` unless it ended ok with a value. */
  outputId(index: number): number {
    return this.#output[index]!;
  }

  input(index: number): Value {
    return this.values.valueOf(this.#input[index]!);
  }

  output(index: number): Value {
    return this.values.valueOf(this.#output[index]!);
  }

  /** Position of the invocation among all events, from 1. */
  call(index: number): number {
    return this.#call[index]!;
  }

  /** Position of the end, or `never` for an unknown one. */
  end(index: number): number {
    return this.#end[index]!;
  }

  outcome(index: number): Outcome {
    const code = this.#outcome[index]!;
    return code === okCode ? 'ok' : code === failCode ? 'fail' : 'unknown';
  }

  ok(index: number): boolean {
    return this.#outcome[index] === okCode;
  }

  failed(index: number): boolean {
    return this.#outcome[index] === failCode;
  }

  /** As data for people. */
  timed(index: number): TimedOperation {
    const key = this.keys[this.#key[index]!]!;
    const endedAt = this.#endedAt[index]!;
    return {
      client: this.clients[this.#client[index]!]!,
      f: this.f(index),
      ...(key === '' ? {} : { key }),
      input: this.input(index),
      output: this.output(index),
      outcome: this.ok(index) ? 'ok' : 'unknown',
      invokedAt: this.#invokedAt[index]!,
      ...(endedAt < 0 ? {} : { endedAt }),
    };
  }

  /** Indexes of the operations of each key, in the order of invocation. */
  byKey(): Int32Array[] {
    const counts = new Int32Array(this.keys.length);
    for (let i = 0; i < this.count; i++) counts[this.#key[i]!]!++;
    const groups = Array.from(counts, (count) => new Int32Array(count));
    counts.fill(0);
    for (let i = 0; i < this.count; i++) {
      const key = this.#key[i]!;
      groups[key]![counts[key]!++] = i;
    }
    return groups;
  }

  #grow(): void {
    const size = this.#f.length * 2;
    this.#f = widen(this.#f, new Uint16Array(size));
    this.#key = widen(this.#key, new Int32Array(size));
    this.#client = widen(this.#client, new Int32Array(size));
    this.#input = widen(this.#input, new Int32Array(size));
    this.#output = widen(this.#output, new Int32Array(size));
    this.#call = widen(this.#call, new Int32Array(size));
    this.#end = widen(this.#end, new Int32Array(size));
    this.#outcome = widen(this.#outcome, new Uint8Array(size));
    this.#invokedAt = widen(this.#invokedAt, new Float64Array(size));
    this.#endedAt = widen(this.#endedAt, new Float64Array(size));
  }
}

/**
 * Operations of one node's life that are under way. Few at a time as a rule, and then two small
 * lists are several times faster than a Map, which pays for every deletion.
 */
class OpenOps {
  readonly #ops: number[] = [];
  readonly #indexes: number[] = [];
  #many: Map<number, number> | undefined;

  set(op: number, index: number): void {
    if (this.#many) {
      this.#many.set(op, index);
      return;
    }
    if (this.#ops.length === 32) {
      this.#many = new Map(this.#ops.map((known, i) => [known, this.#indexes[i]!]));
      this.#many.set(op, index);
      return;
    }
    this.#ops.push(op);
    this.#indexes.push(index);
  }

  take(op: number): number | undefined {
    if (this.#many) {
      const index = this.#many.get(op);
      this.#many.delete(op);
      return index;
    }
    const at = this.#ops.indexOf(op);
    if (at < 0) return undefined;
    const index = this.#indexes[at];
    const lastOp = this.#ops.pop()!;
    const lastIndex = this.#indexes.pop()!;
    if (at < this.#ops.length) {
      this.#ops[at] = lastOp;
      this.#indexes[at] = lastIndex;
    }
    return index;
  }
}

function idOf(ids: Map<string, number>, names: string[], name: string): number {
  const known = ids.get(name);
  if (known !== undefined) return known;
  ids.set(name, names.length);
  return names.push(name) - 1;
}

function widen<A extends { set(from: A): void }>(from: A, to: A): A {
  to.set(from);
  return to;
}

/**
 * What is wrong with a record in which operations end that never began; undefined when nothing is.
 * Who records only the ends of some kind of operation (`deliver`) has lost none of their calls.
 */
export function damage(events: readonly HistoryEvent[]): string | undefined {
  const called = new Set<string>();
  const open = new Set<string>();
  for (const { phase, f } of events) if (phase === 'invoke') called.add(f);
  let orphanCount = 0;
  for (const { phase, f, node, life, op } of events) {
    const name = `${node} ${life} ${op}`;
    if (phase === 'invoke') open.add(name);
    else if (!open.delete(name) && (called.has(f) || !endsAlone.has(f))) orphanCount++;
  }
  return orphanCount === 0 ? undefined : damagedBy(orphanCount);
}

const endsAlone = new Set(['deliver', 'subscribe']);

/** Why nobody may trust a record, as a judge says it. */
export function damagedBy(orphanCount: number): string {
  return `the history is damaged: ${countOf(orphanCount, 'completion')} without an invocation`;
}

const byNode = {
  at: ({ at }: HistoryEvent) => at,
  lane: ({ node, life }: HistoryEvent) => `${node} ${life}`,
  isCall: ({ phase }: HistoryEvent) => phase === 'invoke',
};

export function inOrder(history: History): History {
  for (let i = 1; i < history.length; i++) {
    if (history[i]!.at < history[i - 1]!.at) return inTime(history, byNode);
  }
  return history;
}
