/**
 * Queue, network and cores of a traced world: as the plain ones, and handing causes on. They stand in
 * for them only while somebody traces, so that a plain run has not even a question to ask.
 */
import type { Message, Micros } from '../host/host.ts';
import type { Plan } from '../host/plan.ts';
import type { Random } from '../kit/random.ts';
import type { Causality, Cause } from './causality.ts';
import { Cores, type Job } from './cpu.ts';
import * as kinds from './kinds.ts';
import { Network, type Route, type TraceEvent } from './network.ts';
import { EventQueue } from './queue.ts';

/** The first payload of an event, with its cause around it. */
class Carried {
  readonly cause: Cause;
  readonly payload: unknown;
  /** When it was pushed; undefined when that says nothing of how long it takes. */
  readonly since: Micros | undefined;

  constructor(cause: Cause, payload: unknown, since: Micros | undefined) {
    this.cause = cause;
    this.payload = payload;
    this.since = since;
  }
}

export class TracedQueue extends EventQueue {
  readonly #causality: Causality;

  constructor(causality: Causality, now: Micros) {
    super(now);
    this.#causality = causality;
  }

  override push(
    time: number,
    kind: number,
    node: number,
    life: number,
    a: unknown,
    b: unknown,
  ): number {
    // What the world itself will do, a restart for one, is nobody's: all that boots would be too.
    const cause = node === 0 || a instanceof Carried ? undefined : this.#causality.current;
    const payload = cause === undefined ? a : new Carried(cause, a, this.now);
    return super.push(time, kind, node, life, payload, b);
  }

  override pop(until: number): boolean {
    if (!super.pop(until)) return false;
    const causality = this.#causality;
    const { a, kind, now } = this;
    if (!(a instanceof Carried)) {
      causality.enter(undefined);
      return true;
    }
    this.a = a.payload;
    const { cause, since } = a;
    if (kind === kinds.refused) causality.enter(causality.tracer.refused(cause, now));
    else {
      causality.enter(cause);
      if (kind === kinds.call && since !== undefined)
        causality.tracer.worked(cause, 0, now - since);
    }
    return true;
  }

  /** The payload of the present event, for another push of it: its machine stands still. */
  sealed(): unknown {
    const { current } = this.#causality;
    return current === undefined ? this.a : new Carried(current, this.a, undefined);
  }
}

export class TracedNetwork extends Network {
  readonly #causality: Causality;
  readonly #queue: EventQueue;

  constructor(
    causality: Causality,
    queue: EventQueue,
    plan: Plan,
    random: Random,
    onTrace: ((event: TraceEvent) => void) | undefined,
  ) {
    super(queue, plan, random, (event) => {
      causality.met(event);
      onTrace?.(event);
    });
    this.#causality = causality;
    this.#queue = queue;
  }

  override send(route: Route, message: Message): void {
    const { from, to } = route;
    const { tracer, current } = this.#causality;
    const carried = tracer.sent({ at: this.#queue.now, from, to, message }, current);
    this.#causality.within(carried, () => super.send(route, message));
  }
}

export class TracedCores extends Cores {
  readonly #causality: Causality;
  readonly #clock: EventQueue;

  constructor(causality: Causality, queue: EventQueue, node: number, cores: number) {
    super(queue, node, cores);
    this.#causality = causality;
    this.#clock = queue;
  }

  /** A job starts when another ends, in whose name the queue would let it run: so it keeps its own. */
  override run(costUs: Micros, done: () => void): Job {
    const causality = this.#causality;
    const { current } = causality;
    const since = this.#clock.now;
    const job = super.run(costUs, () => {
      causality.enter(current);
      if (current !== undefined) {
        const { servedUs } = job;
        causality.tracer.worked(current, this.#clock.now - since - servedUs, servedUs);
      }
      done();
    });
    return job;
  }
}
