/**
 * What a replica's log tells, and how it stands in the file: as a list, because the names of the
 * fields would be half of every record, in bytes and in the time to write them.
 *
 *   store   key, version, value             hint     owner, key, version, value, since
 *   unhint  owner, key, version             collect  key, version           floor  version
 *   shape   what decides who owns a key, and the record that it came with
 *   unfilled, filled
 */
import type { Micros, NodeId } from '../../../host/host.ts';
import type { Version } from '../../../parts/hlc.ts';
import type { Entry } from './messages.ts';

export type LogRecord =
  | { readonly do: 'store'; readonly key: string; readonly entry: Entry }
  | {
      readonly do: 'hint';
      readonly owner: NodeId;
      readonly key: string;
      readonly entry: Entry;
      /**
       * On the clock that only runs forward: a wall clock that jumps would make hints old at once. A
       * restart begins to count anew, which keeps them longer.
       */
      readonly since: Micros;
    }
  /** The hint was handed over, or grew too old. */
  | {
      readonly do: 'unhint';
      readonly owner: NodeId;
      readonly key: string;
      readonly version: Version;
    }
  /** A tombstone that everyone has is forgotten; `version` stays as the floor. */
  | { readonly do: 'collect'; readonly key: string; readonly version: Version }
  | { readonly do: 'floor'; readonly version: Version }
  /** The log before this one is gone: not all is here that was acknowledged. */
  | { readonly do: 'unfilled' }
  | { readonly do: 'filled' };

type Stamp = readonly [at: number, count: number, by: string];
type Kept = Uint8Array | null;

export type PackedRecord =
  | readonly ['store', key: string, ...Stamp, value: Kept]
  | readonly ['hint', owner: NodeId, key: string, ...Stamp, value: Kept, since: Micros]
  | readonly ['unhint', owner: NodeId, key: string, ...Stamp]
  | readonly ['collect', key: string, ...Stamp]
  | readonly ['floor', ...Stamp]
  | readonly ['unfilled']
  | readonly ['filled'];

/**
 * What stands in the file. The shape comes around the first record rather than before it: a frame of
 * its own would cost the first write another sync.
 */
export type Logged =
  | PackedRecord
  | readonly ['shape', shape: string, first: PackedRecord | null]
  /** The same, of a node that is not filled. */
  | readonly ['shape', shape: string, first: PackedRecord | null, isFilled: false];

export function pack(record: LogRecord): PackedRecord {
  switch (record.do) {
    case 'store': {
      const { key, entry } = record;
      const { at, count, by } = entry.version;
      return ['store', key, at, count, by, entry.value];
    }
    case 'hint': {
      const { owner, key, entry, since } = record;
      const { at, count, by } = entry.version;
      return ['hint', owner, key, at, count, by, entry.value, since];
    }
    case 'unhint': {
      const { owner, key, version } = record;
      return ['unhint', owner, key, version.at, version.count, version.by];
    }
    case 'collect': {
      const { key, version } = record;
      return ['collect', key, version.at, version.count, version.by];
    }
    case 'floor': {
      const { at, count, by } = record.version;
      return ['floor', at, count, by];
    }
    case 'unfilled':
    case 'filled':
      return [record.do];
  }
}

const lastStore: ['store', key: string, ...Stamp, value: Kept] = ['store', '', 0, 0, '', null];

/** As `pack`, into the same list each time: for a journal, which encodes at once. Most of a log is this. */
export function packStore(key: string, { version, value }: Entry): PackedRecord {
  lastStore[1] = key;
  lastStore[2] = version.at;
  lastStore[3] = version.count;
  lastStore[4] = version.by;
  lastStore[5] = value;
  return lastStore;
}

export function unpack(packed: PackedRecord): LogRecord {
  switch (packed[0]) {
    case 'store': {
      const [, key, at, count, by, value] = packed;
      return { do: 'store', key, entry: { version: { at, count, by }, value } };
    }
    case 'hint': {
      const [, owner, key, at, count, by, value, since] = packed;
      return { do: 'hint', owner, key, entry: { version: { at, count, by }, value }, since };
    }
    case 'unhint': {
      const [, owner, key, at, count, by] = packed;
      return { do: 'unhint', owner, key, version: { at, count, by } };
    }
    case 'collect': {
      const [, key, at, count, by] = packed;
      return { do: 'collect', key, version: { at, count, by } };
    }
    case 'floor': {
      const [, at, count, by] = packed;
      return { do: 'floor', version: { at, count, by } };
    }
    case 'unfilled':
    case 'filled':
      return { do: packed[0] };
  }
}
