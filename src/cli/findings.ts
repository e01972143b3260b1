/** Findings of hunts as files: each its own, there as soon as it is found, and read by `replay`. */

import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { show } from '../kit/config.ts';
import { LoadpathError, type Problem, refuse } from '../kit/errors.ts';
import type { Finding } from '../run/api.ts';
import type { Report } from '../run/report.ts';
import { readJson } from './json-file.ts';

/** The findings of one hunt, in a folder with those of others. */
export class FindingFiles {
  readonly #folder: string;
  readonly #paths = new Map<string, string>();

  /** Makes the folder. Throws `LoadpathError` ('bad-option') when nothing can be kept there. */
  constructor(folder: string) {
    this.#folder = folder;
    try {
      mkdirSync(folder, { recursive: true });
      accessSync(folder, constants.W_OK);
    } catch (failure) {
      throw notSaved(folder, failure);
    }
  }

  /** Once more when it has been shrunk, in place of what was drawn. Returns where it is. */
  save(finding: Finding): string {
    const before = this.pathOf(finding);
    const kept = { ...finding, designPath: seenFrom(this.#folder, finding.designPath) };
    const path = this.#placeOf(kept, before);
    try {
      writeFileSync(path, `${JSON.stringify(kept, null, 2)}\n`);
    } catch (failure) {
      throw notSaved(path, failure);
    }
    if (before !== undefined && before !== path) rmSync(before, { force: true });
    this.#paths.set(keyOf(finding), path);
    return path;
  }

  pathOf(finding: Finding): string | undefined {
    return this.#paths.get(keyOf(finding));
  }

  /** Another run of the same seed and invariant (of other options, another length, other faults) stays as it is. */
  #placeOf(finding: Finding, own: string | undefined): string {
    const name = `${finding.design}-${finding.seed}-${slugOf(finding.invariant)}`;
    for (let copy = 1; ; copy++) {
      const path = join(this.#folder, copy === 1 ? `${name}.json` : `${name}-${copy}.json`);
      if (path === own || !existsSync(path) || isSameRun(path, finding)) return path;
    }
  }
}

function keyOf({ seed, invariant }: Finding): string {
  return `${seed} ${invariant}`;
}

function notSaved(path: string, failure: unknown): LoadpathError {
  const why = failure instanceof Error ? failure.message : String(failure);
  return new LoadpathError('bad-option', `findings cannot be saved in ${path}: ${why}`);
}

/** An invariant's name as part of that of a file. */
function slugOf(name: string): string {
  const words = name.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? ['invariant'];
  return words.join('-').slice(0, 60);
}

function isSameRun(path: string, finding: Finding): boolean {
  try {
    const there: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return problemsOf(there).length === 0 && runOf(there as Finding) === runOf(finding);
  } catch {
    return false;
  }
}

/** What a replay of it does. */
function runOf(finding: Finding): string {
  const { designPath, seed, forUs, ratePerSec, set, isolatePackages, invariant, faults } = finding;
  const from = { designPath, seed, forUs, ratePerSec, set, isolatePackages };
  return JSON.stringify([from, invariant, faults]);
}

/** The finding in a file, its design found from anywhere; undefined for a design, which may be JSON too. */
export function findingIn(path: string): Finding | undefined {
  if (!path.endsWith('.json')) return undefined;
  const there = readJson(path);
  const isDesign = isFields(there) && Array.isArray(there.blocks);
  return isDesign ? undefined : designFrom(path, checkedFinding(path, there));
}

/** In a file, the path of the design is seen from that file; from the working directory where somebody put it there. */
function designFrom(path: string, finding: Finding): Finding {
  const beside = resolve(dirname(path), finding.designPath);
  return existsSync(beside) ? { ...finding, designPath: beside } : finding;
}

function seenFrom(folder: string, designPath: string): string {
  return relative(folder, designPath).replaceAll(sep, '/');
}

/** People edit findings. Throws `LoadpathError` ('bad-input') with every mistake. */
function checkedFinding(path: string, value: unknown): Finding {
  const problems = problemsOf(value);
  if (problems.length > 0) refuse('bad-input', `${path}, as a finding of a hunt,`, problems);
  return value as Finding;
}

type Check = readonly [name: keyof Finding, isRight: (value: unknown) => boolean, must: string];

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isWhole = (value: unknown, min: number): boolean =>
  Number.isSafeInteger(value) && Number(value) >= min;

const checks: readonly Check[] = [
  ['designPath', isText, 'the path of a design'],
  ['invariant', isText, 'the name of an invariant'],
  ['seed', (value) => isWhole(value, 0), 'a whole number, at least 0'],
  ['forUs', (value) => isWhole(value, 1), 'a whole number of microseconds, at least 1'],
  [
    'ratePerSec',
    (value) => value === undefined || (Number.isFinite(value) && Number(value) > 0),
    'a number above 0, or left out',
  ],
  [
    'set',
    (value) => value === undefined || (isFields(value) && Object.values(value).every(isSetting)),
    "an object such as { 'links.replicas': 5 }, or left out",
  ],
  [
    'faults',
    (value) => Array.isArray(value) && value.every((fault) => typeof fault === 'string'),
    'a list of sentences',
  ],
];

function problemsOf(value: unknown): readonly Problem[] {
  const fields = isFields(value) ? value : {};
  return checks
    .filter(([name, isRight]) => !isRight(fields[name]))
    .map(([name, , must]) => {
      const got = fields[name] === undefined ? 'it is missing' : `got ${show(fields[name])}`;
      return { at: name, what: `must be ${must}; ${got}` };
    });
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSetting(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

/** Why what was found does not come back, when nothing of it was changed since. */
export function unchangedText({ isRepeatable, isolatePackages }: Finding): string {
  if (isRepeatable === false) return outlivesText(isolatePackages);
  return 'The design and Loadpath are as they were: a package or Node is another, or something outside the simulation decides. Try sim --check.';
}

/** Of a finding that did not come back in a thread of its own. */
export function outlivesText(isolatePackages: boolean | undefined): string {
  const whose = isolatePackages
    ? 'such as globalThis or process.env'
    : 'such as what a package keeps. Hunt again with --isolate packages';
  return `It broke after other runs only: something outlives them, ${whose}.`;
}

/** What a run of a finding did with the invariant that it is about; undefined when it broke, as was found. */
export function unlikeFinding(
  { seed, invariant }: Pick<Finding, 'seed' | 'invariant'>,
  { invariants }: Pick<Report, 'invariants'>,
): string | undefined {
  const verdict = invariants.find(({ name }) => name === invariant)?.verdict;
  if (verdict === 'violated') return undefined;
  const instead = { holds: 'it holds', unknown: 'nobody could decide it' };
  const now = verdict === undefined ? 'it was not judged' : instead[verdict];
  return `NOT BROKEN AGAIN: a hunt found that seed ${seed} breaks ${invariant}; in this run ${now}.`;
}
