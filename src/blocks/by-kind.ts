/** Each kind of block by itself: a live node's process loads those that run on it, and no others. */
import type { Block } from '../host/declaration.ts';

const loads: Readonly<Record<string, () => Promise<Block>>> = {
  gateway: async () => (await import('./edge/gateway/block.ts')).gatewayBlock,
  balancer: async () => (await import('./edge/balancer/block.ts')).balancerBlock,
  cdn: async () => (await import('./edge/cdn/block.ts')).cdnBlock,
  purges: async () => (await import('./edge/cdn/block.ts')).purgesBlock,
  dns: async () => (await import('./edge/dns/block.ts')).dnsBlock,
  forwardProxy: async () => (await import('./edge/proxy/block.ts')).proxyBlock,
  service: async () => (await import('./compute/service/block.ts')).serviceBlock,
  external: async () => (await import('./compute/service/external.ts')).externalBlock,
  kv: async () => (await import('./data/kv/block.ts')).kvBlock,
  cache: async () => (await import('./data/cache/block.ts')).cacheBlock,
  ids: async () => (await import('./coordination/ids/block.ts')).idsBlock,
  topic: async () => (await import('./messaging/topic/block.ts')).topicBlock,
  limiter: async () => (await import('./resilience/limiter/block.ts')).limiterBlock,
  mesh: async () => (await import('./discovery/mesh/block.ts')).meshBlock,
  registry: async () => (await import('./discovery/registry/block.ts')).registryBlock,
  registrar: async () => (await import('./discovery/registry/registrar-block.ts')).registrarBlock,
  fleet: async () => (await import('./operations/fleet/block.ts')).fleetBlock,
  users: async () => (await import('./workload/users/block.ts')).usersBlock,
};

/** Kinds that `blockOfKind` knows. */
export const kinds: readonly string[] = Object.keys(loads);

export async function blockOfKind(kind: string): Promise<Block | undefined> {
  return loads[kind]?.();
}
