/**
 * What a proxy has to do that stands where a gateway of the design stands: routes in the order in which
 * they are tried, where each leads, under which policy and limits. The writers read this and no design.
 */
import type {
  GatewayConfig,
  LimitConfig,
  LocationConfig,
  RouteConfig,
} from '../../blocks/edge/gateway/config.ts';
import { inOrder } from '../../blocks/edge/gateway/router.ts';
import type { LinesPlan } from '../../host/plan.ts';
import { type Problem, refuse } from '../../kit/errors.ts';
import { linesOf } from '../../parts/listeners.ts';
import type { PathPolicy } from '../../path/policy.ts';
import type { BlockView, StructuralView } from '../structure.ts';
import { type EntryTask, entryOf, entryOptions } from './entry.ts';
import type { Remarks } from './remarks.ts';
import { Names } from './words.ts';

export interface Server {
  readonly host: string;
  readonly port: number;
}

/** Instances of one release. */
export interface Pool {
  readonly id: string;
  readonly release: string;
  readonly share: number;
  readonly servers: readonly Server[];
}

/** A service under one policy. */
export interface Upstream {
  readonly id: string;
  readonly service: string;
  readonly policy: PathPolicy;
  /** Where the policy stands in the design. */
  readonly at: string;
  readonly pools: readonly Pool[];
}

export interface LimitTask {
  readonly id: string;
  readonly at: string;
  readonly limit: LimitConfig;
}

export interface RouteTask {
  readonly id: string;
  readonly at: string;
  readonly route: RouteConfig;
  /** Undefined for a redirect, and where it is closed. */
  readonly upstream: Upstream | undefined;
  /** The gateway's, then its own. */
  readonly limits: readonly LimitTask[];
  readonly bodyMaxBytes: number;
  /** The status with which it is refused, as what should guard or answer it cannot be expressed. */
  readonly closed: number | undefined;
}

export interface ProxyTask {
  readonly design: string;
  readonly gateway: string;
  readonly listen: Server;
  /** Its nodes are workers of one proxy, and this is how connections wait for them. */
  readonly workers: (LinesPlan & { readonly count: number }) | undefined;
  readonly openMax: number;
  readonly bodyMaxBytes: number;
  readonly locations: readonly LocationConfig[];
  readonly entry: EntryTask;
  /** The most telling first. */
  readonly routes: readonly RouteTask[];
  /** Of the gateway and of all routes, each once. */
  readonly limits: readonly LimitTask[];
  readonly upstreams: readonly Upstream[];
}

export interface Target extends Server {
  readonly release?: string | undefined;
}

export interface ExportOptions {
  /** Which gateway; needed where there are several. */
  readonly gateway?: string | undefined;
  readonly listen?: Server | undefined;
  /** By service. Without an entry a service is found by its name, as in Compose or Kubernetes. */
  readonly targets?: Readonly<Record<string, readonly Target[]>>;
}

/** Where a service listens that is found by its name. */
const namedPort = 8080;

/** What is read here; what else a gateway is given is said to be missing, never dropped in silence. */
const understood = {
  gateway: [
    'nodes',
    'port',
    'listen',
    'backlog',
    'costUs',
    'openMax',
    'bodyMaxBytes',
    'routes',
    'limits',
    'locations',
    'policy',
  ],
  route: [
    'name',
    'host',
    'path',
    'isExact',
    'methods',
    'headers',
    'cookies',
    'query',
    'contentType',
    'to',
    'rewrite',
    'policy',
    'limits',
    'bodyMaxBytes',
    // Said once, of the cache itself.
    'isCached',
  ],
  policy: [
    'timeoutUs',
    'attemptTimeoutUs',
    'balance',
    'attempts',
    'budgetRatio',
    'budgetReserve',
    'backoffUs',
    'backoffMaxUs',
    'hash',
    'latency',
  ],
};

export function taskOf(
  view: StructuralView,
  options: ExportOptions,
  remarks: Remarks,
  /** Stages of a policy that the writer knows. */
  stages: readonly string[],
): ProxyTask {
  const block = gatewayIn(view, options.gateway);
  const config = block.config as unknown as GatewayConfig;
  checkTargets(config, options);
  const reader = new Reader(view, block.name, config, options, remarks, stages);
  const routes = inOrder(config.routes).map((route) => reader.route(route));
  remarkUnknown(remarks, block.name, block.config, [...understood.gateway, ...entryOptions]);
  const lines = linesOf(config);
  if (config.nodes > 1 && !lines) {
    remarks.approximated(
      `${block.name}.nodes`,
      'one proxy is configured',
      `Start ${config.nodes} of them with this file; each counts limits by itself, as gateways side by side do here.`,
    );
  }
  return {
    design: view.design,
    gateway: block.name,
    listen: options.listen ?? { host: '*', port: config.port || namedPort },
    workers: lines && { ...lines, count: config.nodes },
    openMax: config.openMax,
    bodyMaxBytes: config.bodyMaxBytes,
    locations: config.locations,
    entry: entryOf(config),
    routes,
    limits: reader.limits,
    upstreams: reader.upstreams,
  };
}

function gatewayIn(view: StructuralView, name: string | undefined): BlockView {
  const gateways = view.blocks.filter(({ kind }) => kind === 'gateway');
  const names = gateways.map((one) => one.name).join(', ');
  if (name === undefined && gateways.length > 1) {
    return refuse('bad-option', 'the export', [
      { at: '--gateway', what: `must say which of them: ${names}` },
    ]);
  }
  const found = name === undefined ? gateways[0] : gateways.find((one) => one.name === name);
  if (found) return found;
  const what = gateways.length === 0 ? `${view.design} has no gateway` : `there are ${names}`;
  return refuse('bad-option', 'the export', [{ at: '--gateway', what }]);
}

function checkTargets({ routes }: GatewayConfig, { targets = {} }: ExportOptions): void {
  const services = new Set(routes.flatMap(({ to }) => (to.type === 'service' ? [to.service] : [])));
  const problems = Object.entries(targets).flatMap(([service, list]): Problem[] => {
    if (!services.has(service)) {
      const known = [...services].join(', ');
      return [{ at: '--target', what: `no route leads to ${service}; they lead to ${known}` }];
    }
    return list.length === 0 ? [{ at: '--target', what: `${service} needs an address` }] : [];
  });
  if (problems.length > 0) refuse('bad-option', 'the export', problems);
}

class Reader {
  readonly #view: StructuralView;
  readonly #gateway: string;
  readonly #config: GatewayConfig;
  readonly #options: ExportOptions;
  readonly #remarks: Remarks;
  readonly #stages: readonly string[];
  readonly #names = new Names();
  readonly #limits = new Map<LimitConfig, LimitTask>();
  readonly #upstreams = new Map<string, Upstream>();

  constructor(
    view: StructuralView,
    gateway: string,
    config: GatewayConfig,
    options: ExportOptions,
    remarks: Remarks,
    stages: readonly string[],
  ) {
    this.#stages = stages;
    this.#view = view;
    this.#gateway = gateway;
    this.#config = config;
    this.#options = options;
    this.#remarks = remarks;
  }

  get limits(): readonly LimitTask[] {
    return [...this.#limits.values()];
  }

  get upstreams(): readonly Upstream[] {
    return [...this.#upstreams.values()];
  }

  route(route: RouteConfig): RouteTask {
    const at = `${this.#gateway}.routes['${route.name}']`;
    remarkUnknown(this.#remarks, at, route, understood.route);
    const closed = this.#closed(at, route);
    const own = route.limits.map((limit) => this.#limit(`${at}.limits`, limit));
    const shared = this.#config.limits.map((limit) =>
      this.#limit(`${this.#gateway}.limits`, limit),
    );
    return {
      id: this.#names.of(`route ${route.name}`),
      at,
      route,
      upstream: closed === undefined ? this.#upstream(at, route) : undefined,
      limits: [...shared, ...own],
      bodyMaxBytes: route.bodyMaxBytes ?? this.#config.bodyMaxBytes,
      closed,
    };
  }

  /** A route that someone should have to prove themselves for is not left open because a proxy cannot ask. */
  #closed(at: string, route: RouteConfig): number | undefined {
    const { auth } = route as { readonly auth?: unknown };
    const isGuarded = (this.#config as { readonly auth?: unknown }).auth;
    if (isGuarded && auth === 'required') {
      const why =
        'How callers are authenticated is not exported. Add what your proxy has for it, then open the route.';
      this.#remarks.closed(`${at}.auth`, 'every request is refused with 401', why);
      return 401;
    }
    if (route.to.type === 'service' || route.to.type === 'redirect') return undefined;
    const why = 'No proxy makes one answer out of several requests. Put a service there.';
    this.#remarks.closed(`${at}.to`, 'every request is refused with 501', why);
    return 501;
  }

  #limit(at: string, limit: LimitConfig): LimitTask {
    let task = this.#limits.get(limit);
    if (!task) {
      const id = this.#names.of(`limit ${limit.name}`);
      task = { id, at: `${at}.${limit.name}`, limit };
      this.#limits.set(limit, task);
    }
    return task;
  }

  #upstream(at: string, { to, policy }: RouteConfig): Upstream | undefined {
    if (to.type !== 'service') return undefined;
    const effective = policy ?? this.#config.policy;
    const key = `${to.service} ${JSON.stringify(effective)}`;
    let upstream = this.#upstreams.get(key);
    if (!upstream) {
      const place = policy ? `${at}.policy` : `${this.#gateway}.policy`;
      remarkUnknown(this.#remarks, place, effective, [...understood.policy, ...this.#stages]);
      const id = this.#names.of(to.service);
      const pools = this.#pools(id, to.service);
      upstream = { id, service: to.service, policy: effective, at: place, pools };
      this.#upstreams.set(key, upstream);
    }
    return upstream;
  }

  #pools(id: string, service: string): readonly Pool[] {
    const servers = this.#options.targets?.[service] ?? [{ host: service, port: namedPort }];
    const traffic = this.#trafficOf(service);
    const releases = Object.keys(traffic);
    const isSplit = servers.every(({ release }) => release !== undefined && release in traffic);
    if (releases.length > 1 && !isSplit) {
      this.#remarks.missing(
        `${service}.traffic`,
        'every address takes its even share',
        `Whose release an address serves is not known. Say it: --target ${service}@${releases[0]}=host:port --target ${service}@${releases[1]}=host:port.`,
      );
    }
    if (releases.length <= 1 || !isSplit) return [{ id, release: '', share: 1, servers }];
    return releases
      .map((release) => ({
        id: this.#names.of(`${id} ${release}`),
        release,
        share: traffic[release]!,
        servers: servers.filter((one) => one.release === release),
      }))
      .filter((pool) => pool.servers.length > 0 && pool.share > 0);
  }

  #trafficOf(service: string): Readonly<Record<string, number>> {
    const traffic = this.#view.blocks.find(({ name }) => name === service)?.config.traffic;
    if (typeof traffic !== 'object' || traffic === null) return {};
    return traffic as Readonly<Record<string, number>>;
  }
}

function remarkUnknown(
  remarks: Remarks,
  at: string,
  config: object,
  known: readonly string[],
): void {
  for (const [name, value] of Object.entries(config)) {
    if (known.includes(name) || isNothing(value)) continue;
    // How a route is guarded is said where it is closed.
    if (name === 'auth' && typeof value === 'string') continue;
    const option = `${at}.${name.replace(/(Us|Bytes)$/, '')}`;
    remarks.missing(
      option,
      'nothing',
      'It is not exported; your proxy may have something of its own.',
    );
  }
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}

/** A host that is asked for, and every route that may take a request for it, the most telling first. */
export interface HostGroup {
  /** Null: any that no other group names. */
  readonly host: string | null;
  readonly routes: readonly RouteTask[];
}

/**
 * For products that choose by host first and look nowhere else then: here a request for a named host
 * goes to a route for any host when no other takes it.
 */
export function hostGroups(routes: readonly RouteTask[]): readonly HostGroup[] {
  const hosts = new Set<string | null>(routes.map(({ route }) => route.host));
  hosts.add(null);
  return [...hosts].map((host) => ({
    host,
    routes: routes.filter(({ route }) => takes(route.host, host)),
  }));
}

function takes(own: string | null, host: string | null): boolean {
  if (own === null || own === host) return true;
  return host !== null && own.startsWith('*.') && host.endsWith(own.slice(1));
}

/** Methods that may be repeated without asking (RFC 9110, 9.2.2), as the gateway repeats them. */
export const repeatable: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'];

/** What only an intermediary may say of where a request comes from. */
export const saidByOthers: readonly string[] = [
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-real-ip',
  'forwarded',
];

/** What a hash is taken of, as a policy writes it. */
export interface HashKey {
  readonly kind: 'ip' | 'url' | 'header' | 'cookie';
  readonly name: string;
}

/** Who calls is known to a proxy by address only. */
export function hashKeyOf({ hash }: PathPolicy): HashKey {
  const [kind = 'ip', name = ''] = (hash?.key ?? 'ip').split(':', 2);
  if (kind === 'url' || kind === 'header' || kind === 'cookie') return { kind, name };
  return { kind: 'ip', name: '' };
}
