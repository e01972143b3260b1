/** Finding a block, node, zone or path by a few letters of its name. */
import type { StructuralView } from 'loadpath/studio';
import { pathId, type Selection } from '../state/selection.ts';

export interface Match {
  readonly selection: Selection;
  readonly title: string;
  /** What it is: `kv · 3 nodes`. */
  readonly subtitle: string;
}

const matchesMax = 12;

/** Best first: whole words before their parts, parts before scattered letters; blocks before nodes. */
export function search(design: StructuralView, query: string): Match[] {
  const wanted = query.trim().toLowerCase();
  if (wanted === '') return [];
  return candidates(design)
    .map((match, order) => ({ match, order, rank: rankOf(match.title.toLowerCase(), wanted) }))
    .filter(({ rank }) => rank < Number.POSITIVE_INFINITY)
    .sort((a, b) => a.rank - b.rank || a.order - b.order)
    .slice(0, matchesMax)
    .map(({ match }) => match);
}

function candidates({ blocks, zones, calls }: StructuralView): Match[] {
  const paths = new Map(calls.map((call) => [pathId(call.from, call.to), call]));
  return [
    ...blocks.map(({ name, kind, nodes }) => ({
      selection: { type: kind === 'users' ? 'users' : 'block', id: name } as const,
      title: name,
      subtitle: `${kind} · ${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}`,
    })),
    ...blocks.flatMap((block) =>
      block.nodes.map(({ id, zone }) => ({
        selection: { type: 'node', id } as const,
        title: id,
        subtitle: `zone ${zone}`,
      })),
    ),
    ...zones.map(({ name, region }) => ({
      selection: { type: 'zone', id: name } as const,
      title: `zone ${name}`,
      subtitle: `region ${region}`,
    })),
    ...[...paths].map(([id, { from, to }]) => ({
      selection: { type: 'path', id } as const,
      title: `${from} → ${to}`,
      subtitle: 'path',
    })),
  ];
}

function rankOf(title: string, wanted: string): number {
  if (title === wanted) return 0;
  if (title.startsWith(wanted)) return 1;
  const at = title.indexOf(wanted);
  if (at > 0) return /[\s/\-_→]/.test(title[at - 1]!) ? 2 : 3;
  return scattered(title, wanted) ? 4 : Number.POSITIVE_INFINITY;
}

/** `lk1` finds `links/1`. */
function scattered(title: string, wanted: string): boolean {
  let at = -1;
  for (const letter of wanted) {
    at = title.indexOf(letter, at + 1);
    if (at < 0) return false;
  }
  return wanted.length > 1;
}
