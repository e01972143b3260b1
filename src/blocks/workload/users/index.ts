/**
 * `users({ rate: '500/s', act })`: the workload. Open-loop arrivals (users come whether or not the
 * system keeps up) or closed-loop users who wait and think; `setup` preloads.
 */
import type { Declaration } from '../../../host/declaration.ts';
import { configure, type OptionsOf, show } from '../../../kit/config.ts';
import { type Draw, parseDraw, readDraw } from '../../../kit/draw.ts';
import { LoadpathError, type Problem } from '../../../kit/errors.ts';
import { settle } from '../../../kit/settings.ts';
import {
  type DurationText,
  parseDuration,
  parseRate,
  type RateText,
  ratePerSec,
} from '../../../kit/units.ts';
import { usersBlock } from './block.ts';
import {
  closedKnobs,
  knobs,
  type Load,
  rateKnob,
  type Shape,
  type UsersConfig,
  type Visit,
} from './config.ts';
import type { User, UsersCode } from './script.ts';

export type { Shape, Visit } from './config.ts';
export type { User } from './script.ts';
export type { ConnectOptions, UserSocket } from './socket.ts';

export interface UsersOptions<Prepared> extends OptionsOf<typeof knobs> {
  /** Arrivals a second: `'500/s'`, or a shape: `ramp(…)`, `spike(…)`, `diurnal(…)`. */
  readonly rate?: RateText | Shape;
  /** Instead of `rate`: so many users, each waiting for its reply and thinking before the next visit. */
  readonly closed?: { readonly users: number; readonly think: Draw };
  /** Runs once before the load, for preloading; what it returns is handed to every `act`. */
  readonly setup?: (user: User) => Prepared | Promise<Prepared>;
  /** One visit. Without it: one GET of `/`. */
  readonly act?: (user: User, prepared: Prepared) => void | Promise<void>;
  /**
   * Where they are, and how many of them: `{ asia: 0.5, europe: 0.3, america: 0.2 }`, by region or zone.
   * Default: all in the first zone. `setup` then runs in each of these places.
   */
  readonly from?: Readonly<Record<string, number>>;
  /** Users look names up there: names in URLs lead where its records say. Default: straight to the entry. */
  readonly resolver?: Declaration;
  /** The name of the site in a resolver, for paths that users write. Default: its first record that leads to the entry. */
  readonly site?: string;
  /** Addresses of users; public ones by default, the same for the same user. */
  readonly ip?: (id: number) => string;
}

/** Not yet a part of a design: `system` gives it the entry to go to. */
export interface Workload {
  readonly kind: 'workload';
  /** What the design declared; a run may ask for another load. */
  declare(entry: Declaration, options?: { readonly load?: LoadOverride | undefined }): Declaration;
}

/** A run's own load in place of the design's: another rate, or a recorded log. */
export type LoadOverride = { readonly rate: RateText } | { readonly visits: readonly Visit[] };

/** What users take besides their knobs. */
const besides = ['rate', 'closed', 'setup', 'act', 'ip', 'from', 'resolver', 'site'];

export function users<Prepared = undefined>(options: UsersOptions<Prepared>): Workload {
  const { rate, closed, setup, act, ip, from, resolver, site, ...rest } = options;
  const { config, problems } = configure('users', knobs, rest, besides);
  const wrong: Problem[] = [...problems];
  const load = settledLoad(rate, closed, wrong);
  checkPlaces(from, wrong);
  if (resolver !== undefined && resolver.block?.namesOf === undefined) {
    wrong.push({ at: 'users.resolver', what: `must be made by dns(…), got ${show(resolver)}` });
  }
  // Checked where the user wrote them; below here what `setup` gives is opaque.
  const code: UsersCode = { setup, act: act as UsersCode['act'], ip };
  return {
    kind: 'workload',
    declare(entry, { load: override } = {}) {
      // A run's own mistakes are not the design's.
      const problems = [...wrong];
      const usersConfig: UsersConfig = {
        ...config,
        load: override ? overridden(override, problems) : load,
        from: from ?? null,
        site: siteOf(entry, resolver, site, problems),
      };
      return {
        name: 'users',
        block: usersBlock,
        config: usersConfig,
        problems,
        binds: { entry, ...(resolver ? { resolver } : {}) },
        code,
      };
    },
  };
}

function checkPlaces(from: Readonly<Record<string, number>> | undefined, wrong: Problem[]): void {
  const shares = Object.entries(from ?? { all: 1 });
  for (const [place, share] of shares) {
    if (share > 0 && Number.isFinite(share)) continue;
    wrong.push({
      at: `users.from.${place}`,
      what: `must be a share above zero, got ${show(share)}`,
    });
  }
  if (shares.length === 0) wrong.push({ at: 'users.from', what: 'must name some place' });
}

function siteOf(
  entry: Declaration,
  resolver: Declaration | undefined,
  site: string | undefined,
  wrong: Problem[],
): string | null {
  const names = resolver?.block?.namesOf?.(resolver, entry);
  if (site !== undefined && !names) {
    wrong.push({ at: 'users.site', what: 'needs a resolver, which knows the name' });
  }
  if (names && site === undefined && names.length === 0) {
    const what = `has no record that leads to ${entry.name}; say which name users write in site`;
    wrong.push({ at: 'users.resolver', what });
  }
  return site ?? names?.[0] ?? null;
}

/** A rate that is set from outside replaces whatever the design says, users who wait for it too. */
function settledLoad(
  rate: RateText | Shape | undefined,
  closed: UsersOptions<never>['closed'],
  wrong: Problem[],
): Load {
  // A design with waiting users has no rate: the default must not look like one.
  const knob = closed ? { ...rateKnob, preset: undefined } : rateKnob;
  const set = settle('users.rate', knob, rate);
  if (typeof set === 'string' && set !== rate) return loadOf(set as RateText, undefined, wrong);
  if (!closed) return loadOf(rate, closed, wrong);
  const think = settle('users.closed.think', closedKnobs.think, closed.think);
  const drawn = typeof think === 'string' ? readDraw(think) : undefined;
  const users = settle('users.closed.users', closedKnobs.users, closed.users) as number;
  return loadOf(rate, { users, think: drawn ?? closed.think }, wrong);
}

function loadOf(
  rate: RateText | Shape | undefined,
  closed: UsersOptions<never>['closed'],
  wrong: Problem[],
): Load {
  if (closed) {
    if (rate) wrong.push({ at: 'users', what: 'give rate (open loop) or closed, not both' });
    const think = parseDraw(closed.think);
    if (!think)
      wrong.push({
        at: 'users.closed.think',
        what: `must be a duration or a distribution, got ${show(closed.think)}`,
      });
    if (!Number.isInteger(closed.users) || closed.users < 1) {
      wrong.push({
        at: 'users.closed.users',
        what: `must be a whole number at least 1, got ${show(closed.users)}`,
      });
    }
    return { kind: 'closed', users: closed.users, think: think ?? { kind: 'constant', value: 0 } };
  }
  if (typeof rate === 'object') {
    const what = isShape(rate) ? notAShape(rate) : `must be a rate or a shape, got ${show(rate)}`;
    if (what) wrong.push({ at: 'users.rate', what });
    return { kind: 'open', shape: rate };
  }
  return {
    kind: 'open',
    shape: { kind: 'steady', perSec: perSec('users.rate', rate ?? '100/s', wrong) },
  };
}

function isShape(given: { readonly kind?: unknown }): boolean {
  return ['steady', 'ramp', 'spike', 'diurnal'].some((kind) => kind === given.kind);
}

/** Why arrivals cannot follow it, or undefined. */
function notAShape(shape: Shape): string | undefined {
  switch (shape.kind) {
    case 'ramp':
      return shape.overUs > 0 ? undefined : 'a ramp takes some time: over must be above zero';
    case 'spike':
      return shape.forUs > 0 ? undefined : 'a spike takes some time: for must be above zero';
    case 'diurnal':
      if (!(shape.periodUs > 0)) return 'a day takes some time: period must be above zero';
      return shape.swing >= 0 && shape.swing <= 1
        ? undefined
        : `swing must be from 0 to 1, got ${show(shape.swing)}`;
    default:
      return undefined;
  }
}

function overridden(override: LoadOverride, wrong: Problem[]): Load {
  if ('visits' in override) return { kind: 'replay', visits: override.visits };
  return { kind: 'open', shape: { kind: 'steady', perSec: perSec('rate', override.rate, wrong) } };
}

/** From one rate to another, in a straight line. */
export function ramp(options: {
  readonly from: RateText;
  readonly to: RateText;
  readonly over: DurationText;
}): Shape {
  return {
    kind: 'ramp',
    fromPerSec: perSec('from', options.from),
    toPerSec: perSec('to', options.to),
    overUs: us(options.over),
  };
}

/** A base rate with a peak from `at` on, for `for`. */
export function spike(options: {
  readonly base: RateText;
  readonly peak: RateText;
  readonly at: DurationText;
  readonly for: DurationText;
}): Shape {
  return {
    kind: 'spike',
    basePerSec: perSec('base', options.base),
    peakPerSec: perSec('peak', options.peak),
    atUs: us(options.at),
    forUs: us(options.for),
  };
}

/** A day: a sine around `mean`, `swing` 0.5 goes from half of it to one and a half. */
export function diurnal(options: {
  readonly mean: RateText;
  readonly swing?: number;
  readonly period?: DurationText;
}): Shape {
  return {
    kind: 'diurnal',
    meanPerSec: perSec('mean', options.mean),
    swing: options.swing ?? 0.5,
    periodUs: us(options.period ?? '24h'),
  };
}

function perSec(at: string, text: RateText, wrong?: Problem[]): number {
  const parsed = parseRate(text);
  if (parsed) return ratePerSec(parsed);
  const what = `must be a rate like '500/s', got ${show(text)}`;
  if (!wrong) throw new LoadpathError('bad-design', `${at} ${what}`);
  wrong.push({ at, what });
  return 0;
}

function us(text: DurationText): number {
  const parsed = parseDuration(text);
  if (parsed === undefined) {
    throw new LoadpathError('bad-design', `must be a duration like '30s', got ${show(text)}`);
  }
  return parsed;
}
