import { readFileSync } from 'node:fs';
import { LoadpathError } from '../kit/errors.ts';

/** What stands in a file of JSON. Throws `LoadpathError` ('bad-input') with the reason where none can be read. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LoadpathError('bad-input', `${path} cannot be read as JSON: ${why}`, {
      cause: error,
    });
  }
}
