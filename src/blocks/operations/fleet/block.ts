/** The fleet as Loadpath sees it. */
import { type AgentMessage, describeAgent } from '../../../host/agent.ts';
import type { Block, Declaration, Site } from '../../../host/declaration.ts';
import type { NodePlan } from '../../../host/plan.ts';
import { scaleKnobs } from '../../../parts/autoscale.ts';
import { healthKnobs } from '../../../parts/health.ts';
import { spread } from '../../../parts/placement.ts';
import { type FleetConfig, knobs } from './config.ts';
import { fleet } from './node.ts';

export const fleetBlock: Block = {
  kind: 'fleet',
  family: 'operations',
  purpose: 'Keeps the instances of a service well, and as many as their load needs.',
  knobs,
  tables: { scale: scaleKnobs, health: healthKnobs },
  besides: {
    of: 'The service that it heals and scales: one with `discovery`, since who comes must be found.',
  },
  view: { shape: 'box', colour: 'amber' },
  expand,
  programs: { fleet },
  describe: (message) => {
    const { type } = message;
    return type === 'probe' || type === 'condition' ? describeAgent(message as AgentMessage) : type;
  },
};

/** One: two would undo what the other does. While it is down nothing is healed, and nothing breaks. */
function expand(declaration: Declaration, site: Site): readonly NodePlan[] {
  const config = declaration.config as FleetConfig;
  return spread(declaration.name, 1, site.zones).map(({ id, zone }) => ({
    id,
    block: declaration.name,
    kind: 'fleet',
    role: 'fleet',
    zone,
    cores: 1,
    userCode: false,
    programs: [
      {
        port: 'fleet',
        block: declaration.name,
        role: 'fleet',
        config,
        operates: [config.of],
      },
    ],
  }));
}
