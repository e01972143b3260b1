/** The store as Loadpath sees it. */
import type { Block, Declaration, Site } from '../../../host/declaration.ts';
import type { Value } from '../../../host/host.ts';
import type { NodePlan } from '../../../host/plan.ts';
import { spread } from '../../../parts/placement.ts';
import { type ClientConfig, coordinator } from './client.ts';
import { type KvConfig, knobs } from './config.ts';
import { kvHandle } from './handle.ts';
import { describe, type KvMessage, kvPort } from './messages.ts';
import { type ReplicaConfig, replicaWith } from './node.ts';
import { type Rules, soundRules } from './rules.ts';

/** `rules` differ in planted bugs only. */
export function blockWith(rules: Rules): Block {
  return {
    kind: 'kv',
    family: 'data',
    purpose: 'Values by key, replicated over nodes and durable on their disks.',
    knobs,
    view: { shape: 'store', colour: 'green' },
    expand,
    programs: { replica: replicaWith(rules) },
    clientConfig: (declaration, site) => configOf(declaration, site) satisfies Value,
    client: coordinator(rules),
    handle: kvHandle,
    records: ['get', 'put', 'delete'],
    describe: (message) => describe(message as KvMessage),
  };
}

export const kvBlock: Block = blockWith(soundRules);

function expand(declaration: Declaration, site: Site): readonly NodePlan[] {
  const config = configOf(declaration, site);
  return config.members.map(({ id, zone }) => ({
    id,
    block: declaration.name,
    kind: 'kv',
    role: 'replica',
    zone,
    cores: 1,
    userCode: false,
    programs: [{ port: kvPort, block: declaration.name, role: 'replica', config }],
  }));
}

/** Replicas and clients read the same: who the members are decides who owns a key. */
function configOf(declaration: Declaration, site: Site): ReplicaConfig & ClientConfig {
  const config = declaration.config as KvConfig;
  const members = spread(declaration.name, config.nodes, site.zones);
  return { ...config, name: declaration.name, members };
}
