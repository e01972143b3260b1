/** What may come next in a sentence, while it is typed. Slots in order, as the grammar has them. */
import type { FaultNames } from 'loadpath/studio';

export interface Completion {
  /** Where the word that is being typed begins. */
  readonly from: number;
  readonly words: readonly string[];
}

type Slot =
  | { readonly word: string; readonly optional?: true }
  | { readonly target: true }
  | { readonly amount: readonly string[] };

const target: Slot = { target: true };
const word = (text: string): Slot => ({ word: text });
const amount = (...examples: readonly string[]): Slot => ({ amount: examples });
const between: readonly Slot[] = [word('between'), target, word('and'), target];

const actions: Readonly<Record<string, readonly Slot[]>> = {
  kill: [target],
  power: [word('off'), target],
  restart: [target],
  pause: [target],
  slow: [target, word('by'), amount('2x', '10x', '100x')],
  cut: [target, word('from'), target],
  lose: [amount('1%', '5%', '20%'), ...between],
  delay: [amount('50ms', '500ms'), ...between],
  duplicate: [amount('1%', '10%'), ...between],
  skew: [target, word('by'), amount('2s', '-2s')],
  fill: [word('disk'), word('of'), target],
  fail: [word('disk'), word('of'), target],
  rot: [amount('3'), word('bits'), word('of'), target],
  surge: [amount('2x', '3x', '10x')],
};

const ends: Readonly<Record<string, readonly Slot[]>> = {
  kill: [word('restart'), word('after')],
  power: [word('restart'), word('after')],
  restart: [],
  rot: [],
};

const prefixes = ['zone', 'block', 'node', 'region'];

/** @param at the time at the playhead, offered where a time is wanted; null: all faults are now */
export function complete(text: string, names: FaultNames, at: string | null): Completion {
  const typed = text.split(/[\s,]+/);
  const partial = typed.pop() ?? '';
  const from = text.length - partial.length;
  const given = typed.filter((one) => one !== '');
  const fitting = (words: readonly string[]): Completion => ({
    from,
    words: words.filter((one) => one.startsWith(partial) && one !== partial),
  });
  const verb = given[0];
  if (verb === undefined) return fitting(Object.keys(actions));
  const action = actions[verb];
  if (!action) return fitting([]);
  const end = ends[verb] ?? [word('for')];
  const slots = [
    ...action,
    ...(at === null ? [] : [word('at'), amount(at, '5s', '30s')]),
    ...(end.length > 0 ? [...end, amount('5s', '10s', '30s')] : []),
  ];
  let next = 1;
  for (const slot of slots) {
    const here = given[next];
    if ('word' in slot) {
      if (here === undefined) return fitting([slot.word]);
      if (here !== slot.word) return fitting([]);
      next++;
    } else if ('amount' in slot) {
      if (here === undefined) return fitting(slot.amount);
      next++;
    } else {
      if (here === undefined) return fitting(targets(names));
      if (prefixes.includes(here)) {
        if (given[next + 1] === undefined) return fitting(namesFor(here, names));
        next++;
      }
      next++;
    }
  }
  return fitting([]);
}

function targets(names: FaultNames): readonly string[] {
  return [
    ...names.blocks,
    ...names.nodes,
    ...(names.zones.length > 0 ? ['zone'] : []),
    'everything',
  ];
}

function namesFor(prefix: string, names: FaultNames): readonly string[] {
  const { nodes, blocks, zones, regions } = names;
  return { zone: zones, block: blocks, node: nodes, region: regions }[prefix] ?? [];
}
