/**
 * The runs of this Studio. One simulation at a time: who starts another has no more eyes for the
 * former. The last few are kept, to be looked at and compared; so is what was asked of them in
 * detail, since a second run of the same seed had to find it.
 */
import { randomBytes } from 'node:crypto';
import { LoadpathError } from '../kit/errors.ts';
import type { SimulationControl } from '../run/api.ts';
import type { Report } from '../run/report.ts';
import { stallEvent } from '../run/stall.ts';
import { summarise } from '../run/summary.ts';
import type { MessageQuery } from '../run/traced.ts';
import { EventLog, type Keep } from './event-log.ts';
import type { DesignView, RunEvents, RunRequest, RunSummary } from './protocol.ts';
import { Refused, refusalOf } from './server.ts';
import type { Workshop } from './workshop.ts';

const keptMax = 8;
const detailsMax = 50;
/** Up to so many seeds are told one by one at the end (6 kB each), so that two runs can be compared seed by seed. */
const comparedMax = 50;

/** A film has at most 600 frames; an hour of console output of user code is not kept whole. */
export const runKeep: Readonly<Record<keyof RunEvents, Keep>> = {
  structure: 'latest',
  layout: { last: 600 },
  frame: { last: 600 },
  event: { first: 10_000 },
  progress: 'latest',
  report: 'latest',
  summary: 'latest',
  failed: 'latest',
  end: 'latest',
};

export interface KeptRun {
  readonly id: string;
  readonly request: RunRequest;
  readonly startedAt: string;
  readonly log: EventLog<RunEvents>;
  state: RunSummary['state'];
}

interface OwnRun extends KeptRun {
  readonly workshop: Workshop;
  readonly abort: AbortController;
  readonly details: Map<string, Promise<unknown>>;
  control: SimulationControl | undefined;
}

export function newRunId(): string {
  return randomBytes(6).toString('base64url');
}

export class Runs {
  readonly #runs = new Map<string, OwnRun>();
  readonly #onChange: (runs: readonly RunSummary[]) => void;

  constructor(onChange: (runs: readonly RunSummary[]) => void) {
    this.#onChange = onChange;
  }

  /** The oldest first. */
  get summaries(): readonly RunSummary[] {
    return [...this.#runs.values()].map(summaryOf);
  }

  get(id: string | undefined): KeptRun {
    return this.#own(id);
  }

  start(request: RunRequest, workshop: Workshop): string {
    for (const run of this.#runs.values()) if (isGoing(run)) this.#stop(run);
    const run: OwnRun = {
      id: newRunId(),
      request,
      startedAt: new Date().toISOString(),
      log: new EventLog<RunEvents>(runKeep),
      state: 'running',
      workshop,
      abort: new AbortController(),
      details: new Map(),
      control: undefined,
    };
    this.#runs.set(run.id, run);
    for (const old of this.#runs.values()) {
      if (this.#runs.size > keptMax && old !== run) this.#drop(old);
    }
    void this.#follow(run);
    this.#changed();
    return run.id;
  }

  pause(id: string | undefined): void {
    const run = this.#own(id);
    if (run.state !== 'running') return;
    run.control?.pause();
    this.#turn(run, 'paused');
  }

  resume(id: string | undefined): void {
    const run = this.#own(id);
    if (run.state !== 'paused') return;
    run.control?.resume();
    this.#turn(run, 'running');
  }

  /** Its load ends here, and what was seen until now is judged. */
  stop(id: string | undefined): void {
    this.#stop(this.#own(id));
  }

  remove(id: string | undefined): void {
    this.#drop(this.#own(id));
    this.#changed();
  }

  /** The design as this run had it, with its options; `view` when that is no longer there to ask. */
  async viewOf(id: string | undefined, view: DesignView): Promise<DesignView> {
    const { request, workshop } = this.#own(id);
    if (!isOther(request) || workshop.isRetired) return view;
    const { structure, options, objectives, invariants } = await workshop.look(request);
    return { ...view, structure, options, objectives, invariants };
  }

  requests(id: string | undefined): Promise<unknown> {
    const run = this.#own(id);
    return this.#detail(run, 'requests', () => run.workshop.requests(run.request));
  }

  waterfall(id: string | undefined, index: number): Promise<unknown> {
    const run = this.#own(id);
    const work = () => run.workshop.waterfall(run.request, index);
    return this.#detail(run, `requests/${index}`, work);
  }

  messages(id: string | undefined, query: MessageQuery): Promise<unknown> {
    const run = this.#own(id);
    const work = () => run.workshop.messages(run.request, query);
    return this.#detail(run, JSON.stringify(query), work);
  }

  close(): void {
    for (const run of this.#runs.values()) this.#drop(run);
  }

  #own(id: string | undefined): OwnRun {
    const run = this.#runs.get(id ?? '');
    if (run) return run;
    throw new Refused(
      404,
      'unknown-run',
      `This Studio has no such run any more: it keeps the last ${keptMax}, and none when it is started again.`,
    );
  }

  async #follow(run: OwnRun): Promise<void> {
    const { request, workshop, log, abort } = run;
    try {
      if (isOther(request)) log.add('structure', (await workshop.look(request)).structure);
      const report = await workshop.simulate(request, {
        signal: abort.signal,
        onStart: (control) => {
          run.control = control;
          if (run.state === 'paused') control.pause();
        },
        onLayout: (layout) => log.add('layout', layout),
        onFrame: (frame) => log.add('frame', frame),
        onEvent: (event) => log.add('event', event),
        onStall: (stall) => log.add('event', stallEvent(stall)),
        onProgress: (progress) => log.add('progress', progress),
      });
      log.add('report', report);
      if (!abort.signal.aborted) await this.#replicate(run, report);
      this.#end(run, abort.signal.aborted ? 'stopped' : 'done');
    } catch (failure) {
      if (!abort.signal.aborted) log.add('failed', failureOf(failure));
      this.#end(run, abort.signal.aborted ? 'stopped' : 'failed');
    }
  }

  /** Further seeds, for intervals: told as they end. */
  async #replicate(run: OwnRun, first: Report): Promise<void> {
    const { request, workshop, log, abort } = run;
    const { seeds = 1 } = request;
    if (seeds < 2) return;
    const reports = [first];
    await workshop.replicate(request, seeds - 1, abort.signal, (report) => {
      reports.push(report);
      log.add('summary', summarise(reports));
    });
    if (reports.length < 2 || reports.length > comparedMax) return;
    reports.sort((a, b) => a.seed - b.seed);
    log.add('summary', { ...summarise(reports), reports: reports.map(figuresOnly) });
  }

  #stop(run: OwnRun): void {
    run.abort.abort();
  }

  #drop(run: OwnRun): void {
    this.#stop(run);
    run.log.end();
    this.#runs.delete(run.id);
  }

  #end(run: OwnRun, state: RunSummary['state']): void {
    this.#turn(run, state);
    run.log.add('end', { state });
    run.log.end();
  }

  #turn(run: OwnRun, state: RunSummary['state']): void {
    run.state = state;
    this.#changed();
  }

  #changed(): void {
    this.#onChange(this.summaries);
  }

  /** Asked once, however often it is looked at; what failed may be asked again. */
  #detail(run: OwnRun, key: string, work: () => Promise<unknown>): Promise<unknown> {
    const known = run.details.get(key);
    if (known) return known;
    if (run.workshop.isRetired) {
      throw new Refused(
        409,
        'design-changed',
        'The design has changed since this run. Run it again to look inside.',
      );
    }
    const found = work();
    run.details.set(key, found);
    found.catch(() => run.details.delete(key));
    const [oldest] = run.details.keys();
    if (run.details.size > detailsMax && oldest !== undefined) run.details.delete(oldest);
    return found;
  }
}

/** What happened when is told of the first seed alone. */
function figuresOnly(report: Report): Report {
  return { ...report, events: [], series: { ...report.series, blocks: {} } };
}

export function summaryOf({ id, request, state, startedAt }: KeptRun): RunSummary {
  return { id, request, state, startedAt };
}

/** Than the design in its file. */
function isOther({ data, set }: RunRequest): boolean {
  return data !== undefined || Object.keys(set).length > 0;
}

function isGoing(run: KeptRun): boolean {
  return run.state === 'running' || run.state === 'paused';
}

/** A worker that ran out of memory, or was ended from outside, says so in words of Node.js. */
export function failureOf(failure: unknown): RunEvents['failed'] {
  const { refusal } = refusalOf(failure);
  if (failure instanceof LoadpathError) return refusal;
  const isMemory = /memory/i.test(refusal.message);
  const message = isMemory
    ? 'The simulation needed more memory than it may have. Run it for a shorter time or at a lower rate.'
    : `The simulation broke off: ${refusal.message}. Run it again; if it breaks off again, please report it.`;
  return { ...refusal, code: isMemory ? 'out-of-memory' : 'broken-off', message };
}
