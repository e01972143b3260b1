/**
 * Hinted handoff (Dynamo, DeCandia et al. 2007): writes that this node keeps for owners that were
 * away, and how they get home. Every `hintEvery` one of them knocks; when its owner takes it, the
 * others follow. A hint is forgotten, durably, only once its owner has stored it.
 */
import type { NodeId, Timer } from '../../../host/host.ts';
import { type KvMessage, kvPort } from './messages.ts';
import type { Replica } from './node.ts';
import type { Rules } from './rules.ts';
import type { KeptHint } from './table.ts';

/** Handed over at once to an owner that is back: enough to fill the way there, too few to drown it. */
const batchMax = 64;

export interface Handover {
  /** A hint came in. */
  wake(): void;
}

export function handover(self: Replica, rules: Rules): Handover {
  const { host, config, table, calls } = self;
  const handedOver = host.meter.counter('handedOver');
  const expired = host.meter.counter('hintsExpired');
  /** Owner and key of hints on their way. */
  const underWay = new Set<string>();
  let timer: Timer | undefined;

  function wake(): void {
    if (timer || table.hintCount === 0) return;
    timer = host.after(config.hintEveryUs, () => {
      timer = undefined;
      expire();
      for (const owner of table.hints.keys()) knock(owner, 1);
      wake();
    });
  }

  function knock(owner: NodeId, limit: number): void {
    let started = 0;
    for (const [key, hint] of table.hints.get(owner) ?? []) {
      if (started >= limit) return;
      if (underWay.has(`${owner} ${key}`)) continue;
      started++;
      give(owner, key, hint);
    }
  }

  function give(owner: NodeId, key: string, hint: KeptHint): void {
    const way = `${owner} ${key}`;
    const { entry } = hint;
    underWay.add(way);
    const to = { node: owner, port: kvPort };
    const id = calls.open(to, config.timeoutUs, (answer) => {
      const taken = answer.ok && answer.reply.type === 'stored';
      if (!taken && rules.keepHintUntilStored) {
        underWay.delete(way);
        return;
      }
      handedOver.add();
      self.write({ do: 'unhint', owner, key, version: entry.version }, () => {
        // Also when the disk did not take it: then it is handed over again, which does no harm.
        underWay.delete(way);
        if (taken) knock(owner, batchMax - underWay.size);
      });
    });
    host.send(to, { type: 'store', id, attempt: 0, key, entry } satisfies KvMessage);
  }

  function expire(): void {
    const wall = host.wall();
    for (const [owner, kept] of table.hints) {
      for (const [key, hint] of kept) {
        if (wall - hint.since <= config.hintWindowUs || underWay.has(`${owner} ${key}`)) continue;
        expired.add();
        const way = `${owner} ${key}`;
        underWay.add(way);
        self.write({ do: 'unhint', owner, key, version: hint.entry.version }, () =>
          underWay.delete(way),
        );
      }
    }
  }

  wake();
  return { wake };
}
