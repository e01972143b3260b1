/** What stands in the run control, as typed; and the request that it comes to. */
import { type DesignView, parseDuration, parseRate, type RunRequest } from 'loadpath/studio';
import type { Edits } from './edits.ts';
import { type FaultList, requestedFaults, timeText } from './faults.ts';

export interface RunForm {
  readonly seed: string;
  /** Empty: what the design says. */
  readonly duration: string;
  /** Empty: what the design says. `500`, `500/s`. */
  readonly rate: string;
  /** How many seeds, for intervals. */
  readonly seeds: string;
  /** What a hunt found is run as the hunt did, who let users come again after the heal; until another seed is typed. */
  readonly isProbed?: boolean;
}

export const emptyForm: RunForm = { seed: '1', duration: '', rate: '', seeds: '1' };

/** Another seed is another run than what was found. */
export function formWith(form: RunForm, change: Partial<RunForm>): RunForm {
  return { ...form, ...(change.seed === undefined ? {} : { isProbed: false }), ...change };
}

/** What is typed. */
export type RunField = Exclude<keyof RunForm, 'isProbed'>;

export type FormProblems = Partial<Record<RunField, string>>;

/** Beyond it, seeds of a browser's number would no longer be told apart. */
const seedMax = 2 ** 32 - 1;
const seedsMax = 1_000;

export function formProblems(form: RunForm): FormProblems {
  const problems: FormProblems = {};
  const seed = wholeOf(form.seed);
  if (seed === undefined || seed > seedMax) {
    problems.seed = 'A whole number, such as 1. The same seed gives the same run.';
  }
  if (form.duration.trim() !== '' && !durationOf(form.duration)) {
    problems.duration = 'A duration such as 60s, 500ms or 5min; empty for the design’s own.';
  }
  if (form.rate.trim() !== '' && rateOf(form.rate) === undefined) {
    problems.rate = 'Requests a second such as 500 or 500/s; empty for the design’s own.';
  }
  const seeds = wholeOf(form.seeds);
  if (seeds === undefined || seeds < 1 || seeds > seedsMax) {
    problems.seeds = `How many seeds to run, from 1 to ${seedsMax}. From 2 on, figures have intervals.`;
  }
  return problems;
}

/** Fields with problems count as untouched: the control does not offer to run with them. */
export function requestOf(
  form: RunForm,
  list: FaultList,
  edits: Edits,
  design: Pick<DesignView, 'faults'>,
): RunRequest {
  const forUs = durationOf(form.duration);
  const ratePerSec = rateOf(form.rate);
  const seeds = wholeOf(form.seeds) ?? 1;
  return {
    seed: wholeOf(form.seed) ?? 1,
    ...(forUs === undefined ? {} : { forUs }),
    ...(ratePerSec === undefined ? {} : { ratePerSec }),
    ...requestedFaults(list, design.faults),
    set: edits,
    ...(form.isProbed ? { probe: true } : {}),
    ...(seeds > 1 ? { seeds } : {}),
  };
}

/** Whether two requests send the same load into the same system, faults aside. */
export function sameButFaults(a: RunRequest, b: RunRequest): boolean {
  return (
    a.seed === b.seed &&
    a.forUs === b.forUs &&
    a.ratePerSec === b.ratePerSec &&
    JSON.stringify(a.data) === JSON.stringify(b.data) &&
    JSON.stringify(sorted(a.set)) === JSON.stringify(sorted(b.set))
  );
}

/** The faults that a request comes to, with the design's own where they are wanted. */
export function allFaults(request: RunRequest, designFaults: readonly string[]): readonly string[] {
  return [...(request.ownFaults ? designFaults : []), ...request.faults];
}

/** The same run on the command line. Studio and CLI give one digest for it. */
export function commandOf(request: RunRequest, path: string): string {
  const words = ['npx loadpath sim', quoted(path), `--seed ${request.seed}`];
  if (request.forUs !== undefined) words.push(`--for ${timeText(request.forUs)}`);
  if (request.ratePerSec !== undefined) words.push(`--rps ${request.ratePerSec}`);
  if ((request.seeds ?? 1) > 1) words.push(`--seeds ${request.seeds}`);
  if (!request.ownFaults) words.push('--no-own-faults');
  if (request.probe) words.push('--probe');
  for (const [key, value] of Object.entries(request.set))
    words.push(`--set ${quoted(`${key}=${value}`)}`);
  for (const fault of request.faults) words.push(`--fault ${quoted(fault)}`);
  return words.join(' ');
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function wholeOf(text: string): number | undefined {
  return /^\d+$/.test(text.trim()) ? Number(text) : undefined;
}

export function durationOf(text: string): number | undefined {
  // A bare number is meant in seconds.
  const us = parseDuration(/^[\d.]+$/.test(text.trim()) ? `${text.trim()}s` : text);
  return us !== undefined && us > 0 ? us : undefined;
}

function rateOf(text: string): number | undefined {
  const rate = parseRate(/^[\d.]+$/.test(text.trim()) ? `${text.trim()}/s` : text);
  return rate && rate.count > 0 ? (rate.count * 1e6) / rate.periodUs : undefined;
}

function sorted(values: Readonly<Record<string, unknown>>): readonly unknown[] {
  return Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
}
