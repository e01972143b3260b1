/**
 * The history of a run that began on the data of earlier ones. What they wrote is there, and no
 * `invoke` of this run explains it; so it is put before the beginning, as it was found: the first
 * value that a key shows and nobody wrote here, and every message delivered that nobody published here.
 */
import type { History, HistoryEvent } from '../host/history.ts';
import type { Value } from '../host/host.ts';
import { canonical, fieldOf } from './values.ts';

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
  return [...former, ...history];
}
