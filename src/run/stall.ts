/** Code that does not come to an end: its thread hears nothing, so another one says it. */
import type { RunEvent } from '../host/events.ts';
import type { Micros } from '../host/host.ts';
import { formatDuration } from '../kit/units.ts';

/** The code of one node has been at work on one event for seconds of real time. */
export interface Stall {
  /** `api/0`, or `the design` while its modules load. */
  readonly node: string;
  /** Virtual, since the load began. */
  readonly at: Micros;
  readonly seconds: number;
}

export function stallText({ node, at, seconds }: Stall): string {
  const when = at > 0 ? ` at ${formatDuration(at)} of virtual time` : '';
  return `the code of ${node} has been at work for ${seconds} s on one event${when}. Is there a loop without an end?`;
}

/** As a line of the node's own console, at which whoever watches a run looks anyway. */
export function stallEvent(stall: Stall): RunEvent {
  return { type: 'log', at: stall.at, node: stall.node, level: 'warn', text: stallText(stall) };
}
