/** What is told of a thing when one rests on it: a heading, its state, and lines of figures. */
import type { StructuralView } from 'loadpath/studio';
import { countText, durationText, rateText, shareText } from '../parts/format.ts';
import { pathEnds, type Selection, titleOf } from '../state/selection.ts';
import { nodeLookText, pathLookText } from './label.ts';
import { callsOf, type Figures, nodeWord } from './scene.ts';

export interface Details {
  readonly title: string;
  readonly subtitle: string;
  readonly tone: 'plain' | 'warn' | 'bad';
  readonly lines: readonly (readonly [what: string, value: string])[];
}

export function detailsOf(
  selection: Selection,
  design: StructuralView,
  figures: Figures,
): Details | undefined {
  switch (selection.type) {
    case 'node':
      return ofNode(selection.id, design, figures);
    case 'path':
      return ofPath(selection, design, figures);
    case 'zone':
      return ofZone(selection.id, design, figures);
    default:
      return ofBlock(selection.id, design, figures);
  }
}

function ofNode(id: string, design: StructuralView, figures: Figures): Details | undefined {
  const block = design.blocks.find(({ nodes }) => nodes.some((node) => node.id === id));
  const zone = block?.nodes.find((node) => node.id === id)?.zone;
  if (!block || zone === undefined) return undefined;
  const known = figures.nodes.get(id);
  const isWell = !known || ['up', 'standby', 'unknown', 'new', 'absent'].includes(known.look);
  return {
    title: id,
    subtitle: `${nodeWord(block)} in zone ${zone}${known ? ` · ${nodeLookText[known.look]}` : ''}`,
    tone: isWell ? 'plain' : known.look === 'down' ? 'bad' : 'warn',
    lines: known
      ? [...rated(known), ['busy', shareText(known.busy)], ['queue', countText(known.queue)]]
      : [],
  };
}

function ofBlock(name: string, design: StructuralView, figures: Figures): Details | undefined {
  const block = design.blocks.find((each) => each.name === name);
  if (!block) return undefined;
  const known = figures.blocks.get(name);
  const { quorum } = block;
  return {
    title: name,
    subtitle: block.kind,
    tone: known?.health === 'down' ? 'bad' : known?.health === 'hurt' ? 'warn' : 'plain',
    lines: [
      ...(known && known.health !== 'unknown'
        ? [
            ['up', `${known.upCount} of ${block.nodes.length}`] as const,
            ...rated(known),
            ['busiest', shareText(known.busy)] as const,
            ['queue', countText(known.queue)] as const,
          ]
        : []),
      ...(quorum
        ? [['quorum', `read ${quorum.read}, write ${quorum.write} of ${quorum.copies}`] as const]
        : []),
    ],
  };
}

function ofPath(selection: Selection, design: StructuralView, figures: Figures): Details {
  const { from, to } = pathEnds(selection.id);
  const known = figures.paths.get(selection.id);
  const caller = design.blocks.find(({ nodes }) => nodes.some(({ id }) => id === from));
  const [call] = callsOf(design, caller?.name ?? from, to);
  const isCut = known?.look === 'cut' || known?.look === 'partly' || known?.look === 'refused';
  const isOdd = known?.look === 'slow' || known?.look === 'lossy';
  return {
    title: titleOf(selection),
    subtitle:
      known?.look === 'partly'
        ? `cut for ${known.cutCount} of ${known.callerCount} callers`
        : known
          ? pathLookText[known.look]
          : 'path',
    tone: isCut ? 'bad' : isOdd ? 'warn' : 'plain',
    lines: [
      ...(known ? rated(known) : []),
      ...(call?.deadlineUs === undefined
        ? []
        : [['deadline', durationText(call.deadlineUs)] as const]),
      ...(call?.retry && call.retry.attempts > 1
        ? [['attempts', String(call.retry.attempts)] as const]
        : []),
    ],
  };
}

function ofZone(name: string, design: StructuralView, figures: Figures): Details {
  const ids = design.blocks.flatMap(({ nodes }) =>
    nodes.filter(({ zone }) => zone === name).map(({ id }) => id),
  );
  const region = design.zones.find((zone) => zone.name === name)?.region;
  const down = ids.filter((id) => figures.nodes.get(id)?.look === 'down').length;
  return {
    title: `zone ${name}`,
    subtitle: region === undefined ? '' : `region ${region}`,
    tone: down > 0 ? 'bad' : 'plain',
    lines: [
      ['nodes', String(ids.length)],
      ['down', String(down)],
    ],
  };
}

function rated(known: {
  readonly ratePerSec: number;
  readonly errorRatio: number;
  readonly p99Us: number;
}): (readonly [string, string])[] {
  return [
    ['rate', rateText(known.ratePerSec)],
    ['errors', shareText(known.errorRatio)],
    ['p99', known.p99Us > 0 ? durationText(known.p99Us) : '–'],
  ];
}
