/**
 * `forwardProxy('egress', { sites: { 'news.example': news } })`: stands for clients. They send it
 * requests for sites, and it asks in their place: sites see the proxy, and one place says who may go where.
 */
import type { Declaration } from '../../../host/declaration.ts';
import type { Value } from '../../../host/host.ts';
import { configure, type OptionsOf, show } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import { isSetIn } from '../../../kit/settings.ts';
import { type BytesText, parseBytes } from '../../../kit/units.ts';
import { normalPath } from '../../../kit/url.ts';
import { readNetwork } from '../../../parts/networks.ts';
import type { Fetcher } from '../../../path/fetcher-handle.ts';
import { type PathOptions, pathPolicy } from '../../../path/policy.ts';
import { proxyBlock } from './block.ts';
import {
  cacheKnobs,
  knobs,
  limitKnobs,
  type ProxyConfig,
  type RuleConfig,
  type SiteConfig,
  tunnelPortsDefault,
  tunnelsKnobs,
  verdicts,
} from './config.ts';

/** What is left out holds for everything; with `types` or `over` it is replies that are decided on. */
export interface ProxyRule {
  readonly do: 'allow' | 'block';
  /** `'news.example'`, `'*.example'`. */
  readonly hosts?: readonly string[];
  /** `'/a'`, or `'/a/*'` with everything below. */
  readonly paths?: readonly string[];
  /** Addresses or networks of callers: `'10.1.0.0/16'`. */
  readonly from?: readonly string[];
  readonly users?: readonly string[];
  /** Content types: `'video/*'`. */
  readonly types?: readonly string[];
  /** Larger bodies than this. */
  readonly over?: BytesText;
}

export interface ForwardProxyOptions extends OptionsOf<typeof knobs> {
  /** Who is asked for which host: `'news.example'`, `'*.example'` or `'*'`. The most telling holds. */
  readonly sites: Readonly<Record<string, Declaration>>;
  /** The first that decides holds. */
  readonly rules?: readonly ProxyRule[];
  /** Who may use it (RFC 7617): by name, the SHA-256 of `name:password` in hexadecimal. Left out: anybody. */
  readonly users?: Readonly<Record<string, string>>;
  /** Keeps replies as RFC 9111 allows; `{}` for the defaults. */
  readonly cache?: OptionsOf<typeof cacheKnobs>;
  /** By which services remove what its cache keeps. */
  readonly purges?: Declaration;
  /** So much for each caller; `{}` for the defaults. */
  readonly limit?: OptionsOf<typeof limitKnobs>;
  /** What `CONNECT` gets: connections to sites that it does not look into. */
  readonly tunnels?: TunnelsOptions;
  /** How it calls sites. */
  readonly policy?: PathOptions;
}

export interface TunnelsOptions extends OptionsOf<typeof tunnelsKnobs> {
  /** Ports of sites that a tunnel may lead to. Default 443; none: there are no tunnels. */
  readonly ports?: readonly number[];
}

export interface ForwardProxy extends Declaration<Fetcher> {
  readonly kind: 'forwardProxy';
}

const besides = ['sites', 'rules', 'users', 'cache', 'purges', 'limit', 'tunnels', 'policy'];
const hostPattern = /^(\*|(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:]+\])$/;

export function forwardProxy(name: string, options: ForwardProxyOptions): ForwardProxy {
  const { sites, rules, users, cache, purges, limit, tunnels, policy, ...rest } = options;
  const { config, problems } = configure(name, knobs, rest, besides);
  const wrong: Problem[] = [...problems];
  const table = <T>(option: string, given: object | undefined, read: (at: string) => T) =>
    given === undefined && !isSetIn(`${name}.${option}`) ? null : read(`${name}.${option}`);
  const kept = table('cache', cache, (at) => configure(at, cacheKnobs, cache ?? {}));
  const paced = table('limit', limit, (at) => configure(at, limitKnobs, limit ?? {}));
  const { ports = tunnelPortsDefault, ...tunnelled } = tunnels ?? {};
  const through = configure(`${name}.tunnels`, tunnelsKnobs, tunnelled, ['ports']);
  wrong.push(...through.problems);
  if (!Array.isArray(ports) || !ports.every(isPort)) {
    const what = `must be a list of whole numbers from 1 to 65535, got ${show(ports)}`;
    wrong.push({ at: `${name}.tunnels.ports`, what });
  }
  const path = pathPolicy(`${name}.policy`, policy ?? {});
  wrong.push(...(kept?.problems ?? []), ...(paced?.problems ?? []), ...path.problems);
  if (purges && purges.block?.kind !== 'purges') {
    wrong.push({ at: `${name}.purges`, what: `must be made by purges(…), got ${show(purges)}` });
  } else if (purges && !kept) {
    wrong.push({ at: `${name}.purges`, what: 'removes what is cached, and there is no `cache`' });
  }
  const led = sitesOf(name, sites, wrong);
  const proxyConfig: ProxyConfig = {
    ...config,
    port: config.port ?? 3128,
    isPortGiven: config.port !== undefined,
    sites: led.sites,
    rules: (rules ?? []).map((rule, index) => ruleOf(`${name}.rules[${index}]`, rule, wrong)),
    users: users ? usersOf(`${name}.users`, users, wrong) : null,
    cache: kept?.config ?? null,
    limit: paced?.config ?? null,
    tunnels: { ...through.config, ports },
    policy: path.policy,
    // Trying again is the proxy's business.
    path: { ...path.policy, attempts: 1 },
  };
  return {
    kind: 'forwardProxy',
    name,
    block: proxyBlock,
    config: proxyConfig as unknown as Value,
    problems: wrong,
    binds: { ...led.binds, ...(purges?.block ? { [purges.name]: purges } : {}) },
  };
}

function sitesOf(
  name: string,
  sites: ForwardProxyOptions['sites'] | undefined,
  wrong: Problem[],
): { readonly sites: readonly SiteConfig[]; readonly binds: Record<string, Declaration> } {
  const binds: Record<string, Declaration> = {};
  const list: SiteConfig[] = [];
  const given = Object.entries(sites ?? {});
  if (given.length === 0) wrong.push({ at: `${name}.sites`, what: 'must name a site' });
  for (const [host, to] of given) {
    const at = `${name}.sites['${host}']`;
    if (!hostPattern.test(host)) {
      wrong.push({ at, what: "must be for a host, such as 'news.example' or '*.example'" });
    }
    if (!to?.block?.servesWeb || to.block.passesConnections) {
      const what = `must be a service, an external or a gateway, got ${to?.block?.kind ?? show(to)}`;
      wrong.push({ at, what });
      continue;
    }
    binds[to.name] = to;
    list.push({ host, service: to.name });
  }
  return { sites: list.sort((a, b) => weightOf(b.host) - weightOf(a.host)), binds };
}

function isPort(port: unknown): boolean {
  return Number.isInteger(port) && Number(port) >= 1 && Number(port) <= 65_535;
}

/** A name before a wildcard, the longer wildcard first. */
function weightOf(host: string): number {
  return host.startsWith('*') ? host.length : 1_000;
}

const parts = ['do', 'hosts', 'paths', 'from', 'users', 'types', 'over'];

function ruleOf(at: string, rule: ProxyRule, wrong: Problem[]): RuleConfig {
  const given = (rule ?? {}) as ProxyRule;
  for (const option of Object.keys(given)) {
    if (parts.includes(option)) continue;
    wrong.push({ at: `${at}.${option}`, what: `no such option; there are ${parts.join(', ')}` });
  }
  if (!verdicts.includes(given.do)) {
    wrong.push({ at: `${at}.do`, what: `must be allow or block, got ${show(given.do)}` });
  }
  const list = (option: string, value: unknown, isGood: (one: string) => boolean, what: string) => {
    const all = value ?? [];
    if (!Array.isArray(all) || !all.every((one) => typeof one === 'string' && isGood(one))) {
      wrong.push({ at: `${at}.${option}`, what: `must be a list of ${what}, got ${show(value)}` });
      return [];
    }
    return all as readonly string[];
  };
  const overBytes = given.over === undefined ? null : (parseBytes(given.over) ?? Number.NaN);
  if (Number.isNaN(overBytes)) {
    wrong.push({ at: `${at}.over`, what: `must be a size like '5MB', got ${show(given.over)}` });
  }
  return {
    do: given.do,
    hosts: list('hosts', given.hosts, (one) => hostPattern.test(one), 'hosts'),
    paths: list('paths', given.paths, (one) => one.startsWith('/'), 'paths').map(normalPath),
    from: list('from', given.from, (one) => readNetwork(one) !== undefined, 'networks'),
    users: list('users', given.users, (one) => one !== '', 'users'),
    types: list('types', given.types, (one) => /^[a-z0-9.+-]+\/[a-z0-9.+*-]+$/.test(one), 'types'),
    overBytes,
  };
}

function usersOf(
  at: string,
  users: Readonly<Record<string, string>>,
  wrong: Problem[],
): ProxyConfig['users'] {
  return Object.entries(users).map(([user, sha256]) => {
    if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/i.test(sha256)) {
      const what = `must be the SHA-256 of '${user}:password' in hexadecimal`;
      wrong.push({ at: `${at}.${user}`, what });
    }
    return { user, sha256: String(sha256).toLowerCase() };
  });
}
