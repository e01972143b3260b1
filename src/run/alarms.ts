/** What nodes cried out during a run, for its notes: each once, however often it was said. */
import type { RunEvent } from '../host/events.ts';

const alarmsMax = 10;

export function alarmsIn(events: readonly RunEvent[]): readonly string[] {
  const said = events.flatMap((event) =>
    event.type === 'note' && event.isAlarm ? `${event.node}: ${event.text}` : [],
  );
  return [...new Set(said)].slice(0, alarmsMax);
}
