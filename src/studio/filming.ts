/** Films a run for a report of one file: what `sim --html` writes. */
import type { SimulateOptions, Watch } from '../run/api.ts';
import type { Report } from '../run/report.ts';
import { version } from '../run/version.ts';
import { EventLog } from './event-log.ts';
import { palette } from './palette.ts';
import type { RunEvents, RunSummary } from './protocol.ts';
import { reportHtml } from './report-file.ts';
import { newRunId, runKeep } from './runs.ts';
import { viewOf } from './view.ts';

export class Filming {
  readonly #designPath: string;
  readonly #options: SimulateOptions;
  readonly #log = new EventLog<RunEvents>(runKeep);
  readonly #startedAt = new Date().toISOString();

  constructor(designPath: string, options: SimulateOptions) {
    this.#designPath = designPath;
    this.#options = options;
  }

  /** Sees what `watch` sees. */
  watching(watch: Watch): Watch {
    return {
      ...watch,
      onLayout: (layout) => this.#log.add('layout', layout),
      onFrame: (frame) => this.#log.add('frame', frame),
      onEvent: (event) => {
        this.#log.add('event', event);
        watch.onEvent?.(event);
      },
    };
  }

  /** The page with the run inside. */
  async html(report: Report): Promise<string> {
    this.#log.add('report', report);
    const { view } = await viewOf(this.#designPath, this.#options);
    const hello = { version, mode: 'report', palette: palette() } as const;
    return reportHtml(view, hello, { summary: this.#summary, log: this.#log });
  }

  get #summary(): RunSummary {
    const { seed, forUs, ratePerSec, faults, ownFaults, set = {}, probe } = this.#options;
    return {
      id: newRunId(),
      request: { seed, forUs, ratePerSec, faults, ownFaults, set, probe },
      state: 'done',
      startedAt: this.#startedAt,
    };
  }
}
