/** The knobs of a forward proxy, and what they become in the plan. */
import type { DirectoryPlace, Targets } from '../../../host/path.ts';
import {
  bytes,
  type ConfigOf,
  choice,
  count,
  duration,
  flag,
  optional,
  rate,
} from '../../../kit/config.ts';
import { type HttpCacheConfig, httpCacheKnobs } from '../../../parts/http-cache.ts';
import type { PathPolicy } from '../../../path/policy.ts';
import type { PurgesPlan } from '../../../path/purges.ts';

export const knobs = {
  nodes: count(1, {
    min: 1,
    max: 100,
    doc: 'Proxies side by side. Each counts, caches and keeps accounts by itself.',
  }),
  port: optional(
    count(3128, {
      min: 0,
      max: 65_535,
      doc: 'Where it listens when live; 0 takes a free port. Its further nodes take the next ports. Left out: 3128, which proxies are known by, or the next that no other block has.',
    }),
  ),
  cost: duration('20us', {
    max: '1min',
    doc: 'Processor time of a request here when simulated; live the real work is the cost.',
  }),
  openMax: count(10_000, { min: 1, doc: 'Requests held at once; beyond it 503.' }),
  bodyMax: bytes('10MB', { min: '1kB', doc: 'Largest request body; beyond it 413.' }),
  forwarded: choice(
    ['hidden', 'added'],
    'What sites are told of who asks: hidden takes out everything that names an address and tells nothing; added appends the address of the caller to X-Forwarded-For. Hidden, since that is what clients have a proxy for.',
  ),
  otherwise: choice(
    ['allow', 'block'],
    'What becomes of a request that no rule decides. block makes of the rules a list of what is allowed.',
  ),
  privateHosts: choice(
    ['refuse', 'allow'],
    'Whether `*` among `sites` takes addresses of private networks, loopback and link-local ones, and localhost. Refused: else a caller reaches through the proxy what only the proxy should (server-side request forgery). Sites that are named are reached in any case.',
  ),
  callersMax: count(10_000, {
    min: 1,
    doc: 'Callers with an account of their own. Beyond it the one seen longest ago is forgotten.',
  }),
};

/** The part’s own, but a caller’s wishes do not count. */
export const cacheKnobs = {
  ...httpCacheKnobs,
  obeyRequests: flag(
    false,
    'Whether cache directives of requests count. Not by default: else any caller sends its load on to the site.',
  ),
};

export const limitKnobs = {
  rate: rate('100/s', { doc: 'Requests that a caller may make at one proxy, averaged over time.' }),
  burst: count(200, { min: 1, doc: 'Requests that a quiet caller may make at once.' }),
  by: choice(
    ['caller', 'ip'],
    'What is counted apart. caller is the user who proved to be one, else the address; ip always the address.',
  ),
  keysMax: count(100_000, { min: 1, doc: 'Callers remembered. Those seen longest ago go.' }),
};

export const tunnelsKnobs = {
  max: count(10_000, {
    min: 1,
    doc: 'Tunnels open at once; beyond it 503. Each takes two connections of the process and some kilobytes.',
  }),
  idleTimeout: duration('5min', {
    min: '10ms',
    doc: 'How long nothing may go through a tunnel, either way, before it ends. Clients keep connections to sites for some minutes; longer than that a quiet one is rather forgotten.',
  }),
  quiet: duration('500ms', {
    min: '1ms',
    doc: 'How long nothing may have gone through a tunnel that ends when the proxy is stopped. Between the parts of one answer there is less.',
  }),
};

/** Where TLS is spoken, as in every proxy since: one that leads to any port opens mail servers to spam. */
export const tunnelPortsDefault: readonly number[] = [443];

export type TunnelsConfig = ConfigOf<typeof tunnelsKnobs> & {
  /** None: there are no tunnels. */
  readonly ports: readonly number[];
};

export type LimitConfig = ConfigOf<typeof limitKnobs>;

export const verdicts = ['allow', 'block'] as const;

/** What is empty holds for everything. */
export type RuleConfig = {
  readonly do: (typeof verdicts)[number];
  /** `news.example`, `*.example`. */
  readonly hosts: readonly string[];
  /** `/a` alone; `/a/*` with everything below. */
  readonly paths: readonly string[];
  /** Addresses and networks of callers. */
  readonly from: readonly string[];
  readonly users: readonly string[];
  /** Content types of replies: `video/*`. */
  readonly types: readonly string[];
  /** Holds for replies with a larger body; null: of any size. */
  readonly overBytes: number | null;
};

export type SiteConfig = {
  /** `news.example`, `*.example` or `*`. */
  readonly host: string;
  readonly service: string;
};

export type ProxyConfig = Omit<ConfigOf<typeof knobs>, 'port'> & {
  readonly port: number;
  readonly isPortGiven: boolean;
  readonly sites: readonly SiteConfig[];
  /** The first that decides holds. */
  readonly rules: readonly RuleConfig[];
  /** Digests of `user:password`; null: anybody may use it. */
  readonly users: readonly { readonly user: string; readonly sha256: string }[] | null;
  readonly cache: HttpCacheConfig | null;
  readonly limit: LimitConfig | null;
  readonly tunnels: TunnelsConfig;
  /** How it calls sites. */
  readonly policy: PathPolicy;
  /** How it is called. */
  readonly path: PathPolicy;
};

/** The same with who is where filled in. */
export type NodeConfig = ProxyConfig & {
  readonly name: string;
  readonly targets: Readonly<Record<string, Targets>>;
  readonly directories: Readonly<Record<string, DirectoryPlace>>;
  readonly purges: PurgesPlan | null;
};
