/**
 * What RFC 9111 says of one response: may it be kept, how long is it fresh, how old was it when it
 * came, and what may be done with it afterwards. Read once, when the response comes.
 *
 *   |──────── fresh: lifetime ────────|── stale, while it is revalidated ──|
 *   |                                 |────── stale, when the origin fails ──────|
 *   age 0                           lifetime
 */
import type { Micros } from '../../host/host.ts';
import {
  type Directives,
  dateOf,
  directivesOf,
  type Fields,
  field,
  secondsIn,
  secondsOf,
} from './fields.ts';

export interface CacheRequest {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  readonly headers: Fields;
}

export interface CacheReply {
  readonly status: number;
  readonly headers: Fields;
  readonly body: Uint8Array | string | null;
}

/** What an operator decides for some of the requests, whatever their responses say. */
export interface CacheRule {
  /** Goes past the cache. */
  readonly bypass?: boolean | undefined;
  /** In place of the lifetime that the response gives. `private` and `no-store` hold all the same. */
  readonly ttlUs?: Micros | undefined;
}

export interface FreshnessOptions {
  /** Kept for many users, as everywhere but in a browser. */
  readonly shared: boolean;
  readonly heuristicRatio: number;
  readonly heuristicMaxUs: Micros;
  readonly negativeTtlUs: Micros;
  readonly staleWhileRevalidateUs: Micros;
  readonly staleIfErrorUs: Micros;
}

/** May be kept when nothing is said of it (RFC 9110, 15.1). 206 is not: parts are not kept here. */
const usual: ReadonlySet<number> = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]);
/** What a cache understands besides: kept when the response says so. */
const understood: ReadonlySet<number> = new Set([
  ...usual,
  302,
  303,
  307,
  400,
  401,
  403,
  406,
  409,
  415,
  418,
  421,
  422,
  429,
  451,
  500,
  502,
  503,
  504,
]);
const negative: ReadonlySet<number> = new Set([404, 405, 410, 414, 500, 501, 502, 503, 504]);

export interface Freshness {
  readonly lifetimeUs: Micros;
  /** When it came. */
  readonly initialAgeUs: Micros;
  /** Never without asking. */
  readonly noCache: boolean;
  /** Never stale, whatever a client or an operator allows. */
  readonly mustRevalidate: boolean;
  readonly staleWhileRevalidateUs: Micros;
  readonly staleIfErrorUs: Micros;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** Or why it is not kept. */
export type Judged =
  | { readonly keep: true; readonly freshness: Freshness }
  | { readonly keep: false; readonly why: string };

export interface Came {
  /** How long the request was under way. */
  readonly delayUs: Micros;
  /** The wall clock at its end. */
  readonly wall: Micros;
}

export function judge(
  request: CacheRequest,
  reply: CacheReply,
  came: Came,
  options: FreshnessOptions,
  rule: CacheRule = {},
): Judged {
  const { headers, status } = reply;
  const control = controlOf(headers, options.shared);
  const why = whyNot(request, reply, control, options);
  if (why !== undefined) return { keep: false, why };
  const date = dateOf(field(headers, 'date')) ?? came.wall;
  const explicit = explicitLifetime(headers, control, date, options.shared);
  const mayGuess = usual.has(status) || control.directives.has('public');
  const negativeUs = negative.has(status) ? options.negativeTtlUs : 0;
  const given = rule.ttlUs !== undefined && usual.has(status) ? rule.ttlUs : explicit;
  if (given === undefined && negativeUs === 0 && !mayGuess) {
    return { keep: false, why: 'nothing says that it may be kept' };
  }
  const lifetimeUs = given ?? (negativeUs > 0 ? negativeUs : guess(headers, date, options));
  const { directives } = control;
  const shut =
    directives.has('must-revalidate') ||
    (options.shared && (directives.has('proxy-revalidate') || directives.has('s-maxage')));
  const strict = directives.has('must-revalidate') || directives.has('proxy-revalidate');
  // What a response allows by name (RFC 5861) stands above the rule that `s-maxage` implies, as CDNs have it.
  const allowed = (name: string, byDefault: Micros): Micros =>
    strict ? 0 : (secondsOf(directives, name) ?? (shut ? 0 : byDefault));
  const freshness: Freshness = {
    lifetimeUs,
    initialAgeUs: initialAge(headers, date, came),
    noCache: directives.has('no-cache'),
    mustRevalidate: shut,
    staleWhileRevalidateUs: allowed('stale-while-revalidate', options.staleWhileRevalidateUs),
    staleIfErrorUs: allowed('stale-if-error', options.staleIfErrorUs),
    etag: field(headers, 'etag'),
    lastModified: field(headers, 'last-modified'),
  };
  const isUseful =
    (lifetimeUs > freshness.initialAgeUs && !freshness.noCache) ||
    freshness.etag !== undefined ||
    freshness.lastModified !== undefined ||
    freshness.staleWhileRevalidateUs > 0 ||
    freshness.staleIfErrorUs > 0;
  if (!isUseful) return { keep: false, why: 'it is stale at once and cannot be validated' };
  return { keep: true, freshness };
}

interface Control {
  readonly directives: Directives;
  /** The field was for caches like this one, so `Expires` says nothing (RFC 9213, 2.2). */
  readonly isTargeted: boolean;
}

function controlOf(headers: Fields, shared: boolean): Control {
  const targeted = shared ? field(headers, 'cdn-cache-control') : undefined;
  // One that cannot be read is as if it were not there.
  const isTargeted = targeted !== undefined && /^[a-z*]/.test(targeted.trim());
  const text = isTargeted ? targeted : field(headers, 'cache-control');
  return { directives: directivesOf(text), isTargeted };
}

function whyNot(
  request: CacheRequest,
  { status, headers }: CacheReply,
  { directives }: Control,
  { shared }: FreshnessOptions,
): string | undefined {
  if (request.method !== 'GET') return `the method is ${request.method}`;
  if (!understood.has(status)) return `the status is ${status}`;
  if (directives.has('no-store')) return 'the response says no-store';
  if (directivesOf(field(request.headers, 'cache-control')).has('no-store')) {
    return 'the request says no-store';
  }
  if (field(headers, 'vary')?.includes('*')) return 'it varies with everything';
  if (!shared) return undefined;
  if (directives.has('private')) return 'it is private';
  if (field(headers, 'set-cookie') !== undefined) return 'it sets a cookie';
  if (field(request.headers, 'authorization') === undefined) return undefined;
  const isOpen = ['public', 'must-revalidate', 's-maxage'].some((one) => directives.has(one));
  return isOpen ? undefined : 'it answers one who is authorized';
}

function explicitLifetime(
  headers: Fields,
  { directives, isTargeted }: Control,
  date: Micros,
  shared: boolean,
): Micros | undefined {
  const given =
    (shared ? secondsOf(directives, 's-maxage') : undefined) ?? secondsOf(directives, 'max-age');
  if (given !== undefined || isTargeted) return given;
  const expires = field(headers, 'expires');
  // An invalid date, `0` above all, is one in the past.
  if (expires !== undefined) return Math.max(0, (dateOf(expires) ?? 0) - date);
  return undefined;
}

/** RFC 9111, 4.2.2: a part of how long it has been unchanged. */
function guess(headers: Fields, date: Micros, options: FreshnessOptions): Micros {
  const modified = dateOf(field(headers, 'last-modified'));
  if (modified === undefined || modified > date) return 0;
  const guessed = Math.floor((date - modified) * options.heuristicRatio);
  return Math.min(guessed, options.heuristicMaxUs);
}

/** RFC 9111, 4.2.3. */
function initialAge(headers: Fields, date: Micros, { delayUs, wall }: Came): Micros {
  const apparent = Math.max(0, wall - date);
  const told = secondsIn(field(headers, 'age')?.split(',')[0]?.trim() ?? '0') ?? 0;
  return Math.max(apparent, told + delayUs);
}

/** What a client wants of a cache (RFC 9111, 5.2.1). */
export interface Wants {
  readonly noCache: boolean;
  readonly noStore: boolean;
  readonly onlyIfCached: boolean;
  readonly maxAgeUs: Micros | undefined;
  readonly minFreshUs: Micros;
  readonly maxStaleUs: Micros;
  readonly staleIfErrorUs: Micros;
}

export const wantsNothing: Wants = {
  noCache: false,
  noStore: false,
  onlyIfCached: false,
  maxAgeUs: undefined,
  minFreshUs: 0,
  maxStaleUs: 0,
  staleIfErrorUs: 0,
};

export function wantsOf(headers: Fields): Wants {
  const control = field(headers, 'cache-control');
  if (control === undefined) {
    const pragma = field(headers, 'pragma');
    return pragma?.toLowerCase().includes('no-cache')
      ? { ...wantsNothing, noCache: true }
      : wantsNothing;
  }
  const said = directivesOf(control);
  const anyStale = said.get('max-stale') === '';
  return {
    noCache: said.has('no-cache'),
    noStore: said.has('no-store'),
    onlyIfCached: said.has('only-if-cached'),
    maxAgeUs: secondsOf(said, 'max-age'),
    minFreshUs: secondsOf(said, 'min-fresh') ?? 0,
    maxStaleUs: anyStale ? Number.MAX_SAFE_INTEGER : (secondsOf(said, 'max-stale') ?? 0),
    staleIfErrorUs: secondsOf(said, 'stale-if-error') ?? 0,
  };
}

/** `fresh`: answer with it. `stale`: answer, and ask the origin besides. `ask`: the origin first. */
export type Usable = 'fresh' | 'stale' | 'ask';

export function usable(freshness: Freshness, ageUs: Micros, wants: Wants): Usable {
  const { lifetimeUs, mustRevalidate, noCache, staleWhileRevalidateUs } = freshness;
  if (noCache || wants.noCache) return 'ask';
  if (wants.maxAgeUs !== undefined && ageUs > wants.maxAgeUs) return 'ask';
  if (lifetimeUs - ageUs > wants.minFreshUs) return 'fresh';
  if (wants.minFreshUs > 0) return 'ask';
  if (!mustRevalidate && ageUs - lifetimeUs < wants.maxStaleUs) return 'fresh';
  return ageUs < lifetimeUs + staleWhileRevalidateUs ? 'stale' : 'ask';
}

/** Whether it may stand in for an origin that failed. */
export function standsIn(freshness: Freshness, ageUs: Micros, wants: Wants): boolean {
  if (freshness.noCache || wants.noCache) return false;
  const byClient = freshness.mustRevalidate ? 0 : wants.staleIfErrorUs;
  return ageUs < freshness.lifetimeUs + Math.max(freshness.staleIfErrorUs, byClient);
}

/** A failure of the origin, for which something stale may stand in (RFC 5861, 4). */
export function isOriginFailure(status: number): boolean {
  return status === 500 || (status >= 502 && status <= 504);
}
