/**
 * The other way to be registered: instances know of no registry. A registrar is told by whoever runs
 * them which there are, asks each how it is, and keeps those that answer listed.
 *
 *   control ──members──▶ registrar ──probe──▶ instance's agent
 *                            └──register, renew, deregister──▶ registry
 */
import { type AgentMessage, agentPort, type Condition, type Probe } from '../../../host/agent.ts';
import { control, type Operation, type ToProgram } from '../../../host/control.ts';
import type { Handlers, Host, NodeId, Timer } from '../../../host/host.ts';
import { HealthCheck, type HealthConfig } from '../../../parts/health.ts';
import { Calls } from '../../../path/calls.ts';
import type { RegistryClientConfig } from './config.ts';
import { Membership } from './membership.ts';
import type { RegistryReply, RegistryRequest } from './messages.ts';

export type RegistrarConfig = RegistryClientConfig & {
  readonly of: readonly string[];
  readonly health: HealthConfig;
};

interface Charge {
  readonly node: NodeId;
  readonly zone: string;
  readonly service: string;
  readonly check: HealthCheck;
  timer: Timer | undefined;
  /** Listed, while it is or was well not long ago. */
  membership: Membership | undefined;
  /** Takes it out when it stays sick. */
  drop: Timer | undefined;
}

export function registrar(
  host: Host,
  config: RegistrarConfig,
): Handlers<RegistryReply | AgentMessage | ToProgram> {
  const calls = new Calls<RegistryReply>(host);
  /** Ids are each one's own: what an answer is says whose it is. */
  const probes = new Calls<Condition>(host);
  const charges = new Map<NodeId, Charge>();
  const listed = host.meter.gauge('listed');

  function told(service: string, nodes: readonly { readonly id: NodeId; readonly zone: string }[]) {
    const present = new Set(nodes.map(({ id }) => id));
    for (const charge of [...charges.values()]) {
      if (charge.service === service && !present.has(charge.node)) dismiss(charge);
    }
    for (const { id, zone } of nodes) {
      if (charges.has(id)) continue;
      const check = new HealthCheck(config.health, host.random.fork(`check ${id}`));
      const idle = { timer: undefined, membership: undefined, drop: undefined };
      const charge: Charge = { node: id, zone, service, check, ...idle };
      charges.set(id, charge);
      probe(charge);
    }
  }

  function dismiss(charge: Charge): void {
    charges.delete(charge.node);
    charge.timer?.cancel();
    unlist(charge);
  }

  function unlist(charge: Charge): void {
    charge.drop?.cancel();
    charge.drop = undefined;
    charge.membership?.leave(() => {});
    charge.membership = undefined;
    count();
  }

  function probe(charge: Charge): void {
    const to = { node: charge.node, port: agentPort };
    const id = probes.open(to, config.health.timeoutUs, (answer) => {
      if (charges.get(charge.node) !== charge) return;
      const condition = answer.ok ? answer.reply : undefined;
      judged(charge, charge.check.answered(condition !== undefined), condition);
      charge.timer = host.after(charge.check.nextInUs(), () => probe(charge));
    });
    host.send(to, { type: 'probe', id, clears: false } satisfies Probe);
  }

  function judged(
    charge: Charge,
    news: 'up' | 'down' | undefined,
    condition: Condition | undefined,
  ): void {
    const { node, zone, service } = charge;
    if (news === 'up' && condition) {
      charge.drop?.cancel();
      charge.drop = undefined;
      const { release } = condition;
      const entry = { service, node, zone, release, status: 'up' } as const;
      if (charge.membership) charge.membership.turn('up');
      else charge.membership = new Membership({ host, calls, config, entry });
      count();
    } else if (news === 'down' && charge.membership) {
      charge.membership.turn('sick');
      charge.drop = host.after(config.ttlUs, () => unlist(charge));
    }
  }

  function count(): void {
    listed.set([...charges.values()].filter(({ membership }) => membership).length);
  }

  for (const block of config.of) {
    host.send(control, { type: 'follow-nodes', block } satisfies Operation);
  }

  return {
    message(from, message) {
      if (message.type === 'members') {
        if (from.node === control.node) told(message.block, message.nodes);
      } else if (message.type === 'condition') probes.settle(message.id, message);
      else if (message.type !== 'probe' && 'id' in message) calls.settle(message.id, message);
    },
    refused(_to, message) {
      const request = message as RegistryRequest | Probe;
      if (request.type === 'probe') probes.refused(request.id);
      else if ('id' in request) calls.refused(request.id);
    },
    disconnected(node) {
      calls.disconnected(node);
      probes.disconnected(node);
      for (const { membership } of charges.values()) membership?.broken(node);
    },
  };
}
