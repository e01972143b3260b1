/**
 * The history of one life of a node, as a file of length-prefixed values. It is written at the end
 * of each turn, before any frame of that turn, and never synced: it has to outlive the process,
 * not the machine. A kill may tear the last record, which reading leaves out.
 */
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { History, HistoryEntry, HistoryEvent, Phase } from '../host/history.ts';
import type { Micros, NodeId, Value } from '../host/host.ts';
import { LoadpathError } from '../kit/errors.ts';
import { ValueReader, ValueWriter } from '../parts/codec.ts';
import { inTime } from '../parts/in-time.ts';
import { fileNameOf, fileTrouble, nodeOfFileName } from './files.ts';

const suffix = '.history';
const phases: readonly Phase[] = ['invoke', 'ok', 'fail', 'info'];

export class HistoryWriter {
  readonly #path: string;
  readonly #writer = new ValueWriter(65_536);
  #fd: number | undefined;
  eventCount = 0;

  constructor(directory: string, node: NodeId, life: number) {
    this.#path = join(directory, `${fileNameOf(node)}~${life}${suffix}`);
  }

  add(entry: HistoryEntry, at: Micros): void {
    const writer = this.#writer;
    const start = writer.length;
    writer.u32(0);
    writer.value([
      entry.block,
      phases.indexOf(entry.phase),
      entry.op,
      entry.f,
      at,
      { key: entry.key, value: entry.value, session: entry.session, reason: entry.reason },
    ] as unknown as Value);
    writer.patchU32(start, writer.length - start - 4);
    this.eventCount++;
  }

  get pending(): boolean {
    return this.#writer.length > 0;
  }

  flush(): void {
    const writer = this.#writer;
    if (writer.length === 0) return;
    try {
      if (this.#fd === undefined) {
        mkdirSync(dirname(this.#path), { recursive: true });
        this.#fd = openSync(this.#path, 'a');
      }
      for (let at = 0; at < writer.length; ) {
        at += writeSync(this.#fd, writer.bytes, at, writer.length - at);
      }
    } catch (error) {
      // A run whose history has gaps proves nothing: the node stops instead.
      throw fileTrouble(error, 'recording the history', this.#path);
    }
    writer.length = 0;
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

/** All histories in `directory`, in order of time. */
export function readHistory(directory: string): History {
  let names: string[];
  try {
    names = readdirSync(directory).filter((name) => name.endsWith(suffix));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  const events: HistoryEvent[] = [];
  for (const name of names.sort()) {
    const stem = name.slice(0, -suffix.length);
    const tilde = stem.lastIndexOf('~');
    const node = nodeOfFileName(stem.slice(0, tilde));
    const life = Number(stem.slice(tilde + 1));
    for (const record of records(join(directory, name))) events.push({ ...record, node, life });
  }
  return inTime(events, {
    at: (event) => event.at,
    lane: (event) => `${event.node} ${event.life}`,
    isCall: (event) => event.phase === 'invoke',
  });
}

function records(path: string): Omit<HistoryEvent, 'node' | 'life'>[] {
  const bytes = readFileSync(path);
  const reader = new ValueReader(bytes);
  const found: Omit<HistoryEvent, 'node' | 'life'>[] = [];
  while (bytes.length - reader.at >= 4) {
    const size = reader.u32();
    if (bytes.length - reader.at < size) break;
    const [block, phase, op, f, at, rest] = reader.value() as unknown as [
      string,
      number,
      number,
      string,
      Micros,
      Pick<HistoryEntry, 'key' | 'value' | 'session' | 'reason'>,
    ];
    const named = phases[phase];
    if (named === undefined) {
      throw new LoadpathError('data-corrupt', `${path} holds an event that is none`);
    }
    found.push({ block, phase: named, op, f, at, ...rest });
  }
  return found;
}
