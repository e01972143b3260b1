/**
 * What the live world does to traffic, as data: which rule holds between two nodes while a given
 * set of faults is on. Pure, so that the supervisor can work it out and the nodes only obey.
 */
import type { Fault, Target } from '../host/fault.ts';
import type { Micros, NodeId } from '../host/host.ts';
import type { Plan } from '../host/plan.ts';

export interface LinkRule {
  /** Nothing gets through, and nobody says so. */
  readonly cut: boolean;
  readonly lossRatio: number;
  readonly delayUs: Micros;
  readonly duplicateRatio: number;
}

/** By peer: what happens to messages to it, and to those that come from it. */
export interface NodeRules {
  readonly out: Readonly<Record<NodeId, LinkRule>>;
  readonly in: Readonly<Record<NodeId, LinkRule>>;
}

export const openRoad: LinkRule = { cut: false, lossRatio: 0, delayUs: 0, duplicateRatio: 0 };
export const noRules: NodeRules = { out: {}, in: {} };

/** The nodes that a fault means, in the plan's order. */
export function targets(target: Target, plan: Plan): readonly NodeId[] {
  const regionOf = new Map(plan.zones.map((zone) => [zone.name, zone.region]));
  return plan.nodes
    .filter((node) => {
      if ('node' in target) return node.id === target.node;
      if ('block' in target) return node.block === target.block;
      if ('zone' in target) return node.zone === target.zone;
      if ('region' in target) return regionOf.get(node.zone) === target.region;
      return true;
    })
    .map((node) => node.id);
}

/** Whom a failure of machines hits: what lies outside of the system does not stand in its zones. */
export function machines(target: Target, plan: Plan): readonly NodeId[] {
  const ids = targets(target, plan);
  if ('node' in target || 'block' in target) return ids;
  const outside = new Set(
    plan.nodes.filter(({ kind }) => kind === 'users' || kind === 'external').map((node) => node.id),
  );
  return ids.filter((id) => !outside.has(id));
}

/**
 * The rules of every node while `faults` are on and the nodes in `dark` have no power: messages
 * to those vanish instead of being refused, since a machine without power refuses nothing.
 */
export function rulesFor(
  faults: readonly Fault[],
  dark: ReadonlySet<NodeId>,
  plan: Plan,
): ReadonlyMap<NodeId, NodeRules> {
  const links = new Map<NodeId, Map<NodeId, LinkRule>>();
  const change = (from: NodeId, to: NodeId, edit: (rule: LinkRule) => LinkRule) => {
    if (from === to) return;
    let row = links.get(from);
    if (!row) {
      row = new Map();
      links.set(from, row);
    }
    row.set(to, edit(row.get(to) ?? openRoad));
  };
  for (const fault of faults) {
    const edit = ruleOf(fault);
    if (!edit || !('from' in fault)) continue;
    const twoWay = fault.do !== 'cut' || !fault.oneWay;
    const done = new Set<string>();
    const changeOnce = (from: NodeId, to: NodeId) => {
      // Targets may overlap: a fault acts once on each link.
      const link = `${from} ${to}`;
      if (done.has(link)) return;
      done.add(link);
      change(from, to, edit);
    };
    for (const from of targets(fault.from, plan)) {
      for (const to of targets(fault.to, plan)) {
        changeOnce(from, to);
        if (twoWay) changeOnce(to, from);
      }
    }
  }
  for (const node of dark) {
    for (const { id } of plan.nodes) {
      change(node, id, cutOff);
      change(id, node, cutOff);
    }
  }
  return new Map(
    plan.nodes.map(({ id }) => {
      const incoming: Record<NodeId, LinkRule> = {};
      for (const [from, row] of links) {
        const rule = row.get(id);
        if (rule) incoming[from] = rule;
      }
      return [id, { out: Object.fromEntries(links.get(id) ?? []), in: incoming }];
    }),
  );
}

function cutOff(rule: LinkRule): LinkRule {
  return { ...rule, cut: true };
}

function ruleOf(fault: Fault): ((rule: LinkRule) => LinkRule) | undefined {
  switch (fault.do) {
    case 'cut':
      return cutOff;
    case 'lose':
      return (rule) => ({ ...rule, lossRatio: 1 - (1 - rule.lossRatio) * (1 - fault.ratio) });
    case 'delay':
      return (rule) => ({ ...rule, delayUs: rule.delayUs + fault.byUs });
    case 'duplicate':
      return (rule) => ({ ...rule, duplicateRatio: Math.max(rule.duplicateRatio, fault.ratio) });
    default:
      return undefined;
  }
}
