/**
 * The history of a run that began on the data of earlier ones. What they wrote is there, and no
 * `invoke` of this run explains it; so it is put before the beginning, as it was found: the first
 * value that a key shows and nobody wrote here, every message delivered that nobody published here,
 * and an owner of every name that was refused and nobody can have claimed here.
 */
import type { History, HistoryEvent } from '../host/history.ts';
import type { Value } from '../host/host.ts';
import { canonical, fieldOf } from './values.ts';

/** A claim of this run, by its positions in the history. */
interface Claim {
  readonly owner: Value | undefined;
  readonly askedAt: number;
  answeredAt: number;
  outcome: 'unknown' | 'granted' | 'refused' | 'failed';
}

/** One value a key: a second one that nobody wrote stays as unexplained as it is. */
export function onFormerData(history: History): History {
  const first = history[0];
  if (!first) return history;
  const written = new Set<string>();
  for (const { phase, f, block, key, value } of history) {
    if (phase !== 'invoke') continue;
    if (f === 'put') written.add(`${block} ${key} ${canonical(value)}`);
    if (f === 'publish') written.add(`${block} ${canonical(fieldOf(value, 'id') ?? value)}`);
  }
  const former: HistoryEvent[] = [];
  const seen = new Set<string>();
  const at = first.at - 1;
  const before = (block: string, f: string, key: string | undefined, value: Value): void => {
    const event = { block, f, key, op: former.length, node: 'an earlier run', life: 0, at, value };
    former.push({ ...event, phase: 'invoke' }, { ...event, phase: 'ok' });
  };
  for (const { phase, f, block, key, value } of history) {
    if (phase !== 'ok' || value === undefined || value === null) continue;
    if (f === 'get' && !seen.has(`${block} ${key}`)) {
      if (written.has(`${block} ${key} ${canonical(value)}`)) continue;
      seen.add(`${block} ${key}`);
      before(block, 'put', key, value);
    } else if (f === 'deliver') {
      const id = fieldOf(value, 'id');
      const name = `${block} ${canonical(id)}`;
      if (id === undefined || written.has(name) || seen.has(name)) continue;
      seen.add(name);
      before(block, 'publish', key, { id });
    }
  }
  for (const { block, name, owner } of formerOwners(history)) {
    const event = {
      block,
      f: 'claim',
      key: name,
      op: former.length,
      node: 'an earlier run',
      life: 0,
      at,
    };
    former.push({ ...event, phase: 'invoke', value: owner });
    former.push({ ...event, phase: 'ok', value: true });
  }
  return [...former, ...history];
}

/**
 * Whoever was granted such a name here as well is its former owner, who asked again: an owner gets
 * the same answer for ever. Where nobody was, anybody may be it.
 */
function formerOwners(
  history: History,
): { readonly block: string; readonly name: string; readonly owner: Value }[] {
  const names = new Map<string, { block: string; name: string; claims: Claim[] }>();
  const open = new Map<string, Claim>();
  history.forEach(({ f, phase, block, key = '', node, life, op, value }, position) => {
    if (f !== 'claim') return;
    const id = `${block} ${node} ${life} ${op}`;
    if (phase === 'invoke') {
      const claim: Claim = {
        owner: value,
        askedAt: position,
        answeredAt: history.length,
        outcome: 'unknown',
      };
      const named = names.get(`${block} ${key}`) ?? { block, name: key, claims: [] };
      named.claims.push(claim);
      names.set(`${block} ${key}`, named);
      open.set(id, claim);
      return;
    }
    const claim = open.get(id);
    if (!claim || phase === 'info') return;
    claim.answeredAt = position;
    if (phase === 'fail') claim.outcome = 'failed';
    else claim.outcome = value === true ? 'granted' : 'refused';
  });
  return [...names.values()].flatMap(({ block, name, claims }) => {
    const isUnexplained = claims.some(
      (refused) =>
        refused.outcome === 'refused' &&
        !claims.some(
          ({ outcome, askedAt }) =>
            (outcome === 'granted' || outcome === 'unknown') && askedAt < refused.answeredAt,
        ),
    );
    if (!isUnexplained) return [];
    const again = claims.find(({ outcome }) => outcome === 'granted');
    return [{ block, name, owner: again?.owner ?? 'somebody of an earlier run' }];
  });
}
