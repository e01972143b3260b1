/** What a topic promises, as judgements on what was seen. Each returns what breaks it. */
import type { HistoryEvent } from '../../../../host/history.ts';
import type { Step } from './storm.ts';

interface Place {
  readonly id: string;
  readonly partition: number;
  readonly offset: number;
}

type History = readonly HistoryEvent[];

function places(history: History, f: string): readonly (Place & { readonly at: number })[] {
  return history.flatMap((event, at) =>
    event.f === f && event.phase === 'ok' ? [{ ...(event.value as unknown as Place), at }] : [],
  );
}

const name = ({ partition, offset }: Place) => `${partition}:${offset}`;

/** Every acknowledged message was delivered, unless retention took it. */
export function lost(history: History): readonly string[] {
  const delivered = new Set(places(history, 'deliver').map(({ id }) => id));
  return places(history, 'publish').flatMap((one) =>
    delivered.has(one.id) ? [] : [`${one.id} at ${name(one)} was never delivered`],
  );
}

/** One offset, one message; one message, one offset. */
export function mixedUp(history: History): readonly string[] {
  const idAt = new Map<string, string>();
  const placeOf = new Map<string, string>();
  const wrong: string[] = [];
  for (const one of [...places(history, 'publish'), ...places(history, 'deliver')]) {
    const id = idAt.get(name(one));
    const place = placeOf.get(one.id);
    if (id !== undefined && id !== one.id) wrong.push(`${name(one)} is ${id} and ${one.id}`);
    if (place !== undefined && place !== name(one)) {
      wrong.push(`${one.id} is at ${place} and ${name(one)}`);
    }
    idAt.set(name(one), one.id);
    placeOf.set(one.id, name(one));
  }
  return wrong;
}

/** A message published after another was acknowledged stands behind it. */
export function outOfPublishOrder(history: History): readonly string[] {
  const last = new Map<number, number>();
  const before = new Map<string, ReadonlyMap<number, number>>();
  const wrong: string[] = [];
  for (const event of history) {
    if (event.f !== 'publish') continue;
    const op = `${event.node} ${event.op}`;
    if (event.phase === 'invoke') before.set(op, new Map(last));
    if (event.phase !== 'ok') continue;
    const { id, partition, offset } = event.value as unknown as Place;
    if (offset <= (before.get(op)?.get(partition) ?? -1)) {
      wrong.push(`${id} at ${partition}:${offset} stands before what was there already`);
    }
    last.set(partition, Math.max(last.get(partition) ?? -1, offset));
  }
  return wrong;
}

/** Within a partition, nothing is handled for the first time before all that stands before it. */
export function outOfDeliveryOrder(history: History): readonly string[] {
  const next = new Map<number, number>();
  const wrong: string[] = [];
  for (const { id, partition, offset } of places(history, 'deliver')) {
    const expected = next.get(partition) ?? 0;
    if (offset > expected) wrong.push(`${id} at ${partition}:${offset} came before ${expected}`);
    if (offset >= expected) next.set(partition, offset + 1);
  }
  return wrong;
}

/** What surely was not stored is never delivered. */
export function ghosts(history: History): readonly string[] {
  const ids = new Map<string, string>();
  const failed = new Set<string>();
  for (const event of history) {
    if (event.f !== 'publish') continue;
    const op = `${event.node} ${event.op}`;
    if (event.phase === 'invoke') ids.set(op, event.value as string);
    if (event.phase === 'fail') failed.add(ids.get(op)!);
  }
  return places(history, 'deliver').flatMap(({ id }) =>
    failed.has(id) ? [`${id} was delivered, though it certainly had failed`] : [],
  );
}

/** A commit that was acknowledged is never undone: later deliveries begin behind it. */
export function wentBack(steps: readonly Step[]): readonly string[] {
  const committed = new Map<number, Step>();
  const wrong: string[] = [];
  for (const step of steps) {
    const last = committed.get(step.partition);
    if (step.what === 'committed') {
      if (!last || step.to > last.to) committed.set(step.partition, step);
    } else if (last && step.generation > last.generation && step.from < last.to) {
      wrong.push(`partition ${step.partition}: ${step.from} delivered, ${last.to} was committed`);
    }
  }
  return wrong;
}
