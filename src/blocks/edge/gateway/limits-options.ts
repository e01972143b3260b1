/** Limits as users write them, by name; the name is what clients read in `RateLimit-Policy`. */
import { configure, type OptionsOf, show } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import type { limitsKnobs as knobsType, LimitConfig, LocationConfig } from './config.ts';
import { limitsKnobs } from './config.ts';
import { readNetwork } from './networks.ts';

export interface NamedLimitOptions extends OptionsOf<typeof knobsType> {
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

export function readLimits(
  at: string,
  options: LimitsOptions,
): { readonly limits: readonly LimitConfig[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const limits = Object.entries(options).map(([name, given]): LimitConfig => {
    const { only = [], except = [], ...rest } = given ?? {};
    const place = `${at}.${name}`;
    const made = configure(place, limitsKnobs, rest, ['only', 'except']);
    problems.push(...made.problems);
    if (!/^[\x20-\x7e]+$/.test(name)) {
      problems.push({ at: place, what: 'a limit is named in ASCII: clients read it' });
    }
    for (const [option, keys] of Object.entries({ only, except })) {
      if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) {
        const what = `must be a list of keys, got ${show(keys)}`;
        problems.push({ at: `${place}.${option}`, what });
      }
    }
    const { algorithm, over, by, header, cost } = made.config;
    const isQueue = algorithm === 'leaky-queue' || over === 'delay';
    if (over === 'delay' && !paces.has(algorithm)) {
      const what = `delays a pace, such as token-bucket; ${algorithm} has none to wait for`;
      problems.push({ at: `${place}.over`, what });
    }
    if (by === 'header' && header === '') {
      problems.push({ at: `${place}.header`, what: 'must name the header that is the key' });
    }
    if (cost > 1 && (isQueue || algorithm === 'concurrency')) {
      problems.push({ at: `${place}.cost`, what: `must be 1 where requests wait or are open` });
    }
    return { ...made.config, name, only, except };
  });
  return { limits, problems };
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
