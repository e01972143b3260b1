/**
 * `gateway('edge', { routes: { '/': api } })`: what users talk to. Live it speaks HTTP/1.1 on
 * `port`; in the simulator the same program gets the same requests as messages.
 */
import type { Declaration } from '../../../host/declaration.ts';
import { configure, type OptionsOf, show } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import { isSetIn } from '../../../kit/settings.ts';
import type { BytesText, RateText } from '../../../kit/units.ts';
import { type PathOptions, pathPolicy } from '../../../path/policy.ts';
import { gatewayBlock } from './block.ts';
import {
  type GatewayConfig,
  knobs,
  type LimitConfig,
  limitKnobs,
  type RouteConfig,
} from './config.ts';

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
  /** By path (`/api`) or host and path (`shop.example.com/api`): the longest match wins. */
  readonly routes: Readonly<Record<string, Declaration>>;
  readonly limit?: Limit;
  /** How it calls the services behind it. */
  readonly policy?: PathOptions;
  readonly bodyMax?: BytesText;
}

export interface Gateway extends Declaration<never> {
  readonly kind: 'gateway';
}

export function gateway(name: string, options: GatewayOptions): Gateway {
  const { routes, limit, policy, ...rest } = options;
  const { config, problems } = configure(name, knobs, rest, ['routes', 'limit', 'policy']);
  const path = pathPolicy(`${name}.policy`, policy ?? {});
  const limited = limitOf(`${name}.limit`, limit);
  const wrong: Problem[] = [...problems, ...path.problems, ...(limited?.problems ?? [])];
  const table: RouteConfig[] = [];
  const binds: Record<string, Declaration> = {};
  for (const [pattern, service] of Object.entries(routes)) {
    const slash = pattern.indexOf('/');
    const at = `${name}.routes[${show(pattern)}]`;
    if (slash < 0) {
      wrong.push({ at, what: "must hold a path, such as '/' or 'shop.example.com/api'" });
      continue;
    }
    if (/[*:]/.test(pattern.slice(slash))) {
      wrong.push({
        at,
        what: "takes no patterns: a path covers everything below it, '/api' also '/api/x'",
      });
      continue;
    }
    if (!service?.block?.servesWeb || !service.block.clientConfig) {
      wrong.push({
        at,
        what: `must lead to a service, got ${service?.block?.kind ?? show(service)}`,
      });
      continue;
    }
    if (binds[service.name] && binds[service.name] !== service) {
      wrong.push({ at, what: `two services are called ${service.name}` });
    }
    binds[service.name] = service;
    table.push({
      host: slash === 0 ? null : pattern.slice(0, slash).toLowerCase(),
      path: trimmed(pattern.slice(slash)),
      service: service.name,
    });
  }
  if (table.length === 0 && wrong.length === 0) {
    wrong.push({ at: `${name}.routes`, what: 'must have at least one route' });
  }
  const gatewayConfig: GatewayConfig = {
    ...config,
    port: config.port ?? 8080,
    routes: table,
    limit: limited?.config ?? null,
    policy: path.policy,
  };
  return {
    kind: 'gateway',
    name,
    block: gatewayBlock,
    config: gatewayConfig,
    problems: wrong,
    binds,
  };
}

/** To set an option of it from outside is to have a limit. */
function limitOf(
  at: string,
  limit: Limit | undefined,
): { readonly config: LimitConfig; readonly problems: readonly Problem[] } | undefined {
  if (limit === undefined && !isSetIn(at)) return undefined;
  return configure(at, limitKnobs, limit?.options ?? {});
}

function trimmed(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
