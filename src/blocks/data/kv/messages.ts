/** What the client half and the replicas say to each other. */
import type { NodeId, Value } from '../../../host/host.ts';
import { decode } from '../../../parts/codec.ts';
import type { Version } from '../../../parts/hlc.ts';

/** What a replica keeps for a key. `value` is in the codec's bytes; null is a tombstone. */
export type Entry = { readonly version: Version; readonly value: Uint8Array | null };

export type KeyVersion = { readonly key: string; readonly version: Version };

/** How a replica stands to a tombstone: nothing older here; older or missing here; something newer, or a write kept for others. */
export type Standing = 'clear' | 'behind' | 'busy';

export type KvMessage =
  | { readonly type: 'ask'; readonly id: number; readonly key: string }
  | { readonly type: 'ask-version'; readonly id: number; readonly key: string }
  | {
      readonly type: 'entry';
      readonly id: number;
      /** Durable at the sender. Null: nothing known of this key. */
      readonly entry: Entry | null;
      /** Above everything that was ever collected there: a new version must be newer. */
      readonly floor: Version | null;
    }
  | {
      readonly type: 'version';
      readonly id: number;
      readonly version: Version | null;
      readonly floor: Version | null;
    }
  /** Its data is gone and has not come back yet: it cannot say. */
  | { readonly type: 'unfilled'; readonly id: number }
  | Store
  | Hint
  /** Durable at the sender: this, or something newer. `newer` says what, where clocks decide. */
  | {
      readonly type: 'stored';
      readonly id: number;
      readonly attempt: number;
      readonly newer?: Version;
    }
  | {
      readonly type: 'denied';
      readonly id: number;
      readonly attempt: number;
      readonly why: 'disk-full' | 'keys-full' | 'hints-full' | 'clock-ahead' | 'disk-failed';
      /** It will not be stored by this message. */
      readonly certain: boolean;
    }
  /** How far are you with these tombstones? */
  | { readonly type: 'survey'; readonly id: number; readonly tombstones: readonly KeyVersion[] }
  | { readonly type: 'standing'; readonly id: number; readonly standings: readonly Standing[] }
  /** Everyone has these tombstones: forget them. */
  | { readonly type: 'collect'; readonly id: number; readonly tombstones: readonly KeyVersion[] }
  | { readonly type: 'collected'; readonly id: number }
  /** My data is gone: give me part after part of what I own. Part 0 begins anew. */
  | { readonly type: 'fill'; readonly id: number; readonly part: number }
  | {
      readonly type: 'part';
      readonly id: number;
      readonly part: number;
      readonly records: readonly { readonly key: string; readonly entry: Entry }[];
      /** The part to ask for now. Null: that was all. */
      readonly next: number | null;
      readonly floor: Version | null;
      /** False: the sender's own data is not complete. */
      readonly isFilled: boolean;
    };

export type Store = {
  readonly type: 'store';
  readonly id: number;
  /** From 0: which resend this is, so that a repeated answer is not taken for a second one. */
  readonly attempt: number;
  readonly key: string;
  readonly entry: Entry;
};

/** Keep `entry` for `owner`, who is away. */
export type Hint = {
  readonly type: 'hint';
  readonly id: number;
  readonly attempt: number;
  readonly owner: NodeId;
  readonly key: string;
  readonly entry: Entry;
};

/** The port of a replica. */
export const kvPort = 'kv';

export function describe(message: KvMessage): string {
  switch (message.type) {
    case 'ask':
      return `ask #${short(message.id)} ${message.key}`;
    case 'ask-version':
      return `ask-version #${short(message.id)} ${message.key}`;
    case 'entry':
      return `entry #${short(message.id)} ${message.entry ? text(message.entry) : 'none'}`;
    case 'version':
      return `version #${short(message.id)} ${message.version ? stamp(message.version) : 'none'}`;
    case 'unfilled':
      return `unfilled #${short(message.id)}`;
    case 'fill':
      return `fill #${short(message.id)} part ${message.part}`;
    case 'part':
      return `part #${short(message.id)} ${message.records.map(({ key }) => key).join(' ')}${message.next === null ? ' and no more' : ''}`;
    case 'store':
      return `store #${short(message.id)}${again(message.attempt)} ${message.key} ${text(message.entry)}`;
    case 'hint':
      return `hint #${short(message.id)} for ${message.owner} ${message.key} ${text(message.entry)}`;
    case 'stored':
      return `stored #${short(message.id)}${again(message.attempt)}${message.newer ? ` has ${stamp(message.newer)}` : ''}`;
    case 'denied':
      return `denied #${short(message.id)}${again(message.attempt)} ${message.why}${message.certain ? '' : ' (in doubt)'}`;
    case 'survey':
      return `survey #${short(message.id)} ${keys(message.tombstones)}`;
    case 'standing':
      return `standing #${short(message.id)} ${message.standings.join(' ')}`;
    case 'collect':
      return `collect #${short(message.id)} ${keys(message.tombstones)}`;
    case 'collected':
      return `collected #${short(message.id)}`;
  }
}

function text(entry: Entry): string {
  const value = entry.value === null ? 'deleted' : show(decode(entry.value));
  return `${value} ${stamp(entry.version)}`;
}

function stamp(version: Version): string {
  return `@${version.at}·${version.by}`;
}

function show(value: Value): string {
  const line = JSON.stringify(value, (_name, inner: unknown) =>
    typeof inner === 'bigint' ? `${inner}n` : inner,
  );
  return line.length > 40 ? `${line.slice(0, 39)}…` : line;
}

function keys(tombstones: readonly KeyVersion[]): string {
  return tombstones.map((tombstone) => tombstone.key).join(' ');
}

function again(attempt: number): string {
  return attempt === 0 ? '' : ` again`;
}

/** Ids begin with the life of their maker, which would drown the line. */
function short(id: number): number {
  return id % 2 ** 32;
}
