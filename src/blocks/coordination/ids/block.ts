/** `ids` as Loadpath sees it. */
import type { Block, Declaration, Site } from '../../../host/declaration.ts';
import type { NodePlan } from '../../../host/plan.ts';
import { spread } from '../../../parts/placement.ts';
import { client } from './client.ts';
import { type AllocatorConfig, type IdsClientConfig, type IdsConfig, knobs } from './config.ts';
import { handle } from './handle.ts';
import { describe, type IdsMessage } from './messages.ts';
import { allocator } from './node.ts';

export const idsBlock: Block = {
  kind: 'ids',
  family: 'coordination',
  purpose: 'Short unique codes from ranges that no two callers share, and names given out once.',
  knobs,
  besides: {
    secret:
      'For `scramble`: at least 16 characters that only you know, the same for ever. Kept out of the plan.',
  },
  view: { shape: 'box', colour: 'violet' },
  expand,
  programs: { allocator },
  clientConfig: (declaration, site) => ({ ...clientConfig(declaration, site) }),
  client,
  readsCode: ['allocator', 'client'],
  handle,
  records: ['next', 'claim'],
  describe: (message) => describe(message as IdsMessage),
};

function expand(declaration: Declaration, site: Site): readonly NodePlan[] {
  const config = declaration.config as IdsConfig;
  return spread(declaration.name, config.nodes, site.zones).map(({ id, zone }, index) => {
    const own: AllocatorConfig = { ...config, name: declaration.name, index };
    return {
      id,
      block: declaration.name,
      kind: 'ids',
      role: 'allocator',
      zone,
      cores: 1,
      userCode: false,
      programs: [{ port: 'ids', block: declaration.name, role: 'allocator', config: { ...own } }],
    };
  });
}

function clientConfig(declaration: Declaration, site: Site): IdsClientConfig {
  const config = declaration.config as IdsConfig;
  const allocators = site.members(declaration).map(({ id }) => id);
  return { ...config, name: declaration.name, allocators };
}
