/** What callers and cache nodes say to each other. */
import type { Micros, Value } from '../../../host/host.ts';
import { formatDuration } from '../../../kit/units.ts';

export type CacheRequest =
  | {
      readonly type: 'get';
      readonly id: number;
      readonly key: string;
      /** The caller would load on a miss: grant it a lease, or let it wait for who has one. */
      readonly lease: boolean;
    }
  | {
      readonly type: 'set';
      readonly id: number;
      readonly key: string;
      /** Undefined: what was looked for does not exist. */
      readonly value: Value | undefined;
      readonly ttlUs: Micros;
      /** Only if this lease still holds. */
      readonly lease?: number | undefined;
    }
  | { readonly type: 'delete'; readonly id: number; readonly key: string }
  /** The holder could not load: let the next one try. */
  | { readonly type: 'release'; readonly id: number; readonly key: string; readonly lease: number };

export type CacheReply =
  | {
      readonly type: 'hit';
      readonly id: number;
      readonly value: Value | undefined;
      /** It was not there at first: another caller loaded it meanwhile. */
      readonly waited?: true | undefined;
    }
  | { readonly type: 'miss'; readonly id: number; readonly lease?: number | undefined }
  | { readonly type: 'stored'; readonly id: number; readonly stored: boolean }
  | { readonly type: 'deleted'; readonly id: number };

export type CacheMessage = CacheRequest | CacheReply;

export function describe(message: CacheMessage): string {
  switch (message.type) {
    case 'get':
      return `get ${message.key}`;
    case 'set':
      return `set ${message.key} for ${formatDuration(message.ttlUs)}${message.lease === undefined ? '' : ' by lease'}`;
    case 'delete':
      return `delete ${message.key}`;
    case 'release':
      return `release ${message.key}`;
    case 'hit':
      return message.value === undefined ? 'hit: known to be absent' : 'hit';
    case 'miss':
      return message.lease === undefined ? 'miss' : 'miss with lease';
    case 'stored':
      return message.stored ? 'stored' : 'not stored: the lease is gone';
    case 'deleted':
      return 'deleted';
  }
}
