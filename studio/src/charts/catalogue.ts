/**
 * Which charts there are for what is looked at: everybody's requests end to end, a block, a zone,
 * a node or a path. Meters of blocks are drawn by the names they have; nothing here knows a kind.
 */
import type { Frame, FrameLayout } from 'loadpath/studio';
import {
  type Curve,
  dashes,
  inks,
  type Limit,
  type Plot,
  type PlotUnit,
} from '../parts/plot/plot.ts';
import {
  errorReasons,
  type Group,
  groupFrames,
  percentilesOf,
  secondLength,
} from '../parts/plot/series.ts';
import { busyOf, greatest, hitRatioOf, mostAt, perSecond, queueOf, sumAt } from './columns.ts';

export type Subject =
  | { readonly type: 'everything' }
  | { readonly type: 'block'; readonly name: string }
  | { readonly type: 'zone'; readonly name: string }
  | { readonly type: 'node'; readonly id: string }
  /** `from` is a node or a block, `to` a block. */
  | { readonly type: 'path'; readonly from: string; readonly to: string };

/** Busiest blocks that share a chart: more lines than this are a tangle. */
const linesMax = 8;

export function plotsFor(
  layout: FrameLayout,
  groups: readonly Group[],
  subject: Subject,
  /** Latency targets of the design, drawn where the users' latency is. */
  limits: readonly Limit[],
): Plot[] {
  switch (subject.type) {
    case 'everything':
      return everything(layout, groups, limits);
    case 'block':
      return ofBlock(layout, groups, subject.name);
    case 'zone':
      return ofNodes(
        layout,
        groups,
        indexesOf(layout, (node) => node.zone === subject.name),
      );
    case 'node':
      return ofNodes(
        layout,
        groups,
        indexesOf(layout, (node) => node.id === subject.id),
      );
    case 'path':
      return ofPath(layout, groups, subject.from, subject.to);
  }
}

export function subjectText(subject: Subject): string {
  switch (subject.type) {
    case 'everything':
      return 'All requests, end to end';
    case 'block':
      return `Block ${subject.name}`;
    case 'zone':
      return `Zone ${subject.name}`;
    case 'node':
      return `Node ${subject.id}`;
    case 'path':
      return `Path from ${subject.from} to ${subject.to}`;
  }
}

function everything(
  layout: FrameLayout,
  groups: readonly Group[],
  limits: readonly Limit[],
): Plot[] {
  const users = (what: string, pick: (frame: Frame) => number) =>
    perSecond(groups, `users ${what}`, pick);
  const frames = groups.flatMap((group) => group.frames);
  const windows = windowsOf(groups, frames);
  const percentiles = windows.map(percentilesOf);
  const reasons = errorReasons(frames);
  const blocks = layout.blocks
    .map((name) => ({ name, indexes: indexesOf(layout, (node) => node.block === name) }))
    .filter(({ name }) => name !== 'users');
  return [
    plot(groups, 'rate', 'Requests', 'perSec', [
      ['sent', users('sent', (frame) => frame.users.generated)],
      ['completed', users('completed', (frame) => frame.users.completed)],
      ['rejected', users('rejected', (frame) => frame.users.rejected)],
      ['failed', users('failed', (frame) => frame.users.failed)],
    ]),
    {
      ...plot(
        windows,
        'latency',
        'Latency',
        'us',
        [
          ['p50', percentiles.map((point) => point.p50)],
          ['p90', percentiles.map((point) => point.p90)],
          ['p99', percentiles.map((point) => point.p99)],
          ['p99.9', percentiles.map((point) => point.p999)],
        ],
        windows === groups ? undefined : `over windows of ${secondLength(frames) / 1e6} s`,
      ),
      limits,
    },
    {
      ...plot(
        groups,
        'errors',
        'Errors by reason',
        'perSec',
        reasons
          .slice(0, linesMax)
          .map((reason) => [
            reason,
            users(`error ${reason}`, (frame) => frame.users.errors[reason] ?? 0),
          ]),
      ),
      stacked: true,
    },
    plot(groups, 'in-flight', 'Requests in flight', 'count', [
      ['in flight', greatest(groups, 'in flight', (frame) => frame.users.inFlight)],
    ]),
    plot(
      groups,
      'utilisation',
      'Utilisation by block',
      'ratio',
      topLines(blocks.map(({ name, indexes }) => [name, busyOf(groups, indexes)])),
      'mean over the nodes of a block',
    ),
    plot(
      groups,
      'queue',
      'Longest queue by block',
      'count',
      topLines(blocks.map(({ name, indexes }) => [name, queueOf(groups, indexes)])),
    ),
    plot(groups, 'hits', 'Hit ratio', 'ratio', hitRatios(layout, groups)),
  ].filter(saysSomething);
}

/** Points shorter than a second hold too few requests for percentiles: those are over windows of one. */
function windowsOf(groups: readonly Group[], frames: readonly Frame[]): readonly Group[] {
  const windowUs = secondLength(frames);
  const isShort = groups.every(({ fromUs, toUs }) => toUs - fromUs < windowUs);
  return isShort ? groupFrames(frames, windowUs) : groups;
}

function ofBlock(layout: FrameLayout, groups: readonly Group[], name: string): Plot[] {
  const index = layout.blocks.indexOf(name);
  const nodes = indexesOf(layout, (node) => node.block === name);
  const worst = (key: 'p50Us' | 'p90Us' | 'p99Us' | 'p999Us') =>
    greatest(groups, `${key} of block ${index}`, (frame) => frame.blocks[key][index] ?? 0).map(
      nothingAtZero,
    );
  return [
    trafficPlot(groups, nodes),
    plot(
      groups,
      'latency',
      'Latency of the block',
      'us',
      [
        ['p50', worst('p50Us')],
        ['p90', worst('p90Us')],
        ['p99', worst('p99Us')],
        ['p99.9', worst('p999Us')],
      ],
      worstCaption(layout, groups),
    ),
    ...loadPlots(layout, groups, nodes),
    plot(
      groups,
      'hits',
      'Hit ratio',
      'ratio',
      hitRatios(layout, groups).filter(([block]) => block === name),
    ),
    ...meterPlots(groups, index),
  ].filter(saysSomething);
}

function ofNodes(layout: FrameLayout, groups: readonly Group[], nodes: readonly number[]): Plot[] {
  return [
    trafficPlot(groups, nodes),
    plot(
      groups,
      'latency',
      'p99 by node',
      'us',
      topLines(
        nodes.map((node) => [
          layout.nodes[node]!.id,
          greatest(groups, `p99 of node ${node}`, (frame) => frame.nodes.p99Us[node] ?? 0).map(
            nothingAtZero,
          ),
        ]),
      ),
      worstCaption(layout, groups),
    ),
    ...loadPlots(layout, groups, nodes),
  ].filter(saysSomething);
}

function ofPath(layout: FrameLayout, groups: readonly Group[], from: string, to: string): Plot[] {
  const blockOf = new Map(layout.nodes.map((node) => [node.id, node.block]));
  const indexes = layout.paths.flatMap((path, index) =>
    path.to === to && (path.from === from || blockOf.get(path.from) === from) ? [index] : [],
  );
  const over = (what: string, values: (frame: Frame) => readonly number[]) =>
    perSecond(groups, `${what} of paths ${indexes.join()}`, (frame) =>
      sumAt(values(frame), indexes),
    );
  return [
    plot(groups, 'rate', 'Calls', 'perSec', [
      ['calls', over('calls', (frame) => frame.paths.calls)],
      ['failed', over('failed', (frame) => frame.paths.errors)],
    ]),
    plot(
      groups,
      'latency',
      indexes.length > 1 ? 'p99 by caller' : 'p99',
      'us',
      topLines(
        indexes.map((index) => [
          layout.paths[index]!.from,
          greatest(groups, `p99 of path ${index}`, (frame) => frame.paths.p99Us[index] ?? 0).map(
            nothingAtZero,
          ),
        ]),
      ),
      worstCaption(layout, groups),
    ),
  ].filter(saysSomething);
}

function trafficPlot(groups: readonly Group[], nodes: readonly number[]): Plot {
  const over = (what: string, values: (frame: Frame) => readonly number[]) =>
    perSecond(groups, `${what} of nodes ${nodes.join()}`, (frame) => sumAt(values(frame), nodes));
  return plot(groups, 'rate', 'Requests', 'perSec', [
    ['served', over('requests', (frame) => frame.nodes.requests)],
    ['errors', over('errors', (frame) => frame.nodes.errors)],
  ]);
}

function loadPlots(
  layout: FrameLayout,
  groups: readonly Group[],
  nodes: readonly number[],
): Plot[] {
  const byNode = nodes.length > 1 && nodes.length <= linesMax;
  const busy: NamedValues[] = byNode
    ? nodes.map((node) => [layout.nodes[node]!.id, busyOf(groups, [node])])
    : [
        ['mean', busyOf(groups, nodes)],
        ...(nodes.length > 1
          ? ([
              [
                'busiest node',
                greatest(groups, `busiest of ${nodes.join()}`, (frame) =>
                  mostAt(frame.nodes.busy, nodes),
                ),
              ],
            ] as const)
          : []),
      ];
  const queue: NamedValues[] = byNode
    ? nodes.map((node) => [layout.nodes[node]!.id, queueOf(groups, [node])])
    : [['longest', queueOf(groups, nodes)]];
  return [
    plot(groups, 'utilisation', 'Utilisation', 'ratio', busy),
    plot(groups, 'queue', 'Queue', 'count', queue, 'the longest within each point'),
  ];
}

/** What a block counts besides, one small chart a meter, as long as it is not always zero. */
function meterPlots(groups: readonly Group[], block: number): Plot[] {
  const names = new Set<string>();
  for (const { frames } of groups) {
    for (const frame of frames) {
      for (const name of Object.keys(frame.blocks.meters[block] ?? {})) names.add(name);
    }
  }
  return [...names]
    .sort()
    .map((name) =>
      plot(
        groups,
        `meter-${name.replaceAll(' ', '-')}`,
        spoken(name),
        'count',
        [
          [
            name,
            greatest(
              groups,
              `meter ${name} of block ${block}`,
              (frame) => frame.blocks.meters[block]?.[name] ?? 0,
            ),
          ],
        ],
        'the most in one frame',
      ),
    );
}

/** Blocks that count hits and misses. */
function hitRatios(layout: FrameLayout, groups: readonly Group[]): NamedValues[] {
  return layout.blocks.flatMap((name, block): NamedValues[] => {
    const ratios = hitRatioOf(groups, block);
    return ratios.some((ratio) => ratio !== null) ? [[name, ratios]] : [];
  });
}

type NamedValues = readonly [name: string, values: readonly (number | null)[]];

function plot(
  groups: readonly Group[],
  id: string,
  title: string,
  unit: PlotUnit,
  named: readonly NamedValues[],
  caption?: string,
): Plot {
  // A point stands in the middle of what it tells of.
  const x = groups.map((group) => (group.fromUs + group.toUs) / 2e6);
  const curves = named.map(
    ([name, values], i): Curve => ({
      name,
      values,
      ink: inks[i % inks.length]!,
      dash: dashes[i % dashes.length]!,
    }),
  );
  return { id, title, unit, caption, x, curves, stacked: false, limits: [] };
}

/** The lines that reach highest, in the order they were given. */
function topLines(named: readonly NamedValues[]): NamedValues[] {
  if (named.length <= linesMax) return [...named];
  const peak = ([, values]: NamedValues) =>
    values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
  const kept = new Set([...named].sort((a, b) => peak(b) - peak(a)).slice(0, linesMax));
  return named.filter((one) => kept.has(one));
}

function indexesOf(
  layout: FrameLayout,
  is: (node: FrameLayout['nodes'][number]) => boolean,
): number[] {
  return layout.nodes.flatMap((node, index) => (is(node) ? [index] : []));
}

function worstCaption(layout: FrameLayout, groups: readonly Group[]): string {
  const several = groups.some((group) => group.frames.length > 1);
  const frame = `${layout.frameUs / 1e6} s`;
  return several ? `the highest of any ${frame} within each point` : `over every ${frame}`;
}

/** Percentiles of nothing are nothing, not zero. */
function nothingAtZero(us: number): number | null {
  return us === 0 ? null : us;
}

function saysSomething(candidate: Plot): boolean {
  const always = candidate.id === 'rate' || candidate.id === 'latency';
  return (
    candidate.curves.length > 0 &&
    (always || candidate.curves.some((curve) => curve.values.some((value) => (value ?? 0) > 0)))
  );
}

/** `writeBacks` is `write backs`, with a capital. */
function spoken(name: string): string {
  const words = name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
