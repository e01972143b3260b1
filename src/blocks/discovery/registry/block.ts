/** The registry as Loadpath sees it. */
import type { Block, Declaration, Site } from '../../../host/declaration.ts';
import type { NodePlan } from '../../../host/plan.ts';
import { spread } from '../../../parts/placement.ts';
import { client } from './client.ts';
import { knobs, type RegistryClientConfig, type RegistryConfig } from './config.ts';
import { handle } from './handle.ts';
import { registryPort } from './membership.ts';
import { describe, type RegistryMessage } from './messages.ts';
import { registry } from './node.ts';

export const registryBlock: Block = {
  kind: 'registry',
  family: 'discovery',
  purpose: 'Who serves a name: instances register and renew, callers follow the list.',
  knobs,
  view: { shape: 'box', colour: 'green' },
  expand,
  programs: { registry },
  clientConfig: (declaration, site) => ({
    ...directoryConfig(declaration, site, { services: [], register: null }),
  }),
  directoryConfig: (declaration, site, use) => ({ ...directoryConfig(declaration, site, use) }),
  client,
  handle,
  describe: (message) => describe(message as RegistryMessage),
};

function expand(declaration: Declaration, site: Site): readonly NodePlan[] {
  const config = declaration.config as RegistryConfig;
  return spread(declaration.name, config.nodes, site.zones).map(({ id, zone }) => ({
    id,
    block: declaration.name,
    kind: 'registry',
    role: 'registry',
    zone,
    cores: 1,
    userCode: false,
    programs: [{ port: registryPort, block: declaration.name, role: 'registry', config }],
  }));
}

function directoryConfig(
  declaration: Declaration,
  site: Site,
  use: Pick<RegistryClientConfig, 'services' | 'register'>,
): RegistryClientConfig {
  const config = declaration.config as RegistryConfig;
  const registries = site.members(declaration).map(({ id }) => id);
  return { ...config, registries, ...use };
}
