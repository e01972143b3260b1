/** What happened to what is selected: faults that name it, crashes, boots, notes. Newest last. */
import type { FrameLayout, RunEvent } from 'loadpath/studio';
import { pathEnds, type Selection } from '../state/selection.ts';

export interface StoryLine {
  readonly atUs: number;
  readonly tone: 'fault' | 'bad' | 'good' | 'plain';
  readonly text: string;
}

/** A flapping node tells the same a thousand times; the end of the story is what is looked for. */
const linesMax = 200;

export function storyOf(
  selection: Selection,
  layout: FrameLayout,
  events: readonly RunEvent[],
): StoryLine[] {
  const nodes = new Set(
    layout.nodes
      .filter(({ id, block, zone }) => {
        switch (selection.type) {
          case 'zone':
            return zone === selection.id;
          case 'node':
            return id === selection.id;
          case 'path':
            return id === pathEnds(selection.id).from;
          default:
            return block === selection.id;
        }
      })
      .map((node) => node.id),
  );
  const names = selection.type === 'path' ? Object.values(pathEnds(selection.id)) : [selection.id];
  const several = nodes.size > 1;
  return events
    .flatMap((event) => {
      const line = lineOf(event, several);
      if (!line) return [];
      if (event.type === 'fault') {
        const words = event.text.split(/[\s,]+/);
        const isMeant = words.some((word) => names.includes(word) || nodes.has(word));
        return isMeant ? [line] : [];
      }
      return 'node' in event && nodes.has(event.node) ? [line] : [];
    })
    .slice(-linesMax);
}

function lineOf(event: RunEvent, several: boolean): StoryLine | undefined {
  const who = 'node' in event && several ? `${event.node} ` : '';
  switch (event.type) {
    case 'fault':
      return {
        atUs: event.at,
        tone: 'fault',
        text: event.began ? event.text : `over: ${event.text}`,
      };
    case 'crash':
      return event.gone
        ? { atUs: event.at, tone: 'plain', text: `${who}was stopped for good` }
        : { atUs: event.at, tone: 'bad', text: `${who}went down: ${event.why}` };
    case 'boot':
      // The first boot of everybody is no news.
      if (event.life <= 1 && event.at <= 0) return undefined;
      return { atUs: event.at, tone: 'good', text: `${who}is up, life ${event.life}` };
    case 'note':
    case 'log':
      return event.at < 0
        ? undefined
        : { atUs: event.at, tone: 'plain', text: `${who ? `${who.trim()}: ` : ''}${event.text}` };
    case 'phase':
      return undefined;
  }
}
