/** What is selected on the page, as charts understand it; and a design's promises as lines in them. */
import { parseDuration } from 'loadpath/studio';
import type { Limit } from '../parts/plot/plot.ts';
import { pathEnds, type Selection } from '../state/selection.ts';
import type { Subject } from './catalogue.ts';

export function subjectOf(selection: Selection | null): Subject | null {
  switch (selection?.type) {
    case undefined:
      return null;
    case 'users':
      return { type: 'everything' };
    case 'block':
      return { type: 'block', name: selection.id };
    case 'zone':
      return { type: 'zone', name: selection.id };
    case 'node':
      return { type: 'node', id: selection.id };
    case 'path':
      return { type: 'path', ...pathEnds(selection.id) };
  }
}

/** Latency targets; the others are of a whole run and have no place on an axis of time. */
export function limitsOf(objectives: Readonly<Record<string, string | number>>): Limit[] {
  return Object.entries(objectives).flatMap(([name, target]) => {
    const us =
      /^p\d+$/.test(name) && typeof target === 'string' ? parseDuration(target) : undefined;
    return us === undefined ? [] : [{ name: `${name} target`, value: us }];
  });
}
