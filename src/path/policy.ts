/**
 * The policy of a path between two blocks, as users write it and as the code reads it. Defaults
 * are those of a caller inside one region whose callee answers in milliseconds.
 */
import type { Declaration } from '../host/declaration.ts';
import type { Micros } from '../host/host.ts';
import {
  bytes,
  type ConfigOf,
  choice,
  configure,
  count,
  duration,
  type Knobs,
  type OptionsOf,
  optional,
  ratio,
  show,
  text,
} from '../kit/config.ts';
import type { Problem } from '../kit/errors.ts';
import { isSetIn } from '../kit/settings.ts';
import { boundedHashKnobs } from '../parts/balance/hashed.ts';
import { type LatencyConfig, latencyKnobs } from '../parts/balance/latency.ts';
import { type SlowStartConfig, slowStartKnobs } from '../parts/balance/weights.ts';
import { balancings } from '../parts/balance.ts';
import { breakerKnobs } from '../parts/breaker.ts';
import { type BulkheadConfig, bulkheadKnobs } from '../parts/bulkhead.ts';
import { healthKnobs } from '../parts/health.ts';
import { type HedgeConfig, hedgeKnobs } from '../parts/hedge.ts';
import { type OutlierConfig, outlierKnobs } from '../parts/outliers.ts';
import { keyAllowed, keyPattern } from './headers.ts';
import { type PaceConfig, paceKnobs } from './pace.ts';

export const pathKnobs = {
  timeout: duration('1s', {
    min: '1ms',
    doc: 'How long a caller waits in all, retries included; passed on, so that nobody works for a caller who has left.',
  }),
  attemptTimeout: optional(
    duration('250ms', {
      min: '1ms',
      doc: 'How long one attempt may take. Without it the timeout is shared evenly between the attempts.',
    }),
  ),
  balance: choice(
    [...balancings, 'source-hash', 'consistent-hash', 'latency'],
    'Which instance takes a call. least-requests adapts to a slow instance by itself; round-robin does not; the hashes keep a key at its instance; latency prefers who answers soonest.',
  ),
};

export const retryKnobs = {
  attempts: count(2, {
    min: 1,
    max: 10,
    doc: 'Attempts in all, the first included. Retries go to another instance, and only where repeating is safe: idempotent methods, or a call that certainly did not arrive.',
  }),
  budget: ratio(0.2, {
    max: 9,
    doc: 'Retries a caller may add to its traffic: 0.2 is a fifth. It keeps retries from multiplying an overload; 1 and more let them.',
  }),
  reserve: count(10, {
    min: 1,
    doc: 'Retries that may be made before any were earned, and the most that are saved up.',
  }),
  backoff: duration('10ms', {
    min: '0ms',
    doc: 'Bound of the first wait before a retry; it doubles with each, and the wait is drawn between zero and it (full jitter).',
  }),
  backoffMax: duration('250ms', { min: '0ms', doc: 'Where the doubling stops.' }),
};

export const breakerPathKnobs = {
  per: choice(
    ['instance', 'service'],
    'What one breaker stands before. One an instance takes a sick one out and leaves the others; one a service protects what all of them share.',
  ),
  ...breakerKnobs,
};

export const healthPathKnobs = {
  path: optional(
    text('/health', {
      pattern: /^\//,
      allowed: 'a path',
      doc: 'What is asked for; a status below 500 is good. Left out: OPTIONS *, which an instance answers itself, without its handler.',
    }),
  ),
  ...healthKnobs,
};

export const fallbackKnobs = {
  staleMax: duration('60s', {
    min: '0ms',
    doc: 'How old a kept answer to a GET may be that stands in for a failure. As long as a wrong price may be shown; 0ms keeps none.',
  }),
  keysMax: count(1_000, {
    min: 1,
    doc: 'Answers kept, the least recently used forgotten first.',
  }),
  bodyMax: bytes('64kB', { min: '1B', doc: 'Larger answers are not kept.' }),
};

export const hashKnobs = {
  key: text('ip', {
    pattern: keyPattern,
    allowed: keyAllowed,
    doc: 'What is hashed: calls with the same go to the same instance. Without it a call goes where an empty key does.',
  }),
  ...boundedHashKnobs,
};

export const zoneKnobs = {
  targetsMin: count(3, {
    min: 1,
    doc: 'With fewer usable instances zones do not matter: one that fails would take a whole zone with it.',
  }),
};

export const stickyKnobs = {
  by: text('cookie:loadpath', {
    pattern: keyPattern,
    allowed: keyAllowed,
    doc: 'cookie:<name> sets that cookie and needs no memory; any other key is remembered by the caller.',
  }),
  keysMax: count(100_000, {
    min: 1,
    doc: 'Keys remembered, where they are: the one used longest ago is forgotten and balanced anew.',
  }),
};

export { bulkheadKnobs, hedgeKnobs, latencyKnobs, outlierKnobs, paceKnobs, slowStartKnobs };

export const splitKnobs = {
  by: text('session', {
    pattern: keyPattern,
    allowed: keyAllowed,
    doc: 'Whose calls go to the same release, as long as shares stay: without it each call is drawn by itself.',
  }),
  pin: optional(
    text('header:x-release', {
      pattern: /^(header|cookie):\S+$/,
      allowed: 'header:<name> or cookie:<name>',
      doc: 'Names the release that a call goes to, whatever the shares: for testers, and for A/B by a mark set elsewhere.',
    }),
  ),
};

export const shadowKnobs = {
  release: text('v2', {
    pattern: /^\S+$/,
    allowed: 'the name of a release',
    doc: 'Which release gets copies of calls. Its answers are dropped, and its work is real: it must not write what others read.',
  }),
  share: ratio(1, { doc: 'The share of calls that is copied.' }),
};

/** All tables, for the block whose option `policy` they are. */
export const policyTables = {
  policy: pathKnobs,
  'policy.retry': retryKnobs,
  'policy.hedge': hedgeKnobs,
  'policy.breaker': breakerPathKnobs,
  'policy.bulkhead': bulkheadKnobs,
  'policy.pace': paceKnobs,
  'policy.outliers': outlierKnobs,
  'policy.health': healthPathKnobs,
  'policy.fallback': fallbackKnobs,
  'policy.slowStart': slowStartKnobs,
  'policy.hash': hashKnobs,
  'policy.latency': latencyKnobs,
  'policy.zones': zoneKnobs,
  'policy.sticky': stickyKnobs,
  'policy.split': splitKnobs,
  'policy.shadow': shadowKnobs,
};

/** What is left out is not there: a path pays only for what it asks for. `{}` takes all defaults. */
export interface PathOptions extends OptionsOf<typeof pathKnobs> {
  /** Without it a call is tried once. */
  readonly retry?: OptionsOf<typeof retryKnobs> | undefined;
  /** Asks a second instance when the first is late, where repeating is safe. */
  readonly hedge?: OptionsOf<typeof hedgeKnobs> | undefined;
  readonly breaker?: OptionsOf<typeof breakerPathKnobs> | undefined;
  readonly bulkhead?: OptionsOf<typeof bulkheadKnobs> | undefined;
  /** How many requests a second it sends any one instance: who is at it is passed over, and when all are, the call is refused with 429. */
  readonly pace?: OptionsOf<typeof paceKnobs> | undefined;
  /** Passes over instances that answer worse than the others. */
  readonly outliers?: OptionsOf<typeof outlierKnobs> | undefined;
  /** Asks instances how they are, and passes over those that do not answer. */
  readonly health?: OptionsOf<typeof healthPathKnobs> | undefined;
  /** What stands in for a failure: the last good answer, or another service. */
  readonly fallback?:
    | (OptionsOf<typeof fallbackKnobs> & { readonly service?: Declaration | undefined })
    | undefined;
  /** Spares an instance that has just come. */
  readonly slowStart?: OptionsOf<typeof slowStartKnobs> | undefined;
  /** Of `source-hash` and `consistent-hash`. */
  readonly hash?: OptionsOf<typeof hashKnobs> | undefined;
  /** Of `latency`. */
  readonly latency?: OptionsOf<typeof latencyKnobs> | undefined;
  /** Stays in the caller's zone as far as it is fair. */
  readonly zones?: OptionsOf<typeof zoneKnobs> | undefined;
  readonly sticky?: OptionsOf<typeof stickyKnobs> | undefined;
  /** Keeps users on one side of a split between releases. */
  readonly split?: OptionsOf<typeof splitKnobs> | undefined;
  /** Copies calls to another release and drops its answers. */
  readonly shadow?: OptionsOf<typeof shadowKnobs> | undefined;
}

export type BreakerPolicy = ConfigOf<typeof breakerPathKnobs>;
export type HealthPolicy = ConfigOf<typeof healthPathKnobs>;
export type FallbackPolicy = ConfigOf<typeof fallbackKnobs> & {
  /** Who stands in. */
  readonly service?: string | undefined;
};
export type HashPolicy = ConfigOf<typeof hashKnobs>;
export type StickyPolicy = ConfigOf<typeof stickyKnobs>;
export type SplitPolicy = ConfigOf<typeof splitKnobs>;
export type ShadowPolicy = ConfigOf<typeof shadowKnobs>;

/** Plain data: it stands in the plan. What is not there is undefined or absent. */
export type PathPolicy = {
  readonly timeoutUs: Micros;
  readonly attemptTimeoutUs: Micros;
  readonly balance: (typeof pathKnobs.balance)['preset'] & string;
  readonly attempts: number;
  readonly budgetRatio: number;
  readonly budgetReserve: number;
  readonly backoffUs: Micros;
  readonly backoffMaxUs: Micros;
  readonly hedge?: HedgeConfig | undefined;
  readonly breaker?: BreakerPolicy | undefined;
  readonly bulkhead?: BulkheadConfig | undefined;
  readonly pace?: PaceConfig | undefined;
  readonly outliers?: OutlierConfig | undefined;
  readonly health?: HealthPolicy | undefined;
  readonly fallback?: FallbackPolicy | undefined;
  readonly slowStart?: SlowStartConfig | undefined;
  readonly hash?: HashPolicy | undefined;
  readonly latency?: LatencyConfig | undefined;
  readonly zones?: ConfigOf<typeof zoneKnobs> | undefined;
  readonly sticky?: StickyPolicy | undefined;
  readonly split?: SplitPolicy | undefined;
  readonly shadow?: ShadowPolicy | undefined;
};

export interface CheckedPolicy {
  readonly policy: PathPolicy;
  /** The service that stands in for failures. */
  readonly backup: Declaration | undefined;
  readonly problems: readonly Problem[];
}

export function pathPolicy(at: string, options: PathOptions): CheckedPolicy {
  const { retry: retryOptions, fallback, ...others } = options;
  const {
    hedge,
    breaker,
    bulkhead,
    pace,
    outliers,
    health,
    slowStart,
    hash,
    latency,
    zones,
    sticky,
    split,
    shadow,
  } = others;
  const pathOptions = without(others, stageNames);
  const path = configure(at, pathKnobs, pathOptions, ['retry', 'fallback', ...stageNames]);
  const retry = configure(`${at}.retry`, retryKnobs, retryOptions ?? { attempts: 1 });
  const { timeoutUs, attemptTimeoutUs, balance } = path.config;
  const { attempts } = retry.config;
  const problems = [...path.problems, ...retry.problems];
  if (attemptTimeoutUs !== undefined && attemptTimeoutUs > timeoutUs) {
    problems.push({
      at: `${at}.attemptTimeout`,
      what: `must not exceed timeout (${timeoutUs}us), got ${attemptTimeoutUs}us`,
    });
  }
  const stage = <T extends Knobs>(
    name: string,
    knobs: T,
    given: object | undefined,
    isNeeded = false,
  ): ConfigOf<T> | undefined => {
    const where = `${at}.${name}`;
    if (given === undefined && !isNeeded && !isSetIn(where)) return undefined;
    if (given !== undefined && (typeof given !== 'object' || given === null)) {
      problems.push({ at: where, what: `must be an object of options, got ${show(given)}` });
      return undefined;
    }
    const { config, problems: wrong } = configure(where, knobs, given ?? {});
    problems.push(...wrong);
    return config;
  };
  const isHashed = balance === 'source-hash' || balance === 'consistent-hash';
  if (hash !== undefined && !isHashed) problems.push(unused(at, 'hash', 'a hash'));
  if (latency !== undefined && balance !== 'latency')
    problems.push(unused(at, 'latency', 'latency'));
  const { service: backup, ...keeping } = fallback ?? {};
  if (backup !== undefined && !(backup?.block?.servesWeb && backup.block.clientConfig)) {
    const given = backup?.block?.kind ?? show(backup);
    problems.push({ at: `${at}.fallback.service`, what: `must be a service, got ${given}` });
  }
  const policy: PathPolicy = {
    timeoutUs,
    attemptTimeoutUs: attemptTimeoutUs ?? Math.max(1, Math.floor(timeoutUs / attempts)),
    balance,
    attempts,
    budgetRatio: retry.config.budget,
    budgetReserve: retry.config.reserve,
    backoffUs: retry.config.backoffUs,
    backoffMaxUs: retry.config.backoffMaxUs,
    ...present({
      hedge: stage('hedge', hedgeKnobs, hedge),
      breaker: stage('breaker', breakerPathKnobs, breaker),
      bulkhead: stage('bulkhead', bulkheadKnobs, bulkhead),
      pace: stage('pace', paceKnobs, pace),
      outliers: stage('outliers', outlierKnobs, outliers),
      health: stage('health', healthPathKnobs, health),
      fallback: named(stage('fallback', fallbackKnobs, fallback && keeping), backup),
      slowStart: stage('slowStart', slowStartKnobs, slowStart),
      hash: isHashed ? stage('hash', hashKnobs, hash, true) : undefined,
      latency: balance === 'latency' ? stage('latency', latencyKnobs, latency, true) : undefined,
      zones: stage('zones', zoneKnobs, zones),
      sticky: stage('sticky', stickyKnobs, sticky),
      split: stage('split', splitKnobs, split),
      shadow: stage('shadow', shadowKnobs, shadow),
    }),
  };
  return { policy, backup, problems };
}

/** Of two stages of a policy, or their absence: what did not change keeps its state. */
export function isSame(a: object | undefined, b: object | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

const stageNames = [
  'hedge',
  'breaker',
  'bulkhead',
  'pace',
  'outliers',
  'health',
  'slowStart',
  'hash',
  'latency',
  'zones',
  'sticky',
  'split',
  'shadow',
];

function named(
  fallback: ConfigOf<typeof fallbackKnobs> | undefined,
  backup: Declaration | undefined,
): FallbackPolicy | undefined {
  return fallback && backup ? { ...fallback, service: backup.name } : fallback;
}

function unused(at: string, option: string, balance: string): Problem {
  return { at: `${at}.${option}`, what: `is of no use unless balance is ${balance}` };
}

function without(options: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !names.includes(name)));
}

/** What is absent leaves no key, so that a plan says only what is there. */
function present<T extends object>(stages: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(stages).filter(([, stage]) => stage !== undefined),
  ) as Partial<T>;
}
