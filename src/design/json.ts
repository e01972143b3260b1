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

import { knobs as serviceKnobs, shedKnobs } from '../blocks/compute/service/config.ts';
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
import {
  cacheKnobs,
  compressKnobs,
  corsKnobs,
  floodKnobs,
  knobs as gatewayKnobs,
  limitKnobs,
  limitsKnobs,
  partKnobs,
  redirectStatuses,
  requestsKnobs,
  traceKnobs,
  wafFields,
  wafKnobs,
  wafOperators,
  wafTransformations,
} from '../blocks/edge/gateway/config.ts';
import {
  type AggregateOptions,
  aggregate,
  gateway,
  type RouteOptions,
  type RoutesOptions,
  tokenBucket,
} from '../blocks/edge/gateway/index.ts';
import { knobs as usersKnobs } from '../blocks/workload/users/config.ts';
import { diurnal, ramp, spike, users } from '../blocks/workload/users/index.ts';
import type { Declaration } from '../host/declaration.ts';
import type { Knobs } from '../kit/config.ts';
import { nearest, show } from '../kit/config.ts';
import type { Distribution } from '../kit/distribution.ts';
import { constant, exponential, gamma, lognormal, pareto, uniform } from '../kit/draw.ts';
import { type Problem, refuse } from '../kit/errors.ts';
import { adaptiveLimitKnobs } from '../parts/adaptive-limit.ts';
import { policyTables } from '../path/policy.ts';
import { type System, system } from './system.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What may stand in a modelled design: blocks whose work is a cost and not code. */
export const modelledKinds: readonly string[] = ['service', 'external', 'gateway'];

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
    for (const block of blocks as unknown[]) this.#register(block);
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
      return refuse('bad-design', at, [...this.#problems, ...inBlocks]);
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
        const { routes, limit, ...rest } = options;
        this.#must(limit === undefined || isFields(limit), `${name}.limit`, 'an object');
        const limited = isFields(limit)
          ? { limit: tokenBucket(limit as Parameters<typeof tokenBucket>[0]) }
          : {};
        return gateway(name, { ...rest, ...limited, routes: this.#routes(routes, name) });
      }
      default: {
        const what = `must be service, external or gateway in a modelled design, got ${show(kind)}`;
        this.#problems.push({ at: `${name}.kind`, what });
        return undefined;
      }
    }
  }

  /** A table of paths, or a list of routes; each names the block that it leads to. */
  #routes(routes: unknown, name: string): RoutesOptions {
    if (Array.isArray(routes)) {
      return routes.map((route: unknown, index) => {
        if (!isFields(route) || route.to === undefined) return route as RouteOptions;
        const to = this.#destination(route.to, `${name}.routes[${index}].to`);
        return { ...route, to } as RouteOptions;
      });
    }
    this.#must(isFields(routes), `${name}.routes`, "an object, like { '/': 'api' }, or a list");
    const table: Record<string, Declaration> = {};
    for (const [pattern, target] of Object.entries(isFields(routes) ? routes : {})) {
      const to = this.#block(String(target), `${name}.routes.${pattern}`);
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

// The schema -------------------------------------------------------------------------------------

/** JSON Schema (draft 2020-12) of a modelled design, from the knob tables. */
export function designSchema(): object {
  const reference = (name: string): object => ({ $ref: `#/$defs/${name}` });
  const duration = { type: 'string', pattern: '^\\d+(\\.\\d+)?(us|ms|s|m|min|h|d)$' };
  const only = (name: string, value: object): object => ({
    type: 'object',
    properties: { [name]: value },
    required: [name],
    additionalProperties: false,
  });
  const record = (
    properties: Readonly<Record<string, object>>,
    required: readonly string[] = [],
  ): object => ({
    type: 'object',
    properties,
    required,
    additionalProperties: false,
  });
  const stages = Object.entries(policyTables).flatMap(([table, knobs]): [string, object][] => {
    if (table === 'policy') return [];
    const name = table.slice('policy.'.length);
    // Plain text: a block that stands in goes by its name.
    const besides = name === 'fallback' ? { service: { type: 'string' } } : {};
    return [[name, record({ ...fromKnobs(knobs), ...besides })]];
  });
  const policy = record({ ...fromKnobs(policyTables.policy), ...Object.fromEntries(stages) });
  const named = (
    kind: string,
    properties: Readonly<Record<string, object>>,
    required: readonly string[],
  ) =>
    record({ kind: { const: kind }, name: { type: 'string' }, ...properties }, [
      'kind',
      'name',
      ...required,
    ]);
  const text = { type: 'string' };
  const texts = { type: 'array', items: { type: 'string' } };
  const conditions = { type: 'object', additionalProperties: { type: ['string', 'boolean'] } };
  const rateText = { type: 'string', pattern: '^\\d+(\\.\\d+)?\\s*/\\s*(ms|s|m|min|h|d)$' };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Loadpath design',
    description: 'A modelled system: who calls whom, what it costs, and who loads it.',
    ...record(
      {
        $schema: { type: 'string' },
        name: { type: 'string', pattern: '^[a-zA-Z][a-zA-Z0-9-]*$' },
        zones: {
          type: 'array',
          items: {
            anyOf: [
              { type: 'string' },
              record({ name: { type: 'string' }, region: { type: 'string' } }, ['name', 'region']),
            ],
          },
        },
        blocks: {
          type: 'array',
          items: { oneOf: modelledKinds.map(reference) },
        },
        entry: { type: 'string', description: 'The block that users talk to.' },
        users: reference('users'),
        objectives: record({
          p50: duration,
          p90: duration,
          p99: duration,
          p999: duration,
          availability: { type: 'number', exclusiveMinimum: 0, maximum: 1 },
          throughput: rateText,
        }),
        faults: {
          type: 'array',
          items: { type: 'string' },
          description: "Sentences: 'kill api/1 at 30s, restart after 5s'.",
        },
        studio: {
          ...record({
            positions: {
              type: 'object',
              additionalProperties: { type: 'array', items: { type: 'number' } },
              description: 'By block: across and down, where it stands on the drawing board.',
            },
          }),
          description: 'What Studio keeps for its drawing board. No run looks at it.',
        },
      },
      ['name', 'blocks', 'entry'],
    ),
    $defs: {
      service: named(
        'service',
        {
          ...fromKnobs(serviceKnobs),
          cost: reference('cost'),
          calls: { type: 'array', items: reference('step') },
          weights: { type: 'array', items: { type: 'number', exclusiveMinimum: 0 } },
          shed: record(fromKnobs(shedKnobs)),
          concurrency: record(fromKnobs(adaptiveLimitKnobs)),
          policy,
        },
        [],
      ),
      external: named(
        'external',
        { url: { type: 'string' }, latency: reference('draw'), policy },
        [],
      ),
      gateway: named(
        'gateway',
        {
          ...fromKnobs(gatewayKnobs),
          routes: {
            anyOf: [
              { type: 'object', additionalProperties: { type: 'string' } },
              { type: 'array', items: reference('route') },
            ],
          },
          limit: record(fromKnobs(limitKnobs)),
          limits: reference('limits'),
          locations: { type: 'object', additionalProperties: texts },
          requests: record({ ...fromKnobs(requestsKnobs), hosts: texts }),
          flood: record(fromKnobs(floodKnobs)),
          waf: record({
            ...fromKnobs(wafKnobs),
            except: texts,
            rules: {
              type: 'array',
              items: record(
                {
                  id: text,
                  on: { type: 'array', items: { enum: wafFields } },
                  transform: { type: 'array', items: { enum: wafTransformations } },
                  op: { enum: wafOperators },
                  value: text,
                  score: { type: 'integer', minimum: 1 },
                },
                ['id', 'on', 'transform', 'op', 'value', 'score'],
              ),
            },
          }),
          cors: record(
            {
              ...fromKnobs(corsKnobs),
              origins: texts,
              methods: texts,
              headers: texts,
              exposed: texts,
            },
            ['origins'],
          ),
          cache: record(fromKnobs(cacheKnobs)),
          compress: record(fromKnobs(compressKnobs)),
          trace: record(fromKnobs(traceKnobs)),
          replyHeaders: { type: 'object', additionalProperties: text },
          policy,
        },
        ['routes'],
      ),
      route: record({
        path: { type: 'string' },
        exact: { type: 'boolean' },
        host: { type: 'string' },
        methods: texts,
        headers: conditions,
        cookies: conditions,
        query: conditions,
        contentType: { type: 'string' },
        to: {
          anyOf: [
            { type: 'string', description: 'The block that it leads to.' },
            only(
              'aggregate',
              record(
                {
                  parts: {
                    type: 'object',
                    additionalProperties: record(
                      { ...fromKnobs(partKnobs), from: text, path: text },
                      ['from', 'path'],
                    ),
                  },
                  shape: { description: "JSON in which '$part.field' stands for a value." },
                },
                ['parts'],
              ),
            ),
          ],
        },
        redirect: {
          anyOf: [
            { type: 'string' },
            record({ to: { type: 'string' }, status: { enum: redirectStatuses } }, ['to']),
          ],
        },
        rewrite: record({
          strip: { type: 'string' },
          path: { type: 'string' },
          host: { type: 'string' },
        }),
        policy,
        limits: reference('limits'),
        bodyMax: { type: 'string' },
        cache: { type: 'boolean' },
      }),
      limits: {
        type: 'object',
        additionalProperties: record({ ...fromKnobs(limitsKnobs), only: texts, except: texts }),
      },
      users: record({
        ...fromKnobs(usersKnobs),
        rate: {
          anyOf: [
            rateText,
            only(
              'ramp',
              record({ from: rateText, to: rateText, over: duration }, ['from', 'to', 'over']),
            ),
            only(
              'spike',
              record({ base: rateText, peak: rateText, at: duration, for: duration }, [
                'base',
                'peak',
                'at',
                'for',
              ]),
            ),
            only(
              'diurnal',
              record({ mean: rateText, swing: { type: 'number' }, period: duration }, ['mean']),
            ),
          ],
        },
        closed: record({ users: { type: 'integer', minimum: 1 }, think: reference('draw') }, [
          'users',
          'think',
        ]),
      }),
      step: {
        anyOf: [
          { type: 'string', description: 'A call of this block.' },
          only('parallel', { type: 'array', items: reference('step') }),
          only('sequence', { type: 'array', items: reference('step') }),
          only('optional', reference('step')),
          only(
            'sometimes',
            record(
              { chance: { type: 'number', minimum: 0, maximum: 1 }, call: reference('step') },
              ['chance', 'call'],
            ),
          ),
          only('work', reference('cost')),
        ],
      },
      cost: {
        anyOf: [reference('draw'), only('cpu', reference('draw')), only('wait', reference('draw'))],
      },
      draw: {
        anyOf: [
          duration,
          only('constant', duration),
          only('exponential', duration),
          only('uniform', record({ min: duration, max: duration }, ['min', 'max'])),
          only(
            'gamma',
            record({ mean: duration, cv: { type: 'number', minimum: 0 } }, ['mean', 'cv']),
          ),
          only('lognormal', record({ median: duration, p99: duration }, ['median', 'p99'])),
          only(
            'pareto',
            record({ min: duration, alpha: { type: 'number', exclusiveMinimum: 0 } }, [
              'min',
              'alpha',
            ]),
          ),
        ],
      },
    },
  };
}

const jsonTypes: Readonly<Record<string, string>> = {
  count: 'integer',
  ratio: 'number',
  flag: 'boolean',
};

function fromKnobs(knobs: Knobs): Record<string, object> {
  const properties: Record<string, object> = {};
  for (const [name, knob] of Object.entries(knobs)) {
    properties[name] = {
      ...(knob.choices ? { enum: knob.choices } : { type: jsonTypes[knob.unit] ?? 'string' }),
      description: `${knob.doc} Allowed: ${knob.allowed}.`,
      ...(knob.preset === undefined ? {} : { default: knob.preset }),
    };
  }
  return properties;
}
