/**
 * One simulated machine: what survives a crash (disk, clock, identity) and the present life of its
 * process (programs, their handlers). `down` remembers how it went down, because the network
 * answers differently: a killed process refuses at once, a machine without power says nothing.
 */
import type { Handlers } from '../host/host.ts';
import type { NodePlan } from '../host/plan.ts';
import type { Clock } from './clock.ts';
import type { Cores } from './cpu.ts';
import type { Platter } from './disk.ts';
import type { Link } from './network.ts';

export type Phase = 'new' | 'up' | 'draining' | 'killed' | 'powerless';

/** An event that came while its machine stood still. */
export interface Deferred {
  readonly kind: number;
  readonly life: number;
  readonly a: unknown;
  readonly b: unknown;
}

export class Machine {
  /** From 1; 0 is the world's own control. */
  readonly index: number;
  readonly plan: NodePlan;
  /** As its plan says: asked at each event, and plans are of many shapes. */
  readonly userCode: boolean;
  readonly clock: Clock;
  readonly cores: Cores;
  readonly platter: Platter;
  /** Where this machine's messages go, by the other's index; made at the first message. */
  readonly links: (Link | undefined)[] = [];
  life = 0;
  /** Its life while it is up, -1 otherwise: what events are compared with. */
  livingLife = -1;
  phase: Phase = 'new';
  ports: ReadonlyMap<string, Handlers> = new Map();
  /** Faults that hold it down; it boots again when the last one lets go. */
  holdCount = 0;
  /** Faults that make it stand still. */
  pauseCount = 0;
  /** What came meanwhile, in order. */
  deferred: Deferred[] = [];
  slowFactors: number[] = [];
  fullCount = 0;
  failingCount = 0;
  /** Crashes in a row without half a minute of life between them: the supervisor's patience. */
  crashesInRow = 0;
  bootedAt = 0;
  /** Stopped for good: nothing boots it any more. */
  isGone = false;

  constructor(index: number, plan: NodePlan, clock: Clock, cores: Cores, platter: Platter) {
    this.index = index;
    this.plan = plan;
    this.userCode = plan.userCode;
    this.clock = clock;
    this.cores = cores;
    this.platter = platter;
  }

  get isUp(): boolean {
    return this.phase === 'up' || this.phase === 'draining';
  }
}
