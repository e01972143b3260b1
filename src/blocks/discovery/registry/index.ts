/**
 * `registry('registry', { ttl: '30s' })`: who serves a name, while instances come and go. A service
 * says that it is found there: `service('api', { discovery: registry })`. See README.md.
 */
import type { Declaration } from '../../../host/declaration.ts';
import { configure, type OptionsOf } from '../../../kit/config.ts';
import { registryBlock } from './block.ts';
import { knobs, relations } from './config.ts';
import type { RegistryHandle } from './handle.ts';

export type { RegistryHandle } from './handle.ts';
export type { Entry } from './messages.ts';

export type RegistryOptions = OptionsOf<typeof knobs>;

export interface Registry extends Declaration<RegistryHandle> {
  readonly kind: 'registry';
}

export function registry(name: string, options: RegistryOptions = {}): Registry {
  const { config, problems } = configure(name, knobs, options);
  return {
    kind: 'registry',
    name,
    block: registryBlock,
    config,
    problems: [...problems, ...relations(name, config)],
    binds: {},
  };
}
