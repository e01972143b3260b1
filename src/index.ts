/** `loadpath`: system design that runs. Blocks, users and `system` for designs; `simulate` for tests. */

export {
  type External,
  type ExternalOptions,
  external,
} from './blocks/compute/service/external.ts';
export {
  type Call,
  call,
  type Env,
  type Fetch,
  type Fetcher,
  optional,
  parallel,
  type Service,
  type ServiceOptions,
  sequence,
  service,
  sometimes,
  work,
} from './blocks/compute/service/index.ts';
export { type Ids, type IdsHandle, ids } from './blocks/coordination/ids/index.ts';
export { type Cache, type CacheHandle, cache } from './blocks/data/cache/index.ts';
export { type KvHandle, type KvOptions, kv } from './blocks/data/kv/index.ts';
export {
  type Mesh,
  type MeshHandle,
  type MeshOptions,
  type MeshState,
  mesh,
} from './blocks/discovery/mesh/index.ts';
export { type Registry, type RegistryHandle, registry } from './blocks/discovery/registry/index.ts';
export { type Registrar, registrar } from './blocks/discovery/registry/registrar-block.ts';
export { type Balancer, type BalancerOptions, balancer } from './blocks/edge/balancer/index.ts';
export {
  type Cdn,
  type CdnOptions,
  type CdnRule,
  cdn,
  type Purges,
  type PurgesHandle,
  purges,
} from './blocks/edge/cdn/index.ts';
export {
  type Dns,
  type DnsHandle,
  type DnsOptions,
  type DnsRecord,
  dns,
  type Resolved,
} from './blocks/edge/dns/index.ts';
export {
  type AggregateOptions,
  aggregate,
  apiKeys,
  type Gateway,
  type GatewayOptions,
  gateway,
  jwt,
  type RouteOptions,
  secureHeaders,
  tokenBucket,
} from './blocks/edge/gateway/index.ts';
export {
  type ForwardProxy,
  type ForwardProxyOptions,
  forwardProxy,
  type ProxyRule,
} from './blocks/edge/proxy/index.ts';
export {
  type Batch,
  type Topic,
  type TopicHandle,
  type TopicOptions,
  topic,
} from './blocks/messaging/topic/index.ts';
export { type Fleet, type FleetOptions, fleet } from './blocks/operations/fleet/index.ts';
export {
  type Limiter,
  type LimiterHandle,
  type LimiterOptions,
  limiter,
  type TakeAnswer,
} from './blocks/resilience/limiter/index.ts';
export {
  type ConnectOptions,
  diurnal,
  ramp,
  spike,
  type User,
  type UserSocket,
  type UsersOptions,
  users,
  type Workload,
} from './blocks/workload/users/index.ts';
export type { NetworkOptions } from './design/network.ts';
export { type ObjectiveOptions, type System, type SystemOptions, system } from './design/system.ts';
export { constant, exponential, gamma, lognormal, observed, pareto, uniform } from './kit/draw.ts';
export { LoadpathError, Unavailable } from './kit/errors.ts';
export {
  type ServerSocket,
  type TrailersOf,
  trailersOf,
  upgradeWebSocket,
  WebSocketPair,
  withTrailers,
} from './parts/web.ts';
export type { Report } from './run/report.ts';
export { type SimulateOptions, simulate } from './run/simulate.ts';
