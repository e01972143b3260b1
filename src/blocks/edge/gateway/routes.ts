/**
 * The table of routes, as users write it and as the gateway reads it: by path, or as a list.
 *
 *   routes: { '/': web, '/api': api, 'shop.example.com/': shop }
 *
 *   routes: [
 *     { path: '/', to: web },
 *     { host: '*.example.com', path: '/users/:id', methods: ['GET'], to: users, rewrite: { path: '/v2/users/:id' } },
 *     { path: '/old/*', redirect: '/new/*' },
 *   ]
 */
import type { Declaration } from '../../../host/declaration.ts';
import { nearest, show } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import { type BytesText, parseBytes } from '../../../kit/units.ts';
import { type PathOptions, type PathPolicy, pathPolicy } from '../../../path/policy.ts';
import { type Aggregate, isAggregate, readAggregate } from './aggregate.ts';
import { type AuthOptions, readAuth } from './auth-options.ts';
import {
  type AuthConfig,
  type AuthMode,
  type Condition,
  type Destination,
  type RedirectStatus,
  type RewriteConfig,
  type RouteConfig,
  redirectStatuses,
} from './config.ts';
import { type LimitsOptions, readLimits } from './limits-options.ts';
import { plainHost } from './url.ts';

/** `'v2'` is that value, `'v2*'` begins with it; true: it is there, false: it is not. */
export type Conditions = Readonly<Record<string, string | boolean>>;

export interface RouteOptions {
  /**
   * Default `'/'`. Covers itself and what is below it. `'/users/:id'` takes one part for `:id` and
   * nothing below; `'/files/*'` takes the rest.
   */
  readonly path?: string;
  /** True: the path itself and nothing below it. */
  readonly exact?: boolean;
  /** `'shop.example.com'`, or `'*.example.com'` for whatever is below it. Default: any. */
  readonly host?: string;
  /** Default: any. GET includes HEAD. */
  readonly methods?: readonly string[];
  readonly headers?: Conditions;
  readonly cookies?: Conditions;
  readonly query?: Conditions;
  /** Of the request's body: `'application/json'`, `'image/*'`. */
  readonly contentType?: string;
  /** Where it leads: a service, or several at once; or `redirect`. */
  readonly to?: Declaration | Aggregate;
  /** Where the client is sent instead, with the parameters of `path`; by default with 308, which keeps method and body. */
  readonly redirect?: string | { readonly to: string; readonly status?: RedirectStatus };
  /** What the service sees in place of what came. */
  readonly rewrite?: {
    /** A prefix to take off: with `'/api'` the service sees `/users` for `/api/users`. */
    readonly strip?: string;
    /** A path with the parameters of `path`: `'/v2/users/:id'`. */
    readonly path?: string;
    readonly host?: string;
  };
  /** What differs from the gateway's policy. */
  readonly policy?: PathOptions;
  /** Default: required where the gateway has `auth`. Where it is not required, what is shown must be good all the same. */
  readonly auth?: AuthMode;
  /** Who of those who are known may come. Default: all. */
  readonly tiers?: readonly string[];
  /** Besides those of the gateway. */
  readonly limits?: LimitsOptions;
  readonly bodyMax?: BytesText;
  /** False: its replies never come from the gateway's cache. */
  readonly cache?: boolean;
}

export type RoutesOptions =
  | Readonly<Record<string, Declaration | Aggregate>>
  | readonly RouteOptions[];

export interface ReadRoutes {
  readonly routes: readonly RouteConfig[];
  readonly policy: PathPolicy;
  readonly auth: AuthConfig | null;
  /** Services that stand in where others fail. */
  readonly backups: readonly Declaration[];
  readonly binds: Readonly<Record<string, Declaration>>;
  readonly problems: readonly Problem[];
}

/** With what authentication calls besides: the issuer that serves its keys. */
export function readRoutes(
  name: string,
  options: RoutesOptions,
  policy: PathOptions,
  auth: AuthOptions = {},
): ReadRoutes {
  const reader = new Reader(name, policy, auth.auth !== undefined);
  if (Array.isArray(options)) {
    (options as readonly RouteOptions[]).forEach((route, index) => {
      reader.read(`${name}.routes[${index}]`, route);
    });
  } else if (typeof options === 'object' && options !== null) {
    for (const [pattern, to] of Object.entries(
      options as Readonly<Record<string, Declaration | Aggregate>>,
    )) {
      reader.readPattern(`${name}.routes[${show(pattern)}]`, pattern, to);
    }
  } else {
    reader.wrong(`${name}.routes`, `must be a table or a list of routes, got ${show(options)}`);
  }
  const read = readAuth(name, auth, (at, to) => reader.bind(at, to));
  return reader.done(read);
}

const authModes: readonly AuthMode[] = ['required', 'optional', 'none'];

const optionNames = [
  'path',
  'exact',
  'host',
  'methods',
  'headers',
  'cookies',
  'query',
  'contentType',
  'to',
  'redirect',
  'rewrite',
  'policy',
  'auth',
  'tiers',
  'limits',
  'bodyMax',
  'cache',
];

class Reader {
  readonly #name: string;
  readonly #policy: PathOptions;
  readonly #hasAuth: boolean;
  readonly #routes: RouteConfig[] = [];
  readonly #own: PathPolicy;
  readonly #binds: Record<string, Declaration> = {};
  readonly #backups = new Set<Declaration>();
  readonly #problems: Problem[];

  constructor(name: string, policy: PathOptions, hasAuth: boolean) {
    this.#name = name;
    this.#hasAuth = hasAuth;
    this.#policy = policy;
    const own = pathPolicy(`${name}.policy`, policy);
    this.#own = own.policy;
    this.#keep(own.backup);
    this.#problems = [...own.problems];
  }

  wrong(at: string, what: string): void {
    this.#problems.push({ at, what });
  }

  done({ auth, problems }: ReturnType<typeof readAuth>): ReadRoutes {
    this.#problems.push(...problems);
    if (this.#routes.length === 0 && this.#problems.length === 0) {
      this.wrong(`${this.#name}.routes`, 'must have at least one route');
    }
    return {
      routes: this.#routes,
      policy: this.#own,
      auth,
      binds: this.#binds,
      backups: [...this.#backups],
      problems: this.#problems,
    };
  }

  readPattern(at: string, pattern: string, to: Declaration | Aggregate): void {
    const slash = pattern.indexOf('/');
    if (slash < 0) {
      return this.wrong(at, "must hold a path, such as '/' or 'shop.example.com/api'");
    }
    const host = slash === 0 ? {} : { host: pattern.slice(0, slash) };
    this.read(at, { ...host, path: pattern.slice(slash), to });
  }

  read(at: string, route: RouteOptions): void {
    if (typeof route !== 'object' || route === null) {
      return this.wrong(at, `must be a route, got ${show(route)}`);
    }
    for (const option of Object.keys(route)) {
      if (optionNames.includes(option)) continue;
      const near = nearest(option, optionNames);
      this.wrong(`${at}.${option}`, `no such option${near ? `; did you mean ${near}?` : ''}`);
    }
    const path = this.#path(at, route);
    const host = this.#host(`${at}.host`, route.host);
    const to = this.#destination(at, route, path ?? '/');
    const limits = readLimits(`${at}.limits`, route.limits ?? {});
    this.#problems.push(...limits.problems);
    for (const limiter of limits.limiters) this.#binds[limiter.name] = limiter;
    // A page that is made of others is only read.
    const usual = to?.type === 'aggregate' ? ['GET'] : [];
    const methods = this.#methods(`${at}.methods`, route.methods ?? usual);
    const bodyMaxBytes = route.bodyMax === undefined ? null : parseBytes(route.bodyMax);
    if (bodyMaxBytes === undefined) {
      this.wrong(`${at}.bodyMax`, `must be a size like '1MB', got ${show(route.bodyMax)}`);
    }
    const policy = this.#policyOf(`${at}.policy`, route.policy);
    const rewrite = this.#rewrite(`${at}.rewrite`, route, path ?? '/');
    const asked = {
      headers: this.#conditions(`${at}.headers`, route.headers, (one) => one.toLowerCase()),
      cookies: this.#conditions(`${at}.cookies`, route.cookies, (one) => one),
      query: this.#conditions(`${at}.query`, route.query, (one) => one),
    };
    if (path === undefined || to === undefined) return;
    this.#routes.push({
      name: `${host ?? ''}${path}`,
      host,
      path,
      isExact: route.exact === true,
      methods,
      ...asked,
      contentType: route.contentType?.toLowerCase() ?? null,
      to,
      rewrite,
      policy,
      limits: limits.limits,
      shared: limits.shared,
      isCached: route.cache !== false,
      auth: this.#auth(`${at}.auth`, route.auth),
      tiers: this.#tiers(`${at}.tiers`, route),
      bodyMaxBytes: bodyMaxBytes ?? null,
    });
  }

  #auth(at: string, mode: AuthMode | undefined): AuthMode {
    if (mode !== undefined && !authModes.includes(mode)) {
      this.wrong(at, `must be one of ${authModes.join(', ')}, got ${show(mode)}`);
    } else if (mode === 'required' && !this.#hasAuth) {
      this.wrong(at, 'the gateway has no `auth` to require it with');
    }
    return mode ?? 'required';
  }

  #tiers(at: string, { tiers = [], auth }: RouteOptions): readonly string[] {
    if (!Array.isArray(tiers) || !tiers.every((tier) => typeof tier === 'string')) {
      this.wrong(at, `must be a list of tiers, got ${show(tiers)}`);
      return [];
    }
    if (tiers.length > 0 && (!this.#hasAuth || (auth ?? 'required') !== 'required')) {
      this.wrong(at, 'only who is authenticated has a tier: this route must require it');
    }
    return tiers;
  }

  #path(at: string, { path = '/', exact }: RouteOptions): string | undefined {
    if (typeof path !== 'string' || !path.startsWith('/')) {
      this.wrong(at, `must hold a path that begins with /, got ${show(path)}`);
      return undefined;
    }
    if (/[?#]/.test(path)) {
      this.wrong(at, `a path has no ? and no #: there is \`query\` for that, got ${show(path)}`);
      return undefined;
    }
    const plain = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
    const parts = plain.slice(1).split('/');
    const odd = parts.find(
      (part, index) =>
        (part.includes('*') && (part !== '*' || index !== parts.length - 1)) ||
        (part.includes(':') && !/^:[A-Za-z]\w*$/.test(part)),
    );
    if (odd !== undefined) {
      this.wrong(at, `a part of a path is text, ':name', or '*' at its end, got ${show(odd)}`);
      return undefined;
    }
    if (exact === true && plain.endsWith('*')) {
      this.wrong(`${at}.exact`, `nothing is below an exact path, got ${show(path)}`);
    }
    return plain;
  }

  #host(at: string, host: string | undefined): string | null {
    if (host === undefined) return null;
    if (typeof host !== 'string' || !/^(\*\.)?[a-z0-9[\]:.-]+$/i.test(host)) {
      this.wrong(at, `must be a host, or '*.' and one, got ${show(host)}`);
      return null;
    }
    return plainHost(host);
  }

  #destination(at: string, route: RouteOptions, path: string): Destination | undefined {
    const { to, redirect } = route;
    if (redirect !== undefined) {
      if (to !== undefined) this.wrong(at, 'leads to a service or redirects, not both');
      const { to: target, status = 308 } =
        typeof redirect === 'string' ? { to: redirect, status: 308 } : redirect;
      if (typeof target !== 'string' || !/^(\/|https?:\/\/)/.test(target)) {
        this.wrong(`${at}.redirect`, `must be a path or a URL, got ${show(target)}`);
        return undefined;
      }
      if (!redirectStatuses.includes(status as RedirectStatus)) {
        const allowed = redirectStatuses.join(', ');
        this.wrong(`${at}.redirect.status`, `must be one of ${allowed}, got ${show(status)}`);
      }
      this.#parameters(`${at}.redirect`, target.replace(/^https?:\/\/[^/]*/, ''), path);
      return { type: 'redirect', to: target, status: status as RedirectStatus };
    }
    if (isAggregate(to)) {
      const bind = (place: string, service: Declaration) => this.bind(place, service);
      const made = readAggregate(`${at}.to`, to.options, this.#problems, bind);
      for (const part of made.parts)
        this.#parameters(`${at}.to.parts.${part.name}`, part.path, path);
      return made;
    }
    const service = this.bind(at, to);
    return service === undefined ? undefined : { type: 'service', service };
  }

  /** The name under which the gateway calls it. */
  bind(at: string, to: Declaration | undefined): string | undefined {
    if (!to?.block?.servesWeb || !to.block.clientConfig) {
      this.wrong(at, `must lead to a service, got ${to?.block?.kind ?? show(to)}`);
      return undefined;
    }
    if (this.#binds[to.name] && this.#binds[to.name] !== to) {
      this.wrong(at, `two services are called ${to.name}`);
    }
    this.#binds[to.name] = to;
    return to.name;
  }

  #methods(at: string, methods: readonly string[]): readonly string[] {
    if (!Array.isArray(methods) || !methods.every((one) => /^[A-Z]+$/.test(String(one)))) {
      this.wrong(at, `must be a list like ['GET', 'POST'], got ${show(methods)}`);
      return [];
    }
    return methods;
  }

  #conditions(
    at: string,
    conditions: Conditions | undefined,
    nameOf: (name: string) => string,
  ): readonly Condition[] {
    return Object.entries(conditions ?? {}).map(([name, value]): Condition => {
      if (typeof value !== 'string' && typeof value !== 'boolean') {
        this.wrong(`${at}.${name}`, `must be text, true or false, got ${show(value)}`);
      }
      if (typeof value !== 'string') {
        return { name: nameOf(name), test: value ? 'present' : 'absent', value: '' };
      }
      return value.endsWith('*')
        ? { name: nameOf(name), test: 'begins', value: value.slice(0, -1) }
        : { name: nameOf(name), test: 'is', value };
    });
  }

  #rewrite(at: string, { rewrite, redirect }: RouteOptions, path: string): RewriteConfig | null {
    if (rewrite === undefined) return null;
    if (redirect !== undefined) this.wrong(at, 'nobody sees it: this route redirects');
    const { strip = '', path: target, host } = rewrite;
    if (strip !== '' && target !== undefined) {
      this.wrong(at, 'has strip or path, not both');
    }
    const isStart = path === strip || path.startsWith(`${strip}/`);
    if (strip !== '' && (!isStart || strip.endsWith('/'))) {
      this.wrong(`${at}.strip`, `must be a beginning of ${path} without its last /, got ${strip}`);
    }
    if (target !== undefined) this.#parameters(`${at}.path`, target, path);
    return { strip, path: target ?? null, host: host ?? null };
  }

  /** Whether what is filled into `template` comes from `path`. */
  #parameters(at: string, template: string, path: string): void {
    const known: readonly string[] = path.match(/:[A-Za-z]\w*|\*/g) ?? [];
    for (const used of template.match(/:[A-Za-z]\w*|\*/g) ?? []) {
      if (!known.includes(used)) this.wrong(at, `${used} is not in the path ${path}`);
    }
    if (!template.startsWith('/') && template !== '') {
      this.wrong(at, `must begin with /, got ${show(template)}`);
    }
  }

  #policyOf(at: string, options: PathOptions | undefined): PathPolicy | null {
    if (options === undefined) return null;
    const { policy, backup, problems } = pathPolicy(at, { ...this.#policy, ...options });
    this.#problems.push(...problems);
    this.#keep(backup);
    return policy;
  }

  #keep(backup: Declaration | undefined): void {
    if (backup) this.#backups.add(backup);
  }
}
