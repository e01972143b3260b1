/** Plans of nodes that run nothing: for what is only told of them. */
import type { NodePlan, Plan } from '../../host/plan.ts';
import { cloudNetwork } from '../../design/plan.ts';

export function member(id: string, zone: string, more: Partial<NodePlan> = {}): NodePlan {
  const block = id.split('/')[0]!;
  return {
    id,
    block,
    kind: block,
    role: 'member',
    zone,
    cores: 2,
    userCode: false,
    programs: [],
    ...more,
  };
}

export function planWith(nodes: readonly NodePlan[]): Plan {
  const zones = [...new Set(nodes.map(({ zone }) => zone))];
  return {
    design: 'shop',
    zones: zones.map((name) => ({ name, region: 'home' })),
    nodes,
    network: cloudNetwork,
  };
}
