/**
 * A service without a handler: what a request costs and whom it calls, from a table. For capacity
 * questions at millions of requests, before any code is written.
 */
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Host, Micros } from '../../../host/host.ts';
import { assert } from '../../../kit/assert.ts';
import { sampler } from '../../../kit/distribution.ts';
import { Fifo } from '../../../parts/fifo.ts';
import type { FetcherApi } from '../../../path/fetcher.ts';
import { urgencyOf, withUrgency } from '../../../path/headers.ts';
import type { Cost, InstanceConfig, Step } from './config.ts';
import { isMoot, type Job } from './jobs.ts';
import type { ReplyParts, Worker } from './node.ts';
import { Occupancy } from './occupancy.ts';

const fine: ReplyParts = { status: 200, headers: [], body: null };
const failed: ReplyParts = { status: 502, headers: [], body: null };

/**
 * Runs one step for a job, then says whether it failed. Nothing said is well: whatever merely takes
 * time hands `then` on as it is, and no function is made for it.
 */
type Run = (job: Job, then: Then) => void;
type Then = (isFailed?: boolean) => void;

/** `begun` hears how long each request waited for its slot. */
export function modelled(
  host: Host,
  config: InstanceConfig,
  code: ProgramCode,
  begun: (waitedUs: Micros) => void,
): Worker {
  const own: Run = config.cost ? working(host, config.cost, 'cost') : nothing;
  const calls = sequence((config.steps ?? []).map((step, index) => compile(step, `${index}`)));
  /** Each says whether it took the slot: who was given up while waiting does not. */
  const waiting = new Fifo<() => boolean>();
  const { slots } = config;
  const occupancy = new Occupancy(host, slots);
  let freeSlots = slots;

  function compile(step: Step, name: string): Run {
    switch (step.do) {
      case 'call':
        return calling(code, step.to);
      case 'work':
        return working(host, step.cost, name);
      case 'sequence':
        return sequence(step.steps.map((one, index) => compile(one, `${name}.${index}`)));
      case 'parallel':
        return parallel(step.steps.map((one, index) => compile(one, `${name}.${index}`)));
      case 'sometimes': {
        const run = compile(step.step, name);
        const random = host.random.fork(`sometimes ${name}`);
        return (job, then) => (random.chance(step.chance) ? run(job, then) : then());
      }
      case 'optional': {
        const run = compile(step.step, name);
        return (job, then) => run(job, () => then());
      }
    }
  }

  function release(): void {
    occupancy.count(slots - freeSlots);
    let next = waiting.shift();
    while (next && !next()) next = waiting.shift();
    if (!next) freeSlots++;
  }

  function start(job: Job, done: Parameters<Worker>[1]): void {
    begun(host.now() - job.arrivedAt);
    // Nobody waits any more for what stood in the queue too long.
    if (job.abandoned || (job.deadlineAt !== undefined && host.now() > job.deadlineAt)) {
      release();
      return done(failed);
    }
    own(job, () => {
      if (config.holds === 'work') release();
      calls(job, (isFailed) => {
        if (config.holds === 'request') release();
        done(isFailed ? failed : fine);
      });
    });
  }

  return (job, done) => {
    if (freeSlots > 0) {
      occupancy.count(slots - freeSlots);
      freeSlots--;
      return start(job, done);
    }
    const begin = (): boolean => {
      const moot = isMoot(job, host.now());
      if (moot) done();
      else start(job, done);
      return !moot;
    };
    waiting.push(host.causes ? host.causes.queued(begin) : begin);
  };
}

const nothing: Run = (_job, then) => then();

function working(host: Host, cost: Cost, name: string): Run {
  const draw = sampler('cpu' in cost ? cost.cpu : cost.wait);
  const random = host.random.fork(`work ${name}`);
  return 'cpu' in cost
    ? (_job, then) => host.cpu.spend(draw(random), then)
    : (_job, then) => host.cpu.hold(draw(random), then);
}

const none: readonly string[] = [];

function calling(code: ProgramCode, to: string): Run {
  const opened = code.open.get(to);
  assert(opened, `${code.declaration.name} opened what it calls (${to})`);
  const api = opened.api as FetcherApi;
  const url = `http://${to}/`;
  return (job, then) => {
    const { ip, session } = job.request;
    const headers = withUrgency(none, urgencyOf(job.request.headers));
    const asked = { method: 'GET', url, headers, body: null, ip, session };
    api.call(asked, job.deadlineAt, (outcome) => {
      // A model reads no bodies.
      if (outcome.ok) outcome.reply.inlet?.stream.reset();
      then(!outcome.ok || outcome.reply.status >= 500);
    });
  };
}

function sequence(runs: readonly Run[]): Run {
  if (runs.length === 0) return nothing;
  if (runs.length === 1) return runs[0]!;
  return (job, then) => {
    const next = (index: number): void => {
      const run = runs[index];
      if (!run) return then();
      run(job, (isFailed) => (isFailed ? then(true) : next(index + 1)));
    };
    next(0);
  };
}

function parallel(runs: readonly Run[]): Run {
  if (runs.length === 0) return nothing;
  return (job, then) => {
    let left = runs.length;
    let anyFailed = false;
    for (const run of runs) {
      run(job, (isFailed = false) => {
        anyFailed ||= isFailed;
        if (--left === 0) then(anyFailed);
      });
    }
  };
}
