/** What instances, callers and registries say to each other. */
import type { NodeId } from '../../../host/host.ts';

/** One instance of a service, as it is listed. */
export type Entry = {
  readonly service: string;
  readonly node: NodeId;
  readonly zone: string;
  readonly release: string;
  /** `sick`: it is there, and failed its checks. */
  readonly status: 'up' | 'sick';
};

/** What came, changed or went: `drop` when it is no longer listed. */
export type Change =
  | { readonly revision: number; readonly put: Entry }
  | { readonly revision: number; readonly drop: NodeId };

export type RegistryRequest =
  | { readonly type: 'register'; readonly id: number; readonly entry: Entry }
  | {
      readonly type: 'renew';
      readonly id: number;
      readonly service: string;
      readonly node: NodeId;
      readonly status: Entry['status'];
    }
  | {
      readonly type: 'deregister';
      readonly id: number;
      readonly service: string;
      readonly node: NodeId;
    }
  /** The whole list, once. */
  | { readonly type: 'find'; readonly id: number; readonly service: string }
  /** From now on every change; `after` and `epoch`: what was heard last. */
  | {
      readonly type: 'watch';
      readonly id: number;
      readonly service: string;
      readonly epoch: string;
      readonly after: number;
    }
  /** All up to `revision` has been heard. */
  | {
      readonly type: 'heard';
      readonly service: string;
      readonly epoch: string;
      readonly revision: number;
    };

export type RegistryReply =
  | { readonly type: 'registered'; readonly id: number }
  | { readonly type: 'renewed'; readonly id: number }
  /** It is not listed: it must register again. */
  | { readonly type: 'unknown'; readonly id: number }
  | { readonly type: 'full'; readonly id: number }
  /** It is not listed any more, and everybody who watches knows, or was waited for long enough. */
  | { readonly type: 'left'; readonly id: number }
  | Listing
  | Changes;

/** Whom a registry knows. `id` 0: nobody asked. */
export type Listing = {
  readonly type: 'listing';
  readonly id: number;
  readonly service: string;
  /** One life of one registry: revisions of another say nothing of each other. */
  readonly epoch: string;
  readonly revision: number;
  /** False while a registry that came up empty waits to hear of everybody. */
  readonly complete: boolean;
  readonly entries: readonly Entry[];
};

/** Every change after `after`, in order. */
export type Changes = {
  readonly type: 'changes';
  readonly id: number;
  readonly service: string;
  readonly epoch: string;
  readonly after: number;
  readonly complete: boolean;
  readonly changes: readonly Change[];
};

export type RegistryMessage = RegistryRequest | RegistryReply;

export function describe(message: RegistryMessage): string {
  switch (message.type) {
    case 'register': {
      const { service, node, status } = message.entry;
      return `register ${node} for ${service}${status === 'up' ? '' : `, ${status}`}`;
    }
    case 'renew':
      return `renew ${message.node}${message.status === 'up' ? '' : `, ${message.status}`}`;
    case 'deregister':
      return `deregister ${message.node}`;
    case 'find':
      return `find ${message.service}`;
    case 'watch':
      return `watch ${message.service} after ${message.after}`;
    case 'heard':
      return `heard ${message.service} up to ${message.revision}`;
    case 'listing': {
      const { service, revision, complete, entries } = message;
      const nodes = entries.map(({ node, status }) =>
        status === 'up' ? node : `${node} ${status}`,
      );
      const known = nodes.length === 0 ? 'nobody' : nodes.join(', ');
      return `listing ${service} at ${revision}: ${known}${complete ? '' : ', incomplete'}`;
    }
    case 'changes': {
      const changes = message.changes.map((change) =>
        'put' in change
          ? `+${change.put.node}${change.put.status === 'up' ? '' : ` ${change.put.status}`}`
          : `-${change.drop}`,
      );
      return `changes ${message.service} after ${message.after}: ${changes.join(' ') || 'none'}`;
    }
    default:
      return message.type;
  }
}
