/**
 * The cores of one simulated machine: work takes a core for its cost, and waits in line (first come,
 * first served, no preemption) while all are busy. Overload therefore shows as queueing.
 */
import type { Cpu, Micros } from '../host/host.ts';
import { assert } from '../kit/assert.ts';
import * as kinds from './kinds.ts';
import type { EventQueue } from './queue.ts';

export interface Job {
  done: () => void;
  /** What is left of it, at full speed. */
  costUs: Micros;
  /** How long a core was at it so far, but for the stretch that goes on. */
  servedUs: Micros;
  startedAt: Micros;
  slot: number;
  generation: number;
}

/** One a machine, for all its lives. */
export class Cores {
  readonly #queue: EventQueue;
  readonly #node: number;
  readonly cores: number;
  life = 0;
  #slowFactor = 1;
  #running: Job[] = [];
  #paused = false;
  /** The line: a ring whose length is a power of two. */
  #line: (Job | undefined)[] = new Array(16);
  #head = 0;
  #size = 0;
  #queueMax = 0;
  #busyUs = 0;
  #countedAt: Micros;

  constructor(queue: EventQueue, node: number, cores: number) {
    assert(cores >= 1, 'a node has at least one core');
    this.#queue = queue;
    this.#node = node;
    this.cores = cores;
    this.#countedAt = queue.now;
  }

  /** How many times as long everything takes. */
  get slowFactor(): number {
    return this.#slowFactor;
  }

  /** From now on, and so for the rest of what runs and for what waits too. */
  set slowFactor(factor: number) {
    if (factor === this.#slowFactor) return;
    if (!this.#paused) for (const job of this.#running) this.#interrupt(job);
    this.#slowFactor = factor;
    if (!this.#paused) for (const job of this.#running) this.#schedule(job);
  }

  /** Work waiting for a core. */
  get queued(): number {
    return this.#size;
  }

  get queuedMax(): number {
    return this.#queueMax;
  }

  /** Core-microseconds worked so far, by all cores together. */
  get busyUs(): number {
    return this.#busyUs + this.#sinceCounted();
  }

  /** A new life, or none (0), begins with idle cores: what ran or waited is gone, its time was spent. */
  boot(life: number): void {
    this.#count();
    for (const job of this.#running) this.#queue.cancel(job.slot, job.generation);
    this.#running.length = 0;
    while (this.#size > 0) this.#shift();
    this.#paused = false;
    this.life = life;
  }

  run(costUs: Micros, done: () => void): Job {
    assert(costUs >= 0, 'work costs no less than nothing');
    const job = { done, costUs, servedUs: 0, startedAt: 0, slot: 0, generation: 0 };
    if (this.#running.length < this.cores && !this.#paused) this.#start(job);
    else this.#push(job);
    return job;
  }

  /** A job's event came: its core takes the next in line, then the caller runs what follows. */
  finish(job: Job): void {
    this.#count();
    job.servedUs += this.#queue.now - job.startedAt;
    const running = this.#running;
    const last = running.pop()!;
    if (last !== job) running[running.indexOf(job)] = last;
    if (this.#size > 0) this.#start(this.#shift());
  }

  /** The process stands still: what runs keeps the rest of its cost for later. */
  pause(): void {
    if (this.#paused) return;
    this.#count();
    this.#paused = true;
    for (const job of this.#running) this.#interrupt(job);
  }

  resume(): void {
    if (!this.#paused) return;
    this.#count();
    this.#paused = false;
    for (const job of this.#running) this.#schedule(job);
    while (this.#size > 0 && this.#running.length < this.cores) this.#start(this.#shift());
  }

  #start(job: Job): void {
    this.#count();
    this.#running.push(job);
    this.#schedule(job);
  }

  #interrupt(job: Job): void {
    this.#queue.cancel(job.slot, job.generation);
    const servedUs = this.#queue.now - job.startedAt;
    job.servedUs += servedUs;
    // What is left may be a fraction: whole microseconds are asked of events only.
    job.costUs = Math.max(0, job.costUs - servedUs / this.#slowFactor);
  }

  #schedule(job: Job): void {
    const queue = this.#queue;
    const endsAt = queue.now + Math.round(job.costUs * this.#slowFactor);
    job.startedAt = queue.now;
    job.slot = queue.push(endsAt, kinds.cpu, this.#node, this.life, job, undefined);
    job.generation = queue.generation(job.slot);
  }

  #sinceCounted(): number {
    return this.#paused ? 0 : (this.#queue.now - this.#countedAt) * this.#running.length;
  }

  #count(): void {
    this.#busyUs += this.#sinceCounted();
    this.#countedAt = this.#queue.now;
  }

  #push(job: Job): void {
    const { length } = this.#line;
    if (this.#size === length) {
      const grown: (Job | undefined)[] = new Array(length * 2);
      for (let i = 0; i < length; i++) grown[i] = this.#line[(this.#head + i) & (length - 1)];
      this.#line = grown;
      this.#head = 0;
    }
    this.#line[(this.#head + this.#size++) & (this.#line.length - 1)] = job;
    if (this.#size > this.#queueMax) this.#queueMax = this.#size;
  }

  #shift(): Job {
    const job = this.#line[this.#head]!;
    this.#line[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#line.length - 1);
    this.#size--;
    return job;
  }
}

/** What a program sees of the cores. */
export class SimCpu implements Cpu {
  readonly #cores: Cores;
  readonly #queue: EventQueue;
  readonly #node: number;
  readonly #life: number;

  constructor(cores: Cores, queue: EventQueue, node: number, life: number) {
    this.#cores = cores;
    this.#queue = queue;
    this.#node = node;
    this.#life = life;
  }

  charge(costUs: Micros, done: () => void): void {
    // A dead program's continuation must not take a core from the living.
    if (this.#cores.life === this.#life) this.#cores.run(costUs, done);
  }

  spend(costUs: Micros, done: () => void): void {
    this.charge(costUs, done);
  }

  hold(costUs: Micros, done: () => void): void {
    assert(costUs >= 0, 'a hold lasts no less than nothing');
    const at = this.#queue.now + Math.round(costUs * this.#cores.slowFactor);
    this.#queue.push(at, kinds.call, this.#node, this.#life, done, undefined);
  }

  busyUs(): Micros {
    return this.#cores.busyUs;
  }
}
