/**
 * What the run itself says to programs, and what they say back. It arrives as an ordinary message
 * from `{ node: 'control', port: 'control' }`; what a program sends there reaches the run.
 *
 * Who calls a service takes the same from programs of its own node: the client half of a registry, the
 * agent of a control plane. They send to the port of the fetcher (the service's name), or to a gateway's.
 */
import type { ChaosRule } from './fault.ts';
import type { Address, Message, Micros, NodeId, Value } from './host.ts';
import type { Targets } from './path.ts';

export const control: Address = { node: 'control', port: 'control' };

export type ToProgram =
  /** Users: prepare (preload), then say `ready`. */
  | { readonly type: 'prepare' }
  /** Users: come as in the load's first instant, until `begin`. Nothing of it counts. */
  | { readonly type: 'warm-up' }
  /** Users: start the load; its time zero is now. Those who warmed up go on, and count from now. */
  | { readonly type: 'begin'; readonly forUs: Micros }
  /** Users: no new requests. Say `quiet` once none is in flight. */
  | { readonly type: 'stop' }
  /** Users: the arrival rate is multiplied by this from now on. */
  | { readonly type: 'surge'; readonly factor: number }
  /** Callers of a service: its traffic split changes. */
  | {
      readonly type: 'shift';
      readonly service: string;
      readonly traffic: Readonly<Record<string, number>>;
    }
  /** Callers of a service: what befalls their calls from now on; none: nothing any more. */
  | { readonly type: 'chaos'; readonly service: string; readonly rules: readonly ChaosRule[] }
  /** Callers of a service: who serves it from now on. Of those that stay everything known is kept. */
  | { readonly type: 'retarget'; readonly service: string; readonly targets: Targets }
  /** Callers of a service: the policy from now on, a `PathPolicy`; null: the design's own again. */
  | { readonly type: 'adopt'; readonly service: string; readonly policy: Value }
  /** Operators: who belongs to `block` now. The answer to `follow-nodes`, and again at each change. */
  | { readonly type: 'members'; readonly block: string; readonly nodes: readonly Present[] };

/** A node that was started and not stopped: whether it is up is for others to find out. */
export type Present = { readonly id: NodeId; readonly zone: string };

/** Whether `from` may say such things to a program of `self`: the run, and programs of the same node. */
export function mayControl(from: Address, self: NodeId): boolean {
  return from.node === control.node || from.node === self;
}

export type FromProgram =
  | { readonly type: 'ready'; readonly failure?: string | undefined; readonly value?: Value }
  | { readonly type: 'quiet' }
  | HoldAddress
  | Operation;

/**
 * From now on what goes to `address` is for this node: a claim that the network believes, as it does
 * a gratuitous ARP. The last one holds, among those that share the address by the plan.
 */
export type HoldAddress = { readonly type: 'hold-address'; readonly address: NodeId };

export function isClaim(message: Message): message is HoldAddress {
  return message.type === 'hold-address';
}

/**
 * What an operator asks of the run. Heard only from programs whose plan names the block in
 * `operates`; from others it is refused, with a note.
 */
export type Operation =
  /** Wants to know the members of `block`, until this life of the asking node ends. */
  | { readonly type: 'follow-nodes'; readonly block: string }
  /** One more member, in the zone that has fewest. */
  | { readonly type: 'start-node'; readonly block: string }
  /** For good: gently, or at once. */
  | { readonly type: 'stop-node'; readonly node: NodeId; readonly how: 'drain' | 'kill' }
  /** Ends its life and begins another, unless a fault keeps it down. */
  | { readonly type: 'restart-node'; readonly node: NodeId };

const operations: ReadonlySet<string> = new Set<Operation['type']>([
  'follow-nodes',
  'start-node',
  'stop-node',
  'restart-node',
]);

export function isOperation(message: Message): message is Operation {
  return operations.has(message.type);
}
