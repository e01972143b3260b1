/**
 * The store with well-known mistakes planted in it. Each passes every test without faults; a hunt
 * must find each. Everything but the one broken rule is the real thing.
 */
import type { Declaration } from '../../../../host/declaration.ts';
import type { Disk, Host, NodeId, Value } from '../../../../host/host.ts';
import { blockWith, kvBlock } from '../block.ts';
import { type KvHandle, type KvOptions, declare, type Stored } from '../index.ts';
import { type ReplicaConfig, replica } from '../node.ts';
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

/** Not a mistake, a misfortune: each time that it starts anew, `node` finds its disk empty. */
export function kvDiskLost<T = Value>(
  name: string,
  node: NodeId,
  options: KvOptions = {},
): Declaration<KvHandle<Stored<T>>> {
  return declare(name, options, {
    ...kvBlock,
    programs: {
      replica: (host, config: ReplicaConfig) =>
        replica(host.self === node ? withNewDisk(host) : host, config),
    },
  });
}

/** What a life writes it keeps to itself. */
function withNewDisk(host: Host): Host {
  const { disk } = host;
  const own = (name: string) => `${host.life}/${name}`;
  const mine: Disk = {
    list: (prefix = '') => disk.list(own(prefix)).map((name) => name.slice(own('').length)),
    read: (name) => disk.read(own(name)),
    append: (name, bytes) => disk.append(own(name), bytes),
    sync: (name, done) => disk.sync(own(name), done),
    replace: (name, bytes, done) => disk.replace(own(name), bytes, done),
    remove: (name) => disk.remove(own(name)),
    truncate: (name, length) => disk.truncate(own(name), length),
    freeBytes: () => disk.freeBytes(),
  };
  return new Proxy(host, {
    get(target, name) {
      if (name === 'disk') return mine;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function planted(broken: Partial<Rules>): Maker {
  const block = blockWith({ ...soundRules, ...broken });
  return (name, options = {}) => declare(name, options, block);
}
