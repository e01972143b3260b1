/**
 * The half of a registry that stands at its users. At a caller it keeps the lists of the services that
 * are called from there, and goes on with them while no registry answers; at an instance it keeps that
 * instance listed.
 *
 *   registry ──listing, changes──▶ list ──▶ fetcher, gateway
 *                    failures there for `refreshAfter` ──▶ the list is fetched again
 */
import type { Client } from '../../../host/declaration.ts';
import type { Host, Message, Micros, NodeId } from '../../../host/host.ts';
import { hashText } from '../../../kit/random.ts';
import { backoffUs } from '../../../parts/backoff.ts';
import { Calls } from '../../../path/calls.ts';
import type { Directory } from '../../../path/directory.ts';
import type { RegistryClientConfig } from './config.ts';
import { Followed } from './followed.ts';
import { Membership, registryPort } from './membership.ts';
import type { Entry, Listing, RegistryReply, RegistryRequest } from './messages.ts';

/** What the fetchers, gateways, instances and handles of this node use. */
export interface RegistryApi extends Directory {
  /** Takes this instance out of every list, then calls `then`. */
  leave(then: () => void): void;
  /** The list as a registry has it now; undefined when none answers in time. */
  find(
    service: string,
    untilAt: Micros,
    done: (entries: readonly Entry[] | undefined) => void,
  ): void;
}

const retries = { backoffUs: 200_000, backoffMaxUs: 5_000_000 };

export function client(
  host: Host,
  config: RegistryClientConfig,
): Client & { readonly api: RegistryApi } {
  const calls = new Calls<RegistryReply>(host);
  const random = host.random.fork('registry');
  const refetches = host.meter.counter('refetches');
  const resyncs = host.meter.counter('resyncs');
  const { registries } = config;
  const lists = new Map(config.services.map((name) => [name, new Followed(name)]));
  /** Which registry is asked: spread over them at first, the next when one is silent. */
  let turn = (hashText(host.self) >>> 0) % registries.length;
  const membership = config.register
    ? new Membership({
        host,
        calls,
        config,
        entry: { ...config.register, node: host.self, zone: host.zone, status: 'up' },
      })
    : undefined;

  function ask(
    message: (id: number) => RegistryRequest,
    timeoutUs: Micros,
    done: (reply: RegistryReply | undefined) => void,
  ): void {
    const to = { node: registries[turn]!, port: registryPort };
    const id = calls.open(to, timeoutUs, (answer) => {
      if (!answer.ok) turn = (turn + 1) % registries.length;
      done(answer.ok ? answer.reply : undefined);
    });
    host.send(to, message(id));
  }

  /** Keeps a list up to date: asks now, and again at each poll, or soon when nobody answered. */
  function keep(list: Followed): void {
    list.timer?.cancel();
    list.timer = undefined;
    if (list.isAsking) return;
    list.isAsking = true;
    const { service, epoch, revision } = list;
    ask(
      (id) =>
        config.follow === 'watch'
          ? { type: 'watch', id, service, epoch, after: revision }
          : { type: 'find', id, service },
      config.timeoutUs,
      (reply) => {
        list.isAsking = false;
        if (reply) {
          list.failedCount = 0;
          take(reply);
        } else list.failedCount++;
        const waitUs = reply ? untilNext(list) : soon(list.failedCount);
        // What came of it may have asked already.
        if (!list.isAsking) list.timer = host.after(waitUs, () => keep(list));
      },
    );
  }

  /** A registry that has just begun knows few or none: who polls it looks again before its turn. */
  function untilNext(list: Followed): Micros {
    const { follow, pollUs, renewEveryUs } = config;
    if (follow === 'watch' || list.isComplete) return pollUs;
    return Math.min(pollUs, list.isKnown ? renewEveryUs : retries.backoffUs);
  }

  /** The other registries are asked at once; after all of them, wait. */
  function soon(failedCount: number): Micros {
    if (failedCount % registries.length !== 0) return 0;
    return 50_000 + backoffUs(retries, failedCount, random);
  }

  function take(reply: RegistryReply): void {
    if (reply.type !== 'listing' && reply.type !== 'changes') return;
    const list = lists.get(reply.service);
    if (!list) return;
    if (!list.take(reply)) {
      // Something is missing: from the start, then.
      resyncs.add();
      list.forgetPlace();
      return keep(list);
    }
    if (config.follow !== 'watch') return;
    const { service, epoch, revision } = list;
    const to = { node: nodeOf(epoch), port: registryPort };
    host.send(to, { type: 'heard', service, epoch, revision } satisfies RegistryRequest);
  }

  function refetch(list: Followed): void {
    if (list.isFetching) return;
    list.isFetching = true;
    list.fetchedAt = host.now();
    refetches.add();
    const { service } = list;
    ask(
      (id) => ({ type: 'find', id, service }),
      config.timeoutUs,
      (reply) => {
        list.isFetching = false;
        if (reply) take(reply);
      },
    );
  }

  function outcome(service: string, served: boolean): void {
    const list = lists.get(service);
    if (!list) return;
    if (served) {
      list.failingSince = undefined;
      return;
    }
    const now = host.now();
    list.failingSince ??= now;
    const sinceUs = now - Math.max(list.failingSince, list.fetchedAt);
    if (config.refetch === 'each' || sinceUs >= config.refreshAfterUs) refetch(list);
  }

  function find(
    service: string,
    untilAt: Micros,
    done: (entries: readonly Entry[] | undefined) => void,
  ): void {
    let left = registries.length;
    const attempt = (): void => {
      const timeoutUs = Math.min(config.timeoutUs, untilAt - host.now());
      if (timeoutUs <= 0 || left-- <= 0) return done(undefined);
      ask(
        (id) => ({ type: 'find', id, service }),
        timeoutUs,
        (reply) => {
          if (reply?.type === 'listing') done((reply satisfies Listing).entries);
          else attempt();
        },
      );
    };
    attempt();
  }

  const api: RegistryApi = {
    follow: (service, changed) => lists.get(service)?.follow(changed),
    isKnown: (service) => lists.get(service)?.isKnown ?? false,
    whenKnown(service, untilAt, then) {
      const list = lists.get(service);
      const timer = host.after(Math.max(0, untilAt - host.now()), () => go());
      const go = (): void => {
        forget();
        then();
      };
      const forget = (): void => {
        timer.cancel();
        list?.waiting.delete(go);
      };
      list?.waiting.add(go);
      return forget;
    },
    outcome,
    leave: (then) => (membership ? membership.leave(then) : then()),
    find,
  };
  for (const list of lists.values()) keep(list);

  return {
    api,
    message(_from, message: Message) {
      const reply = message as RegistryReply;
      if (reply.id !== 0) calls.settle(reply.id, reply);
      else take(reply);
    },
    refused(_to, message) {
      const request = message as RegistryRequest;
      if ('id' in request) calls.refused(request.id);
    },
    disconnected(node) {
      calls.disconnected(node);
      if (registries.includes(node)) {
        membership?.broken(node);
        for (const list of lists.values()) {
          if (nodeOf(list.epoch) === node && !list.isAsking) keep(list);
        }
      } else if (config.refetch === 'each') {
        for (const list of lists.values()) if (list.lists(node)) refetch(list);
      }
    },
  };
}

/** An epoch is a life of a registry: `registry/0#3`. */
function nodeOf(epoch: string): NodeId {
  return epoch.slice(0, epoch.lastIndexOf('#'));
}
