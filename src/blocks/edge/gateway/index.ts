/**
 * `gateway('edge', { routes: { '/': api } })`: what users talk to. Live it speaks HTTP/1.1 on
 * `port`; in the simulator the same program gets the same requests as messages.
 */
import type { Declaration } from '../../../host/declaration.ts';
import { configure, type OptionsOf } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import { isSetIn } from '../../../kit/settings.ts';
import type { BytesText, RateText } from '../../../kit/units.ts';
import type { PathOptions } from '../../../path/policy.ts';
import { gatewayBlock } from './block.ts';
import { type GatewayConfig, knobs, type LimitConfig, limitKnobs, limitsKnobs } from './config.ts';
import {
  type LimitsOptions,
  type LocationsOptions,
  readLimits,
  readLocations,
} from './limits-options.ts';
import { type RoutesOptions, readRoutes } from './routes.ts';

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

export interface GatewayOptions extends OptionsOf<typeof knobs> {
  /** By path (`/api`) or host and path (`shop.example.com/api`), or as a list: the most telling match wins. */
  readonly routes: RoutesOptions;
  readonly limit?: Limit;
  /** Several limits at once, by name: a request is admitted by all or charged by none. */
  readonly limits?: LimitsOptions;
  /** Networks by the name of where they are, for limits `by: 'location'`. */
  readonly locations?: LocationsOptions;
  /** How it calls the services behind it. */
  readonly policy?: PathOptions;
  readonly bodyMax?: BytesText;
}

export interface Gateway extends Declaration<never> {
  readonly kind: 'gateway';
}

/** What the one limit does not say of itself. */
const oneLimit = configure('limit', limitsKnobs, { tell: 'refused' }).config;

const besides = ['routes', 'limit', 'limits', 'locations', 'policy'];

export function gateway(name: string, options: GatewayOptions): Gateway {
  const { routes, limit, limits, locations, policy, ...rest } = options;
  const { config, problems } = configure(name, knobs, rest, besides);
  const table = readRoutes(name, routes, policy ?? {});
  const own = limitOf(`${name}.limit`, limit);
  const named = readLimits(`${name}.limits`, limits ?? {});
  const places = readLocations(`${name}.locations`, locations ?? {});
  const gatewayConfig: GatewayConfig = {
    ...config,
    port: config.port ?? 8080,
    routes: table.routes,
    limits: [...own.limits, ...named.limits],
    locations: places.locations,
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
      ...table.problems,
    ],
    binds: table.binds,
  };
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
