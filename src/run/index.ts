/** The runs behind the command line and Studio. Simulations go to worker threads, live nodes to processes. */
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Visit } from '../blocks/workload/users/index.ts';
import { AccessLogReader, startsOf } from '../design/accesslog.ts';
import { structureOf } from '../design/structure.ts';
import { LoadpathError } from '../kit/errors.ts';
import type {
  HuntOptions,
  LiveOptions,
  Runner,
  SimulateOptions,
  SweepOptions,
  SweepWatch,
  TargetOptions,
  TracedOptions,
  Watch,
} from './api.ts';
import { hunt } from './hunt.ts';
import type { DesignLook } from './look.ts';
import { bundleDesign, type DesignBundle, endCompiler, findDesign } from './node/bundle.ts';
import { runLive } from './node/live.ts';
import { loadBundle, loadDesign } from './node/load.ts';
import { Pool } from './node/pool.ts';
import { Reins } from './node/reins.ts';
import { faultsFile } from './node/saved-faults.ts';
import type { Tried } from './node/tasks.ts';
import type { Question, Traced } from './node/traced.ts';
import { designOf } from './options.ts';
import type { Report } from './report.ts';
import { type SweepReport, sweep } from './sweep.ts';

export const runner: Runner = {
  async inspect(designPath, set) {
    return structureOf(designOf(await loadDesign(designPath), { set }));
  },

  async blocks() {
    const { blocks } = await import('../blocks/index.ts');
    return blocks;
  },

  async sources(designPath) {
    return sourcesOf(await bundleDesign(designPath));
  },

  async simulate(designPath, options, watch = {}) {
    const simulator = runner.openSimulator(designPath, options);
    try {
      return await simulator.simulate(options, watch);
    } finally {
      await simulator.close();
    }
  },

  openSimulator(designPath, { workers = 1, isolatePackages = false } = {}) {
    const bundle = bundleDesign(findDesign(designPath), { isolatePackages });
    const pool = new Pool(bundle, workers);
    return {
      simulate: (options, watch = {}) => simulateIn(pool, options, watch),
      look: async ({ set, data } = {}) => ({
        ...((await pool.run({ kind: 'look', set, data })) as DesignLook),
        files: sourcesOf(await bundle),
      }),
      requests: (options, signal) => tracedIn(pool, options, { ask: 'requests' }, signal),
      waterfall: (options, index, signal) =>
        tracedIn(pool, options, { ask: 'waterfall', index }, signal),
      messages: (options, query, signal) =>
        tracedIn(pool, options, { ask: 'messages', query }, signal),
      close: () => pool.close(),
    };
  },

  runLive: (designPath, options, watch) => live(designPath, options, undefined, watch),

  async load(designPath, options: TargetOptions, watch) {
    const { url = 'http://127.0.0.1:8080', ...load } = options;
    // A folder of its own: the design's is in use by the very system that is to be loaded.
    const dataFolder = mkdtempSync(join(tmpdir(), 'loadpath-load-'));
    const rest = { load: true, single: false, fresh: false, faults: [], ownFaults: false };
    try {
      return await live(designPath, { ...load, ...rest, dataFolder }, url, watch);
    } finally {
      rmSync(dataFolder, { recursive: true, force: true });
    }
  },

  sweep: (designPath, options, watch = {}) => sweepOf(designPath, options, watch),

  async hunt(designPath, options: HuntOptions, watch = {}) {
    const path = findDesign(designPath);
    const parallel = options.workers ?? availableParallelism();
    const pool = new Pool(bundleDesign(path), parallel);
    try {
      return await hunt({
        ...options,
        designPath,
        parallel,
        attempt: async (attempt) => (await pool.run({ kind: 'try', ...attempt })) as Tried,
        clock: () => performance.now(),
        stopped: () => watch.signal?.aborted ?? false,
        onProgress: (progress) => watch.onProgress?.(progress),
        onFinding: (finding) => watch.onFinding?.(finding),
      });
    } finally {
      await pool.close();
    }
  },
};

async function sweepOf(
  designPath: string,
  options: SweepOptions,
  watch: SweepWatch,
): Promise<SweepReport> {
  const parallel = options.workers ?? availableParallelism();
  const simulator = runner.openSimulator(designPath, { workers: parallel });
  const { signal } = watch;
  try {
    return await sweep(
      {
        ...options,
        parallel,
        look: (set) => simulator.look({ set, data: options.data }),
        simulate: (run) => simulator.simulate({ ...options, ...run, check: false }, { signal }),
      },
      watch,
    );
  } finally {
    await simulator.close();
  }
}

/** The faults beside it also when there are none yet: to save the first is a change. */
function sourcesOf({ path, files }: DesignBundle): readonly string[] {
  return [...files, faultsFile(path) ?? []].flat();
}

async function simulateIn(
  pool: Pool,
  options: Omit<SimulateOptions, 'isolatePackages'>,
  watch: Watch,
): Promise<Report> {
  const { seed, forUs, warmUpUs, faults, ownFaults, ratePerSec, set, data } = options;
  const { check, untilUs, probe, trace } = options;
  const log = options.replayLog === undefined ? undefined : await visitsIn(options.replayLog);
  const file = trace === undefined || trace === '-' ? undefined : await traceFile(trace);
  const reins = new Reins();
  let written: Promise<unknown> = Promise.resolve();
  const stop = (): void => reins.stop();
  const write = (text: string): void => {
    if (!file) {
      process.stdout.write(text);
      return reins.hear();
    }
    written = written.then(async () => {
      await file.write(text);
      reins.hear();
    });
    // It waits for what is not written: told at the end.
    written.catch(stop);
  };
  watch.signal?.addEventListener('abort', stop);
  if (watch.signal?.aborted) stop();
  try {
    const isFilmed = watch.onLayout !== undefined || watch.onFrame !== undefined;
    const running = pool.run(
      {
        kind: 'simulate',
        seed,
        forUs,
        warmUpUs,
        faults,
        ownFaults,
        ratePerSec,
        set,
        data,
        visits: log?.visits,
        check,
        untilUs,
        probe,
        trace: trace !== undefined,
        reins: reins.shared,
        frameCountMax: isFilmed ? (options.frameCountMax ?? 600) : undefined,
      },
      (answer) => {
        if (answer.type === 'trace') return write(`${answer.lines.join('\n')}\n`);
        if (answer.type === 'event') watch.onEvent?.(answer.event);
        else if (answer.type === 'progress') watch.onProgress?.(answer.progress);
        else if (answer.type === 'layout') watch.onLayout?.(answer.layout);
        else if (answer.type === 'frames') {
          for (const frame of answer.frames) watch.onFrame?.(frame);
        }
        reins.hear();
      },
    );
    watch.onStart?.({
      pause: () => reins.pause(),
      resume: () => reins.resume(),
      stop,
    });
    const report = await running;
    await written;
    return noted(report as Report, log);
  } finally {
    watch.signal?.removeEventListener('abort', stop);
    await file?.close();
  }
}

/** What kind the answer is of follows from the question. Aborted, it is of what was seen until then. */
async function tracedIn<T extends Traced>(
  pool: Pool,
  options: TracedOptions,
  question: Question,
  signal: AbortSignal | undefined,
): Promise<T> {
  const { replayLog, ...run } = options;
  const log = replayLog === undefined ? undefined : await visitsIn(replayLog);
  const reins = new Reins();
  const stop = (): void => reins.stop();
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  try {
    const task = { ...run, visits: log?.visits, reins: reins.shared, question };
    return (await pool.run({ kind: 'trace', ...task })) as T;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

async function traceFile(path: string) {
  try {
    return await open(path, 'w');
  } catch (failure) {
    const why = failure instanceof Error ? failure.message : String(failure);
    throw new LoadpathError('bad-option', `the trace ${path} cannot be written: ${why}`);
  }
}

async function live(
  designPath: string,
  options: LiveOptions,
  target: string | undefined,
  watch: Watch | undefined,
): Promise<Report> {
  const bundle = await bundleDesign(designPath);
  const loaded = await loadBundle(bundle);
  const log = options.replayLog === undefined ? undefined : await visitsIn(options.replayLog);
  const design = designOf(loaded, options);
  await endCompiler();
  const run = { ...options, design, bundle, loaded, visits: log?.visits, target };
  return noted(await runLive(run, watch), log);
}

interface Log {
  readonly visits: readonly Visit[];
  /** What of the log was not sent, for the report. */
  readonly note: string | undefined;
}

function noted(report: Report, log: Log | undefined): Report {
  return log?.note === undefined ? report : { ...report, notes: [...report.notes, log.note] };
}

/** An access log as visits, from its first entry on. Bad lines are an error when they are the whole file. */
async function visitsIn(path: string): Promise<Log> {
  const reader = new AccessLogReader();
  try {
    for await (const piece of createReadStream(path, 'utf8')) reader.push(String(piece));
  } catch (failure) {
    const why = failure instanceof Error ? failure.message : String(failure);
    throw new LoadpathError('bad-input', `the access log ${path} cannot be read: ${why}`);
  }
  const { entries, badLines, badCount } = reader.end();
  if (entries.length === 0) {
    const first = badLines[0];
    throw new LoadpathError(
      'bad-input',
      `${path} holds no line in Common or Combined Log Format${first ? `; line ${first.line}: ${first.why}` : ''}`,
    );
  }
  const starts = startsOf(entries);
  const first = badLines[0];
  return {
    visits: entries.map(({ ip, method, path: target }, index) => ({
      atUs: starts[index]!,
      ip,
      method,
      path: target,
    })),
    note:
      first &&
      `lines of ${path} left out: ${badCount}; the first is line ${first.line}: ${first.why}`,
  };
}
