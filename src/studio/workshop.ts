/**
 * One reading of a design, and everything that can be done with it. Warm workers stand ready, so
 * that a second run begins at once; when the design is saved, a new workshop takes over and this
 * one closes as soon as nothing in it is at work.
 */
import { LoadpathError } from '../kit/errors.ts';
import type { SimulateOptions, Simulator, Watch } from '../run/api.ts';
import { runner } from '../run/index.ts';
import type { DesignLook } from '../run/look.ts';
import type { Otherwise } from '../run/options.ts';
import type { Report } from '../run/report.ts';
import type { MessageQuery, MessageWindow, RequestSample, Waterfall } from '../run/traced.ts';
import type { HuntEvents, HuntRequest, RunRequest, SweepEvents, SweepRequest } from './protocol.ts';

/** So that a run can begin while the one that it replaces is still being judged. */
const frontMax = 2;
const lookMaxMs = 15_000;

/** Told as the streams of protocol.ts tell it. */
type Tell<Events> = <Name extends keyof Events>(name: Name, value: Events[Name]) => void;

export class Workshop {
  readonly #path: string;
  /** Runs that are watched, and looks. */
  #front: Simulator | undefined;
  /** What is found by running again, beside a run that goes on. */
  #back: Simulator | undefined;
  #working = 0;
  #isRetired = false;

  constructor(path: string) {
    this.#path = path;
  }

  get isRetired(): boolean {
    return this.#isRetired;
  }

  /** LoadpathError 'design-failed' also when its modules never come to an end. */
  look(otherwise: Otherwise = {}): Promise<DesignLook & { readonly files: readonly string[] }> {
    return this.#work(async () => {
      const looking = this.#inFront().look(otherwise);
      let late: NodeJS.Timeout | undefined;
      const never = new Promise<'late'>((resolve) => {
        late = setTimeout(resolve, lookMaxMs, 'late');
      });
      const look = await Promise.race([looking, never]).finally(() => clearTimeout(late));
      if (look !== 'late') return look;
      // Only the end of its thread ends a loop.
      looking.catch(() => {});
      await this.#front?.close();
      this.#front = undefined;
      throw new LoadpathError(
        'design-failed',
        `The design does not finish loading: its modules have been at work for ${lookMaxMs / 1_000} s. Is there a loop without an end?`,
      );
    });
  }

  simulate(request: RunRequest, watch: Watch): Promise<Report> {
    return this.#work(() => this.#inFront().simulate(optionsOf(request), watch));
  }

  /** The `count` seeds that follow, without a film. */
  replicate(
    request: RunRequest,
    count: number,
    signal: AbortSignal,
    onReport: (report: Report) => void,
  ): Promise<void> {
    let further = 0;
    const lane = async (): Promise<void> => {
      while (further < count && !signal.aborted) {
        further++;
        const options = { ...optionsOf(request), seed: request.seed + further };
        const report = await this.#inFront().simulate(options, { signal });
        // Shorter than the others: it would bend the mean.
        if (!signal.aborted) onReport(report);
      }
    };
    return this.#work(async () => {
      await Promise.all(Array.from({ length: Math.min(frontMax, count) }, lane));
    });
  }

  requests(request: RunRequest): Promise<RequestSample> {
    return this.#work(() => this.#behind().requests(optionsOf(request)));
  }

  waterfall(request: RunRequest, index: number): Promise<Waterfall> {
    return this.#work(() => this.#behind().waterfall(optionsOf(request), index));
  }

  messages(request: RunRequest, query: MessageQuery): Promise<MessageWindow> {
    return this.#work(() => this.#behind().messages(optionsOf(request), query));
  }

  hunt(request: HuntRequest, signal: AbortSignal, tell: Tell<HuntEvents>): Promise<void> {
    return this.#work(async () => {
      const options = { ...request, faultsMin: 3, findingsMax: 5, shrink: true };
      const report = await runner.hunt(this.#path, options, {
        signal,
        onProgress: (progress) => tell('progress', progress),
        onFinding: (finding) => tell('finding', finding),
      });
      tell('report', report);
    });
  }

  sweep(request: SweepRequest, signal: AbortSignal, tell: Tell<SweepEvents>): Promise<void> {
    return this.#work(async () => {
      const { over, values, seeds, run } = request;
      const asked = { ...optionsOf(run), over, values, seedCount: seeds };
      const report = await runner.sweep(this.#path, asked, {
        signal,
        onPoint: (point) => tell('point', point),
      });
      tell('report', report);
    });
  }

  /** Nothing new begins here; it closes when what goes on has ended. */
  retire(): void {
    this.#isRetired = true;
    if (this.#working === 0) void this.close();
  }

  async close(): Promise<void> {
    this.#isRetired = true;
    await Promise.all([this.#front?.close(), this.#back?.close()]);
    this.#front = undefined;
    this.#back = undefined;
  }

  #inFront(): Simulator {
    this.#front ??= runner.openSimulator(this.#path, { workers: frontMax });
    return this.#front;
  }

  #behind(): Simulator {
    this.#back ??= runner.openSimulator(this.#path);
    return this.#back;
  }

  async #work<T>(work: () => Promise<T>): Promise<T> {
    this.#working++;
    try {
      return await work();
    } finally {
      this.#working--;
      if (this.#isRetired && this.#working === 0) await this.close();
    }
  }
}

function optionsOf(request: RunRequest): SimulateOptions {
  const { seed, forUs, ratePerSec, faults, ownFaults, set, probe, data } = request;
  return {
    seed,
    forUs,
    ratePerSec,
    faults,
    ownFaults,
    set,
    probe,
    data,
    check: false,
    isolatePackages: false,
  };
}
