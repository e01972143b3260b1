/**
 * A read of a list that only grows which is wrong by itself, or beside one `append` or two: found
 * without trying. Whatever happened besides, what was added before a read began is in what it
 * returns, what it returns was added, and what was added one after the other stands so. The general
 * way of leaving out operations must keep every `append` of a list that was read, which may be all
 * there are.
 */
import { type Act, appendKind, type Lists, readKind } from './models.ts';
import { never } from './operations.ts';

/** The read that returned last with what it contradicts; undefined when it takes more to see that. */
export function contradictionIn(acts: readonly Act[], lists: Lists): readonly Act[] | undefined {
  const read = lastToReturn(acts);
  if (read?.kind !== readKind) return undefined;
  const backwards: number[] = [];
  for (let node = read.a; node > 0; node = lists.parentOf(node)) backwards.push(lists.lastOf(node));
  const elements = new Set(backwards);
  const appends = acts.filter((act) => act.kind === appendKind);
  const lost = appends.find((act) => act.end < read.call && !elements.has(act.b));
  if (lost) return [lost, read];
  const added = new Set(appends.flatMap((act) => (act.call < read.end ? act.b : [])));
  if (backwards.some((element) => !added.has(element))) return [read];
  if (elements.size < backwards.length) return undefined;
  const turned = turnedIn(backwards, appends);
  return turned && [...turned, read];
}

/** Two appends one after the other whose elements stand the other way round. */
function turnedIn(
  backwards: readonly number[],
  appends: readonly Act[],
): readonly [Act, Act] | undefined {
  const byElement = new Map<number, Act | undefined>();
  // Of what was appended twice nobody knows which of the two it is.
  for (const act of appends) byElement.set(act.b, byElement.has(act.b) ? undefined : act);
  let soonest: Act | undefined;
  for (const element of backwards) {
    const act = byElement.get(element);
    if (!act) continue;
    if (soonest && soonest.end < act.call) return [soonest, act];
    if (!soonest || act.end < soonest.end) soonest = act;
  }
  return undefined;
}

function lastToReturn(acts: readonly Act[]): Act | undefined {
  let last: Act | undefined;
  for (const act of acts) {
    if (act.end !== never && (last === undefined || act.end > last.end)) last = act;
  }
  return last;
}
