/** What holds at the door for every request and every reply, as users write it. */
import { type ConfigOf, configure, type Knobs, type OptionsOf, show } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import { isSetIn } from '../../../kit/settings.ts';
import {
  cacheKnobs,
  compressKnobs,
  connectionsKnobs,
  corsKnobs,
  floodKnobs,
  type GatewayConfig,
  requestsKnobs,
  socketsKnobs,
  traceKnobs,
  type WafRule,
  wafFields,
  wafKnobs,
  wafOperators,
  wafTransformations,
} from './config.ts';
import { coreRules } from './waf-rules.ts';

export interface RequestsOptions extends OptionsOf<typeof requestsKnobs> {
  /** The hosts that are here: `'shop.example.com'`, `'*.example.com'`; others get 421. Default: any. */
  readonly hosts?: readonly string[];
}

export interface CorsOptions extends OptionsOf<typeof corsKnobs> {
  /** `['https://shop.example.com']`, or `['*']` for every site. */
  readonly origins: readonly string[];
  /** Default: GET, HEAD and POST. */
  readonly methods?: readonly string[];
  /** Request headers besides those that are always allowed. */
  readonly headers?: readonly string[];
  /** Headers of replies that scripts may read. */
  readonly exposed?: readonly string[];
}

export interface WafOptions extends OptionsOf<typeof wafKnobs> {
  /** Rules of your own. */
  readonly rules?: readonly WafRule[];
  /** Ids of rules that do not hold here. */
  readonly except?: readonly string[];
}

export interface EntryOptions {
  /** Rules against attacks; `{}` for those that come along. */
  readonly waf?: WafOptions;
  /** Who is refused again and again is shut out; `{}` for the defaults. */
  readonly flood?: OptionsOf<typeof floodKnobs>;
  /** Limits on what a request may be, and its headers checked. */
  readonly requests?: RequestsOptions;
  readonly cors?: CorsOptions;
  /** Keeps replies as RFC 9111 allows; `{}` for the defaults. */
  readonly cache?: OptionsOf<typeof cacheKnobs>;
  /** Compresses replies; `{}` for the defaults. */
  readonly compress?: OptionsOf<typeof compressKnobs>;
  /** Request ids and trace context; `{}` for the defaults. */
  readonly trace?: OptionsOf<typeof traceKnobs>;
  /** Limits of real connections, when live: how slow a client may be, and how much is read of it. */
  readonly connections?: OptionsOf<typeof connectionsKnobs>;
  /** Limits of web sockets, which pass in any case; left out: the defaults hold. */
  readonly sockets?: OptionsOf<typeof socketsKnobs>;
  /** Set in every reply, in place of what a service says. `secureHeaders` is a good beginning. */
  readonly replyHeaders?: Readonly<Record<string, string>>;
}

/** What browsers are asked to be careful about: as OWASP's secure headers project advises. */
export const secureHeaders: Readonly<Record<string, string>> = {
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'self'; frame-ancestors 'none'; object-src 'none'",
};

export const entryNames = [
  'waf',
  'flood',
  'requests',
  'cors',
  'cache',
  'compress',
  'trace',
  'sockets',
  'connections',
  'replyHeaders',
] as const satisfies readonly (keyof EntryOptions)[];

/** What is left for others to read. */
export function withoutEntry<T extends EntryOptions>(options: T): Omit<T, keyof EntryOptions> {
  const left = { ...options } as Record<string, unknown> & T;
  for (const name of entryNames) delete left[name];
  return left;
}

type Entry = Pick<
  GatewayConfig,
  | 'waf'
  | 'flood'
  | 'requests'
  | 'cors'
  | 'cache'
  | 'compress'
  | 'trace'
  | 'sockets'
  | 'connections'
  | 'replyHeaders'
>;

const hostPattern = /^(\*\.)?[a-z0-9[\]:.-]+$/i;
const originPattern = /^(\*|https?:\/\/[a-z0-9.[\]:-]+)$/;
const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export function readEntry(
  name: string,
  {
    waf,
    flood,
    requests,
    cors,
    cache,
    compress,
    trace,
    sockets,
    connections,
    replyHeaders = {},
  }: EntryOptions,
): { readonly entry: Entry; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const wrong = (at: string, what: string) => problems.push({ at: `${name}.${at}`, what });

  function table<const T extends Knobs>(
    option: string,
    knobs: T,
    options: object | undefined,
    besides: readonly string[] = [],
  ): ConfigOf<T> | null {
    const at = `${name}.${option}`;
    if (options === undefined && !isSetIn(at)) return null;
    const made = configure(at, knobs, options ?? {}, besides);
    problems.push(...made.problems);
    return made.config;
  }

  /** A list of texts that are each of a kind. */
  function list(at: string, given: unknown, pattern: RegExp, kind: string): readonly string[] {
    if (!Array.isArray(given)) {
      wrong(at, `must be a list of ${kind}, got ${show(given)}`);
      return [];
    }
    for (const one of given as readonly unknown[]) {
      if (typeof one !== 'string' || !pattern.test(one)) wrong(at, `no ${kind}: ${show(one)}`);
    }
    return given as readonly string[];
  }

  const { rules = [], except = [], ...wafRest } = waf ?? {};
  const guarded = table('waf', wafKnobs, waf && wafRest, ['rules', 'except']);
  const ids = new Set<unknown>(coreRules.map(({ id }) => id));
  rules.forEach((rule, index) => {
    for (const what of ruleProblems(rule)) wrong(`waf.rules[${index}]`, what);
    if (ids.has(rule?.id)) wrong(`waf.rules[${index}]`, `two rules are called ${show(rule?.id)}`);
    ids.add(rule?.id);
  });
  for (const id of except) {
    if (!ids.has(id)) wrong('waf.except', `there is no rule ${show(id)}`);
  }
  const { hosts = [], ...requestsRest } = requests ?? {};
  const checked = table('requests', requestsKnobs, requests && requestsRest, ['hosts']);
  const { origins, methods, headers, exposed, ...corsRest } = cors ?? { origins: [] };
  const shared = table('cors', corsKnobs, cors && corsRest, [
    'origins',
    'methods',
    'headers',
    'exposed',
  ]);
  if (shared) {
    if (origins?.length === 0) wrong('cors.origins', 'must name an origin');
    if (shared.credentials && origins?.includes('*')) {
      wrong('cors.origins', 'with credentials each origin must be named, got *');
    }
  }
  const added = Object.entries(replyHeaders).flatMap(([header, value]) => {
    if (!tokenPattern.test(header)) wrong('replyHeaders', `no name of a header: ${show(header)}`);
    if (typeof value !== 'string' || /[\0\r\n]|[^\0-\xff]/.test(value)) {
      wrong(`replyHeaders.${header}`, `must be text of one line, got ${show(value)}`);
    }
    return [header.toLowerCase(), String(value)];
  });
  const entry: Entry = {
    waf: guarded && { ...guarded, rules, except },
    flood: table('flood', floodKnobs, flood),
    requests: checked && {
      ...checked,
      hosts: list('requests.hosts', hosts, hostPattern, 'host').map((host) =>
        String(host).toLowerCase(),
      ),
    },
    cors: shared && {
      ...shared,
      origins: list('cors.origins', origins, originPattern, 'origin'),
      methods: list('cors.methods', methods ?? ['GET', 'HEAD', 'POST'], /^[A-Z]+$/, 'method'),
      headers: list('cors.headers', headers ?? [], tokenPattern, 'header'),
      exposed: list('cors.exposed', exposed ?? [], tokenPattern, 'header'),
    },
    cache: table('cache', cacheKnobs, cache),
    compress: table('compress', compressKnobs, compress),
    trace: table('trace', traceKnobs, trace),
    sockets: table('sockets', socketsKnobs, sockets),
    connections: table('connections', connectionsKnobs, connections),
    replyHeaders: added,
  };
  return { entry, problems };
}

function ruleProblems(rule: WafRule): readonly string[] {
  if (typeof rule !== 'object' || rule === null) return [`must be a rule, got ${show(rule)}`];
  const { id, on, transform, op, value, score } = rule;
  const problems: string[] = [];
  const of = (name: string, given: unknown, allowed: readonly string[]) => {
    const isGood = Array.isArray(given) && given.every((one) => allowed.includes(one as string));
    if (!isGood)
      problems.push(`${name} must be a list of ${allowed.join(', ')}, got ${show(given)}`);
  };
  if (typeof id !== 'string' || !/^[\w-]+$/.test(id))
    problems.push(`id must be a word, got ${show(id)}`);
  of('on', on, wafFields);
  of('transform', transform, wafTransformations);
  if (!wafOperators.includes(op)) problems.push(`op must be one of ${wafOperators.join(', ')}`);
  if (typeof value !== 'string') problems.push(`value must be text, got ${show(value)}`);
  else if (op === 'matches' && !isPattern(value)) problems.push(`no pattern: ${show(value)}`);
  else if (op === 'longer' && !/^\d+$/.test(value)) problems.push(`no number: ${show(value)}`);
  if (!Number.isInteger(score) || score < 1) problems.push('score must be a whole number from 1');
  return problems;
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text, 's');
    return true;
  } catch {
    return false; // The platform's own word for a mistake of the user.
  }
}
