/**
 * What happens to messages: none that was acknowledged is lost, none is invented, and those of a
 * partition come in order.
 *
 * A topic records `publish` (the ok value has the message's id) and, from each consumer once its
 * handler has finished, `deliver` (ok value: group, id, partition, offset). A consumer that starts
 * may record `subscribe` (ok value: group): then a group that never got anything counts as well.
 */
import type { History } from '../host/history.ts';
import type { Value } from '../host/host.ts';
import { canonical, fieldOf, showValue } from './values.ts';
import { countOf, holds, unknown, type Verdict, violated } from './verdict.ts';

export interface NoLossOptions {
  /** Consumer groups that must get every message. Default: those that the history names. */
  readonly groups?: readonly string[];
}

/** At least once: every acknowledged message was handled by every group. Twice is counted, not blamed. */
export function judgeNoLoss(history: History, block: string, options: NoLossOptions = {}): Verdict {
  const invoked = new Map<string, Value>();
  const ids = new Set<string>();
  const acknowledged = new Map<string, Value>();
  const delivered = new Map<string, Map<string, number>>();
  for (const group of options.groups ?? []) delivered.set(group, new Map());
  let deliveries = 0;
  for (const event of history) {
    if (event.block !== block) continue;
    if (event.f === 'publish') {
      const op = `${event.node} ${event.life} ${event.op}`;
      if (event.phase === 'invoke') {
        const id = fieldOf(event.value, 'id') ?? event.value ?? null;
        invoked.set(op, id);
        ids.add(canonical(id));
      } else if (event.phase === 'ok') {
        const id = fieldOf(event.value, 'id') ?? invoked.get(op) ?? null;
        acknowledged.set(canonical(id), id);
        ids.add(canonical(id));
        invoked.delete(op);
      } else invoked.delete(op);
    } else if (event.phase === 'ok' && (event.f === 'deliver' || event.f === 'subscribe')) {
      const group = String(fieldOf(event.value, 'group') ?? '');
      let counts = delivered.get(group);
      if (!counts) {
        counts = new Map();
        delivered.set(group, counts);
      }
      if (event.f === 'subscribe') continue;
      const id = canonical(fieldOf(event.value, 'id'));
      counts.set(id, (counts.get(id) ?? 0) + 1);
      deliveries++;
    }
  }
  if (ids.size === 0 && deliveries === 0) return unknown('nothing was recorded');

  for (const [group, counts] of delivered) {
    for (const id of counts.keys()) {
      if (!ids.has(id)) return violated(`group ${group} was given ${id}, which nobody published`);
    }
  }
  if (acknowledged.size === 0) return unknown('no message was acknowledged');
  if (delivered.size === 0) {
    return unknown(`${countOf(acknowledged.size, 'message')} acknowledged, and no group consumed`);
  }
  let again = 0;
  for (const [group, counts] of delivered) {
    const lost: Value[] = [];
    for (const [text, id] of acknowledged) if (!counts.has(text)) lost.push(id);
    if (lost.length > 0) {
      return violated(
        `${countOf(lost.length, 'acknowledged message')} of ${acknowledged.size} never reached group ${group}, the first is ${showValue(lost[0])}`,
      );
    }
    for (const times of counts.values()) again += times - 1;
  }
  const repeats =
    again > 0 ? `, ${countOf(again, 'delivery').replace('deliverys', 'deliveries')} repeated` : '';
  return holds(
    `${countOf(acknowledged.size, 'acknowledged message')} to ${countOf(delivered.size, 'group')}${repeats}`,
  );
}

/** Within a partition each group is given messages in the order of their offsets; repeats may come at any time. */
export function judgeInOrder(history: History, block: string): Verdict {
  const reached = new Map<string, number>();
  const seen = new Map<string, Set<number>>();
  let judged = 0;
  for (const event of history) {
    if (event.block !== block || event.f !== 'deliver' || event.phase !== 'ok') continue;
    const offset = Number(fieldOf(event.value, 'offset'));
    const place = `group ${String(fieldOf(event.value, 'group'))}, partition ${String(fieldOf(event.value, 'partition'))}`;
    let offsets = seen.get(place);
    if (!offsets) {
      offsets = new Set();
      seen.set(place, offsets);
    }
    if (offsets.has(offset)) continue;
    offsets.add(offset);
    judged++;
    const last = reached.get(place) ?? -1;
    if (offset < last) return violated(`${place}: offset ${offset} came after ${last}`);
    reached.set(place, offset);
  }
  if (judged === 0) return unknown('nothing was delivered');
  return holds(`${countOf(judged, 'message')} in ${countOf(seen.size, 'stream')}`);
}
