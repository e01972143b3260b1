/** Findings of hunts as files: how `replay` reads them. */
import { readFileSync } from 'node:fs';
import { LoadpathError } from '../kit/errors.ts';
import type { Finding } from '../run/api.ts';
import type { Report } from '../run/report.ts';

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
