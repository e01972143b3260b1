/**
 * Two programs: a `server` has all records, and asks their nodes whether they are well; a `resolver`
 * asks servers on behalf of the clients of a region, and remembers what they said for as long as it may.
 *
 *   client ──query──▶ resolver (remembers) ──query──▶ server (records, health)
 */
import type { Address, Handlers, Host, NodeId } from '../../../host/host.ts';
import { type WebMessage, type WebReply, webPort } from '../../../host/web.ts';
import { HealthCheck } from '../../../parts/health.ts';
import { requestOf } from '../../../path/caller.ts';
import { Calls } from '../../../path/calls.ts';
import { takeWeb } from '../../../path/streaming.ts';
import type { ResolverConfig, ServerConfig } from './config.ts';
import type { DnsAnswer, DnsMessage } from './messages.ts';
import { Records } from './records.ts';
import { Remembering } from './remembering.ts';

export function server(host: Host, config: ServerConfig): Handlers<DnsMessage | WebMessage> {
  const records = new Records(config, host.random.fork('answers'));
  const calls = new Calls<WebReply>(host, { counted: false });
  const requests = host.meter.counter('requests');
  const latency = host.meter.histogram('latency');
  const down = host.meter.gauge('nodes down');
  let downCount = 0;

  for (const node of records.nodes()) watch(node);

  function watch(node: NodeId): void {
    const check = new HealthCheck(config.health, host.random.fork(`check ${node}`));
    const to: Address = { node, port: webPort };
    const { probe } = config;
    const name = node.slice(0, node.lastIndexOf('/'));
    const what =
      probe === undefined
        ? { method: 'OPTIONS', url: '*' }
        : { method: 'GET', url: `http://${name}${probe}` };
    const asked = { ...what, headers: [], body: null, ip: '' };
    const again = (): void => void host.after(check.nextInUs(), ask);
    const ask = (): void => {
      const { timeoutUs } = config.health;
      const id = calls.open(to, timeoutUs, (answer) => {
        const was = check.answered(answer.ok && answer.reply.status < 500);
        if (was !== undefined) changed(node, was);
        again();
      });
      host.send(to, requestOf(id, asked, timeoutUs));
    };
    again();
  }

  function changed(node: NodeId, is: 'up' | 'down'): void {
    records.report(node, is === 'up', host.now());
    if (is === 'down') downCount++;
    else if (downCount > 0) downCount--;
    down.set(downCount);
    host.meter.note(`${node} is ${is}`);
  }

  return {
    message(from, message) {
      if (message.type === 'reply') return void calls.settle(message.id, message);
      if (message.type === 'lost') return calls.lost(message.id);
      if (message.type !== 'query') return;
      requests.add();
      const startedAt = host.now();
      const { id, name, region } = message;
      host.cpu.charge(config.costUs, () => {
        const found = records.find(name, region ?? config.region, host.now());
        latency.record(host.now() - startedAt);
        host.send(from, { type: 'answer', id, ...found } satisfies DnsAnswer);
      });
    },
    /** A node that answers at length is well; nobody here reads what it says. */
    stream(_from, opening, stream) {
      const web = opening as WebMessage;
      if (web.type !== 'reply') return undefined;
      const { message, events } = takeWeb(web, stream);
      const isAsked = calls.settle(message.id, message);
      stream.reset();
      return isAsked ? events : undefined;
    },
    refused(_to, message) {
      const request = message as WebMessage;
      if (request.type === 'request') calls.refused(request.id);
    },
    disconnected: (node) => calls.disconnected(node),
  };
}

export function resolver(host: Host, config: ResolverConfig): Handlers<DnsMessage> {
  const requests = host.meter.counter('requests');
  const errors = host.meter.counter('errors');
  const latency = host.meter.histogram('latency');
  const names = new Remembering(host, config, config.asks, config.region);

  return {
    message(from, message) {
      if (message.type === 'answer') return names.answered(message);
      requests.add();
      const startedAt = host.now();
      const { id, name } = message;
      host.cpu.charge(config.costUs, () =>
        names.find(name, (found) => {
          if (found.code === 'failed') errors.add();
          latency.record(host.now() - startedAt);
          host.send(from, { type: 'answer', id, ...found } satisfies DnsAnswer);
        }),
      );
    },
    refused(_to, message) {
      const query = message as DnsMessage;
      if (query.type === 'query') names.refused(query.id);
    },
    disconnected: (node) => names.disconnected(node),
  };
}
