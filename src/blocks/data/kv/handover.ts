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
  /**
   * By owner: how far the hand-over has come. A map's iterator also meets what is added behind it, so
   * that each hint is looked at once, however many there are; what failed waits for the next knock.
   */
  const walks = new Map<NodeId, Iterator<[key: string, hint: KeptHint]>>();
  let timer: Timer | undefined;

  function wake(): void {
    if (timer || table.hintCount === 0) return;
    timer = host.after(config.hintEveryUs, () => {
      timer = undefined;
      expire();
      for (const [owner, hints] of table.hints) {
        walks.set(owner, hints.entries());
        goOn(owner, 1);
      }
      wake();
    });
  }

  /** Gives the next `count` hints that are not under way. */
  function goOn(owner: NodeId, count: number): void {
    const walk = walks.get(owner);
    for (let given = 0; walk && given < count; ) {
      const next = walk.next();
      if (next.done) return;
      const [key, hint] = next.value;
      if (underWay.has(`${owner} ${key}`)) continue;
      given++;
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
        if (taken) goOn(owner, batchMax - underWay.size);
      });
    });
    host.send(to, { type: 'store', id, attempt: 0, key, entry } satisfies KvMessage);
  }

  function expire(): void {
    const now = host.now();
    for (const [owner, kept] of table.hints) {
      for (const [key, hint] of kept) {
        if (now - hint.since <= config.hintWindowUs || underWay.has(`${owner} ${key}`)) continue;
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
