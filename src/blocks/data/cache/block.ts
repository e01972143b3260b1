/** The cache as Loadpath sees it. */
import type { Block, Declaration, Site } from '../../../host/declaration.ts';
import type { NodePlan } from '../../../host/plan.ts';
import { spread } from '../../../parts/placement.ts';
import { client } from './client.ts';
import { type CacheClientConfig, type CacheConfig, knobs } from './config.ts';
import { handle } from './handle.ts';
import { type CacheMessage, describe } from './messages.ts';
import { node } from './node.ts';

export const cacheBlock: Block = {
  kind: 'cache',
  family: 'data',
  purpose:
    'Values kept near for a while: LRU and TTL, one load a miss, never the reason of a failure.',
  knobs,
  view: { shape: 'store', colour: 'amber' },
  expand,
  programs: { node },
  clientConfig: (declaration, site) => ({ ...clientConfig(declaration, site) }),
  client,
  handle,
  lossOfNode: 'nothing',
  describe: (message) => describe(message as CacheMessage),
};

function expand(declaration: Declaration, site: Site): readonly NodePlan[] {
  const config = declaration.config as CacheConfig;
  return spread(declaration.name, config.nodes, site.zones).map(({ id, zone }) => ({
    id,
    block: declaration.name,
    kind: 'cache',
    role: 'node',
    zone,
    cores: 1,
    userCode: false,
    programs: [
      { port: 'cache', block: declaration.name, role: 'node', config: declaration.config },
    ],
  }));
}

function clientConfig(declaration: Declaration, site: Site): CacheClientConfig {
  const config = declaration.config as CacheConfig;
  const members = site.members(declaration).map(({ id, zone }) => ({ id, zone }));
  return { ...config, name: declaration.name, members };
}
