/** What is marked on the graph: the selected, and what faults in force name. */
import type { StructuralView } from 'loadpath/studio';
import type { Selection } from '../state/selection.ts';

/** From here on a selected block is made out by what steps back. */
const manyBlocks = 16;

/** What is drawn as selected, and, among many blocks, what the eye should be led to. */
export function markedBy(selection: Selection | null, design: StructuralView) {
  const selected = new Set<string>();
  let focus: Set<string> | undefined;
  if (selection?.type === 'zone') {
    for (const { nodes } of design.blocks) {
      for (const { id, zone } of nodes) if (zone === selection.id) selected.add(id);
    }
  } else if (selection && selection.type !== 'path') {
    selected.add(selection.id);
    const block = design.blocks.find(
      ({ name, nodes }) => name === selection.id || nodes.some(({ id }) => id === selection.id),
    );
    if (block && design.blocks.length >= manyBlocks) {
      focus = new Set([block.name]);
      for (const { from, to } of design.calls) {
        if (from === block.name) focus.add(to);
        if (to === block.name) focus.add(from);
      }
    }
  }
  return { selected, focus, selectedPath: selection?.type === 'path' ? selection.id : undefined };
}

/** A fault on a zone marks each of its nodes. */
export function withZones(named: ReadonlySet<string>, design: StructuralView): ReadonlySet<string> {
  const zones = design.zones
    .filter(({ name }) => named.has(`zone ${name}`))
    .map(({ name }) => name);
  const surged = design.blocks.filter(({ kind }) => kind === 'users' && named.has('surge'));
  const nodes = design.blocks.flatMap((block) =>
    block.nodes.filter(({ zone }) => zones.includes(zone)).map(({ id }) => id),
  );
  return new Set([...named, ...nodes, ...surged.map(({ name }) => name)]);
}
