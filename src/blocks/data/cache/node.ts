/**
 * A cache node: a shelf of entries and the leases on what it lacks. Memory only: a crash forgets
 * everything, which a cache may.
 */
import type { Address, Program, Timer } from '../../../host/host.ts';
import { Lru } from '../../../parts/lru.ts';
import type { CacheConfig } from './config.ts';
import { Leases } from './leases.ts';
import type { CacheReply, CacheRequest } from './messages.ts';
import { Shelf } from './shelf.ts';

interface Waiter {
  readonly from: Address;
  readonly id: number;
  timer: Timer | undefined;
}

type Of<K extends CacheRequest['type']> = Extract<CacheRequest, { readonly type: K }>;

export const node: Program<CacheRequest, CacheConfig> = (host, config) => {
  const requests = host.meter.counter('requests');
  const errors = host.meter.counter('errors');
  const latency = host.meter.histogram('latency');
  const queue = host.meter.gauge('queue');
  const entries = host.meter.gauge('entries');
  const evictions = host.meter.counter('evictions');
  const expired = host.meter.counter('expired');
  const refusedSets = host.meter.counter('refused sets');
  const shelf = new Shelf({
    capacity: config.capacity,
    policy: config.policy,
    onEvict: () => evictions.add(),
    onExpire: () => expired.add(),
  });
  const leases = new Leases<Waiter>(config, host.life * 2 ** 32);
  /** The last `set` of each caller, so that a copy the network made does not undo a later one. */
  const lastSets = new Lru<string, number>({ entriesMax: 10_000 });
  let pending = 0;

  function get(from: Address, { id, key, lease }: Of<'get'>): void {
    const now = host.now();
    const entry = shelf.get(key, now);
    if (entry) return reply(from, { type: 'hit', id, value: entry.value });
    if (!lease) return reply(from, { type: 'miss', id });
    const asked = leases.ask(key, now);
    switch (asked.may) {
      case 'load':
        return reply(from, { type: 'miss', id, lease: asked.token });
      case 'load-unleased':
        errors.add();
        return reply(from, { type: 'miss', id });
      case 'wait': {
        const waiter: Waiter = { from, id, timer: undefined };
        waiter.timer = host.after(config.waitUs, () => {
          leases.leave(key, waiter);
          reply(from, { type: 'miss', id });
        });
        leases.wait(key, waiter);
      }
    }
  }

  function set(from: Address, { id, key, value, ttlUs, lease }: Of<'set'>): void {
    const copied = id <= (lastSets.get(from.node) ?? 0);
    if (copied || (lease !== undefined && !leases.holds(key, lease))) {
      refusedSets.add();
      return reply(from, { type: 'stored', id, stored: false });
    }
    lastSets.set(from.node, id);
    shelf.set(key, value, ttlUs, host.now());
    entries.set(shelf.size);
    reply(from, { type: 'stored', id, stored: true });
    for (const waiter of leases.settle(key)) {
      answer(waiter, { type: 'hit', id: waiter.id, value, waited: true });
    }
  }

  function remove(from: Address, { id, key }: Of<'delete'>): void {
    shelf.delete(key);
    entries.set(shelf.size);
    pass(key);
    reply(from, { type: 'deleted', id });
  }

  /** A new lease for who waits longest: the old one may carry a value from before the deletion. */
  function pass(key: string): void {
    const passed = leases.pass(key, host.now());
    if (passed) answer(passed.heir, { type: 'miss', id: passed.heir.id, lease: passed.token });
  }

  function answer(waiter: Waiter, message: CacheReply): void {
    waiter.timer?.cancel();
    reply(waiter.from, message);
  }

  function reply(to: Address, message: CacheReply): void {
    host.send(to, message);
  }

  function handle(from: Address, message: CacheRequest): void {
    switch (message.type) {
      case 'get':
        return get(from, message);
      case 'set':
        return set(from, message);
      case 'delete':
        return remove(from, message);
      case 'release':
        if (leases.holds(message.key, message.lease)) pass(message.key);
    }
  }

  return {
    message(from, message) {
      requests.add();
      if (config.costUs === 0) return handle(from, message);
      const arrivedAt = host.now();
      queue.set(++pending);
      host.cpu.charge(config.costUs, () => {
        queue.set(--pending);
        handle(from, message);
        latency.record(host.now() - arrivedAt);
      });
    },
  };
};
