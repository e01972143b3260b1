/**
 * When a tombstone may be forgotten. Too early, and a replica that missed the delete, a message
 * that was late or a hint brings the key back; never, and deleted keys fill the memory.
 *
 *   an owner asks all nodes:   do you have it, or nothing older, and keep no hint for this key?
 *   all said yes ────────────  `tombstoneTtl` passes  ────────────▶ all said yes again
 *   it tells the others to forget, and forgets it last
 *
 * Every half of that time it goes through all its tombstones, as many surveys as it takes, one after
 * the other: they are forgotten as fast as they come, and the messages stay small.
 *
 * Why that is safe. When all said yes for the first time, every majority knows the tombstone: what
 * starts from then on reads it, or makes a newer version. What started before has ended, and what
 * it sent has arrived, within `tombstoneTtl` (nothing is sent after an operation's time, and no
 * message is under way for that long). So after the second yes nothing older exists anywhere.
 *
 * Nodes forget one after the other, so a new write may meet one that still has the tombstone.
 * Therefore each remembers the newest version it ever forgot (the floor) and says so in its
 * answers: new versions are made above it.
 */
import type { Micros, NodeId, Timer } from '../../../host/host.ts';
import { compareVersions } from '../../../parts/hlc.ts';
import { type KeyVersion, type KvMessage, kvPort } from './messages.ts';
import { ownerIndex, type Replica } from './node.ts';

/** In one survey: a message stays small. */
const surveyMax = 500;

interface Watched {
  readonly key: string;
  readonly version: KeyVersion['version'];
  readonly seenAt: Micros;
  /** Since when everyone is known to be clear. */
  clearAt: Micros | undefined;
}

export interface Collector {
  /** A tombstone came in. */
  wake(): void;
  survey(message: KvMessage & { type: 'survey' }): KvMessage;
  /** Forgets these durably, then calls `done`. Without a disk to say so, it does not. */
  collect(tombstones: readonly KeyVersion[], done: () => void): void;
}

export function collector(self: Replica): Collector {
  const { host, config, table, calls } = self;
  const collected = host.meter.counter('collected');
  const others = config.members.filter(({ id }) => id !== host.self).map(({ id }) => id);
  /** In memory only: after a restart the waiting begins anew, which is only slower. */
  const watched = new Map<string, Watched>();
  let timer: Timer | undefined;
  let sweeping = false;

  function wake(): void {
    if (timer || table.tombstones.size === 0) return;
    timer = host.after(Math.ceil(config.tombstoneTtlUs / 2), () => {
      timer = undefined;
      sweep();
      wake();
    });
  }

  function sweep(): void {
    const now = host.now();
    for (const key of watched.keys()) if (!table.tombstones.has(key)) watched.delete(key);
    const due: Watched[] = [];
    for (const key of table.tombstones) {
      const { version } = table.get(key)!;
      let watch = watched.get(key);
      if (!watch || compareVersions(watch.version, version) !== 0) {
        watch = { key, version, seenAt: now, clearAt: undefined };
        watched.set(key, watch);
      }
      // All said yes, and the time between is far from over: it will be by the time of the answers.
      if (watch.clearAt !== undefined && now - watch.clearAt < 0.75 * config.tombstoneTtlUs)
        continue;
      // The first owner acts; the others only when it has not for a long time.
      const order = ownerIndex(self, key, host.self);
      if (order === undefined) continue;
      if (now - watch.seenAt >= order * 4 * config.tombstoneTtlUs) due.push(watch);
    }
    if (due.length === 0 || sweeping) return;
    sweeping = true;
    surveyFrom(due, 0);
  }

  function surveyFrom(due: readonly Watched[], from: number): void {
    const some = due.slice(from, from + surveyMax);
    survey(some, (clear, isComplete) => {
      decide(some, clear);
      // One who does not answer would have to be waited for each time, and nothing is forgotten without it.
      const isOver = !isComplete || from + surveyMax >= due.length;
      if (isOver) sweeping = false;
      else surveyFrom(due, from + surveyMax);
    });
  }

  function decide(due: readonly Watched[], clear: readonly boolean[]): void {
    const now = host.now();
    const ripe: Watched[] = [];
    due.forEach((watch, i) => {
      if (!clear[i]) watch.clearAt = undefined;
      else if (watch.clearAt === undefined) watch.clearAt = now;
      else if (now - watch.clearAt >= config.tombstoneTtlUs) ripe.push(watch);
    });
    if (ripe.length === 0) return;
    const tombstones = ripe.map(({ key, version }) => ({ key, version }));
    askAll(
      (id) => ({ type: 'collect', id, tombstones }),
      (replies) => {
        // Last, so that one who missed the word is told again.
        if (replies.every((reply) => reply?.type === 'collected')) collect(tombstones, () => {});
      },
    );
  }

  /**
   * `clear[i]` says whether everyone, this node included, is clear of what is older than `due[i]`;
   * `isComplete`, whether everyone answered.
   */
  function survey(
    due: readonly Watched[],
    done: (clear: readonly boolean[], isComplete: boolean) => void,
  ): void {
    const tombstones = due.map(({ key, version }) => ({ key, version }));
    askAll(
      (id) => ({ type: 'survey', id, tombstones }),
      (replies) => {
        const clear = tombstones.map(
          ({ key, version }) => table.standing(key, version, true) === 'clear',
        );
        replies.forEach((reply, node) => {
          tombstones.forEach(({ key, version }, i) => {
            const standing = reply?.type === 'standing' ? reply.standings[i] : undefined;
            if (standing !== 'clear') clear[i] = false;
            if (standing === 'behind') bring(others[node]!, key, version);
          });
        });
        done(
          clear,
          replies.every((reply) => reply !== undefined),
        );
      },
    );
  }

  function bring(node: NodeId, key: string, version: KeyVersion['version']): void {
    const entry = { version, value: null };
    const message: KvMessage = { type: 'store', id: calls.next(), attempt: 0, key, entry };
    host.send({ node, port: kvPort }, message);
  }

  /** Asks all other nodes; a reply is undefined when none came. */
  function askAll(
    question: (id: number) => KvMessage,
    done: (replies: readonly (KvMessage | undefined)[]) => void,
  ): void {
    const replies: (KvMessage | undefined)[] = others.map(() => undefined);
    let open = others.length;
    if (open === 0) return done(replies);
    others.forEach((node, i) => {
      const to = { node, port: kvPort };
      const id = calls.open(to, config.timeoutUs, (answer) => {
        if (answer.ok) replies[i] = answer.reply;
        if (--open === 0) done(replies);
      });
      host.send(to, question(id));
    });
  }

  function collect(tombstones: readonly KeyVersion[], done: () => void): void {
    let open = tombstones.length;
    if (open === 0) return done();
    for (const { key, version } of tombstones) {
      const held = table.get(key)?.version;
      const here = held !== undefined && compareVersions(held, version) === 0;
      self.write({ do: 'collect', key, version }, (outcome) => {
        if (outcome !== 'ok') return;
        if (here) collected.add();
        if (--open === 0) done();
      });
    }
  }

  wake();
  return {
    wake,
    survey: ({ id, tombstones }) => ({
      type: 'standing',
      id,
      standings: tombstones.map(({ key, version }) =>
        table.standing(key, version, ownerIndex(self, key, host.self) !== undefined),
      ),
    }),
    collect,
  };
}
