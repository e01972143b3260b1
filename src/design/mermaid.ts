/**
 * A design as a Mermaid flowchart, for a README or a wiki that draws it:
 *
 *   flowchart LR
 *     users(("users")) -->|"500/s"| edge["edge<br/>gateway"]
 *
 * Shapes are those that the blocks give themselves. A rate stands on a path where the design alone
 * says it: from users, through a gateway with one route, and through what is modelled.
 */
import { blocks } from '../blocks/index.ts';
import type { Block } from '../host/declaration.ts';
import type { BlockView, CallView, StructuralView } from './structure.ts';

type Shape = Block['view']['shape'];

const shapes: Readonly<Record<Shape, readonly [string, string]>> = {
  box: ['["', '"]'],
  store: ['[("', '")]'],
  queue: ['[["', '"]]'],
  person: ['(("', '"))'],
  cloud: ['{{"', '"}}'],
};

export function mermaidOf(view: StructuralView): string {
  const ids = idsOf(view.blocks);
  const rates = ratesOf(view);
  const nodes = view.blocks.map((block) => `  ${ids.get(block.name)}${nodeText(block)}`);
  const paths = view.calls.map((call) => {
    // Arrows go the way that messages take: a topic pushes to those who read it.
    const [from, to] = call.consumed ? [call.to, call.from] : [call.from, call.to];
    const rate = rates.get(call);
    const label = rate === undefined ? '' : `|"${rateText(rate)}"|`;
    return `  ${ids.get(from)} ${call.consumed ? '-.->' : '-->'}${label} ${ids.get(to)}`;
  });
  return [`flowchart LR`, ...nodes, ...paths, ''].join('\n');
}

function nodeText({ name, kind, nodes, quorum }: BlockView): string {
  const shape = blocks.find((block) => block.kind === kind)?.view.shape ?? 'box';
  const [open, close] = shapes[shape];
  if (shape === 'person') return `${open}${name}${close}`;
  const copies = quorum && nodes.length > quorum.copies ? `, ${quorum.copies} copies` : '';
  const count = nodes.length > 1 ? ` × ${nodes.length}${copies}` : '';
  return `${open}${name}<br/>${kind}${count}${close}`;
}

/** Words that Mermaid reads as its own, and `-`, which begins an arrow, cannot be ids. */
const reserved =
  /^(end|graph|flowchart|subgraph|default|class|classDef|click|style|linkStyle|call|href|direction)$/i;

function idsOf(views: readonly BlockView[]): ReadonlyMap<string, string> {
  const ids = new Map<string, string>();
  const taken = new Set<string>();
  for (const { name } of views) {
    let id = name.replaceAll('-', '_');
    while (reserved.test(id) || taken.has(id)) id = `${id}_`;
    taken.add(id);
    ids.set(name, id);
  }
  return ids;
}

// Rates ------------------------------------------------------------------------------------------

/** Requests a second on each path that the design says it of. Calls make no circle. */
function ratesOf({
  blocks: views,
  calls,
  ratePerSec,
}: StructuralView): ReadonlyMap<CallView, number> {
  const byName = new Map(views.map((block) => [block.name, block]));
  const known = new Map<string, number | undefined>();
  const onPath = (call: CallView): number | undefined => {
    const perSec = into(call.from);
    const share = shareOf(byName.get(call.from)!, call, calls);
    return perSec === undefined || share === undefined ? undefined : perSec * share;
  };
  /** Undefined as soon as one of those who call it is code. */
  const into = (name: string): number | undefined => {
    if (known.has(name)) return known.get(name);
    const paths = calls.filter(({ to }) => to === name).map(onPath);
    const sum = paths.reduce(
      (all, one) => (all === undefined || one === undefined ? undefined : all + one),
      0,
    );
    const perSec = byName.get(name)?.kind === 'users' ? ratePerSec : sum;
    known.set(name, perSec);
    return perSec;
  };
  return new Map(
    calls.flatMap((call) => {
      const rate = onPath(call);
      return rate === undefined || rate === 0 ? [] : [[call, rate] as const];
    }),
  );
}

/** How often a request to `block` makes this call; undefined: its code decides. */
function shareOf(block: BlockView, call: CallView, calls: readonly CallView[]): number | undefined {
  if (Array.isArray(block.config.steps)) return timesOf(block.config.steps, call.to);
  const isOnly = calls.filter(({ from }) => from === block.name).length === 1;
  return isOnly && (block.kind === 'users' || Array.isArray(block.config.routes)) ? 1 : undefined;
}

/** Expected calls of `to` in the steps of a modelled service. */
function timesOf(step: unknown, to: string): number {
  if (Array.isArray(step)) return step.reduce((sum: number, one) => sum + timesOf(one, to), 0);
  if (typeof step !== 'object' || step === null) return 0;
  const { do: verb, to: target, chance, step: inner, steps } = step as Record<string, unknown>;
  if (verb === 'call') return target === to ? 1 : 0;
  if (verb === 'sometimes') return Number(chance) * timesOf(inner, to);
  return verb === 'optional' ? timesOf(inner, to) : timesOf(steps, to);
}

function rateText(perSec: number): string {
  return `${Number(perSec.toPrecision(3))}/s`;
}
