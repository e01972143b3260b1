/** What a gateway does to every request and reply at its door, whatever the route. */
import type {
  CompressConfig,
  CorsConfig,
  GatewayConfig,
  RequestsConfig,
  TraceConfig,
} from '../../blocks/edge/gateway/config.ts';

export interface EntryTask {
  /** Headers that only the gateway may set: what a client says in them is taken out. */
  readonly taken: readonly string[];
  readonly replyHeaders: readonly (readonly [name: string, value: string])[];
  readonly cors: CorsConfig | null;
  readonly compress: CompressConfig | null;
  readonly requests: RequestsConfig | null;
  readonly trace: TraceConfig | null;
}

export const entryOptions = ['replyHeaders', 'cors', 'compress', 'requests', 'trace'];

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

export function inSeconds(us: number): string {
  return String(Math.ceil(us / 1_000_000));
}
