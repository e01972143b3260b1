/**
 * A registry: keeps the book, tells whoever watches, and lets go of what is not renewed. All of it is
 * memory: instances say again who they are, so a registry that comes up empty knows everybody after
 * one round of renewals. Until then its lists are marked incomplete, and callers keep what they have.
 *
 *   instance ──register, renew──▶ registry ──changes──▶ caller
 *                                          ◀──heard────
 */
import type { Address, Handlers, Host, Micros, NodeId, Timer } from '../../../host/host.ts';
import { Book } from './book.ts';
import type { RegistryConfig } from './config.ts';
import type { RegistryReply, RegistryRequest } from './messages.ts';

interface Watcher {
  readonly address: Address;
  readonly service: string;
  /** Everything up to here was heard, and up to there told. */
  heard: number;
  told: number;
  /** When it was heard of last. */
  aliveAt: Micros;
  resend: Timer | undefined;
}

interface Leaving {
  readonly to: Address;
  readonly id: number;
  readonly service: string;
  readonly revision: number;
  readonly timer: Timer;
}

/** How often leases are looked at, as a share of their length. */
const sweepsPerTtl = 20;
/** Rounds of renewals after which everybody who lives has been heard. */
const rebuildRounds = 1.5;
/** A watcher that has not asked for so many polls is gone. */
const pollsMissed = 3;

export function registry(host: Host, config: RegistryConfig): Handlers<RegistryRequest> {
  const book = new Book(config);
  const epoch = `${host.self}#${host.life}`;
  const completeAt = host.now() + Math.ceil(rebuildRounds * config.renewEveryUs);
  const watchers = new Map<string, Map<NodeId, Watcher>>();
  const leaving = new Set<Leaving>();
  const requests = host.meter.counter('requests');
  const latency = host.meter.histogram('latency');
  const queue = host.meter.gauge('queue');
  const instances = host.meter.gauge('instances');
  const watching = host.meter.gauge('watchers');
  const lapsed = host.meter.counter('lapsed');
  const preserved = host.meter.gauge('preserved');
  let pending = 0;
  let watcherCount = 0;
  let isPreserving = false;
  let isComplete = false;

  function reply(to: Address, message: RegistryReply): void {
    host.send(to, message);
  }

  function handle(from: Address, message: RegistryRequest): void {
    const now = host.now();
    switch (message.type) {
      case 'register': {
        const { id, entry } = message;
        const fits = book.register(entry, now);
        reply(from, { type: fits ? 'registered' : 'full', id });
        return changed(entry.service);
      }
      case 'renew': {
        const { id, service, node, status } = message;
        const isListed = book.renew(service, node, status, now);
        reply(from, { type: isListed ? 'renewed' : 'unknown', id });
        return changed(service);
      }
      case 'deregister': {
        const { id, service, node } = message;
        book.remove(service, node);
        return leave(from, id, service);
      }
      case 'find':
        return list(from, message.id, message.service);
      case 'watch':
        return watch(from, message);
      case 'heard': {
        const { service, revision } = message;
        const watcher = watchers.get(service)?.get(from.node);
        if (watcher && message.epoch === epoch) heard(watcher, revision);
      }
    }
  }

  function list(to: Address, id: number, service: string): void {
    reply(to, {
      type: 'listing',
      id,
      service,
      epoch,
      revision: book.revisionOf(service),
      complete: isComplete,
      entries: book.entries(service),
    });
  }

  function watch(
    from: Address,
    { id, service, epoch: known, after }: RegistryRequest & { readonly type: 'watch' },
  ): void {
    const all = watchers.get(service) ?? new Map<NodeId, Watcher>();
    watchers.set(service, all);
    let watcher = all.get(from.node);
    if (!watcher) {
      if (watcherCount >= config.watchersMax) return list(from, id, service);
      watcher = { address: from, service, heard: 0, told: 0, aliveAt: 0, resend: undefined };
      all.set(from.node, watcher);
      watching.set(++watcherCount);
    }
    const now = host.now();
    const revision = book.revisionOf(service);
    const changes = known === epoch ? book.since(service, after) : undefined;
    watcher.aliveAt = now;
    watcher.heard = changes ? after : 0;
    watcher.told = revision;
    if (!changes) list(from, id, service);
    else reply(from, { type: 'changes', id, service, epoch, after, complete: isComplete, changes });
    confirm(watcher);
  }

  function heard(watcher: Watcher, revision: number): void {
    watcher.aliveAt = host.now();
    watcher.heard = Math.max(watcher.heard, Math.min(revision, watcher.told));
    if (watcher.heard < watcher.told) return;
    watcher.resend?.cancel();
    watcher.resend = undefined;
    push(watcher);
    settle(watcher.service);
  }

  /** One push at a time to each: what changes meanwhile goes together with the next. */
  function push(watcher: Watcher): void {
    const { service, address, heard: after } = watcher;
    const revision = book.revisionOf(service);
    if (watcher.resend || after >= revision) return;
    const changes = book.since(service, after);
    watcher.told = revision;
    if (!changes) list(address, 0, service);
    else {
      const complete = isComplete;
      reply(address, { type: 'changes', id: 0, service, epoch, after, complete, changes });
    }
    confirm(watcher);
  }

  /** Tells again what was not confirmed. */
  function confirm(watcher: Watcher): void {
    watcher.resend?.cancel();
    watcher.resend = undefined;
    if (watcher.heard >= watcher.told) return;
    watcher.resend = host.after(config.timeoutUs, () => {
      watcher.resend = undefined;
      if (isForgotten(watcher)) forget(watcher);
      else push(watcher);
    });
  }

  function isForgotten({ aliveAt }: Watcher): boolean {
    return host.now() - aliveAt > pollsMissed * config.pollUs;
  }

  function forget(watcher: Watcher): void {
    watcher.resend?.cancel();
    if (watchers.get(watcher.service)?.delete(watcher.address.node)) watching.set(--watcherCount);
    settle(watcher.service);
  }

  function changed(service: string): void {
    instances.set(book.size);
    for (const watcher of watchers.get(service)?.values() ?? []) push(watcher);
  }

  function leave(to: Address, id: number, service: string): void {
    const one: Leaving = {
      to,
      id,
      service,
      revision: book.revisionOf(service),
      timer: host.after(config.leaveMaxUs, () => left(one)),
    };
    leaving.add(one);
    changed(service);
    settle(service);
  }

  /** Whoever stops may go once everybody who watches has heard. */
  function settle(service: string): void {
    if (leaving.size === 0) return;
    let heardByAll = Number.POSITIVE_INFINITY;
    for (const watcher of watchers.get(service)?.values() ?? []) {
      heardByAll = Math.min(heardByAll, watcher.heard);
    }
    for (const one of leaving) {
      if (one.service === service && one.revision <= heardByAll) left(one);
    }
  }

  function left(one: Leaving): void {
    one.timer.cancel();
    if (leaving.delete(one)) reply(one.to, { type: 'left', id: one.id });
  }

  function sweep(): void {
    host.after(Math.max(1, Math.floor(config.ttlUs / sweepsPerTtl)), sweep);
    const { dropped, kept } = book.sweep(host.now());
    lapsed.add(dropped.length);
    preserved.set(kept.length);
    if (kept.length > 0 !== isPreserving) {
      isPreserving = !isPreserving;
      host.meter.note(
        isPreserving
          ? `${kept.length} of ${book.size} leases would lapse together: kept`
          : 'leases lapse again',
      );
    }
    for (const { node } of dropped) host.meter.note(`the lease of ${node} has lapsed`);
    for (const service of new Set(dropped.map((entry) => entry.service))) changed(service);
    for (const all of watchers.values()) {
      for (const watcher of [...all.values()]) if (isForgotten(watcher)) forget(watcher);
    }
  }

  /** Everybody who watches is told that what is missing now is not there. */
  function complete(): void {
    isComplete = true;
    for (const [service, all] of watchers) {
      for (const watcher of all.values()) list(watcher.address, 0, service);
    }
  }

  host.after(completeAt - host.now(), complete);
  sweep();

  return {
    message(from, message) {
      requests.add();
      const arrivedAt = host.now();
      queue.set(++pending);
      host.cpu.charge(config.costUs, () => {
        queue.set(--pending);
        handle(from, message);
        latency.record(host.now() - arrivedAt);
      });
    },
    disconnected(node) {
      for (const all of watchers.values()) {
        const watcher = all.get(node);
        if (watcher) forget(watcher);
      }
      if (config.whenBroken === 'wait') return;
      for (const service of book.servicesOf(node)) {
        book.remove(service, node);
        changed(service);
      }
    },
  };
}
