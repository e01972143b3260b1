/**
 * The store with well-known mistakes planted in it. Each passes every test without faults; a hunt
 * must find each. Everything but the one broken rule is the real thing.
 */
import type { Declaration } from '../../../../host/declaration.ts';
import type { Value } from '../../../../host/host.ts';
import { blockWith } from '../block.ts';
import { type KvHandle, type KvOptions, declare, type Stored } from '../index.ts';
import { type Rules, soundRules } from '../rules.ts';

type Maker = <T = Value>(name: string, options?: KvOptions) => Declaration<KvHandle<Stored<T>>>;

/** An answer that comes twice counts twice: one replica makes a quorum. Shows with duplication or loss. */
export const kvAckCountedTwice: Maker = planted({ countEachReplicaOnce: false });

/** Replicas answer before their disk has it. Shows when they crash. */
export const kvNoSync: Maker = planted({ syncBeforeAnswer: false });

/**
 * A stand-in forgets a write when it has sent it, not when its owner has it. Shows where hints
 * carry acknowledged writes, `{ consistency: 'quorum', nodes: 5, sloppy: true }`, and an owner is
 * still away at the first attempt: the write is missing at the end.
 */
export const kvHintDropped: Maker = planted({ keepHintUntilStored: false });

function planted(broken: Partial<Rules>): Maker {
  const block = blockWith({ ...soundRules, ...broken });
  return (name, options = {}) => declare(name, options, block);
}
