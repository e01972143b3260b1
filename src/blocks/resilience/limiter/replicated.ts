/**
 * Each node counts what it admits in a row of its own, and tells the others every `syncEvery`. Rows are
 * merged, not added to, so that nothing is lost or counted twice whatever the network does:
 *
 *   node 0   key: {0: 3, 1: 2}  ──gossip {0: 3}──▶   node 1   key: {0: 3, 1: 2}
 *
 * A verdict knows all that this node admitted, and of the others what was told until now. So a window
 * admits at most its limit and what others admitted within one delay before, never more than the limit
 * for each node. Nobody waits for another region.
 */
import type { Address, NodeId, Program } from '../../../host/host.ts';
import { type Answer, Calls } from '../../../path/calls.ts';
import type { NodeConfig } from './config.ts';
import { limiterPort } from './locked.ts';
import type { GossipMessage, LimiterMessage, TallyData } from './messages.ts';
import { Desk, undecided } from './node.ts';

/** In one message: a page of gossip stays below what a packet train carries at once. */
const keysPerMessage = 500;

interface Peer {
  readonly id: NodeId;
  /** Keys whose counts it may not know. */
  readonly untold: Set<string>;
}

export const replicated: Program<LimiterMessage, NodeConfig> = (host, config) => {
  // Counts that a restart forgets begin a new row: the old one lives on at the others.
  const desk = new Desk(host, config, config.durable ? host.self : `${host.self}#${host.life}`);
  const calls = new Calls<GossipMessage>(host, { counted: false });
  const peers: readonly Peer[] = config.members
    .filter(({ id }) => id !== host.self)
    .map(({ id }) => ({ id, untold: new Set(desk.book.keys()) }));
  for (const { id } of peers) host.send(at(id), { type: 'hello' } satisfies GossipMessage);
  let ticking = false;

  function changed(key: string): void {
    for (const { untold } of peers) untold.add(key);
    tick();
  }

  /** Runs only while there is something to tell. */
  function tick(): void {
    if (ticking || !peers.some(({ untold }) => untold.size > 0)) return;
    ticking = true;
    host.after(config.syncEveryUs, () => {
      ticking = false;
      for (const peer of peers) tell(peer);
      tick();
    });
  }

  function tell(peer: Peer): void {
    const keys: (readonly [string, TallyData])[] = [];
    for (const key of peer.untold) {
      if (keys.length === keysPerMessage) break;
      peer.untold.delete(key);
      const row = desk.book.peek(key)?.rows.get(desk.ownRow);
      if (row) keys.push([key, row.toData()]);
    }
    if (keys.length === 0) return;
    const id = calls.open(at(peer.id), config.timeoutUs, (answer: Answer<GossipMessage>) => {
      if (answer.ok) return;
      for (const [key] of keys) peer.untold.add(key);
      tick();
    });
    host.send(at(peer.id), { type: 'gossip', id, row: desk.ownRow, keys } satisfies GossipMessage);
  }

  function hear(from: Address, gossip: Extract<GossipMessage, { readonly type: 'gossip' }>): void {
    for (const [key, counts] of gossip.keys) {
      desk.book.row(desk.book.entry(key), gossip.row).merge(counts);
    }
    host.send(from, { type: 'heard', id: gossip.id } satisfies GossipMessage);
  }

  if (peers.some(({ untold }) => untold.size > 0)) tick();

  return {
    message(from, message) {
      switch (message.type) {
        case 'take': {
          const { key, cost } = message;
          return desk.open(from, message, (answer) => {
            const entry = desk.book.entry(key);
            const verdict = desk.decide(entry, cost);
            if (!verdict.allowed) return answer(verdict);
            desk.book.keep(key, entry, (kept) => answer(kept ? verdict : undecided));
            changed(key);
          });
        }
        case 'gossip':
          return hear(from, message);
        case 'heard':
          return calls.settle(message.id, message);
        case 'hello': {
          const peer = peers.find(({ id }) => id === from.node);
          for (const key of desk.book.keys()) peer?.untold.add(key);
          return tick();
        }
      }
    },
    refused: (_to, message) => {
      const { type } = message as GossipMessage;
      if (type === 'gossip') calls.refused((message as GossipMessage & { id: number }).id);
    },
    disconnected: (node) => calls.disconnected(node),
  };

  function at(node: NodeId): Address {
    return { node, port: limiterPort };
  }
};
