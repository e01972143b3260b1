/**
 * What happens to messages: none that was acknowledged is lost, none is invented, and those of a
 * partition come in order.
 *
 * A topic records `publish` (the ok value has the message's id) and, from each consumer once its
 * handler has finished, `deliver` (ok value: group, id, partition, offset). A consumer that starts
 * may record `subscribe` (ok value: group): then a group that never got anything counts as well.
 *
 * A record that ends while a group is behind says so with `lag` (value: group, count), as runs of
 * Loadpath do. Messages that it had not got by then may be on their way; those before one that it
 * did get, and those beyond the count, are not.
 */
import type { History, HistoryEvent } from '../host/history.ts';
import type { Value } from '../host/host.ts';
import { damage, inOrder } from './operations.ts';
import { canonical, fieldOf, showValue } from './values.ts';
import { countOf, formatCount, holds, unknown, type Verdict, violated } from './verdict.ts';

export interface NoLossOptions {
  /** Consumer groups that must get every message. Default: those that the history names. */
  readonly groups?: readonly string[];
}

interface Message {
  readonly id: Value;
  /** Publishes of it that are not known to have failed. */
  liveCount: number;
  /** Its id was known when it was published, and not only from the answer. */
  isNamed: boolean;
  isAcknowledged: boolean;
  partition?: Value | undefined;
  offset?: Value | undefined;
}

interface Group {
  /** How often each message was handled, by the text of its id. */
  readonly counts: Map<string, number>;
  /** By partition, the highest offset handled. */
  readonly reached: Map<Value | undefined, number>;
}

/** A topic's history, read once: who published what, and which group got it. */
class Deliveries {
  readonly messages = new Map<string, Message>();
  readonly groups = new Map<string, Group>();
  /** How far groups are behind at the end. */
  readonly lags = new Map<string, number>();
  /** What was given to a group before the record names it, by the text of its id. */
  readonly early = new Map<string, string>();
  deliveryCount = 0;
  readonly #open = new Map<string, Message>();

  group(name: string): Group {
    let group = this.groups.get(name);
    if (!group) {
      group = { counts: new Map(), reached: new Map() };
      this.groups.set(name, group);
    }
    return group;
  }

  add(event: HistoryEvent): void {
    if (event.f === 'publish') return this.#publish(event);
    const group = String(fieldOf(event.value, 'group') ?? '');
    if (event.f === 'lag') {
      const count = Number(fieldOf(event.value, 'count') ?? 0);
      this.lags.set(group, count + (this.lags.get(group) ?? 0));
    }
    if (event.phase !== 'ok') return;
    if (event.f === 'subscribe') this.group(group);
    if (event.f === 'deliver') this.#deliver(group, event);
  }

  #publish({ node, life, op, phase, value }: HistoryEvent): void {
    const name = `${node} ${life} ${op}`;
    if (phase === 'invoke') {
      const message = this.#message(fieldOf(value, 'id') ?? value ?? null);
      message.liveCount++;
      message.isNamed = true;
      this.#open.set(name, message);
      return;
    }
    const asked = this.#open.get(name);
    if (!asked) return;
    this.#open.delete(name);
    if (phase === 'fail') asked.liveCount--;
    if (phase !== 'ok') return;
    // Some are told its id with the answer only.
    const message = this.#message(fieldOf(value, 'id') ?? asked.id);
    if (message !== asked) message.liveCount++;
    message.isAcknowledged = true;
    message.partition = fieldOf(value, 'partition');
    message.offset = fieldOf(value, 'offset');
  }

  #message(id: Value): Message {
    const text = canonical(id);
    let message = this.messages.get(text);
    if (!message) {
      message = { id, liveCount: 0, isNamed: false, isAcknowledged: false };
      this.messages.set(text, message);
    }
    return message;
  }

  #deliver(name: string, { value }: HistoryEvent): void {
    this.deliveryCount++;
    const group = this.group(name);
    const id = canonical(fieldOf(value, 'id'));
    group.counts.set(id, (group.counts.get(id) ?? 0) + 1);
    const partition = fieldOf(value, 'partition');
    const offset = Number(fieldOf(value, 'offset') ?? -1);
    group.reached.set(partition, Math.max(offset, group.reached.get(partition) ?? -1));
    if (!this.messages.has(id) && !this.early.has(id)) this.early.set(id, name);
  }
}

/** At least once: every acknowledged message was handled by every group. Twice is counted, not blamed. */
export function judgeNoLoss(history: History, block: string, options: NoLossOptions = {}): Verdict {
  const events = inOrder(history).filter((event) => event.block === block);
  const damaged = damage(events);
  if (damaged !== undefined) return unknown(damaged);
  const deliveries = new Deliveries();
  for (const group of options.groups ?? []) deliveries.group(group);
  for (const event of events) deliveries.add(event);
  const { messages, groups } = deliveries;
  if (messages.size === 0 && deliveries.deliveryCount === 0) return unknown('nothing was recorded');

  const invented = inventedIn(deliveries);
  if (invented !== undefined) return violated(invented);
  const acknowledged = [...messages].filter(([, message]) => message.isAcknowledged);
  if (acknowledged.length === 0) return unknown('no message was acknowledged');
  if (groups.size === 0) {
    return unknown(
      `${countOf(acknowledged.length, 'message')} acknowledged, and no group consumed`,
    );
  }
  const ofAll = `of ${formatCount(acknowledged.length)}`;
  let again = 0;
  let behind: string | undefined;
  for (const [name, group] of groups) {
    const missing = acknowledged.flatMap(([text, message]) =>
      group.counts.has(text) ? [] : message,
    );
    const lag = deliveries.lags.get(name) ?? 0;
    const lost = missing.length > lag ? missing : missing.filter((one) => isPassed(one, group));
    if (lost.length > 0) {
      return violated(
        `${countOf(lost.length, 'acknowledged message')} ${ofAll} never reached group ${name}, the first is ${showValue(lost[0]!.id)}`,
      );
    }
    if (missing.length > 0) {
      behind ??= `${countOf(missing.length, 'acknowledged message')} ${ofAll} had not reached group ${name} when the record ended: it was ${formatCount(lag)} behind`;
    }
    for (const times of group.counts.values()) again += times - 1;
  }
  if (behind !== undefined) return unknown(behind);
  const repeats =
    again > 0 ? `, ${countOf(again, 'delivery').replace('deliverys', 'deliveries')} repeated` : '';
  return holds(
    `${countOf(acknowledged.length, 'acknowledged message')} to ${countOf(groups.size, 'group')}${repeats}`,
  );
}

/** A message that was given to somebody and cannot have been there. */
function inventedIn({ messages, groups, early }: Deliveries): string | undefined {
  for (const [name, { counts }] of groups) {
    for (const id of counts.keys()) {
      const message = messages.get(id);
      const given = `group ${name} was given ${id}`;
      if (!message) return `${given}, which nobody published`;
      if (message.liveCount === 0) return `${given}, whose publishing had certainly failed`;
    }
  }
  for (const [id, group] of early) {
    if (!messages.get(id)?.isNamed) continue;
    return `group ${group} was given ${id} before anybody had published it`;
  }
  return undefined;
}

/** Whether the group got a later message of its partition, which it gets in order. */
function isPassed({ partition, offset }: Message, group: Group): boolean {
  return typeof offset === 'number' && offset < (group.reached.get(partition) ?? -1);
}

/** Within a partition each group is given messages in the order of their offsets; repeats may come at any time. */
export function judgeInOrder(history: History, block: string): Verdict {
  const events = inOrder(history).filter((event) => event.block === block);
  const damaged = damage(events);
  if (damaged !== undefined) return unknown(damaged);
  const reached = new Map<string, number>();
  const seen = new Map<string, Set<number>>();
  let judged = 0;
  for (const event of events) {
    if (event.f !== 'deliver' || event.phase !== 'ok') continue;
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
