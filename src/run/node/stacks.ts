/**
 * Turns positions in a bundle back into lines of the user's files, in every stack that is read
 * anywhere. Node can do this itself, but then maps every package too, and slows each load.
 */
import { SourceMap, type SourceMapPayload } from 'node:module';
import { resolve } from 'node:path';

export interface Bundle {
  /** The name it was compiled under. */
  readonly file: string;
  /** What the map's sources are relative to. */
  readonly folder: string;
  /** JSON, asked for only when a stack is read. */
  readonly map: () => string;
}

/** Counted from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly lineText: string;
}

type Payload = SourceMapPayload & { readonly sourcesContent?: readonly (string | null)[] };

interface Known {
  readonly bundle: Bundle;
  map: { readonly payload: Payload; readonly entries: SourceMap } | undefined;
}

const bundles = new Map<string, Known>();
let installed = false;

export function register(bundle: Bundle): void {
  bundles.set(bundle.file, { bundle, map: undefined });
  if (!installed) install();
}

/** Where in the user's files an error came from, innermost first. */
export function locate(error: Error): Place | undefined {
  // Reading the stack first formats it, which records the place.
  void error.stack;
  return places.get(error);
}

const places = new WeakMap<Error, Place>();

function install(): void {
  installed = true;
  const before = Error.prepareStackTrace;
  Error.prepareStackTrace = (error, frames) => {
    const last = lastOfBundle(frames);
    if (last === -1) return before ? before(error, frames) : plain(error, frames);
    // What lies below the user's outermost frame is this program calling him.
    const shown = frames.slice(0, last + 1);
    const first = shown.find((frame) => bundles.has(frame.getFileName() ?? ''))!;
    const place = placeOf(first.getFileName()!, first.getLineNumber()!, first.getColumnNumber()!);
    if (place) places.set(error, place);
    const text = before ? before(error, shown) : plain(error, shown);
    return typeof text === 'string' ? mapped(text) : text;
  };
}

function lastOfBundle(frames: readonly NodeJS.CallSite[]): number {
  for (let i = frames.length - 1; i >= 0; i--) {
    if (bundles.has(frames[i]!.getFileName() ?? '')) return i;
  }
  return -1;
}

function plain(error: Error, frames: readonly NodeJS.CallSite[]): string {
  let head: string;
  try {
    head = Error.prototype.toString.call(error);
  } catch {
    head = 'Error';
  }
  return [head, ...frames.map((frame) => `    at ${frame}`)].join('\n');
}

function mapped(text: string): string {
  let shown = text;
  for (const file of bundles.keys()) {
    if (!shown.includes(file)) continue;
    const [before, ...parts] = shown.split(file);
    shown = parts.reduce((line, part) => {
      const position = /^:(\d+):(\d+)/.exec(part);
      if (!position) return line + file + part;
      const place = placeOf(file, Number(position[1]), Number(position[2]));
      if (!place) return line + file + part;
      return `${line}${place.file}:${place.line}:${place.column}${part.slice(position[0].length)}`;
    }, before!);
  }
  return shown;
}

function placeOf(file: string, line: number, column: number): Place | undefined {
  const known = bundles.get(file);
  if (!known) return undefined;
  known.map ??= mapIn(known.bundle.map());
  const { payload, entries } = known.map;
  const entry = entries.findEntry(line - 1, column - 1);
  if (!('originalSource' in entry)) return undefined;
  const { sources, sourcesContent } = payload;
  const index = sources.indexOf(entry.originalSource);
  const lines = sourcesContent?.[index]?.split('\n');
  return {
    file: resolve(known.bundle.folder, entry.originalSource),
    line: entry.originalLine + 1,
    column: entry.originalColumn + 1,
    lineText: lines?.[entry.originalLine] ?? '',
  };
}

function mapIn(json: string): NonNullable<Known['map']> {
  const payload = JSON.parse(json) as Payload;
  return { payload, entries: new SourceMap(payload) };
}
