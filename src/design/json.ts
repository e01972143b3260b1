/**
 * Modelled designs as plain JSON, so that Studio can edit them and any tool can write them. What
 * the language says in code (`call(store)`, `exponential('5ms')`) stands here as data:
 *
 *   { "name": "shop",
 *     "blocks": [ { "kind": "service", "name": "store", "slots": 5, "cost": { "exponential": "2ms" } },
 *                 { "kind": "service", "name": "api", "slots": 4, "cost": "5ms", "calls": ["store"] },
 *                 { "kind": "gateway", "name": "edge", "routes": { "/": "api" } } ],
 *     "entry": "edge",
 *     "users": { "rate": "2000/s" } }
 *
 * `schema/design.schema.json` is made from the same knob tables; a test keeps it fresh.
 */

import { external } from '../blocks/compute/service/external.ts';
import {
  type Call,
  type CostOption,
  call,
  optional,
  parallel,
  sequence,
  service,
  sometimes,
  work,
} from '../blocks/compute/service/index.ts';
import { balancer } from '../blocks/edge/balancer/index.ts';
import {
  type AggregateOptions,
  aggregate,
  apiKeys,
  gateway,
  jwt,
  type LimitsOptions,
  type RouteOptions,
  type RoutesOptions,
  type Scheme,
  tokenBucket,
} from '../blocks/edge/gateway/index.ts';
import { forwardProxy } from '../blocks/edge/proxy/index.ts';
import { limiter } from '../blocks/resilience/limiter/index.ts';
import { diurnal, ramp, spike, users } from '../blocks/workload/users/index.ts';
import type { Declaration } from '../host/declaration.ts';
import { nearest, show } from '../kit/config.ts';
import type { Distribution } from '../kit/distribution.ts';
import { constant, exponential, gamma, lognormal, pareto, uniform } from '../kit/draw.ts';
import { type Problem, refuse } from '../kit/errors.ts';
import { type System, system } from './system.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What may stand in a modelled design: blocks whose work is a cost and not code. */
export const modelledKinds: readonly string[] = [
  'service',
  'external',
  'gateway',
  'balancer',
  'forwardProxy',
];

/** The same with what has no place of its own on a drawing board. */
export const dataKinds: readonly string[] = [...modelledKinds, 'limiter'];

export function isDesignData(value: unknown): value is Fields {
  return (
    isFields(value) && Array.isArray(value.blocks) && 'entry' in value && !('declarations' in value)
  );
}

/** Throws `LoadpathError` ('bad-design') naming every mistake in it. */
export function systemFromJson(data: Fields): System {
  return new Reader(data).system();
}

class Reader {
  readonly #data: Fields;
  readonly #problems: Problem[] = [];
  readonly #raw = new Map<string, Fields>();
  readonly #made = new Map<string, Declaration>();
  /** Blocks being made now, for cycles. */
  readonly #making: string[] = [];

  constructor(data: Fields) {
    this.#data = data;
  }

  system(): System {
    const { name, blocks, entry, users: crowd, objectives, faults, zones, ...rest } = this.#data;
    const { $schema: _schema, studio, ...unknown } = rest;
    const at = typeof name === 'string' ? name : 'design';
    for (const option of Object.keys(unknown)) {
      this.#problems.push({ at: `${at}.${option}`, what: 'no such option' });
    }
    // For the drawing board alone: no run looks inside.
    this.#must(studio === undefined || isFields(studio), `${at}.studio`, 'an object');
    if (typeof name !== 'string')
      this.#problems.push({ at: 'name', what: `must be text, got ${show(name)}` });
    if (Array.isArray(blocks)) for (const block of blocks) this.#register(block);
    else this.#problems.push({ at: `${at}.blocks`, what: `must be a list, got ${show(blocks)}` });
    for (const block of this.#raw.keys()) this.#block(block, at);
    const door = typeof entry === 'string' ? this.#block(entry, `${at}.entry`) : undefined;
    if (typeof entry !== 'string')
      this.#problems.push({ at: `${at}.entry`, what: `must name a block, got ${show(entry)}` });
    const workload = crowd === undefined ? undefined : this.#users(crowd);
    this.#must(objectives === undefined || isFields(objectives), `${at}.objectives`, 'an object');
    this.#must(
      faults === undefined || Array.isArray(faults),
      `${at}.faults`,
      'a list of sentences',
    );
    this.#must(zones === undefined || Array.isArray(zones), `${at}.zones`, 'a list');
    if (this.#problems.length > 0 || !door) {
      const inBlocks = [...this.#made.values()].flatMap(({ problems }) => problems);
      const ofUsers = door && workload ? workload.declare(door).problems : [];
      return refuse('bad-design', at, [...this.#problems, ...inBlocks, ...ofUsers]);
    }
    return system(at, {
      entry: door,
      blocks: [...this.#made.values()],
      ...(workload ? { workload } : {}),
      ...(isFields(objectives) ? { objectives } : {}),
      ...(Array.isArray(faults) ? { faults } : {}),
      ...(Array.isArray(zones) ? { zones } : {}),
    });
  }

  #must(holds: boolean, at: string, be: string): void {
    if (!holds) this.#problems.push({ at, what: `must be ${be}` });
  }

  #register(block: unknown): void {
    if (!isFields(block) || typeof block.name !== 'string') {
      this.#problems.push({
        at: 'blocks',
        what: `each must be an object with a kind and a name, got ${show(block)}`,
      });
    } else if (this.#raw.has(block.name)) {
      this.#problems.push({ at: block.name, what: 'two blocks have this name' });
    } else this.#raw.set(block.name, block);
  }

  #block(name: string, from: string): Declaration | undefined {
    const made = this.#made.get(name);
    if (made) return made;
    const raw = this.#raw.get(name);
    if (!raw) {
      const near = nearest(name, [...this.#raw.keys()]);
      this.#problems.push({
        at: from,
        what: `there is no block ${show(name)}${near ? `; did you mean ${near}?` : ''}`,
      });
      return undefined;
    }
    if (this.#making.includes(name)) {
      const circle = [...this.#making.slice(this.#making.indexOf(name)), name].join(' -> ');
      this.#problems.push({ at: from, what: `calls go in a circle: ${circle}` });
      return undefined;
    }
    this.#making.push(name);
    const declaration = this.#make(name, raw);
    this.#making.pop();
    if (declaration) this.#made.set(name, declaration);
    return declaration;
  }

  #make(name: string, raw: Fields): Declaration | undefined {
    const { kind, name: _name, ...given } = raw;
    const options = { ...given, ...this.#policy(given.policy, name) };
    switch (kind) {
      case 'service': {
        const { cost, calls, ...rest } = options;
        const steps = calls === undefined ? [] : this.#steps(calls, `${name}.calls`);
        return service(name, {
          ...rest,
          ...(cost === undefined ? {} : { cost: this.#cost(cost, `${name}.cost`) }),
          calls: steps,
        });
      }
      case 'external': {
        const { latency, ...rest } = options;
        return external(name, {
          ...rest,
          ...(latency === undefined ? {} : { latency: this.#draw(latency, `${name}.latency`) }),
        });
      }
      case 'gateway': {
        const { routes, limit, limits, auth, ...rest } = options;
        this.#must(limit === undefined || isFields(limit), `${name}.limit`, 'an object');
        const limited = isFields(limit)
          ? { limit: tokenBucket(limit as Parameters<typeof tokenBucket>[0]) }
          : {};
        return gateway(name, {
          ...rest,
          ...limited,
          ...(limits === undefined ? {} : { limits: this.#limits(limits, `${name}.limits`) }),
          ...(auth === undefined ? {} : { auth: this.#auth(auth, `${name}.auth`) }),
          routes: this.#routes(routes, name),
        });
      }
      case 'balancer': {
        const { to, ...rest } = options as Fields;
        return balancer(name, { ...rest, to: this.#named(to, `${name}.to`) as Declaration });
      }
      case 'forwardProxy': {
        const { sites, ...rest } = options as Fields;
        return forwardProxy(name, { ...rest, sites: this.#table(sites, `${name}.sites`) });
      }
      case 'limiter':
        return limiter(name, options);
      default: {
        const what = `must be ${dataKinds.slice(0, -1).join(', ')} or ${dataKinds.at(-1)} in a modelled design, got ${show(kind)}`;
        this.#problems.push({ at: `${name}.kind`, what });
        return undefined;
      }
    }
  }

  /** The block that an option names. */
  #named(to: unknown, at: string): Declaration | undefined {
    this.#must(typeof to === 'string', at, `the name of a block, got ${show(to)}`);
    return typeof to === 'string' ? this.#block(to, at) : undefined;
  }

  /** A table of paths, or a list of routes; each names the block that it leads to. */
  #routes(routes: unknown, name: string): RoutesOptions {
    if (Array.isArray(routes)) {
      return routes.map((route: unknown, index) => {
        if (!isFields(route)) return route as RouteOptions;
        const at = `${name}.routes[${index}]`;
        const { to, limits } = route;
        return {
          ...route,
          ...(to === undefined ? {} : { to: this.#destination(to, `${at}.to`) }),
          ...(limits === undefined ? {} : { limits: this.#limits(limits, `${at}.limits`) }),
          ...this.#policy(route.policy, at),
        } as RouteOptions;
      });
    }
    this.#must(isFields(routes), `${name}.routes`, "an object, like { '/': 'api' }, or a list");
    return isFields(routes) ? this.#table(routes, `${name}.routes`) : {};
  }

  /** By a path or a host: the block that it leads to. */
  #table(given: unknown, at: string): Readonly<Record<string, Declaration>> {
    const table: Record<string, Declaration> = {};
    for (const [pattern, target] of Object.entries(isFields(given) ? given : {})) {
      const to = this.#block(String(target), `${at}.${pattern}`);
      if (to) table[pattern] = to;
    }
    return table;
  }

  /** The name of a block, or `{ "aggregate": { "parts": { … } } }` with the name of one in each part. */
  #destination(to: unknown, at: string): RouteOptions['to'] {
    const made = isFields(to) ? to.aggregate : undefined;
    if (!isFields(made)) return this.#block(String(to), at);
    this.#must(isFields(made.parts), `${at}.parts`, 'an object');
    const parts = Object.entries(isFields(made.parts) ? made.parts : {}).map(([part, options]) => {
      const given = isFields(options) ? options : {};
      const from = this.#block(String(given.from), `${at}.parts.${part}.from`);
      return [part, { ...given, from }];
    });
    return aggregate({ ...made, parts: Object.fromEntries(parts) } as AggregateOptions);
  }

  /** A limiter that counts for several gateways goes by its name. */
  #limits(limits: unknown, at: string): LimitsOptions {
    this.#must(isFields(limits), at, 'an object, by name');
    const read = Object.entries(isFields(limits) ? limits : {}).map(([name, limit]) => {
      if (!isFields(limit) || limit.backend === undefined) return [name, limit];
      const backend = this.#block(String(limit.backend), `${at}.${name}.backend`);
      return [name, { ...limit, backend }];
    });
    return Object.fromEntries(read) as LimitsOptions;
  }

  /** `{ "apiKeys": … }`, `{ "jwt": { "keys": "issuer" } }`, or a list of them. */
  #auth(auth: unknown, at: string): readonly Scheme[] {
    return (Array.isArray(auth) ? (auth as readonly unknown[]) : [auth]).flatMap((scheme) => {
      const [kind, given] = (isFields(scheme) && Object.entries(scheme)[0]) || [];
      const options = isFields(given) ? given : {};
      if (kind === 'apiKeys') return [apiKeys(options as unknown as Parameters<typeof apiKeys>[0])];
      if (kind === 'jwt') {
        const { keys, ...rest } = options;
        const issuer = keys === undefined ? undefined : this.#block(String(keys), `${at}.jwt.keys`);
        return [jwt({ ...rest, ...(issuer ? { keys: issuer } : {}) })];
      }
      this.#problems.push({ at, what: `must be { apiKeys } or { jwt }, got ${show(scheme)}` });
      return [];
    });
  }

  /** A service that stands in goes by its name. */
  #policy(policy: unknown, name: string): Fields {
    const fallback = isFields(policy) ? policy.fallback : undefined;
    if (!isFields(policy) || !isFields(fallback) || fallback.service === undefined) return {};
    const { service: named, ...kept } = fallback;
    const to = this.#block(String(named), `${name}.policy.fallback.service`);
    return { policy: { ...policy, fallback: { ...kept, ...(to ? { service: to } : {}) } } };
  }

  #steps(calls: unknown, at: string): Call[] {
    if (!Array.isArray(calls)) {
      this.#problems.push({ at, what: `must be a list, got ${show(calls)}` });
      return [];
    }
    return calls.flatMap((step, index) => this.#step(step, `${at}[${index}]`) ?? []);
  }

  #step(step: unknown, at: string): Call | undefined {
    if (typeof step === 'string') {
      const to = this.#block(step, at);
      return to && call(to);
    }
    const entries = isFields(step) ? Object.entries(step) : [];
    const [verb, value] = entries[0] ?? [];
    if (entries.length === 1) {
      switch (verb) {
        case 'parallel':
          return parallel(...this.#steps(value, `${at}.parallel`));
        case 'sequence':
          return sequence(...this.#steps(value, `${at}.sequence`));
        case 'work':
          return work(this.#cost(value, `${at}.work`));
        case 'optional': {
          const inner = this.#step(value, `${at}.optional`);
          return inner && optional(inner);
        }
        case 'sometimes':
          return this.#sometimes(value, `${at}.sometimes`);
      }
    }
    const what = `must be the name of a block, or one of { parallel }, { sequence }, { sometimes }, { optional }, { work }, got ${show(step)}`;
    this.#problems.push({ at, what });
    return undefined;
  }

  #sometimes(value: unknown, at: string): Call | undefined {
    if (
      !isFields(value) ||
      typeof value.chance !== 'number' ||
      value.chance < 0 ||
      value.chance > 1
    ) {
      this.#problems.push({ at, what: `must be { chance: 0 to 1, call: … }, got ${show(value)}` });
      return undefined;
    }
    const inner = this.#step(value.call, `${at}.call`);
    return inner && sometimes(value.chance, inner);
  }

  #cost(value: unknown, at: string): CostOption {
    if (isFields(value) && 'cpu' in value) return { cpu: this.#draw(value.cpu, at) };
    if (isFields(value) && 'wait' in value) return { wait: this.#draw(value.wait, at) };
    return { wait: this.#draw(value, at) };
  }

  /** `"5ms"`, `{ "exponential": "5ms" }`, `{ "gamma": { "mean": "5ms", "cv": 0.5 } }` … */
  #draw(value: unknown, at: string): Distribution {
    try {
      const draw = drawOf(value);
      if (draw) return draw;
    } catch {
      // A duration inside is none; the message below names the whole value.
    }
    const what = `must be a duration or one of { constant }, { exponential }, { uniform }, { gamma }, { lognormal }, { pareto }, got ${show(value)}`;
    this.#problems.push({ at, what });
    return { kind: 'constant', value: 0 };
  }

  #users(value: unknown): ReturnType<typeof users> | undefined {
    if (!isFields(value)) {
      this.#problems.push({ at: 'users', what: `must be an object, got ${show(value)}` });
      return undefined;
    }
    const { rate, closed, ...rest } = value;
    const what = "an object, like { users: 10, think: '1s' }";
    this.#must(closed === undefined || isFields(closed), 'users.closed', what);
    const think = isFields(closed) ? this.#draw(closed.think, 'users.closed.think') : undefined;
    try {
      return users({
        ...rest,
        ...(rate === undefined ? {} : { rate: rateOf(rate) }),
        ...(isFields(closed) && think ? { closed: { users: Number(closed.users), think } } : {}),
      } as Parameters<typeof users>[0]);
    } catch (failure) {
      this.#problems.push({
        at: 'users.rate',
        what: failure instanceof Error ? failure.message : String(failure),
      });
      return undefined;
    }
  }
}

type Options<F extends (options: never) => unknown> = Parameters<F>[0];
type Text = Parameters<typeof constant>[0];

function drawOf(value: unknown): Distribution | undefined {
  if (typeof value === 'string') return constant(value as Text);
  if (!isFields(value)) return undefined;
  const entries = Object.entries(value);
  const [kind, of] = entries[0] ?? [];
  if (entries.length !== 1) return undefined;
  switch (kind) {
    case 'constant':
      return constant(of as Text);
    case 'exponential':
      return exponential(of as Text);
    case 'uniform': {
      const { min, max } = of as { readonly min: Text; readonly max: Text };
      return uniform(min, max);
    }
    case 'gamma': {
      const { mean, cv } = of as { readonly mean: Text; readonly cv: number };
      return gamma(mean, { cv });
    }
    case 'lognormal':
      return lognormal(of as Options<typeof lognormal>);
    case 'pareto':
      return pareto(of as Options<typeof pareto>);
    default:
      return undefined;
  }
}

function rateOf(value: unknown): unknown {
  if (!isFields(value)) return value;
  if ('ramp' in value) return ramp(value.ramp as Options<typeof ramp>);
  if ('spike' in value) return spike(value.spike as Options<typeof spike>);
  if ('diurnal' in value) return diurnal(value.diurnal as Options<typeof diurnal>);
  return value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
