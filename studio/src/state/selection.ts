/** What is selected on the page, and how it is called. */
import type { StructuralView } from 'loadpath/studio';

export const selectionTypes = ['node', 'block', 'zone', 'path', 'users'] as const;
export type SelectionType = (typeof selectionTypes)[number];

export interface Selection {
  readonly type: SelectionType;
  /** A node's or block's id, a zone's name; a path is `from->to`, blocks or nodes on either side. */
  readonly id: string;
}

export function sameSelection(a: Selection | null, b: Selection | null): boolean {
  return a === b || (a !== null && b !== null && a.type === b.type && a.id === b.id);
}

export function pathId(from: string, to: string): string {
  return `${from}->${to}`;
}

export function pathEnds(id: string): { readonly from: string; readonly to: string } {
  const [from = '', to = ''] = id.split('->');
  return { from, to };
}

/** The block of a selection, where it has one; of a path the one that is called. */
export function blockOf(selection: Selection, design: StructuralView): string | undefined {
  const named = (name: string) =>
    design.blocks.find((block) => block.name === name || block.nodes.some(({ id }) => id === name))
      ?.name;
  switch (selection.type) {
    case 'zone':
      return undefined;
    case 'path':
      return named(pathEnds(selection.id).to);
    case 'users':
      return design.blocks.find((block) => block.outside && block.kind === 'users')?.name;
    default:
      return named(selection.id);
  }
}

/** After a design was changed, something selected may no longer be there. */
export function stillThere(selection: Selection | null, design: StructuralView): Selection | null {
  if (!selection) return null;
  if (selection.type === 'zone') {
    return design.zones.some((zone) => zone.name === selection.id) ? selection : null;
  }
  return blockOf(selection, design) === undefined ? null : selection;
}

/** As a heading says it. */
export function titleOf(selection: Selection): string {
  switch (selection.type) {
    case 'zone':
      return `zone ${selection.id}`;
    case 'path': {
      const { from, to } = pathEnds(selection.id);
      return `${from} → ${to}`;
    }
    default:
      return selection.id;
  }
}
