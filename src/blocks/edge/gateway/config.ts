/** The knobs of a gateway and of its stages, and what they become in the plan. */

import type { SignatureName } from '../../../host/crypto.ts';
import type { Micros } from '../../../host/host.ts';
import type { DirectoryPlace } from '../../../host/path.ts';
import type { TlsPlan } from '../../../host/plan.ts';
import {
  bytes,
  type ConfigOf,
  choice,
  count,
  duration,
  flag,
  optional,
  rate,
  text,
} from '../../../kit/config.ts';
import type { Rate } from '../../../kit/units.ts';
import { type HttpCacheConfig, httpCacheKnobs } from '../../../parts/http-cache.ts';
import { limiterKnobs } from '../../../parts/limit/config.ts';
import { listenKnobs } from '../../../parts/listeners.ts';
import type { BackupConfig, Targets } from '../../../path/caller.ts';
import type { PathPolicy } from '../../../path/policy.ts';
import type { PurgesPlan } from '../../../path/purges.ts';
import { tlsKnobs } from '../../../path/tls.ts';

export const knobs = {
  nodes: count(1, {
    min: 1,
    max: 100,
    doc: 'Gateways side by side. Users spread over them and go to another when one refuses.',
  }),
  port: optional(
    count(8080, {
      min: 0,
      max: 65_535,
      doc: 'Where it listens when live; 0 takes a free port. Its further nodes take the next ports. Left out: 8080, or the next that no other block has.',
    }),
  ),
  ...listenKnobs,
  cost: duration('20us', {
    max: '1min',
    doc: 'Processor time that a request takes here when simulated; live the real work is the cost. About what parsing, matching and copying take a proxy.',
  }),
  openMax: count(10_000, {
    min: 1,
    doc: 'Requests held at once; beyond it 503 at once. About what one process can hold without running out of memory.',
  }),
  bodyMax: bytes('1MB', { min: '1kB', doc: 'Largest request body; beyond it 413.' }),
};

/** The one limit of a gateway that needs no more: `limit: tokenBucket(…)`. */
export const limitKnobs = {
  rate: rate('100/s', { doc: 'Requests a key may make, averaged over time.' }),
  burst: count(200, {
    min: 1,
    doc: 'Requests a quiet key may make at once. Two seconds of the rate: a page with its parts.',
  }),
  by: choice(['ip', 'all'], 'What is counted apart: each address, or everything together as one.'),
  keysMax: count(100_000, {
    min: 1,
    doc: 'Keys remembered. Beyond it the one seen longest ago is forgotten, and starts with a whole limit.',
  }),
};

/** Each of `limits`, by name. */
export const limitsKnobs = {
  algorithm: choice(
    [...limiterKnobs.algorithm.choices!, 'leaky-queue', 'concurrency'] as unknown as readonly [
      'token-bucket',
      'leaky-meter',
      'gcra',
      'fixed-window',
      'sliding-window',
      'sliding-buckets',
      'sliding-log',
      'leaky-queue',
      'concurrency',
    ],
    'token-bucket, leaky-meter and gcra are one law: a pace, with bursts. fixed-window is a count a minute, and lets twice as many through around its edge; sliding-window weighs two such counts; sliding-buckets and sliding-log never admit more than the limit in any window. leaky-queue delays, and refuses what its queue has no room for; concurrency counts what is open.',
  ),
  rate: limiterKnobs.rate,
  burst: limiterKnobs.burst,
  parts: limiterKnobs.parts,
  queueMax: count(100, {
    min: 1,
    max: 100_000,
    doc: 'Requests of a key that may wait, where a limit delays; beyond it they are refused.',
  }),
  openMax: count(10, {
    min: 1,
    doc: 'Requests that a key may have open at once, for concurrency. Browsers open 6 connections to a host.',
  }),
  over: choice(
    ['reject', 'delay'],
    'What becomes of a request that comes too soon. delay shapes instead: it waits its turn, up to queueMax of them; only where a limit is a pace.',
  ),
  by: choice(
    ['ip', 'network', 'user', 'location', 'header', 'route', 'service', 'all'],
    'What is counted apart. network is the /24 of an IPv4 and the /64 of an IPv6 address: who has one address of a network mostly has all. user is who was authenticated, else the address; location is looked up in `locations`; header takes the value of `header`.',
  ),
  header: text('', {
    pattern: /^[a-z0-9-]*$/,
    allowed: 'the name of a header, in lower case',
    doc: 'Whose value is the key, for by: header. Only as good as who sets it: a CDN before the gateway, not the user.',
  }),
  cost: count(1, {
    min: 1,
    max: 1_000_000,
    doc: 'Units that a request takes: no more than `burst`, or than a window has.',
  }),
  tier: text('', {
    doc: 'Holds only for callers of this tier, as their key or token says; empty: for all.',
  }),
  keysMax: limiterKnobs.keysMax,
  tell: choice(
    ['always', 'refused'],
    'Which replies carry RateLimit and RateLimit-Policy: all, so that good clients slow down by themselves, or only 429.',
  ),
};

/** Each of `limits` with a `backend`: the limiter has the rate. */
export const sharedLimitKnobs = {
  by: limitsKnobs.by,
  header: limitsKnobs.header,
  cost: limitsKnobs.cost,
  tier: limitsKnobs.tier,
  tell: limitsKnobs.tell,
};

/** `requests`: what a request may be; beyond it 400, 414, 421 or 431. */
export const requestsKnobs = {
  urlMax: bytes('8kB', {
    min: '128B',
    doc: 'Longest address; beyond it 414. What servers and proxies of today agree on.',
  }),
  headersMax: count(100, {
    min: 1,
    doc: 'Headers of a request; beyond it 431. Browsers send two dozen.',
  }),
  headerBytesMax: bytes('16kB', {
    min: '1kB',
    doc: 'All headers together; beyond it 431. Live no more than 16 kB come through the door at all.',
  }),
};

/** `cors`: who may read replies from another site. */
export const corsKnobs = {
  credentials: flag(
    false,
    'Whether cookies and logins go along. With it an origin must be named: `*` would give every site the user’s account.',
  ),
  maxAge: duration('10min', {
    max: '1d',
    doc: 'How long a browser need not ask again. Browsers cap it at two hours, some at ten minutes.',
  }),
};

/** `cache`: replies kept at the gateway, for each service apart. */
export const cacheKnobs = httpCacheKnobs;

/** `compress`: replies as br or gzip, where the client takes them. */
export const compressKnobs = {
  min: bytes('1kB', {
    min: '1B',
    doc: 'Smaller bodies stay as they are: they fit in a packet either way.',
  }),
};

/** `trace`: a number for each request, and its place in a trace. */
export const traceKnobs = {
  idHeader: text('x-request-id', {
    pattern: /^[a-z0-9-]+$/,
    allowed: 'the name of a header, in lower case',
    doc: 'The header with the number, to the service and in the reply.',
  }),
  trust: flag(
    false,
    'Whether a number that came with the request is kept. Good behind another proxy; from the open, people choose yours.',
  ),
};

/** Each of the parts of an `aggregate`. */
export const partKnobs = {
  timeout: duration('250ms', {
    min: '1ms',
    doc: 'How long the page waits for it; no longer than the policy allows in any case.',
  }),
  required: flag(
    false,
    'Whether there is a page without it. By default the page comes without, and says what is missing.',
  ),
};

/** `waf`: rules against attacks. */
export const wafKnobs = {
  mode: choice(
    ['block', 'detect'],
    'block refuses with 403; detect lets pass, counts, and tells the service in x-waf-score: for the first weeks, until the rules are known to leave users alone.',
  ),
  threshold: count(5, {
    min: 1,
    doc: 'Score at which a request is taken for an attack. Rules that are sure score 5, signs less.',
  }),
  core: flag(true, 'Whether the rules that come along hold, besides your own.'),
  inspectMax: bytes('64kB', {
    min: '1kB',
    doc: 'How much of a body is looked at; one that flows waits at the gateway until as much has come. Attacks come early; a large body costs milliseconds.',
  }),
};

/** `flood`: who is refused again and again is shut out. */
export const floodKnobs = {
  strikes: count(50, {
    min: 1,
    max: 1_000_000,
    doc: 'Refusals (4xx) that an address may collect.',
  }),
  within: duration('1min', { min: '1s', doc: 'In how long: they are forgiven at that pace.' }),
  ban: duration('10min', { min: '1s', doc: 'For how long it is shut out then.' }),
  sourcesMax: count(100_000, {
    min: 1,
    doc: 'Addresses remembered. Beyond it the one seen longest ago is forgotten.',
  }),
};

/** `apiKeys(…)` among `auth`. */
export const keysKnobs = {
  header: text('x-api-key', {
    pattern: /^[a-z0-9-]+$/,
    allowed: 'the name of a header, in lower case',
    doc: 'Where a request shows its key.',
  }),
};

/** `jwt(…)` among `auth`. */
export const jwtKnobs = {
  path: text('/.well-known/jwks.json', {
    pattern: /^\//,
    allowed: 'a path',
    doc: 'Where the issuer serves its public keys.',
  }),
  issuer: text('', { doc: 'What `iss` must be; empty: anything.' }),
  audience: text('', {
    doc: 'What must be in `aud`; empty: anything. Say it: a token for another service is else good here too.',
  }),
  secret: text('', {
    doc: 'For HS256: what issuer and gateway share. Stands in the plan as it is; prefer keys.',
  }),
  leeway: duration('30s', {
    max: '1h',
    doc: 'How far clocks may differ, at the beginning and the end of a token.',
  }),
  userClaim: text('sub', { doc: 'The claim that names the user.' }),
  tierClaim: text('tier', { doc: 'The claim that names the tier of the user.' }),
  keysTtl: duration('10min', {
    min: '1s',
    doc: 'How old keys may get before new ones are fetched, beside the traffic.',
  }),
  keysStale: duration('1h', {
    doc: 'How much longer they are good while the issuer cannot be reached; then 503.',
  }),
  refetchMin: duration('30s', {
    min: '1s',
    doc: 'Between two fetches for keys that nobody knows: who invents names must not load the issuer.',
  }),
  verifiedMax: count(10_000, {
    min: 1,
    doc: 'Tokens remembered as well signed, 1 to 2 kB each. Beyond it the one used longest ago is verified again.',
  }),
};

/** `identity`: how services are told who asks. */
export const identityKnobs = {
  userHeader: text('x-user', {
    pattern: /^[a-z0-9-]+$/,
    allowed: 'the name of a header, in lower case',
    doc: 'The header with the user. One that came from outside is taken out.',
  }),
  tierHeader: text('x-user-tier', {
    pattern: /^[a-z0-9-]+$/,
    allowed: 'the name of a header, in lower case',
    doc: 'The header with the tier, where there is one.',
  }),
};

/** Each of `quotas`, by name. */
export const quotaKnobs = {
  calls: count(10_000, { min: 1, doc: 'Calls that a user may make in a period.' }),
  per: duration('30d', {
    min: '1s',
    doc: 'The period. Periods begin at multiples of it since 1970, in UTC, by the clock of the gateway.',
  }),
  tier: text('', { doc: 'Holds only for users of this tier; empty: for all who are known.' }),
  reserve: count(100, {
    min: 1,
    doc: 'Calls made durable ahead, in one write. A crash loses what of them was not used: fewer calls, never more. 1 writes for every call.',
  }),
  usersMax: count(100_000, {
    min: 1,
    doc: 'Users counted in a period. Beyond it new ones are refused with 503: to forget one would be to forgive.',
  }),
};

/** `usage`: calls counted by user. */
export const usageKnobs = {
  path: text('/usage', {
    pattern: /^\//,
    allowed: 'a path',
    doc: 'Where users read what they used, as JSON.',
  }),
  adminTier: text('admin', { doc: 'Users of this tier read what everybody used.' }),
  usersMax: count(1_000, {
    min: 1,
    max: 100_000,
    doc: 'Users counted apart; the rest is counted together as `others`.',
  }),
};

export type AuthMode = 'required' | 'optional' | 'none';

export type TokenAlgorithm = SignatureName | 'HS256';

export type KeysConfig = ConfigOf<typeof keysKnobs> & {
  readonly type: 'keys';
  readonly keys: readonly {
    readonly sha256: string;
    readonly user: string;
    readonly tier: string;
  }[];
};

export type JwtConfig = ConfigOf<typeof jwtKnobs> & {
  readonly type: 'jwt';
  /** Who serves the keys; null: nobody, there is a secret. */
  readonly service: string | null;
  readonly algorithms: readonly TokenAlgorithm[];
};

export type AuthConfig = ConfigOf<typeof identityKnobs> & {
  readonly schemes: readonly (KeysConfig | JwtConfig)[];
};

export type RequestsConfig = ConfigOf<typeof requestsKnobs> & {
  /** Empty: any. */
  readonly hosts: readonly string[];
};
export type CorsConfig = ConfigOf<typeof corsKnobs> & {
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly exposed: readonly string[];
};
export const wafFields = ['method', 'path', 'args', 'body', 'cookies', 'headers', 'agent'] as const;
export type WafField = (typeof wafFields)[number];
export const wafTransformations = ['url', 'html', 'comments', 'lower', 'spaces'] as const;
export type WafTransformation = (typeof wafTransformations)[number];
export const wafOperators = ['matches', 'contains', 'is', 'begins', 'longer'] as const;

export type WafRule = {
  readonly id: string;
  /** Where it looks; one that meets is enough. `args`: names and values of the query and of a form. */
  readonly on: readonly WafField[];
  /** Applied first, in this order. */
  readonly transform: readonly WafTransformation[];
  /** `matches` takes a regular expression, `longer` a number of characters. */
  readonly op: (typeof wafOperators)[number];
  readonly value: string;
  readonly score: number;
};

export type WafConfig = ConfigOf<typeof wafKnobs> & {
  readonly rules: readonly WafRule[];
  /** Ids of rules that do not hold. */
  readonly except: readonly string[];
};
export type FloodConfig = ConfigOf<typeof floodKnobs>;
export type CompressConfig = ConfigOf<typeof compressKnobs>;
export type TraceConfig = ConfigOf<typeof traceKnobs>;

export type QuotaConfig = ConfigOf<typeof quotaKnobs> & { readonly name: string };
export type UsageConfig = ConfigOf<typeof usageKnobs>;

export type LimitConfig = ConfigOf<typeof limitsKnobs> & {
  readonly name: string;
  /** Keys that the limit alone holds for; empty: all. Then those that it does not hold for. */
  readonly only: readonly string[];
  readonly except: readonly string[];
};

/** Counted by a limiter, for all gateways that ask it. */
export type SharedLimitConfig = ConfigOf<typeof sharedLimitKnobs> & {
  readonly name: string;
  readonly only: readonly string[];
  readonly except: readonly string[];
  /** The limiter, and the first of its rates, for `RateLimit-Policy`. */
  readonly limiter: string;
  readonly rate: Rate;
};

/** A network and what it is called. */
export type LocationConfig = { readonly network: string; readonly name: string };

export { tlsKnobs };

export const connectionsKnobs = {
  max: count(10_000, {
    min: 1,
    doc: 'Connections open at once; beyond it a new one is closed at once. What one process has descriptors and memory for.',
  }),
  headersTimeout: duration('10s', {
    min: '10ms',
    max: '1h',
    doc: 'How long the headers of a request may take to arrive, before 408 and the end of the connection: who sends a byte a second (slow-loris) holds a connection for no longer.',
  }),
  requestTimeout: duration('60s', {
    min: '10ms',
    max: '1d',
    doc: 'The same for the whole request with its body. Longer than the slowest upload that is meant to come through: 10 MB at 1.4 Mbit/s.',
  }),
  keepAlive: duration('75s', {
    min: '1s',
    max: '1h',
    doc: 'How long a connection without a request is kept. Longer than the minute of the balancers before it, so that theirs end first.',
  }),
  headersMax: count(200, {
    min: 1,
    max: 10_000,
    doc: 'Lines of headers in a request; beyond it 431. Browsers send twenty.',
  }),
  headerMax: bytes('16kB', {
    min: '1kB',
    max: '1MB',
    doc: 'All headers of a request and its address together; beyond it 431. Twice what servers behind it usually take.',
  }),
  urlMax: bytes('8kB', {
    min: '64B',
    max: '1MB',
    doc: 'Longest address of a request; beyond it 414. What RFC 9110 asks servers to take.',
  }),
};

export type ConnectionsConfig = ConfigOf<typeof connectionsKnobs>;

export const socketsKnobs = {
  max: count(10_000, {
    min: 1,
    doc: 'Web sockets open at once; beyond it an upgrade gets 503. Each takes a connection of the process and some kilobytes.',
  }),
  idleTimeout: duration('1min', {
    min: '10ms',
    doc: 'How long nothing may come from one of its two sides, pings included, before both are closed with 1001. Three times the pings of a service: a client or a service that is cut off is noticed, a quiet one is not disturbed.',
  }),
  closeTimeout: duration('5s', {
    min: '1ms',
    doc: 'How long the good-byes of both sides are waited for, also when the gateway is stopped; then it breaks off.',
  }),
};

export type SocketsConfig = ConfigOf<typeof socketsKnobs>;

export type Condition = {
  readonly name: string;
  readonly test: 'present' | 'absent' | 'is' | 'begins';
  readonly value: string;
};

export const redirectStatuses = [301, 302, 303, 307, 308] as const;
export type RedirectStatus = (typeof redirectStatuses)[number];

/** JSON, in which text that begins with `$` is a path into a part. */
export type Shape =
  | null
  | boolean
  | number
  | string
  | readonly Shape[]
  | { readonly [name: string]: Shape };

export type PartConfig = ConfigOf<typeof partKnobs> & {
  readonly name: string;
  readonly service: string;
  readonly path: string;
};

export type AggregateConfig = {
  readonly type: 'aggregate';
  readonly parts: readonly PartConfig[];
  /** Null: every part under its name. */
  readonly shape: Shape | null;
};

export type Destination =
  | AggregateConfig
  | { readonly type: 'service'; readonly service: string }
  | { readonly type: 'redirect'; readonly to: string; readonly status: RedirectStatus };

export type RewriteConfig = {
  /** A prefix to take off; empty: none. */
  readonly strip: string;
  /** Null: as it came. */
  readonly path: string | null;
  readonly host: string | null;
};

export type RouteConfig = {
  /** As the design writes it: in messages, as a key. */
  readonly name: string;
  /** Null: whatever the host. `*.example.com`: whatever is below it. */
  readonly host: string | null;
  /**
   * Matches itself and everything below: `/api` takes `/api` and `/api/x`, not `/apis`. With
   * parameters just what it spells, and below where it ends in `/*`.
   */
  readonly path: string;
  readonly isExact: boolean;
  /** Empty: any. */
  readonly methods: readonly string[];
  readonly headers: readonly Condition[];
  readonly cookies: readonly Condition[];
  readonly query: readonly Condition[];
  readonly contentType: string | null;
  readonly to: Destination;
  readonly rewrite: RewriteConfig | null;
  /** Null: the gateway's. */
  readonly policy: PathPolicy | null;
  readonly limits: readonly LimitConfig[];
  readonly shared: readonly SharedLimitConfig[];
  /** Whether its replies may come from the gateway's cache, where there is one. */
  readonly isCached: boolean;
  readonly auth: AuthMode;
  /** Who may come, of those who are known; empty: all. */
  readonly tiers: readonly string[];
  /** Null: the gateway's. */
  readonly bodyMaxBytes: number | null;
};

export type GatewayConfig = {
  readonly nodes: number;
  readonly port: number;
  readonly isPortGiven: boolean;
  readonly listen: 'apart' | 'shared' | 'sharded';
  readonly backlog: number;
  readonly costUs: Micros;
  readonly openMax: number;
  readonly bodyMaxBytes: number;
  readonly routes: readonly RouteConfig[];
  readonly limits: readonly LimitConfig[];
  readonly shared: readonly SharedLimitConfig[];
  readonly locations: readonly LocationConfig[];
  readonly waf: WafConfig | null;
  readonly flood: FloodConfig | null;
  readonly requests: RequestsConfig | null;
  readonly cors: CorsConfig | null;
  readonly cache: HttpCacheConfig | null;
  readonly compress: CompressConfig | null;
  readonly trace: TraceConfig | null;
  /** Null: the defaults hold. */
  readonly sockets: SocketsConfig | null;
  /** Of real connections. Null: the defaults hold. */
  readonly connections: ConnectionsConfig | null;
  /** Name, value, name, value … of what every reply has. */
  readonly replyHeaders: readonly string[];
  readonly auth: AuthConfig | null;
  readonly quotas: readonly QuotaConfig[];
  readonly usage: UsageConfig | null;
  /** Null: plain HTTP. */
  readonly tls: TlsPlan | null;
  readonly policy: PathPolicy;
};

/** The same with who serves each service filled in. */
export type DoorConfig = GatewayConfig & {
  /** Which of the gateways side by side. */
  readonly index: number;
  readonly targets: Readonly<Record<string, Targets>>;
  /** Services that stand in for others, by name. */
  readonly backups?: Readonly<Record<string, BackupConfig>> | undefined;
  /** By whom its cache is told what is no longer so; null: by nobody. */
  readonly purges: PurgesPlan | null;
  /** Where those are found whom the plan does not name. */
  readonly directories: Readonly<Record<string, DirectoryPlace>>;
};
