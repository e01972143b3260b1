/**
 * Studio beside a system that runs: the same page, on its admin port. It is told what the run tells
 * whoever watches it, and its faults are real ones.
 */
import type { FaultNames } from '../design/faults.ts';
import type { AdminPage } from '../live/admin.ts';
import type { LiveControl, LiveOptions, Watch } from '../run/api.ts';
import { version } from '../run/version.ts';
import { checkFaults, mermaid, sendHtml, sendSource, stream } from './answers.ts';
import { faultOf, faultsOf } from './asked.ts';
import { EventLog } from './event-log.ts';
import { palette } from './palette.ts';
import type { DesignView, Hello, RunEvents, RunSummary, WatchEvents } from './protocol.ts';
import type { Call, Routes } from './routes.ts';
import { newRunId, runKeep } from './runs.ts';
import { addressOf, answering, newToken, Refused } from './server.ts';
import { viewOf } from './view.ts';

export interface LiveStudio {
  readonly page: AdminPage;
  /** Sees what `watch` sees, and adds where the page is to what it says when the system is ready. */
  watching(watch: Watch): Watch;
}

/** `options`: as the run that is to be shown has them. */
export async function openLiveStudio(
  designPath: string,
  options: LiveOptions,
): Promise<LiveStudio> {
  const { view, files, names } = await viewOf(designPath, options);
  return new Beside(view, files, options, names);
}

class Beside implements LiveStudio {
  readonly page: AdminPage;
  readonly #hello: Hello = { version, mode: 'live', palette: palette() };
  readonly #design: DesignView;
  readonly #files: readonly string[];
  readonly #names: FaultNames;
  readonly #token = newToken();
  readonly #id = newRunId();
  readonly #request: RunSummary['request'];
  readonly #startedAt = new Date().toISOString();
  readonly #watch = new EventLog<WatchEvents>({ design: 'latest', runs: 'latest', live: 'latest' });
  /** It may go on for days: of everything, the last. */
  readonly #log = new EventLog<RunEvents>({ ...runKeep, event: { last: 4_000 } });
  #state: RunSummary['state'] = 'running';
  #control: LiveControl | undefined;
  #port = 0;

  constructor(
    design: DesignView,
    files: readonly string[],
    { seed, forUs, ratePerSec, faults, ownFaults, set = {} }: LiveOptions,
    names: FaultNames,
  ) {
    this.#design = design;
    this.#files = files;
    this.#names = names;
    this.#request = { seed, forUs, ratePerSec, faults, ownFaults, set };
    this.page = answering(this.#routes, this.#token, () => this.#port);
    this.#watch.add('design', design);
    this.#watch.add('runs', [this.#summary]);
  }

  watching(watch: Watch): Watch {
    const log = this.#log;
    return {
      ...watch,
      onLayout: (layout) => log.add('layout', layout),
      onFrame: (frame) => log.add('frame', frame),
      onEvent: (event) => {
        log.add('event', event);
        watch.onEvent?.(event);
      },
      onProgress: (progress) => {
        log.add('progress', progress);
        watch.onProgress?.(progress);
      },
      onReady: (ready) => {
        this.#control = ready.control;
        this.#port = Number(new URL(ready.adminUrl ?? 'http://localhost').port);
        const { urls, tryIt = [] } = ready;
        this.#watch.add('live', { id: this.#id, urls, tryIt });
        const studioUrl = ready.adminUrl && addressOf(this.#port, this.#token);
        watch.onReady?.({ ...ready, studioUrl });
      },
      onReport: (report) => {
        log.add('report', report);
        this.#state = 'done';
        log.add('end', { state: 'done' });
        log.end();
        this.#watch.add('runs', [this.#summary]);
        this.#watch.end();
        watch.onReport?.(report);
      },
    };
  }

  get #summary(): RunSummary {
    return {
      id: this.#id,
      request: this.#request,
      state: this.#state,
      startedAt: this.#startedAt,
    };
  }

  get #routes(): Routes {
    return {
      'GET /api/hello': () => this.#hello,
      'GET /api/watch': (call) => stream(this.#watch, call),
      'GET /api/design': () => this.#design,
      'GET /api/source': (call) => sendSource(this.#files, call),
      'GET /api/mermaid': () => mermaid(this.#design),
      'GET /api/runs': () => [this.#summary],
      'GET /api/runs/:id/stream': (call) => stream(this.#own(call), call),
      'GET /api/runs/:id/html': (call) =>
        sendHtml(this.#design, this.#hello, { summary: this.#summary, log: this.#own(call) }, call),
      'GET /api/runs/:id/requests': notHere,
      'GET /api/runs/:id/requests/:index': notHere,
      'GET /api/runs/:id/messages': notHere,
      'POST /api/faults/check': ({ body }) => checkFaults(faultsOf(body).faults, this.#names),
      'POST /api/live/faults': ({ body }) => ({ text: this.#steering.fault(faultOf(body)) }),
      'POST /api/live/heal': async () => {
        await this.#steering.heal();
        return {};
      },
    };
  }

  get #steering(): LiveControl {
    if (this.#control && this.#state === 'running') return this.#control;
    throw new Refused(409, 'not-running', 'The system is not running.');
  }

  #own({ parts }: Call): EventLog<RunEvents> {
    if (parts.id === this.#id) return this.#log;
    throw new Refused(404, 'unknown-run', 'This is another run than the one that goes on here.');
  }
}

function notHere(): never {
  throw new Refused(
    409,
    'simulations-only',
    'Single requests and messages can be followed in a simulation, which repeats exactly. Simulate this design to look inside.',
  );
}
