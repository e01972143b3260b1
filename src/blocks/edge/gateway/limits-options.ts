/** Limits as users write them, by name; the name is what clients read in `RateLimit-Policy`. */
import type { Declaration } from '../../../host/declaration.ts';
import { configure, type OptionsOf, show } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import type { Rate } from '../../../kit/units.ts';
import { readNetwork } from '../../../parts/networks.ts';
import {
  type LimitConfig,
  type LocationConfig,
  limitsKnobs,
  type SharedLimitConfig,
  sharedLimitKnobs,
} from './config.ts';

export interface NamedLimitOptions extends OptionsOf<typeof limitsKnobs> {
  /**
   * A limiter that counts for all gateways that ask it, with rates of its own: then only `by`, `header`, `cost`,
   * `tier`, `tell`, `only` and `except` are said here.
   */
  readonly backend?: Declaration;
  /** The keys that it holds for: locations, users, addresses. Default: all. */
  readonly only?: readonly string[];
  /** The keys that it does not hold for. */
  readonly except?: readonly string[];
}

export type LimitsOptions = Readonly<Record<string, NamedLimitOptions>>;

/** Where an address is: networks by name. The longest that covers it wins. */
export type LocationsOptions = Readonly<Record<string, readonly string[]>>;

/** A pace, which a request can wait for; a window only says no. */
const paces: ReadonlySet<string> = new Set(['token-bucket', 'leaky-meter', 'gcra', 'leaky-queue']);

export interface ReadLimits {
  readonly limits: readonly LimitConfig[];
  readonly shared: readonly SharedLimitConfig[];
  /** The limiters that are asked. */
  readonly limiters: readonly Declaration[];
  readonly problems: readonly Problem[];
}

export function readLimits(at: string, options: LimitsOptions): ReadLimits {
  const problems: Problem[] = [];
  const limits: LimitConfig[] = [];
  const shared: SharedLimitConfig[] = [];
  const limiters: Declaration[] = [];
  for (const [name, given] of Object.entries(options)) {
    const { only = [], except = [], backend, ...rest } = given ?? {};
    const place = `${at}.${name}`;
    if (!/^[\x20-\x7e]+$/.test(name)) {
      problems.push({ at: place, what: 'a limit is named in ASCII: clients read it' });
    }
    for (const [option, keys] of Object.entries({ only, except })) {
      if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) {
        const what = `must be a list of keys, got ${show(keys)}`;
        problems.push({ at: `${place}.${option}`, what });
      }
    }
    const named = { name, only, except };
    if (backend !== undefined) {
      const made = configure(place, sharedLimitKnobs, rest, ['only', 'except', 'backend']);
      problems.push(...made.problems, ...withoutHeader(place, made.config));
      if (backend?.block?.kind === 'limiter') {
        const { limit: rate } = backend.config as { readonly limit: Rate };
        const limits = (backend.config as { readonly limits: readonly Rate[] }).limits;
        const most = Math.min(...limits.map((one) => one.count));
        problems.push(
          ...neverAdmitted(place, made.config.cost, `a limit of ${backend.name}`, most),
        );
        shared.push({ ...made.config, ...named, limiter: backend.name, rate });
        limiters.push(backend);
      } else {
        const what = `must be made by limiter(…), got ${backend?.block?.kind ?? show(backend)}`;
        problems.push({ at: `${place}.backend`, what });
      }
      continue;
    }
    const made = configure(place, limitsKnobs, rest, ['only', 'except', 'backend']);
    problems.push(...made.problems, ...withoutHeader(place, made.config));
    const { algorithm, over, cost, rate } = made.config;
    const isQueue = algorithm === 'leaky-queue' || over === 'delay';
    if (over === 'delay' && !paces.has(algorithm)) {
      const what = `delays a pace, such as token-bucket; ${algorithm} has none to wait for`;
      problems.push({ at: `${place}.over`, what });
    }
    if (cost > 1 && (isQueue || algorithm === 'concurrency')) {
      problems.push({ at: `${place}.cost`, what: `must be 1 where requests wait or are open` });
    } else if (paces.has(algorithm)) {
      problems.push(...neverAdmitted(place, cost, '`burst`', made.config.burst));
    } else {
      problems.push(...neverAdmitted(place, cost, 'what `rate` allows a window', rate.count));
    }
    limits.push({ ...made.config, ...named });
  }
  return { limits, shared, limiters, problems };
}

/** A request that takes more than there ever is would be refused for ever. */
function neverAdmitted(place: string, cost: number, of: string, most: number): readonly Problem[] {
  if (cost <= most) return [];
  return [
    { at: `${place}.cost`, what: `must not be above ${of} (${most}), or none passes; got ${cost}` },
  ];
}

function withoutHeader(
  place: string,
  { by, header }: { readonly by: string; readonly header: string },
): readonly Problem[] {
  if (by !== 'header' || header !== '') return [];
  return [{ at: `${place}.header`, what: 'must name the header that is the key' }];
}

export function readLocations(
  at: string,
  options: LocationsOptions,
): { readonly locations: readonly LocationConfig[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const locations: LocationConfig[] = [];
  for (const [name, networks] of Object.entries(options)) {
    for (const network of Array.isArray(networks) ? (networks as readonly string[]) : []) {
      if (readNetwork(network)) locations.push({ name, network });
      else {
        const what = `must be a network like '20.0.0.0/8' or '2001:db8::/32', got ${show(network)}`;
        problems.push({ at: `${at}.${name}`, what });
      }
    }
    if (!Array.isArray(networks)) {
      problems.push({ at: `${at}.${name}`, what: `must be a list, got ${show(networks)}` });
    }
  }
  return { locations, problems };
}
