/** Studio on a design: it is simulated here, in worker threads. */

import { typescriptOf } from '../design/typescript.ts';
import { LoadpathError } from '../kit/errors.ts';
import { shownPath } from '../run/node/places.ts';
import { saveFaults } from '../run/node/saved-faults.ts';
import { version } from '../run/version.ts';
import { checkFaults, mermaid, sendHtml, sendSource, stream } from './answers.ts';
import {
  designDataOf,
  faultsOf,
  huntRequestOf,
  messageQueryOf,
  runRequestOf,
  sweepRequestOf,
  wholeOf,
} from './asked.ts';
import { Desk } from './desk.ts';
import { EventLog } from './event-log.ts';
import { Gallery } from './labs.ts';
import { palette } from './palette.ts';
import type { FaultCheck, Hello, HuntEvents, SweepEvents, WatchEvents } from './protocol.ts';
import type { Routes } from './routes.ts';
import { Runs, summaryOf } from './runs.ts';
import { Searches } from './searches.ts';
import { type StudioServer, startServer } from './server.ts';

export interface DesignStudioOptions {
  /** A design; or a `.json` file that is not there yet, for an empty board. */
  readonly designPath: string;
  /** 0: any free one. */
  readonly port?: number | undefined;
}

/** Resolves once the page can be opened, while the design is still being read; its mistakes are shown there. */
export async function openDesignStudio({
  designPath,
  port = 0,
}: DesignStudioOptions): Promise<StudioServer> {
  const studio = new DesignStudio(designPath);
  try {
    const server = await startServer(studio.routes, { port });
    return {
      ...server,
      close: async () => {
        await studio.close();
        await server.close();
      },
    };
  } catch (failure) {
    await studio.close();
    throw failure;
  }
}

class DesignStudio {
  readonly #hello: Hello = { version, mode: 'design', palette: palette() };
  readonly #watch = new EventLog<WatchEvents>({
    design: 'latest',
    runs: 'latest',
    live: 'latest',
  });
  readonly #desk: Desk;
  readonly #runs = new Runs((runs) => this.#watch.add('runs', runs));
  readonly #hunts = new Searches<HuntEvents>('hunt', {
    progress: 'latest',
    finding: { first: 100 },
    report: 'latest',
    failed: 'latest',
  });
  readonly #sweeps = new Searches<SweepEvents>('sweep', {
    point: { first: 1_000 },
    report: 'latest',
    failed: 'latest',
  });

  readonly #gallery = new Gallery((designPath) => openDesignStudio({ designPath }));

  constructor(designPath: string) {
    this.#desk = new Desk(designPath, (view) => this.#watch.add('design', view));
  }

  async close(): Promise<void> {
    this.#runs.close();
    this.#hunts.close();
    this.#sweeps.close();
    this.#watch.end();
    await this.#desk.close();
    await this.#gallery.close();
  }

  readonly routes: Routes = {
    ...this.#gallery.routes,
    'GET /api/hello': () => this.#hello,
    'GET /api/watch': (call) => stream(this.#watch, call),

    'GET /api/design': () => this.#desk.current(),
    'PUT /api/design': ({ body }) => this.#desk.save(designDataOf(body)),
    'POST /api/design/check': ({ body }) => this.#desk.check(designDataOf(body)),
    'POST /api/design/typescript': ({ body }) => ({ text: typescriptOf(designDataOf(body)) }),
    'GET /api/source': (call) => sendSource(this.#desk.files, call),
    'GET /api/mermaid': async () => mermaid(await this.#desk.current()),

    'POST /api/runs': async ({ body }) => {
      const request = runRequestOf(body);
      await this.#desk.current();
      return { id: this.#runs.start(request, this.#desk.workshop) };
    },
    'GET /api/runs': () => this.#runs.summaries,
    'GET /api/runs/:id/stream': (call) => stream(this.#runs.get(call.parts.id).log, call),
    'POST /api/runs/:id/pause': ({ parts }) => done(() => this.#runs.pause(parts.id)),
    'POST /api/runs/:id/resume': ({ parts }) => done(() => this.#runs.resume(parts.id)),
    'POST /api/runs/:id/stop': ({ parts }) => done(() => this.#runs.stop(parts.id)),
    'DELETE /api/runs/:id': ({ parts }) => done(() => this.#runs.remove(parts.id)),
    'GET /api/runs/:id/requests': ({ parts }) => this.#runs.requests(parts.id),
    'GET /api/runs/:id/requests/:index': ({ parts }) =>
      this.#runs.waterfall(parts.id, wholeOf(parts.index)),
    'GET /api/runs/:id/messages': ({ parts, query }) =>
      this.#runs.messages(parts.id, messageQueryOf(query)),
    'GET /api/runs/:id/html': async (call) => {
      const run = this.#runs.get(call.parts.id);
      const filmed = { summary: summaryOf(run), log: run.log };
      const view = await this.#runs.viewOf(run.id, this.#desk.view);
      return sendHtml(view, this.#hello, filmed, call);
    },

    'POST /api/faults/check': ({ body }) => this.#checkFaults(faultsOf(body)),
    'POST /api/faults/save': ({ body }) => this.#saveFaults(faultsOf(body)),

    'POST /api/hunts': ({ body }) => {
      const request = huntRequestOf(body);
      const { workshop } = this.#desk;
      return {
        id: this.#hunts.start((log, signal) =>
          workshop.hunt(request, signal, (name, value) => log.add(name, value)),
        ),
      };
    },
    'GET /api/hunts/:id/stream': (call) => stream(this.#hunts.log(call.parts.id), call),
    'POST /api/hunts/:id/stop': ({ parts }) => done(() => this.#hunts.stop(parts.id)),

    'POST /api/sweeps': ({ body }) => {
      const request = sweepRequestOf(body);
      const { workshop } = this.#desk;
      return {
        id: this.#sweeps.start((log, signal) =>
          workshop.sweep(request, signal, (name, value) => log.add(name, value)),
        ),
      };
    },
    'GET /api/sweeps/:id/stream': (call) => stream(this.#sweeps.log(call.parts.id), call),
    'POST /api/sweeps/:id/stop': ({ parts }) => done(() => this.#sweeps.stop(parts.id)),
  };

  async #checkFaults({
    faults,
    data,
  }: ReturnType<typeof faultsOf>): Promise<readonly FaultCheck[]> {
    return checkFaults(faults, await this.#desk.names(data));
  }

  async #saveFaults(asked: ReturnType<typeof faultsOf>): Promise<{ readonly file: string }> {
    const wrong = (await this.#checkFaults(asked)).filter(({ problem }) => problem !== null);
    if (wrong.length > 0) {
      const problems = wrong.map(({ sentence, problem }) => ({ at: sentence, what: problem! }));
      throw new LoadpathError('bad-option', 'Some of the faults cannot be understood.', {
        problems,
      });
    }
    return { file: shownPath(saveFaults(this.#desk.path, asked.faults)) };
  }
}

function done(act: () => void): Record<string, never> {
  act();
  return {};
}
