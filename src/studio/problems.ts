/**
 * Where in the sources a mistake is. A compiler says so itself; a check of options knows only the
 * block and the option by name, and the line is looked for.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { LoadpathError } from '../kit/errors.ts';
import { shownPath } from '../run/node/places.ts';
import type { ProblemView } from './protocol.ts';

/** An error without parts is one problem: its message. `sources`: absolute. */
export function problemViews(
  error: LoadpathError,
  sources: readonly string[] = [],
): readonly ProblemView[] {
  const problems =
    error.problems.length > 0 ? error.problems : [{ at: '', what: error.message.trim() }];
  return problems.map((problem) => ({ ...problem, ...placeOf(problem.at, sources) }));
}

type Place = Pick<ProblemView, 'file' | 'line' | 'column'>;

function placeOf(at: string, sources: readonly string[]): Place {
  const [, file, line, column] = /^(.+?):(\d+)(?::(\d+))?$/.exec(at) ?? [];
  if (file !== undefined) {
    return { file: shownPath(resolve(file)), line: Number(line), column: Number(column ?? 1) };
  }
  const [block = '', ...option] = at.split('.');
  if (!/^[\w-]+$/.test(block)) return {};
  for (const source of sources) {
    const place = declaredIn(textOf(source), block, option.at(-1));
    if (place) return { file: shownPath(source), ...place };
  }
  return {};
}

/** `kv('links', { replicas: 4 })` in code, `"links": { "replicas": 4 }` in data. */
function declaredIn(text: string, block: string, option: string | undefined): Place | undefined {
  const declaration = new RegExp(`\\(\\s*(['"\`])${block}\\1|"${block}"\\s*:\\s*\\{`).exec(text);
  if (!declaration) return undefined;
  const named = option !== undefined && optionAfter(text, declaration.index, option);
  return lineAndColumn(text, named || declaration.index + declaration[0].search(/["'`]/));
}

/** Before the next declaration; options are written close to their block. */
function optionAfter(text: string, from: number, option: string): number | undefined {
  if (!/^\w+$/.test(option)) return undefined;
  const rest = text.slice(from);
  const end = /\n(?:export |const |let |\})/.exec(rest)?.index ?? rest.length;
  const found = new RegExp(`(?<![\\w.])"?${option}"?\\s*:`).exec(rest.slice(0, end));
  return found ? from + found.index : undefined;
}

function lineAndColumn(text: string, index: number): Place {
  const before = text.slice(0, index).split('\n');
  return { line: before.length, column: before.at(-1)!.length + 1 };
}

/** A file that went away between reading and telling has no lines. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
