/**
 * What can be done to what is pointed at, as the sentences that the command line takes too. A verb
 * stands here once, with its words, its key and its amounts; menus are made from it.
 */
import type { FaultNames, StructuralView } from 'loadpath/studio';
import { LoadpathError, parseFault, parseFaultNow } from 'loadpath/studio';
import type { IconName } from '../parts/Icon.tsx';
import { pathEnds, type Selection, type SelectionType } from '../state/selection.ts';

export interface Verb {
  readonly id: string;
  readonly label: string;
  /** What it is like in a real system. */
  readonly meaning: string;
  readonly icon: IconName;
  readonly key: string;
  readonly on: readonly SelectionType[];
  /** Asks for the other side of a connection. */
  readonly asksOther?: true;
  /** As written, the preset first. */
  readonly amounts?: readonly string[];
  /** Over at once, or restarted afterwards: how an end is said. */
  readonly ends: 'for' | 'restart' | 'none';
  say(target: string, other: string, amount: string): string;
}

const nodes: readonly SelectionType[] = ['node', 'block'];
const machines: readonly SelectionType[] = ['node', 'block', 'zone'];
const connected: readonly SelectionType[] = ['node', 'block', 'zone', 'path'];

export const verbs: readonly Verb[] = [
  {
    id: 'kill',
    label: 'Kill',
    meaning: 'The process ends; unsynced data is lost',
    icon: 'kill',
    key: 'k',
    on: machines,
    ends: 'restart',
    say: (target) => `kill ${target}`,
  },
  {
    id: 'power-off',
    label: 'Power off',
    meaning: 'The machine goes dark: peers hear nothing',
    icon: 'power',
    key: 'o',
    on: machines,
    ends: 'restart',
    say: (target) => `power off ${target}`,
  },
  {
    id: 'restart',
    label: 'Restart',
    meaning: 'A graceful stop and start, as to deploy',
    icon: 'restart',
    key: 'r',
    on: nodes,
    ends: 'none',
    say: (target) => `restart ${target}`,
  },
  {
    id: 'pause',
    label: 'Pause',
    meaning: 'It stands still, then goes on',
    icon: 'pause',
    key: 'p',
    on: machines,
    ends: 'for',
    say: (target) => `pause ${target}`,
  },
  {
    id: 'slow',
    label: 'Slow down',
    meaning: 'Work and disk take many times as long',
    icon: 'slow',
    key: 's',
    on: machines,
    amounts: ['10x', '2x', '5x', '100x'],
    ends: 'for',
    say: (target, _other, amount) => `slow ${target} by ${amount}`,
  },
  {
    id: 'cut',
    label: 'Cut off',
    meaning: 'No message passes, either way',
    icon: 'cut',
    key: 'c',
    on: connected,
    asksOther: true,
    ends: 'for',
    say: (target, other) => `cut ${target} from ${other}`,
  },
  {
    id: 'lose',
    label: 'Lose messages',
    meaning: 'A share of them never arrives',
    icon: 'lose',
    key: 'l',
    on: connected,
    asksOther: true,
    amounts: ['20%', '1%', '5%', '50%'],
    ends: 'for',
    say: (target, other, amount) => `lose ${amount} between ${target} and ${other}`,
  },
  {
    id: 'delay',
    label: 'Delay messages',
    meaning: 'They arrive later',
    icon: 'delay',
    key: 'd',
    on: connected,
    asksOther: true,
    amounts: ['100ms', '10ms', '50ms', '500ms', '2s'],
    ends: 'for',
    say: (target, other, amount) => `delay ${amount} between ${target} and ${other}`,
  },
  {
    id: 'duplicate',
    label: 'Duplicate messages',
    meaning: 'A share of them arrives twice',
    icon: 'duplicate',
    key: 'u',
    on: ['path'],
    asksOther: true,
    amounts: ['10%', '1%', '50%'],
    ends: 'for',
    say: (target, other, amount) => `duplicate ${amount} between ${target} and ${other}`,
  },
  {
    id: 'skew',
    label: 'Skew the clock',
    meaning: 'Its wall clock jumps, until the end',
    icon: 'skew',
    key: 'w',
    on: nodes,
    amounts: ['2s', '-2s', '200ms', '1min'],
    ends: 'for',
    say: (target, _other, amount) => `skew ${target} by ${amount}`,
  },
  {
    id: 'fill-disk',
    label: 'Fill the disk',
    meaning: 'Writes fail: there is no room',
    icon: 'disk',
    key: 'f',
    on: nodes,
    ends: 'for',
    say: (target) => `fill disk of ${target}`,
  },
  {
    id: 'fail-disk',
    label: 'Fail the disk',
    meaning: 'Syncs fail with an error',
    icon: 'disk',
    key: 'i',
    on: nodes,
    ends: 'for',
    say: (target) => `fail disk of ${target}`,
  },
  {
    id: 'surge',
    label: 'Surge the load',
    meaning: 'Users come many times as often',
    icon: 'surge',
    key: 'g',
    on: ['users'],
    amounts: ['3x', '2x', '5x', '10x'],
    ends: 'for',
    say: (_target, _other, amount) => `surge ${amount}`,
  },
];

export function verbsFor(target: Selection): readonly Verb[] {
  return verbs.filter((verb) => verb.on.includes(target.type));
}

export interface FaultChoice {
  readonly verb: Verb;
  readonly target: Selection;
  /** As a sentence names it; needed where the verb asks, a path has its own. */
  readonly other?: string | undefined;
  readonly amount?: string | undefined;
  /** As written: `12.3s`. Null: now, in a running system. */
  readonly at: string | null;
  /** Empty: until the run ends. */
  readonly lasts: string;
}

export function sentenceOf(choice: FaultChoice, design: StructuralView): string {
  const { verb, target, at, lasts } = choice;
  const [side, otherSide] = sidesOf(target, design);
  const action = verb.say(
    side,
    choice.other ?? otherSide,
    choice.amount ?? verb.amounts?.[0] ?? '',
  );
  const end = { for: ` for ${lasts}`, restart: `, restart after ${lasts}`, none: '' }[verb.ends];
  return `${action}${at === null ? '' : ` at ${at}`}${lasts === '' ? '' : end}`;
}

/** Whether a verb still has to be told with whom, or how much. */
export function asksMore(verb: Verb, target: Selection): boolean {
  return verb.amounts !== undefined || (verb.asksOther === true && target.type !== 'path');
}

function sidesOf(target: Selection, design: StructuralView): readonly [string, string] {
  if (target.type !== 'path') return [wordsFor(target, design), ''];
  const { from, to } = pathEnds(target.id);
  const named = (id: string) => wordsFor({ type: typeOf(id, design), id }, design);
  return [named(from), named(to)];
}

function typeOf(id: string, design: StructuralView): SelectionType {
  const isNode = design.blocks.some((block) => block.nodes.some((node) => node.id === id));
  return isNode && !design.blocks.some((block) => block.name === id) ? 'node' : 'block';
}

/** Words that a sentence takes for something else than a block. */
const reserved = ['node', 'block', 'zone', 'region', 'everything'];

export function wordsFor(target: Selection, design: StructuralView): string {
  if (target.type === 'zone') return `zone ${target.id}`;
  const isNodeToo = design.blocks.some((block) => block.nodes.some(({ id }) => id === target.id));
  const isBlock = target.type === 'block' || target.type === 'users';
  return isBlock && (reserved.includes(target.id) || isNodeToo) ? `block ${target.id}` : target.id;
}

export interface Other {
  /** As a sentence names it. */
  readonly words: string;
  readonly hint: string;
}

/** Whom something can be cut off from: whom it talks to first, then zones, then all the rest. */
export function othersFor(target: Selection, design: StructuralView): readonly Other[] {
  const own = design.blocks.find(
    ({ name, nodes }) => name === target.id || nodes.some(({ id }) => id === target.id),
  );
  const blockWords = (name: string) => wordsFor({ type: 'block', id: name }, design);
  const others: Other[] = [];
  const add = (words: string, hint: string) => {
    if (!others.some((other) => other.words === words)) others.push({ words, hint });
  };
  for (const call of design.calls) {
    if (call.from === own?.name && call.to !== own.name) add(blockWords(call.to), 'it calls');
    if (call.to === own?.name && call.from !== own.name) add(blockWords(call.from), 'calls it');
  }
  if (own && target.type === 'node') {
    for (const node of own.nodes) {
      if (node.id !== target.id) add(node.id, 'same block');
    }
  }
  for (const { name } of design.zones) {
    if (target.type !== 'zone' || name !== target.id) add(`zone ${name}`, 'zone');
  }
  for (const { name } of design.blocks) {
    if (name !== own?.name) add(blockWords(name), 'block');
  }
  return others;
}

export function namesOf(design: StructuralView): FaultNames {
  return {
    nodes: design.blocks.flatMap((block) => block.nodes.map(({ id }) => id)),
    blocks: design.blocks.map(({ name }) => name),
    zones: design.zones.map(({ name }) => name),
    regions: [...new Set(design.zones.map(({ region }) => region))],
  };
}

/**
 * What is wrong with a sentence, at once and without the server; null: nothing.
 *
 * @param isNow in a running system, where it need not say when
 */
export function problemOf(sentence: string, names: FaultNames, isNow = false): string | null {
  try {
    (isNow ? parseFaultNow : parseFault)(sentence, names);
    return null;
  } catch (error) {
    if (!(error instanceof LoadpathError)) throw error;
    return error.problems[0]?.what ?? error.message;
  }
}

/** To begin with: three that hurt differently, in this design's own names. */
export function examplesFor(design: StructuralView, at: string): readonly string[] {
  const inside = design.blocks.filter((block) => !block.outside);
  const copied =
    inside.find((block) => block.quorum) ?? inside.find((block) => block.nodes.length > 1);
  const examples: string[] = [];
  const replica = copied?.nodes[1] ?? inside[0]?.nodes[0];
  if (replica) examples.push(`kill ${replica.id} at ${at}, restart after 10s`);
  const [one, other] = design.zones;
  if (one && other) examples.push(`cut zone ${one.name} from zone ${other.name} at ${at} for 10s`);
  if (design.ratePerSec !== undefined) examples.push(`surge 3x at ${at} for 10s`);
  return examples;
}
