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
import { join } from 'node:path';
import { LoadpathError } from '../kit/errors.ts';
import type { Finding } from '../run/api.ts';
import type { Report } from '../run/report.ts';

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
    const path = this.#placeOf(finding, before);
    try {
      writeFileSync(path, `${JSON.stringify(finding, null, 2)}\n`);
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
    return isFinding(there) && runOf(there) === runOf(finding);
  } catch {
    return false;
  }
}

/** What a replay of it does. */
function runOf(finding: Finding): string {
  const { designPath, seed, forUs, ratePerSec, set, invariant, faults } = finding;
  return JSON.stringify([designPath, seed, forUs, ratePerSec, set, invariant, faults]);
}

export function readFinding(path: string): Finding {
  const finding = parseJson(path);
  if (!isFinding(finding)) {
    throw new LoadpathError(
      'bad-input',
      `${path} is not a finding of a hunt: designPath, seed, forUs or faults is missing`,
    );
  }
  return finding;
}

function parseJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LoadpathError('bad-input', `${path} cannot be read as JSON: ${why}`, {
      cause: error,
    });
  }
}

function isFinding(value: unknown): value is Finding {
  if (typeof value !== 'object' || value === null) return false;
  const finding = value as Partial<Record<keyof Finding, unknown>>;
  return (
    typeof finding.designPath === 'string' &&
    typeof finding.seed === 'number' &&
    typeof finding.forUs === 'number' &&
    Array.isArray(finding.faults) &&
    finding.faults.every((fault) => typeof fault === 'string')
  );
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
