/**
 * A service without a handler: what a request costs and whom it calls, from a table. For capacity
 * questions at millions of requests, before any code is written.
 */
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Host, Micros } from '../../../host/host.ts';
import { assert } from '../../../kit/assert.ts';
import { sampler } from '../../../kit/distribution.ts';
import { Fifo } from '../../../parts/fifo.ts';
import type { FetcherApi } from './client.ts';
import type { Cost, InstanceConfig, Step } from './config.ts';
import { isMoot, type Job } from './jobs.ts';
import type { ReplyParts, Worker } from './node.ts';
import { Occupancy } from './occupancy.ts';

const fine: ReplyParts = { status: 200, headers: [], body: null };
const failed: ReplyParts = { status: 502, headers: [], body: null };

/** Runs one step for a job, then says whether it went well. */
type Run = (job: Job, then: (fine: boolean) => void) => void;

/** `begun` hears how long each request waited for its slot. */
export function modelled(
  host: Host,
  config: InstanceConfig,
  code: ProgramCode,
  begun: (waitedUs: Micros) => void,
): Worker {
  const own: Run = config.cost ? working(host, config.cost, 'cost') : (_job, then) => then(true);
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
        return (job, then) => (random.chance(step.chance) ? run(job, then) : then(true));
      }
      case 'optional': {
        const run = compile(step.step, name);
        return (job, then) => run(job, () => then(true));
      }
    }
  }

  function release(): void {
    occupancy.count(slots - freeSlots);
    let next = waiting.shift();
    while (next && !next()) next = waiting.shift();
    if (!next) freeSlots++;
  }

  return (job, done) => {
    const start = (): void => {
      begun(host.now() - job.arrivedAt);
      // Nobody waits any more for what stood in the queue too long.
      if (job.abandoned || (job.deadlineAt !== undefined && host.now() > job.deadlineAt)) {
        release();
        return done(failed);
      }
      own(job, (went) => {
        if (config.holds === 'work') release();
        calls(job, (called) => {
          if (config.holds === 'request') release();
          done(went && called ? fine : failed);
        });
      });
    };
    if (freeSlots > 0) {
      occupancy.count(slots - freeSlots);
      freeSlots--;
      start();
    } else {
      const begin = (): boolean => {
        const moot = isMoot(job, host.now());
        if (moot) done();
        else start();
        return !moot;
      };
      waiting.push(host.causes ? host.causes.queued(begin) : begin);
    }
  };
}

function working(host: Host, cost: Cost, name: string): Run {
  const draw = sampler('cpu' in cost ? cost.cpu : cost.wait);
  const random = host.random.fork(`work ${name}`);
  return 'cpu' in cost
    ? (_job, then) => host.cpu.spend(draw(random), () => then(true))
    : (_job, then) => host.cpu.hold(draw(random), () => then(true));
}

function calling(code: ProgramCode, to: string): Run {
  const opened = code.open.get(to);
  assert(opened, `${code.declaration.name} opened what it calls (${to})`);
  const api = opened.api as FetcherApi;
  const url = `http://${to}/`;
  const headers: readonly string[] = [];
  return (job, then) => {
    const { ip, session } = job.request;
    const asked = { method: 'GET', url, headers, body: null, ip, session };
    api.call(asked, job.deadlineAt, (outcome) => {
      // A model reads no bodies.
      if (outcome.ok) outcome.reply.inlet?.stream.reset();
      then(outcome.ok && outcome.reply.status < 500);
    });
  };
}

function sequence(runs: readonly Run[]): Run {
  if (runs.length === 0) return (_job, then) => then(true);
  if (runs.length === 1) return runs[0]!;
  return (job, then) => {
    const next = (index: number): void => {
      const run = runs[index];
      if (!run) return then(true);
      run(job, (went) => (went ? next(index + 1) : then(false)));
    };
    next(0);
  };
}

function parallel(runs: readonly Run[]): Run {
  if (runs.length === 0) return (_job, then) => then(true);
  return (job, then) => {
    let left = runs.length;
    let allWent = true;
    for (const run of runs) {
      run(job, (went) => {
        allWent &&= went;
        if (--left === 0) then(allWent);
      });
    }
  };
}
