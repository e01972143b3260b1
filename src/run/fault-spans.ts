/** Faults as spans of time, from the events that say when each began and ended. */
import type { RunEvent } from '../host/events.ts';
import type { Micros } from '../host/host.ts';

export interface FaultSpan {
  readonly text: string;
  readonly fromUs: Micros;
  /** Undefined: it has not ended. */
  readonly untilUs: Micros | undefined;
}

/**
 * In the order in which they began. The same sentence may be at work more than once, so that an end
 * belongs to the beginning with its number; where there is none, to the first that is still open.
 */
export function faultSpansOf(events: readonly RunEvent[]): readonly FaultSpan[] {
  const spans: { id: number | undefined; text: string; fromUs: Micros; untilUs?: Micros }[] = [];
  for (const event of events) {
    if (event.type !== 'fault') continue;
    const { id, text, at } = event;
    if (event.began) {
      spans.push({ id, text, fromUs: at });
      continue;
    }
    const open = spans.find(
      (span) => span.untilUs === undefined && span.text === text && span.id === id,
    );
    if (open) open.untilUs = at;
  }
  return spans.map(({ text, fromUs, untilUs }) => ({ text, fromUs, untilUs }));
}
