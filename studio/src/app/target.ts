/** What is selected, in a few words: `replicated store, zone b`. */
import type { StructuralView } from 'loadpath/studio';
import { plural } from '../parts/format.ts';
import { pathEnds, type Selection } from '../state/selection.ts';

export function describeTarget(target: Selection, design: StructuralView): string {
  switch (target.type) {
    case 'zone': {
      const nodes = design.blocks
        .flatMap((block) => block.nodes)
        .filter(({ zone }) => zone === target.id);
      return plural(nodes.length, 'node');
    }
    case 'path': {
      const { from, to } = pathEnds(target.id);
      const call = design.calls.find((one) => from.startsWith(one.from) && one.to === to);
      return call ? `as ${call.as}` : 'path';
    }
    default: {
      for (const block of design.blocks) {
        const node = block.nodes.find(({ id }) => id === target.id);
        if (block.name === target.id && target.type !== 'node') {
          return `${block.purpose}, ${plural(block.nodes.length, 'node')}`;
        }
        if (node) return node.zone === '' ? block.purpose : `${block.purpose}, zone ${node.zone}`;
      }
      return '';
    }
  }
}
