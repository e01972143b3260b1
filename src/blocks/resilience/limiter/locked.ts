/**
 * Counts that are the same in every region, because a key's are only changed under its lock:
 *
 *   caller ─take─▶ node ─lock─▶ owner of the key's lock      one way there and back
 *                   │ ◀granted──┘   with what it knows
 *                   ├─update─▶ every node                    one way to the farthest and back
 *                   │ ◀updated─┘
 *   caller ◀verdict─┴─release─▶ owner
 *
 * Who asks while this goes on shares the next round. A region that cannot be reached means no verdict
 * for anything that would be admitted: the price of agreeing everywhere.
 */
import type { Address, Program } from '../../../host/host.ts';
import { hashText, mix } from '../../../kit/random.ts';
import { type Answer, Calls } from '../../../path/calls.ts';
import type { Entry } from './book.ts';
import type { Member, NodeConfig } from './config.ts';
import { Locks } from './locks.ts';
import type { LimiterMessage, LockMessage } from './messages.ts';
import { type Answering, Desk, undecided, type Verdict } from './node.ts';

type Reply = Extract<LockMessage, { readonly type: 'granted' | 'updated' }>;

interface Asked {
  readonly cost: number;
  readonly answer: Answering;
}

export const limiterPort = 'limiter';

/** Highest score first (rendezvous hashing): the same order wherever it is asked for. */
export function ranked(members: readonly Member[], key: string): readonly Member[] {
  const hash = hashText(key);
  const score = ({ id }: Member) => mix(hash ^ hashText(id, 0x51ed270b)) >>> 0;
  return [...members].sort((a, b) => score(b) - score(a) || (a.id < b.id ? -1 : 1));
}

export const locked: Program<LimiterMessage, NodeConfig> = (host, config) => {
  const desk = new Desk(host, config, config.name);
  const calls = new Calls<Reply>(host, { counted: false });
  const rounds = new Map<string, Asked[]>();
  const locks = new Locks<{ readonly from: Address; readonly id: number }>({
    leaseUs: config.leaseUs,
    life: host.life,
    now: host.now(),
  });
  const timers = new Set<string>();

  /** Who began before: the own row is the counts that all agree on. */
  function round(key: string): void {
    const owner = ranked(config.members, key)[0]!.id;
    ask(
      owner,
      config.timeoutUs,
      (id) => ({ type: 'lock', id, key }),
      (reply) => {
        const asked = rounds.get(key) ?? [];
        if (reply?.type !== 'granted') return end(key, asked, undecided);
        const entry = desk.book.entry(key);
        if (reply.written > entry.written) desk.book.replace(entry, desk.ownRow, reply.counts);
        rounds.set(key, []);
        const { token } = reply;
        const verdicts = asked.map(({ cost }) => desk.decide(entry, cost));
        const finish = (agreed: boolean) => {
          asked.forEach(({ answer }, index) => {
            const verdict = verdicts[index]!;
            answer(verdict.allowed && !agreed ? undecided : verdict);
          });
          host.send(at(owner), { type: 'release', key, token } satisfies LimiterMessage);
          again(key);
        };
        if (!verdicts.some(({ allowed }) => allowed)) return finish(true);
        tellAll(key, token, entry, finish);
      },
    );
  }

  function tellAll(key: string, token: number, entry: Entry, done: (ok: boolean) => void): void {
    const counts = desk.book.row(entry, desk.ownRow).toData();
    let open = config.members.length;
    let agreed = true;
    for (const { id } of config.members) {
      const update = (call: number): LockMessage => ({
        type: 'update',
        id: call,
        key,
        token,
        counts,
      });
      ask(id, config.timeoutUs, update, (reply) => {
        agreed &&= reply?.type === 'updated' && reply.ok;
        if (--open === 0) done(agreed);
      });
    }
  }

  function again(key: string): void {
    if ((rounds.get(key)?.length ?? 0) > 0) round(key);
    else rounds.delete(key);
  }

  function end(key: string, asked: readonly Asked[], verdict: Verdict): void {
    rounds.set(key, []);
    for (const { answer } of asked) answer(verdict);
    again(key);
  }

  function ask(
    node: string,
    timeoutUs: number,
    message: (id: number) => LockMessage,
    done: (reply: Reply | undefined) => void,
  ): void {
    const to = at(node);
    const id = calls.open(to, timeoutUs, (answer: Answer<Reply>) =>
      done(answer.ok ? answer.reply : undefined),
    );
    host.send(to, message(id));
  }

  // As owner of locks ------------------------------------------------------------------------------

  function grant(key: string): void {
    const next = locks.next(key, host.now());
    if (next === undefined) return;
    if (typeof next === 'number') {
      if (timers.has(key)) return;
      timers.add(key);
      host.after(next, () => {
        timers.delete(key);
        grant(key);
      });
      return;
    }
    const { who, token } = next;
    const entry = desk.book.entry(key);
    const counts = desk.book.row(entry, desk.ownRow).toData();
    reply(who.from, { type: 'granted', id: who.id, key, token, written: entry.written, counts });
  }

  function write(from: Address, update: Extract<LockMessage, { readonly type: 'update' }>): void {
    const { id, key, token, counts } = update;
    const entry = desk.book.entry(key);
    if (token < entry.written || !locks.isLatest(key, token)) {
      return reply(from, { type: 'updated', id, ok: false });
    }
    entry.written = token;
    desk.book.replace(entry, desk.ownRow, counts);
    desk.book.keep(key, entry, (ok) => reply(from, { type: 'updated', id, ok }));
  }

  function reply(to: Address, message: LockMessage): void {
    host.send(to, message);
  }

  return {
    message(from, message) {
      switch (message.type) {
        case 'take': {
          const { key, cost } = message;
          return desk.open(from, message, (answer) => {
            const waiting = rounds.get(key);
            if (waiting) waiting.push({ cost, answer });
            else {
              rounds.set(key, [{ cost, answer }]);
              round(key);
            }
          });
        }
        case 'lock':
          locks.ask(message.key, { from, id: message.id });
          return grant(message.key);
        case 'release':
          locks.release(message.key, message.token);
          return grant(message.key);
        case 'update':
          return write(from, message);
        case 'granted': {
          const { lateCount } = calls;
          calls.settle(message.id, message);
          // Nobody waits for it any more: without this it would be held for a whole lease.
          if (calls.lateCount > lateCount) {
            const { key, token } = message;
            reply(from, { type: 'release', key, token });
          }
          return;
        }
        case 'updated':
          return calls.settle(message.id, message);
      }
    },
    refused: (_to, message) => calls.refused((message as LockMessage & { id: number }).id),
    disconnected(node) {
      calls.disconnected(node);
      locks.leave(({ from }) => from.node === node);
    },
  };

  function at(node: string): Address {
    return { node, port: limiterPort };
  }
};
