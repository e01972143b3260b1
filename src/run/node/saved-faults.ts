/**
 * Faults that belong to a design: of data in its own file, of code in a file beside it, where a
 * person or Studio can write without touching code. `design.faults` for `design.ts`:
 *
 *   # One sentence a line.
 *   kill links/1 at 30s, restart after 5s
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { LoadpathError } from '../../kit/errors.ts';
import { shownPath } from './places.ts';

export interface SavedFault {
  readonly sentence: string;
  /** `shop/design.faults:3`. */
  readonly at: string;
}

/** The file that holds the faults of a design of code, there or not; undefined for one of data. */
export function faultsFile(designFile: string): string | undefined {
  const extension = extname(designFile);
  return extension === '.json'
    ? undefined
    : `${designFile.slice(0, designFile.length - extension.length)}.faults`;
}

/** Those beside a design of code. One of data brings its own with it. */
export function faultsBeside(designFile: string): readonly SavedFault[] {
  const file = faultsFile(designFile);
  if (file === undefined || !existsSync(file)) return [];
  return linesOf(file).flatMap((line, index) =>
    isSentence(line) ? { sentence: line.trim(), at: `${shownPath(file)}:${index + 1}` } : [],
  );
}

/** The sentences that stand in the file of a design, or beside it. */
export function savedFaults(designFile: string): readonly string[] {
  if (faultsFile(designFile) !== undefined) {
    return faultsBeside(designFile).map(({ sentence }) => sentence);
  }
  const { faults } = dataIn(designFile);
  return Array.isArray(faults) ? faults.filter((one) => typeof one === 'string') : [];
}

/**
 * Puts `sentences` in place of those that were saved, and returns the file that holds them.
 * Comments stay with the sentence below them, and those above the first blank line with the file.
 */
export function saveFaults(designFile: string, sentences: readonly string[]): string {
  const broken = sentences.find((sentence) => /[\r\n]/.test(sentence) || !isSentence(sentence));
  if (broken !== undefined) {
    throw new LoadpathError('bad-option', `a fault is one sentence on one line, got '${broken}'`);
  }
  const file = faultsFile(designFile);
  if (file === undefined) {
    const { faults: _faults, ...data } = dataIn(designFile);
    const saved = sentences.length === 0 ? data : { ...data, faults: sentences };
    replace(designFile, `${JSON.stringify(saved, null, 2)}\n`);
    return designFile;
  }
  const { head, comments } = commentsOf(existsSync(file) ? linesOf(file) : []);
  const top =
    head.length > 0 ? head : [`# Faults of every run of ${basename(designFile)}, one a line.`];
  const lines = sentences.flatMap((sentence) => [...(comments.get(sentence) ?? []), sentence]);
  replace(file, `${[...top, ...(lines.length > 0 ? ['', ...lines] : [])].join('\n')}\n`);
  return file;
}

function commentsOf(lines: readonly string[]): {
  readonly head: readonly string[];
  readonly comments: ReadonlyMap<string, readonly string[]>;
} {
  const headEnd = lines.findIndex((line) => !line.trimStart().startsWith('#'));
  const isHead = headEnd > 0 && lines[headEnd]!.trim() === '';
  const head = isHead ? lines.slice(0, headEnd) : [];
  const comments = new Map<string, readonly string[]>();
  let above: string[] = [];
  for (const line of lines.slice(head.length)) {
    if (line.trim() === '') continue;
    if (isSentence(line)) {
      comments.set(line.trim(), above);
      above = [];
    } else above.push(line);
  }
  return { head, comments };
}

function isSentence(line: string): boolean {
  const text = line.trim();
  return text !== '' && !text.startsWith('#');
}

function linesOf(file: string): readonly string[] {
  return readFileSync(file, 'utf8').split(/\r?\n/);
}

function dataIn(path: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Readonly<Record<string, unknown>>;
  } catch (failure) {
    const why = failure instanceof Error ? failure.message : String(failure);
    throw new LoadpathError('bad-input', `${shownPath(path)} cannot be read as JSON: ${why}`);
  }
}

/** Whole or not at all: a run that reads meanwhile sees the old file or the new one. */
function replace(file: string, text: string): void {
  const draft = `${file}.saving`;
  writeFileSync(draft, text);
  renameSync(draft, file);
}
