/** What a gateway does to every request and reply at its door, whatever the route. */
import {
  type CompressConfig,
  type CorsConfig,
  type GatewayConfig,
  type RequestsConfig,
  socketsKnobs,
  type TraceConfig,
} from '../../blocks/edge/gateway/config.ts';
import { configure } from '../../kit/config.ts';
import { type ConnectionsTask, connectionsOf } from './connections.ts';

export interface EntryTask {
  /** Headers that only the gateway may set: what a client says in them is taken out. */
  readonly taken: readonly string[];
  readonly replyHeaders: readonly (readonly [name: string, value: string])[];
  readonly cors: CorsConfig | null;
  readonly compress: CompressConfig | null;
  readonly requests: RequestsConfig | null;
  readonly trace: TraceConfig | null;
  readonly connections: ConnectionsTask;
  /** How long a web socket may be silent, in microseconds. */
  readonly socketIdleUs: number;
}

export const entryOptions = [
  'replyHeaders',
  'cors',
  'compress',
  'requests',
  'trace',
  'connections',
  'sockets',
];

const socketsUsual = configure('sockets', socketsKnobs, {}).config;

export function entryOf(config: GatewayConfig): EntryTask {
  const { replyHeaders, cors, compress, requests, trace, auth } = config;
  return {
    taken: [...(auth ? [auth.userHeader, auth.tierHeader] : []), 'x-waf-score'],
    replyHeaders: replyHeaders.flatMap((name, i) =>
      i % 2 === 0 ? [[name, replyHeaders[i + 1] ?? ''] as const] : [],
    ),
    cors,
    compress,
    requests,
    trace,
    connections: connectionsOf(config),
    socketIdleUs: (config.sockets ?? socketsUsual).idleTimeoutUs,
  };
}

/** Whether a gateway that is for some hosts only is for this one. */
export function isServed(host: string, { requests }: EntryTask): boolean {
  const hosts = requests?.hosts ?? [];
  if (hosts.length === 0 || hosts.includes(host)) return true;
  return hosts.some((one) => one.startsWith('*.') && host.endsWith(one.slice(1)));
}

/** Any origin may read, and none is told from another. */
export function isOpen({ origins, credentials }: CorsConfig): boolean {
  return origins.includes('*') && !credentials;
}

/** As the gateway tells what gets smaller, in the list that proxies want. */
export const squeezable: readonly string[] = [
  'text/plain',
  'text/css',
  'text/csv',
  'text/javascript',
  'text/xml',
  'text/markdown',
  'application/json',
  'application/xml',
  'application/javascript',
  'application/x-ndjson',
  'application/wasm',
  'application/manifest+json',
  'application/ld+json',
  'application/problem+json',
  'application/rss+xml',
  'application/atom+xml',
  'image/svg+xml',
  'image/bmp',
];

export const requestIdPattern = '^[A-Za-z0-9_.:-]{1,64}$';

/** Of two bounds, of which one at least is there. */
export function lesser(one: number | undefined, other: number | false): number {
  return Math.min(
    one ?? Number.POSITIVE_INFINITY,
    other === false ? Number.POSITIVE_INFINITY : other,
  );
}

export function inSeconds(us: number): string {
  return String(Math.ceil(us / 1_000_000));
}
