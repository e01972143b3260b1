/** Whether the users sent all of the load: promises that were hardly asked for are not kept. */
import type { RunEvent } from '../host/events.ts';
import type { Micros } from '../host/host.ts';
import type { Plan } from '../host/plan.ts';
import type { InvariantResult } from './report.ts';

/**
 * Users whose own code ended their node come back without a load. Where a fault did it, that was asked
 * for, and is no mistake of the design's. Undefined when nobody broke off; events are timed from the load.
 */
export function brokenOff(
  events: readonly RunEvent[],
  plan: Plan,
  loadUs: Micros,
): InvariantResult | undefined {
  const users = new Set(plan.nodes.filter(({ kind }) => kind === 'users').map(({ id }) => id));
  const faults = events.flatMap((event) => (event.type === 'fault' ? event.text : []));
  const asked = new Set([...faults, ...askedFor]);
  for (const event of events) {
    if (event.type !== 'crash' || event.at < 0 || event.at >= loadUs) continue;
    if (!users.has(event.node) || asked.has(event.why)) continue;
    const after = `${(event.at / 1e6).toFixed(3)} s`;
    const detail = `${event.node} went down after ${after} and sent nothing from then on: ${event.why}`;
    return { name: 'the load is sent to its end', verdict: 'violated', detail };
  }
  return undefined;
}

/** So the worlds name ends that they brought about themselves: by a kill, by a drain that came to its end. */
const askedFor = ['killed', 'stopped', 'stopped by force', 'ended with code 0'];
