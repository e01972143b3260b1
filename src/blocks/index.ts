/** Every kind of block there is: one line each. */
import type { Block } from '../host/declaration.ts';
import { serviceBlock } from './compute/service/block.ts';
import { externalBlock } from './compute/service/external.ts';
import { idsBlock } from './coordination/ids/block.ts';
import { cacheBlock } from './data/cache/block.ts';
import { kvBlock } from './data/kv/block.ts';
import { meshBlock } from './discovery/mesh/block.ts';
import { registryBlock } from './discovery/registry/block.ts';
import { registrarBlock } from './discovery/registry/registrar-block.ts';
import { balancerBlock } from './edge/balancer/block.ts';
import { cdnBlock, purgesBlock } from './edge/cdn/block.ts';
import { dnsBlock } from './edge/dns/block.ts';
import { gatewayBlock } from './edge/gateway/block.ts';
import { proxyBlock } from './edge/proxy/block.ts';
import { topicBlock } from './messaging/topic/block.ts';
import { fleetBlock } from './operations/fleet/block.ts';
import { limiterBlock } from './resilience/limiter/block.ts';
import { usersBlock } from './workload/users/block.ts';

export const blocks: readonly Block[] = [
  gatewayBlock,
  balancerBlock,
  cdnBlock,
  purgesBlock,
  dnsBlock,
  proxyBlock,
  serviceBlock,
  externalBlock,
  kvBlock,
  cacheBlock,
  idsBlock,
  topicBlock,
  limiterBlock,
  meshBlock,
  registryBlock,
  registrarBlock,
  fleetBlock,
  usersBlock,
];
