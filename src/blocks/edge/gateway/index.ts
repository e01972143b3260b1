/**
 * `gateway('edge', { routes: { '/': api } })`: what users talk to. Live it speaks HTTP/1.1 on
 * `port`; in the simulator the same program gets the same requests as messages.
 */
import type { Declaration } from '../../../host/declaration.ts';
import { type ConfigOf, configure, type Knobs, type OptionsOf, show } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import { isSetIn } from '../../../kit/settings.ts';
import type { BytesText, RateText } from '../../../kit/units.ts';
import type { PathOptions } from '../../../path/policy.ts';
import { readTls, type TlsOptions } from '../../../path/tls.ts';
import type { AuthOptions } from './auth-options.ts';
import { gatewayBlock } from './block.ts';
import {
  type GatewayConfig,
  knobs,
  type LimitConfig,
  limitKnobs,
  limitsKnobs,
  type QuotaConfig,
  quotaKnobs,
  usageKnobs,
} from './config.ts';
import { type EntryOptions, entryNames, readEntry, withoutEntry } from './entry-options.ts';
import {
  type LimitsOptions,
  type LocationsOptions,
  readLimits,
  readLocations,
} from './limits-options.ts';
import { type RoutesOptions, readRoutes } from './routes.ts';

export { type Aggregate, type AggregateOptions, aggregate, type PartOptions } from './aggregate.ts';
export {
  type ApiKey,
  type ApiKeysOptions,
  apiKeys,
  type JwtOptions,
  jwt,
  type Scheme,
} from './auth-options.ts';
export {
  type CorsOptions,
  type EntryOptions,
  type RequestsOptions,
  secureHeaders,
  type WafOptions,
} from './entry-options.ts';
export type { LimitsOptions, LocationsOptions, NamedLimitOptions } from './limits-options.ts';
export type { Conditions, RouteOptions, RoutesOptions } from './routes.ts';

export type LimitOptions = OptionsOf<typeof limitKnobs>;

/** Checked by the gateway that it stands in, under that name. */
export interface Limit {
  readonly kind: 'token-bucket';
  readonly options: LimitOptions;
}

/** A token bucket for `gateway`'s `limit`. */
export function tokenBucket(options: LimitOptions & { readonly rate: RateText }): Limit {
  return { kind: 'token-bucket', options };
}

export interface GatewayOptions extends OptionsOf<typeof knobs>, AuthOptions, EntryOptions {
  /** By path (`/api`) or host and path (`shop.example.com/api`), or as a list: the most telling match wins. */
  readonly routes: RoutesOptions;
  readonly limit?: Limit;
  /** Several limits at once, by name: a request is admitted by all or charged by none. */
  readonly limits?: LimitsOptions;
  /** Networks by the name of where they are, for limits `by: 'location'`. */
  readonly locations?: LocationsOptions;
  /** Calls counted by user, and a page where they are read. */
  readonly usage?: OptionsOf<typeof usageKnobs>;
  /** So many calls a period for each user, by name; they outlive the gateway. */
  readonly quotas?: Readonly<Record<string, OptionsOf<typeof quotaKnobs>>>;
  /** Ends TLS, and speaks HTTP/2 to who can. `true`: with a certificate of its own making, for development. */
  readonly tls?: TlsOptions | true;
  /** By which services remove what its cache keeps. Without it only time removes. */
  readonly purges?: Declaration;
  /** How it calls the services behind it. */
  readonly policy?: PathOptions;
  readonly bodyMax?: BytesText;
}

export interface Gateway extends Declaration<never> {
  readonly kind: 'gateway';
}

/** What the one limit does not say of itself. */
const oneLimit = configure('limit', limitsKnobs, { tell: 'refused' }).config;

const besides = [
  'routes',
  'limit',
  'limits',
  'locations',
  'auth',
  'identity',
  'usage',
  'quotas',
  'purges',
  'policy',
  'tls',
  ...entryNames,
];

export function gateway(name: string, options: GatewayOptions): Gateway {
  const {
    routes,
    limit,
    limits,
    locations,
    auth,
    identity,
    usage,
    quotas,
    purges,
    policy,
    tls,
    ...more
  } = options;
  const rest = withoutEntry(more);
  const { config, problems } = configure(name, knobs, rest, besides);
  const table = readRoutes(name, routes, policy ?? {}, {
    ...(auth === undefined ? {} : { auth }),
    ...(identity === undefined ? {} : { identity }),
  });
  const own = limitOf(`${name}.limit`, limit);
  const named = readLimits(`${name}.limits`, limits ?? {});
  const places = readLocations(`${name}.locations`, locations ?? {});
  const counted = readQuotas(`${name}.quotas`, quotas ?? {});
  const used = tableOf(`${name}.usage`, usageKnobs, usage);
  const secure = readTls(`${name}.tls`, tls);
  const { entry, problems: atDoor } = readEntry(name, options);
  const needsUsers = quotas !== undefined || usage !== undefined;
  const lonely = needsUsers && auth === undefined ? [{ at: name, what: nobodyKnown }] : [];
  const gatewayConfig: GatewayConfig = {
    ...config,
    port: config.port ?? 8080,
    isPortGiven: config.port !== undefined,
    routes: table.routes,
    limits: [...own.limits, ...named.limits],
    shared: named.shared,
    locations: places.locations,
    ...entry,
    auth: table.auth,
    quotas: counted.quotas,
    usage: used?.config ?? null,
    tls: secure.tls,
    policy: table.policy,
  };
  return {
    kind: 'gateway',
    name,
    block: gatewayBlock,
    config: gatewayConfig,
    problems: [
      ...problems,
      ...own.problems,
      ...named.problems,
      ...places.problems,
      ...atDoor,
      ...secure.problems,
      ...counted.problems,
      ...(used?.problems ?? []),
      ...lonely,
      ...purgeProblems(name, purges, entry.cache !== null),
      ...table.problems,
    ],
    binds: { ...table.binds, ...byName(named.limiters), ...byName(purges ? [purges] : []) },
    ...(table.backups.length > 0 ? { standsIn: table.backups } : {}),
  };
}

function byName(declarations: readonly Declaration[]): Readonly<Record<string, Declaration>> {
  return Object.fromEntries(declarations.map((one) => [one.name, one]));
}

/** To set an option of it from outside is to have a limit. */
function limitOf(
  at: string,
  limit: Limit | undefined,
): { readonly limits: readonly LimitConfig[]; readonly problems: readonly Problem[] } {
  if (limit === undefined && !isSetIn(at)) return { limits: [], problems: [] };
  const { config, problems } = configure(at, limitKnobs, limit?.options ?? {});
  return { limits: [{ ...oneLimit, ...config, name: 'limit', only: [], except: [] }], problems };
}

function purgeProblems(name: string, purges: unknown, isCached: boolean): readonly Problem[] {
  if (purges === undefined) return [];
  const at = `${name}.purges`;
  const { block } = (purges ?? {}) as Partial<Declaration>;
  if (block?.kind !== 'purges') {
    return [{ at, what: `must be made by purges(…), got ${show(purges)}` }];
  }
  return isCached ? [] : [{ at, what: 'removes what is cached, and there is no `cache`' }];
}

const nobodyKnown = 'counts calls by user, and knows nobody: it needs `auth`';

/** A table of options that may be left out whole; to set an option of it from outside is to have it. */
function tableOf<const T extends Knobs>(
  at: string,
  knobs: T,
  options: OptionsOf<T> | undefined,
): { readonly config: ConfigOf<T>; readonly problems: readonly Problem[] } | undefined {
  return options === undefined && !isSetIn(at) ? undefined : configure(at, knobs, options ?? {});
}

function readQuotas(
  at: string,
  options: NonNullable<GatewayOptions['quotas']>,
): { readonly quotas: readonly QuotaConfig[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const quotas = Object.entries(options).map(([name, quota]): QuotaConfig => {
    const made = configure(`${at}.${name}`, quotaKnobs, quota ?? {});
    problems.push(...made.problems);
    return { ...made.config, name };
  });
  return { quotas, problems };
}
