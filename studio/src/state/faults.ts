/**
 * The list of faults that the next run is given: sentences, each of which can be switched off
 * without being forgotten. The design's own stand in it too, as long as nobody touches them; once
 * one is changed, all are sent as sentences and the design's are left out.
 */
import type { FaultCheck, Micros } from 'loadpath/studio';
import { parseDuration } from 'loadpath/studio';

export interface FaultEntry {
  readonly id: number;
  readonly text: string;
  readonly on: boolean;
  readonly origin: 'design' | 'added';
  /** What the server says is wrong with it; null: nothing known. */
  readonly problem: string | null;
}

export type FaultList = readonly FaultEntry[];

export function withFaults(
  list: FaultList,
  texts: readonly string[],
  origin: FaultEntry['origin'] = 'added',
): FaultList {
  const firstId = list.reduce((max, entry) => Math.max(max, entry.id), 0) + 1;
  const added = texts
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text, index) => ({ id: firstId + index, text, on: true, origin, problem: null }));
  return [...list, ...added];
}

/** A changed sentence of the design becomes one of ours: the file still says the old one. */
export function withText(list: FaultList, id: number, text: string): FaultList {
  return list.map((entry) =>
    entry.id === id && entry.text !== text
      ? { ...entry, text: text.trim(), origin: 'added', problem: null }
      : entry,
  );
}

export function withToggled(list: FaultList, id: number): FaultList {
  return list.map((entry) => (entry.id === id ? { ...entry, on: !entry.on } : entry));
}

export function withoutFault(list: FaultList, id: number): FaultList {
  return list.filter((entry) => entry.id !== id);
}

/** The design's faults as the file has them now, in front of what was added by hand. */
export function withDesignFaults(list: FaultList, texts: readonly string[]): FaultList {
  const own = list.filter((entry) => entry.origin === 'design');
  const same = own.length === texts.length && own.every((entry, i) => entry.text === texts[i]);
  if (same) return list;
  const off = new Set(own.filter((entry) => !entry.on).map((entry) => entry.text));
  const added = list.filter((entry) => entry.origin === 'added');
  return withFaults(added, texts, 'design')
    .map((entry) => (off.has(entry.text) ? { ...entry, on: false } : entry))
    .sort((a, b) => Number(a.origin === 'added') - Number(b.origin === 'added'));
}

/** What the server said about each, by sentence. */
export function withChecks(list: FaultList, checks: readonly FaultCheck[]): FaultList {
  const problems = new Map(checks.map((check) => [check.sentence, check.problem]));
  return list.map((entry) =>
    problems.has(entry.text) && problems.get(entry.text) !== entry.problem
      ? { ...entry, problem: problems.get(entry.text) ?? null }
      : entry,
  );
}

/** What a run is asked for. */
export function requestedFaults(
  list: FaultList,
  designFaults: readonly string[],
): { readonly ownFaults: boolean; readonly faults: readonly string[] } {
  const own = list.filter((entry) => entry.origin === 'design');
  const untouched =
    own.length === designFaults.length &&
    own.every((entry, i) => entry.on && entry.text === designFaults[i]);
  const on = list.filter((entry) => entry.on && !(untouched && entry.origin === 'design'));
  return { ownFaults: untouched, faults: on.map((entry) => entry.text) };
}

/** When a sentence begins; undefined while it does not say. */
export function faultAtUs(text: string): Micros | undefined {
  const word = /\bat\s+([\d.]+\s?[a-z]+)/.exec(text)?.[1];
  return word === undefined ? undefined : parseDuration(word);
}

/** When what a sentence did ends; undefined: with the run. */
export function faultEndUs(text: string): Micros | undefined {
  const atUs = faultAtUs(text);
  const word = /\b(?:for|after)\s+([\d.]+\s?[a-z]+)\s*$/.exec(text)?.[1];
  const forUs = word === undefined ? undefined : parseDuration(word);
  return atUs === undefined || forUs === undefined ? undefined : atUs + forUs;
}

/** The same fault, sooner or later. Never before the load begins. */
export function nudged(text: string, byUs: Micros): string {
  const atUs = faultAtUs(text);
  if (atUs === undefined) return text;
  const at = timeText(Math.max(0, atUs + byUs));
  return text.replace(/\bat\s+[\d.]+\s?[a-z]+/, `at ${at}`);
}

/** A time as one would write it into a sentence: exact to a tenth of a second where that is all there is. */
export function timeText(us: Micros): string {
  if (us % 100_000 === 0) return `${us / 1_000_000}s`;
  return us % 1_000 === 0 ? `${us / 1_000}ms` : `${us}us`;
}

/** The earliest instant at which two lists make a difference; undefined: they are the same. */
export function firstDifferenceUs(
  before: readonly string[],
  after: readonly string[],
): Micros | undefined {
  const once = new Set(before);
  const now = new Set(after);
  const changed = [
    ...before.filter((text) => !now.has(text)),
    ...after.filter((text) => !once.has(text)),
  ];
  if (changed.length === 0) return undefined;
  return changed.reduce(
    (least, text) => Math.min(least, faultAtUs(text) ?? 0),
    Number.POSITIVE_INFINITY,
  );
}

/** Sentences of a text that was pasted: one a line, or as options of the command line. */
export function pastedFaults(text: string): readonly string[] {
  const options = [...text.matchAll(/--fault[ =](?:'([^']*)'|"([^"]*)")/g)];
  if (options.length > 0) return options.map((match) => match[1] ?? match[2] ?? '');
  return text
    .split(/\r?\n/)
    .map((line) =>
      line
        .trim()
        .replace(/^[-*•]\s+/, '')
        .replace(/^['"](.*)['"],?$/, '$1'),
    )
    .filter((line) => line !== '' && !line.startsWith('#'));
}
