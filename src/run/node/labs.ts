/**
 * Labs on disk: where they are, what their last recorded runs have left, and running them side by
 * side. `labs/` stands beside `src` and `dist` alike.
 *
 *   labs/lab-x.ts ──run──▶ LabRecord ──record──▶ labs/recorded/lab-x.json
 *                                      └───────▶ docs/labs/lab-x.md, lab-x-1.svg, README.md
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { nearest } from '../../kit/config.ts';
import { LoadpathError, type Problem, refuse } from '../../kit/errors.ts';
import { chartSvg } from '../labs/chart.ts';
import { isLab, type Lab, type LabRecord } from '../labs/lab.ts';
import { indexPage, labPage, pictureName } from '../labs/page.ts';
import { entry } from './entry.ts';
import { loadDesign } from './load.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const labsFolder = join(root, 'labs');
const recordsFolder = join(labsFolder, 'recorded');
export const pagesFolder = join(root, 'docs', 'labs');

export interface ListedLab {
  readonly id: string;
  /** Absolute. */
  readonly path: string;
  /** Of the last recorded run. */
  readonly record: LabRecord | undefined;
}

export function listLabs(): readonly ListedLab[] {
  if (!existsSync(labsFolder)) return [];
  return readdirSync(labsFolder)
    .filter((name) => name.startsWith('lab-') && name.endsWith('.ts'))
    .map((name) => name.slice(0, -'.ts'.length))
    .sort()
    .map((id) => ({ id, path: join(labsFolder, `${id}.ts`), record: recordOf(id) }));
}

function recordOf(id: string): LabRecord | undefined {
  const path = join(recordsFolder, `${id}.json`);
  if (!existsSync(path)) return undefined;
  return JSON.parse(readFileSync(path, 'utf8')) as LabRecord;
}

/**
 * Ids, `all`, or paths of labs of one's own. Throws `LoadpathError` ('bad-option') with every name
 * that is none.
 */
export function chosenLabs(names: readonly string[]): readonly ListedLab[] {
  const known = listLabs();
  const problems: Problem[] = [];
  const chosen = new Map<string, ListedLab>();
  for (const name of names) {
    if (name === 'all') {
      for (const one of known) chosen.set(one.path, one);
      continue;
    }
    const found = known.find(({ id }) => id === name || id === `lab-${name}`);
    if (found) chosen.set(found.path, found);
    else if (/[./]/.test(name) && existsSync(name)) {
      const path = resolve(name);
      const id = basename(path).replace(/\.\w+$/, '');
      chosen.set(path, known.find((one) => one.path === path) ?? { id, path, record: undefined });
    } else {
      const near = nearest(
        name,
        known.map(({ id }) => id),
      );
      problems.push({ at: name, what: `no such lab${near ? `; did you mean ${near}?` : ''}` });
    }
  }
  if (problems.length > 0) refuse('bad-option', 'the list of labs', problems);
  return [...chosen.values()];
}

export async function loadLab(path: string): Promise<Lab> {
  const { default: exported } = (await loadDesign(path)).evaluate();
  if (isLab(exported)) return exported;
  throw new LoadpathError('bad-design', `${path}: the default export must be a lab({ … })`);
}

/** What a worker is told, and answers. */
export interface LabTask {
  readonly path: string;
  readonly isFull: boolean;
}

export type LabAnswer =
  | { readonly type: 'done'; readonly record: LabRecord }
  | {
      readonly type: 'failed';
      readonly message: string;
      readonly code: LoadpathError['code'] | undefined;
      readonly stack: string | undefined;
    };

export interface LabRun {
  readonly record: LabRecord;
  readonly wallSeconds: number;
}

/** Runs labs, each in a thread of its own, and tells of each as it ends. Aborted, it starts no more. */
export async function runLabs(
  labs: readonly ListedLab[],
  options: { readonly isFull: boolean; readonly workers?: number | undefined },
  watch: {
    readonly signal?: AbortSignal | undefined;
    onStart?(lab: ListedLab): void;
    onEnd?(lab: ListedLab, run: LabRun): void;
  } = {},
): Promise<readonly LabRun[]> {
  const runs = new Map<string, LabRun>();
  const waiting = [...labs];
  const line = async (): Promise<void> => {
    for (;;) {
      const next = watch.signal?.aborted ? undefined : waiting.shift();
      if (!next) return;
      watch.onStart?.(next);
      const startedAt = performance.now();
      const record = await inWorker({ path: next.path, isFull: options.isFull }, watch.signal);
      if (!record) return;
      const run = { record, wallSeconds: (performance.now() - startedAt) / 1_000 };
      runs.set(next.path, run);
      watch.onEnd?.(next, run);
    }
  };
  const lines = Math.min(options.workers ?? availableParallelism(), labs.length);
  await Promise.all(Array.from({ length: lines }, line));
  return labs.flatMap(({ path }) => runs.get(path) ?? []);
}

/** Undefined when it was aborted. */
async function inWorker(
  task: LabTask,
  signal: AbortSignal | undefined,
): Promise<LabRecord | undefined> {
  const worker = new Worker(entry('lab-worker', import.meta.url), {
    workerData: task,
    resourceLimits: { maxYoungGenerationSizeMb: 128 },
  });
  const abort = () => void worker.terminate();
  signal?.addEventListener('abort', abort);
  try {
    return await new Promise<LabRecord | undefined>((done, fail) => {
      worker.on('message', (answer: LabAnswer) => {
        if (answer.type === 'done') return done(answer.record);
        const { message, code, stack } = answer;
        const failure = code === undefined ? new Error(message) : new LoadpathError(code, message);
        if (code === undefined && stack !== undefined) failure.stack = stack;
        fail(failure);
      });
      worker.on('error', fail);
      worker.on('exit', () =>
        signal?.aborted ? done(undefined) : fail(new Error(`${task.path} ended without a word`)),
      );
    });
  } finally {
    signal?.removeEventListener('abort', abort);
    await worker.terminate();
  }
}

// Records and pages --------------------------------------------------------------------------------

export interface PageFile {
  readonly name: string;
  readonly text: string;
}

/** The page of a lab and its pictures. */
export function pageFiles(record: LabRecord): readonly PageFile[] {
  const charts = record.figures.filter((figure) => figure.kind !== 'table');
  return [
    { name: `${record.id}.md`, text: labPage(record) },
    ...charts.map((chart, index) => ({
      name: pictureName(record.id, index + 1),
      text: chartSvg(chart),
    })),
  ];
}

/** All pages there should be, from what was recorded. */
export function allPages(): readonly PageFile[] {
  const records = listLabs().flatMap(({ record }) => record ?? []);
  return [...records.flatMap(pageFiles), { name: 'README.md', text: indexPage(records) }];
}

export function recordText(record: LabRecord): string {
  return `${JSON.stringify(record, null, 1)}\n`;
}

/** Keeps what a run left, and makes its pages anew. */
export function keepRecord(record: LabRecord): void {
  mkdirSync(recordsFolder, { recursive: true });
  writeFileSync(join(recordsFolder, `${record.id}.json`), recordText(record));
}

/** Writes every page, and removes what no lab makes any more. */
export function writePages(): void {
  mkdirSync(pagesFolder, { recursive: true });
  const pages = allPages();
  const names = new Set(pages.map(({ name }) => name));
  for (const name of readdirSync(pagesFolder)) {
    if (!names.has(name)) rmSync(join(pagesFolder, name));
  }
  for (const { name, text } of pages) writeFileSync(join(pagesFolder, name), text);
}
