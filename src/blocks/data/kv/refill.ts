/**
 * A replica whose log is gone although it lived before: it may have acknowledged what it does not
 * know any more. It takes writes at once, and answers no reader until it knows again whatever it
 * could have acknowledged.
 *
 *   to every other node:   fill 0 ──▶ part   fill 1 ──▶ part   …   the last part
 *   enough of the owners of each key have given all ──▶ filled, durably
 *
 * Enough: of n owners w stored each write that was acknowledged, so w - 1 of the others did where this
 * one was among them, and of any n - w + 1 others at least one. Where not that many are left who know
 * all themselves, everybody who is there has to be heard, and that is then all that is left.
 *
 * It begins only when every operation is over in which the former life may have taken part: a copy
 * that it acknowledged then counts no more (`client.ts` settles nothing after its time).
 */
import type { NodeId } from '../../../host/host.ts';
import { majority } from './config.ts';
import { type Entry, type KvMessage, kvPort } from './messages.ts';
import type { Replica } from './node.ts';

/** Of one part: little enough to be one message, and to be looked for in one turn. */
const partBytesMax = 1 << 18;
const partKeysMax = 1_000;
const lookedAtMax = 10_000;

type Fill = KvMessage & { readonly type: 'fill' };
type Part = KvMessage & { readonly type: 'part' };

export interface Refill {
  /** Answers another node that fills itself. */
  give(to: NodeId, message: Fill): KvMessage;
}

/** A walk through the table for one who asked. */
interface Giving {
  readonly walk: Iterator<readonly [string, Entry]>;
  /** The last one given, to give it again when it got lost. */
  last: Part | undefined;
}

interface Source {
  readonly node: NodeId;
  /** The part to ask for next. */
  next: number;
  isAsked: boolean;
  hasGivenAll: boolean;
  /** Whether it knew everything itself when it began to give. */
  wasFilled: boolean;
}

export function refill(self: Replica): Refill {
  const { host, config, table, ring, calls } = self;
  const givings = new Map<NodeId, Giving>();
  const sources = config.members
    .filter(({ id }) => id !== host.self)
    .map(
      ({ id }): Source => ({
        node: id,
        next: 0,
        isAsked: false,
        hasGivenAll: false,
        wasFilled: false,
      }),
    );
  let isWaiting = false;

  // ── for others ────────────────────────────────────────────────────────────────────────────────

  function give(to: NodeId, { id, part }: Fill): KvMessage {
    let giving = givings.get(to);
    if (part === 0) {
      giving = { walk: table.entries(), last: undefined };
      givings.set(to, giving);
    }
    const given = giving?.last?.part ?? -1;
    if (giving?.last && part === given) return { ...giving.last, id };
    // After a restart of this node, or a message that was late: from the beginning.
    if (!giving || part !== given + 1) return emptyPart(id, part, 0);
    const next = partOf(giving.walk, id, part, to);
    giving.last = next;
    return next;
  }

  function partOf(
    walk: Iterator<readonly [string, Entry]>,
    id: number,
    part: number,
    to: NodeId,
  ): Part {
    const records: { readonly key: string; readonly entry: Entry }[] = [];
    let bytes = 0;
    for (let looked = 0; looked < lookedAtMax; looked++) {
      const next = walk.next();
      if (next.done) return { ...emptyPart(id, part, null), records };
      const [key, entry] = next.value;
      if (!ring.owners(key, config.replicas).includes(to)) continue;
      records.push({ key, entry });
      bytes += key.length + (entry.value?.length ?? 0);
      if (bytes >= partBytesMax || records.length >= partKeysMax) break;
    }
    return { ...emptyPart(id, part, part + 1), records };
  }

  function emptyPart(id: number, part: number, next: number | null): Part {
    const floor = table.floor ?? null;
    return { type: 'part', id, part, records: [], next, floor, isFilled: table.isFilled };
  }

  // ── for itself ────────────────────────────────────────────────────────────────────────────────

  function goOn(): void {
    isWaiting = false;
    if (table.isFilled) return;
    if (isEnough()) return finish();
    for (const source of sources) if (!source.isAsked) ask(source);
    again();
  }

  function again(): void {
    if (isWaiting) return;
    isWaiting = true;
    host.after(config.hintEveryUs, goOn);
  }

  function ask(source: Source): void {
    source.isAsked = true;
    const to = { node: source.node, port: kvPort };
    const part = source.hasGivenAll ? 0 : source.next;
    const id = calls.open(to, 4 * config.timeoutUs, (answer) => {
      const reply = answer.ok ? answer.reply : undefined;
      if (reply?.type === 'part' && reply.part === part) take(source, reply);
      else source.isAsked = false;
    });
    host.send(to, { type: 'fill', id, part } satisfies KvMessage);
  }

  function take(source: Source, { part, records, floor, next, isFilled }: Part): void {
    // It has given all that it has, and knows no more by now.
    if (source.hasGivenAll && !isFilled) {
      source.isAsked = false;
      return;
    }
    source.hasGivenAll = false;
    // At its beginning: what it learns on the way may come to places that its walk has passed.
    if (part === 0) source.wasFilled = isFilled;
    let open = 1;
    let isKept = true;
    const kept = (isOk: boolean): void => {
      isKept &&= isOk;
      if (--open > 0) return;
      source.isAsked = false;
      // Without a disk to keep it: the same part once more, later.
      if (!isKept) return;
      source.next = next ?? 0;
      source.hasGivenAll = next === null;
      if (source.hasGivenAll && isEnough()) finish();
      else if (!source.hasGivenAll) ask(source);
    };
    for (const { key, entry } of records) {
      open++;
      self.write({ do: 'store', key, entry }, (outcome) => kept(outcome === 'ok'));
    }
    if (floor && next === null) {
      open++;
      self.write({ do: 'floor', version: floor }, (outcome) => kept(outcome === 'ok'));
    }
    kept(true);
  }

  /** For every list of owners that this node is in. */
  function isEnough(): boolean {
    const given = new Map(sources.filter((one) => one.hasGivenAll).map((one) => [one.node, one]));
    const stored = config.consistency === 'atomic' ? majority(config.replicas) : config.write;
    const needed = config.replicas - stored + 1;
    for (const owners of ring.everyOwners(config.replicas)) {
      if (!owners.includes(host.self)) continue;
      const others = owners.filter((node) => node !== host.self);
      const knowing = others.filter((node) => given.get(node)?.wasFilled).length;
      if (knowing < needed && !others.every((node) => given.has(node))) return false;
    }
    return true;
  }

  function finish(): void {
    self.write({ do: 'filled' }, (outcome) => {
      if (outcome !== 'ok') return again();
      host.meter.note(`filled again: ${table.keyCount} keys are here`);
    });
  }

  if (!table.isFilled) {
    host.meter.note('lived before and has no data: answers no reads until others have filled it');
    isWaiting = true;
    // At once where nobody else has anything of it.
    host.after(isEnough() ? 0 : Math.ceil(1.5 * config.timeoutUs), goOn);
  }
  return { give };
}
