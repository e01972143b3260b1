/** What callers, limiter nodes and their peers say to each other. */
import { formatDuration } from '../../../kit/units.ts';

export interface Take {
  readonly type: 'take';
  readonly id: number;
  readonly key: string;
  readonly cost: number;
}

export interface VerdictMessage {
  readonly type: 'verdict';
  readonly id: number;
  /** Null: the node could not decide; the caller's policy does. */
  readonly allowed: boolean | null;
  /** How long to stay away: 0 when allowed, null when no wait helps. */
  readonly waitUs: number | null;
  /** The most that the key may take now. */
  readonly remaining: number;
}

/** One row of a key's counts, as `Tally.toData` gives it. */
export type TallyData = readonly number[];

export type LockMessage =
  | { readonly type: 'lock'; readonly id: number; readonly key: string }
  | {
      readonly type: 'granted';
      readonly id: number;
      readonly key: string;
      /** Grows with each grant: whoever holds an older one is refused. */
      readonly token: number;
      /** What the owner knows of the key, and under which token that was written. */
      readonly written: number;
      readonly counts: TallyData;
    }
  | {
      readonly type: 'update';
      readonly id: number;
      readonly key: string;
      readonly token: number;
      readonly counts: TallyData;
    }
  | { readonly type: 'updated'; readonly id: number; readonly ok: boolean }
  | { readonly type: 'release'; readonly key: string; readonly token: number };

export type GossipMessage =
  | {
      readonly type: 'gossip';
      readonly id: number;
      /** Whose counts: the node, and its life unless its counts outlive it. */
      readonly row: string;
      readonly keys: readonly (readonly [key: string, counts: TallyData])[];
    }
  | { readonly type: 'heard'; readonly id: number }
  /** From a node that has just started and knows nothing. */
  | { readonly type: 'hello' };

export type LimiterMessage = Take | VerdictMessage | LockMessage | GossipMessage;

export function describe(message: LimiterMessage): string {
  switch (message.type) {
    case 'take':
      return `take ${message.cost} ${message.key}`;
    case 'verdict':
      if (message.allowed === null) return 'no verdict';
      if (message.allowed) return `allowed, ${message.remaining} left`;
      return message.waitUs === null ? 'refused' : `refused for ${formatDuration(message.waitUs)}`;
    case 'lock':
      return `lock ${message.key}`;
    case 'granted':
      return `lock is yours, token ${message.token}`;
    case 'update':
      return `counts of ${message.key} by token ${message.token}`;
    case 'updated':
      return message.ok ? 'written' : 'not written: the token is old';
    case 'release':
      return `unlock ${message.key}`;
    case 'gossip':
      return `counts of ${message.keys.length} ${message.keys.length === 1 ? 'key' : 'keys'}`;
    case 'heard':
    case 'hello':
      return message.type;
  }
}
