/**
 * How an instance tells whoever looks after it how it fares: a program of its own beside it, on this
 * port, where the design has a registrar or a fleet. Answers do not queue behind requests: one that has
 * too much to do is busy, and not dead.
 */
import type { Micros } from './host.ts';

export const agentPort = 'agent';

/** `clears`: the latencies told are forgotten, so that the next answer tells of what came since. */
export type Probe = { readonly type: 'probe'; readonly id: number; readonly clears: boolean };

export type Condition = {
  readonly type: 'condition';
  readonly id: number;
  /** Counts run since this life began. */
  readonly life: number;
  readonly requests: number;
  readonly errors: number;
  /** Held now, running and waiting. */
  readonly open: number;
  /** Core time that the node has worked. */
  readonly busyUs: Micros;
  readonly cores: number;
  readonly release: string;
  readonly p99Us: Micros;
};

export type AgentMessage = Probe | Condition;

/** What the instance beside it says to it. */
export interface Agent {
  holds(openCount: number): void;
  served(latencyUs: Micros, failed: boolean): void;
}

export function describeAgent(message: AgentMessage): string {
  if (message.type === 'probe') return 'probe';
  const { requests, open, busyUs } = message;
  return `condition: ${requests} requests, ${open} open, busy for ${busyUs} µs`;
}
