/**
 * `cdn('cdn', { origin: web })`: edges near users that keep what the origin said, as HTTP caches do; and
 * `purges('pages')`, by which services remove from all of them what is no longer so.
 */
import type { Declaration } from '../../../host/declaration.ts';
import type { Value } from '../../../host/host.ts';
import { configure, type OptionsOf, show } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import { isSetIn } from '../../../kit/settings.ts';
import { type DurationText, parseDuration, type RateText } from '../../../kit/units.ts';
import type { KeyRule } from '../../../parts/http-cache.ts';
import { type PathOptions, pathPolicy } from '../../../path/policy.ts';
import { cdnBlock, purgesBlock } from './block.ts';
import { type CdnConfig, cacheKnobs, knobs, limitKnobs, purgeKnobs } from './config.ts';
import type { PurgesHandle } from './handle.ts';

export type { PurgesHandle, WhatToPurge } from './handle.ts';

/** What holds for the addresses below a path, whatever their responses say. */
export interface CdnRule extends KeyRule {
  /** In place of the lifetime that the response gives; `private` and `no-store` hold all the same. */
  readonly ttl?: DurationText;
  /** Past the cache. */
  readonly bypass?: boolean;
}

export interface CdnOptions extends OptionsOf<typeof knobs> {
  /** Whom edges ask: a service or a gateway. */
  readonly origin: Declaration;
  /** By which everything stored can be removed. Without it only time removes. */
  readonly purges?: Purges;
  /** By path: `'/img/'` holds for everything that begins so; the longest counts. */
  readonly rules?: Readonly<Record<string, CdnRule>>;
  readonly cache?: OptionsOf<typeof cacheKnobs>;
  /** Against floods: so much from one address at one edge. */
  readonly limit?: OptionsOf<typeof limitKnobs> & { readonly rate: RateText };
  /** How edges call the origin. */
  readonly policy?: PathOptions;
}

export interface Cdn extends Declaration<never> {
  readonly kind: 'cdn';
}

export interface Purges extends Declaration<PurgesHandle> {
  readonly kind: 'purges';
}

/** What a CDN takes besides its knobs. */
const besides = ['origin', 'purges', 'rules', 'cache', 'limit', 'policy'];

export function cdn(name: string, options: CdnOptions): Cdn {
  const { origin, purges: log, rules, cache, limit, policy, ...rest } = options;
  const { config, problems } = configure(name, knobs, rest, besides);
  const cached = configure(`${name}.cache`, cacheKnobs, cache ?? {});
  const path = pathPolicy(`${name}.policy`, policy ?? {});
  const isLimited = limit !== undefined || isSetIn(`${name}.limit`);
  const limited = isLimited ? configure(`${name}.limit`, limitKnobs, limit ?? {}) : undefined;
  const wrong: Problem[] = [
    ...problems,
    ...cached.problems,
    ...path.problems,
    ...(limited?.problems ?? []),
  ];
  if (!origin?.block?.servesWeb) {
    const what = `must be a service or a gateway, got ${origin?.block?.kind ?? show(origin)}`;
    wrong.push({ at: `${name}.origin`, what });
  }
  if (log !== undefined && log.block?.kind !== 'purges') {
    wrong.push({ at: `${name}.purges`, what: `must be made by purges(…), got ${show(log)}` });
  }
  const cdnConfig: CdnConfig = {
    ...config,
    port: config.port ?? 8080,
    isPortGiven: config.port !== undefined,
    cache: cached.config,
    limit: limited?.config ?? null,
    rules: Object.entries(rules ?? {}).map(([path, rule]) => ruleOf(name, path, rule, wrong)),
    policy: path.policy,
  };
  return {
    kind: 'cdn',
    name,
    block: cdnBlock,
    config: cdnConfig as unknown as Value,
    problems: wrong,
    binds: { ...(origin ? { origin } : {}), ...(log ? { purges: log } : {}) },
  };
}

/** Who may remove what is stored binds it: `env: { pages }`, then `env.pages.purge({ url })`. */
export function purges(name: string, options: OptionsOf<typeof purgeKnobs> = {}): Purges {
  const { config, problems } = configure(name, purgeKnobs, options);
  const isShort = config.timeoutUs <= config.leaseUs;
  const what = `must be above lease (${config.leaseUs}us), got ${config.timeoutUs}us`;
  return {
    kind: 'purges',
    name,
    block: purgesBlock,
    config,
    problems: isShort ? [...problems, { at: `${name}.timeout`, what }] : problems,
    binds: {},
  };
}

function ruleOf(
  name: string,
  path: string,
  given: CdnRule,
  wrong: Problem[],
): CdnConfig['rules'][number] {
  const at = `${name}.rules[${show(path)}]`;
  const { ttl, ...rest } = given ?? {};
  if (!path.startsWith('/')) wrong.push({ at, what: "must be for a path, such as '/img/'" });
  for (const option of Object.keys(rest)) {
    if (['bypass', 'query', 'headers', 'device'].includes(option)) continue;
    wrong.push({
      at: `${at}.${option}`,
      what: 'no such option; there are ttl, bypass, query, headers and device',
    });
  }
  const ttlUs = ttl === undefined ? undefined : parseDuration(ttl);
  if (ttl !== undefined && ttlUs === undefined) {
    wrong.push({ at: `${at}.ttl`, what: `must be a duration like '10m', got ${show(ttl)}` });
  }
  return { path, rule: { ...rest, ...(ttlUs === undefined ? {} : { ttlUs }) } };
}
