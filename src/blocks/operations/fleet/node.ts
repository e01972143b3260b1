/**
 * The program of a fleet: probes the instances, and has the world start and stop them as `fleet.ts`
 * decides. What it knows it learns again after a restart; meanwhile everybody goes on.
 *
 *   control ──members──▶ fleet ──probe──▶ instance's agent
 *           ◀─start, stop, restart── ◀──condition──
 */
import { type AgentMessage, agentPort, type Condition, type Probe } from '../../../host/agent.ts';
import { control, type Operation, type ToProgram } from '../../../host/control.ts';
import type { Handlers, Host, NodeId, Timer } from '../../../host/host.ts';
import { Calls } from '../../../path/calls.ts';
import type { FleetConfig } from './config.ts';
import { Fleet, type Order } from './fleet.ts';

/** How often due starts and replacements are looked at. */
const tickUs = 100_000;

export function fleet(host: Host, config: FleetConfig): Handlers<AgentMessage | ToProgram> {
  const decider = new Fleet(config, host.random.fork('fleet'));
  const calls = new Calls<Condition>(host);
  const probing = new Map<NodeId, Timer | undefined>();
  const size = host.meter.gauge('size');
  const wanted = host.meter.gauge('wanted');
  const sick = host.meter.gauge('sick');
  const counters = {
    start: host.meter.counter('started'),
    stop: host.meter.counter('stopped'),
    restart: host.meter.counter('restarted'),
  };

  function order(operation: Operation): void {
    host.send(control, operation);
  }

  function probe(node: NodeId): void {
    const to = { node, port: agentPort };
    const id = calls.open(to, config.health.timeoutUs, (answer) => {
      if (!probing.has(node)) return;
      decider.answered(node, answer.ok ? answer.reply : undefined, host.now());
      act();
      if (probing.has(node)) {
        probing.set(
          node,
          host.after(decider.nextProbeInUs(node), () => probe(node)),
        );
      }
    });
    host.send(to, { type: 'probe', id, clears: true } satisfies Probe);
  }

  function heed(): void {
    const present = new Set(decider.ids);
    for (const [node, timer] of probing) {
      if (present.has(node)) continue;
      timer?.cancel();
      probing.delete(node);
    }
    for (const node of present) {
      if (probing.has(node)) continue;
      probing.set(node, undefined);
      probe(node);
    }
    size.set(decider.size);
  }

  function act(): void {
    const orders = decider.tick(host.now());
    for (const one of orders) carryOut(one);
    if (orders.length > 0) heed();
    wanted.set(decider.wanted);
    sick.set(decider.sickCount);
  }

  function carryOut(one: Order): void {
    counters[one.do].add();
    switch (one.do) {
      case 'start':
        host.meter.note(`starts one of ${config.of}: ${one.why}`);
        return order({ type: 'start-node', block: config.of });
      case 'stop':
        host.meter.note(`stops ${one.node}: ${one.why}`);
        return order({ type: 'stop-node', node: one.node, how: one.how });
      case 'restart':
        host.meter.note(`restarts ${one.node}: ${one.why}`);
        order({ type: 'restart-node', node: one.node });
    }
  }

  function tick(): void {
    host.after(tickUs, tick);
    act();
  }

  order({ type: 'follow-nodes', block: config.of });
  host.after(tickUs, tick);

  return {
    message(from, message) {
      if (message.type === 'condition') calls.settle(message.id, message);
      else if (message.type === 'members' && from.node === control.node) {
        decider.members(message.nodes, host.now());
        heed();
      }
    },
    refused: (_to, message) => calls.refused((message as Probe).id),
    disconnected: (node) => calls.disconnected(node),
  };
}
