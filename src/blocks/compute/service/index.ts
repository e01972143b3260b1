/**
 * `service('api', { env, fetch })`: instances of a handler of your own, in the form of a Workers
 * module, so that Hono, h3, itty-router or a bare function all serve. Without `fetch` and `on` it
 * is modelled: a cost and calls.
 */
import type { Declaration } from '../../../host/declaration.ts';
import type { Value } from '../../../host/host.ts';
import { type ConfigOf, configure, type Knobs, type OptionsOf, show } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import { isSetIn, settle } from '../../../kit/settings.ts';
import { adaptiveLimitKnobs } from '../../../parts/adaptive-limit.ts';
import type { Fetcher } from '../../../path/fetcher-handle.ts';
import { type PathOptions, pathPolicy } from '../../../path/policy.ts';
import { readTls, type TlsOptions } from '../../../path/tls.ts';
import { serviceBlock } from './block.ts';
import type { AnyConsumer, AnyFetch, ServiceCode } from './coded.ts';
import {
  type Cost,
  instanceLimitKnobs,
  type knobs,
  readKnobs,
  type ServiceConfig,
  type Step,
  shedKnobs,
  sidecarPort,
  socketsKnobs,
} from './config.ts';
import { type CostOption, costKnob, costOf, readCost } from './cost.ts';

export type { Fetcher } from '../../../path/fetcher-handle.ts';
export type { CostOption } from './cost.ts';

export type Bindings = Readonly<Record<string, Declaration>>;

/** The handles that a handler gets for its bindings. */
export type Env<B extends Bindings> = {
  readonly [K in keyof B]: B[K] extends Declaration<infer H> ? H : never;
};

export type Fetch<E> = (request: Request, env: E) => Response | Promise<Response>;

/** For each binding that delivers: what is done with a batch of it. */
export type Consumers<B extends Bindings> = {
  readonly [K in keyof B]?: B[K] extends { readonly delivers?: infer D }
    ? unknown extends D
      ? never
      : (batch: NonNullable<D>, env: Env<B>) => void | Promise<void>
    : never;
};

export interface ServiceOptions<B extends Bindings> extends OptionsOf<typeof knobs> {
  /** What a request, or a message read from a topic, costs an instance: charged before the handler in the simulator and real when live. */
  readonly cost?: CostOption;
  /** What the handler may use, by the name it sees. */
  readonly env?: B;
  readonly fetch?: Fetch<Env<B>>;
  /** Topics read as a consumer group named after this service. */
  readonly on?: Consumers<B>;
  /** Instead of `fetch`: several versions side by side. */
  readonly releases?: Readonly<Record<string, { readonly fetch: Fetch<Env<B>> }>>;
  /** Share of traffic a release gets; equal by default. */
  readonly traffic?: Readonly<Record<string, number>>;
  /** Modelled only: what it calls after its own cost, one after the other. */
  readonly calls?: readonly Call[];
  /** Shares of the instances, in their order, where they are not equal; 1 for those not named. */
  readonly weights?: readonly number[];
  /** How many requests a second each instance takes, from all callers together; the rest get 429 with `Retry-After`, at once. */
  readonly limit?: OptionsOf<typeof instanceLimitKnobs>;
  /** Refuses the least important requests first when they wait too long. Left out: only `openMax` refuses. */
  readonly shed?: OptionsOf<typeof shedKnobs>;
  /** Finds out how many requests at once an instance bears, and refuses the rest. */
  readonly concurrency?: OptionsOf<typeof adaptiveLimitKnobs>;
  /** Limits of web sockets (`upgradeWebSocket`, `WebSocketPair`). */
  readonly sockets?: OptionsOf<typeof socketsKnobs>;
  /** A proxy of this mesh stands beside each instance: calls to and from it pass there. */
  readonly mesh?: Declaration;
  /** Where connections come through a `balancer`: they are encrypted up to here. Calls from inside are not. */
  readonly tls?: TlsOptions | true;
  /** How other services call this one. */
  readonly policy?: PathOptions;
  /** The registry in which its instances are found. Without it callers go to those that the plan names. */
  readonly discovery?: Declaration;
}

export interface Service extends Declaration<Fetcher> {
  readonly kind: 'service';
}

/** What a service takes besides its knobs. */
const besides = [
  'cost',
  'env',
  'fetch',
  'on',
  'releases',
  'traffic',
  'calls',
  'weights',
  'limit',
  'shed',
  'concurrency',
  'sockets',
  'mesh',
  'policy',
  'discovery',
  'tls',
];

export function service<const B extends Bindings = Record<never, never>>(
  name: string,
  options: ServiceOptions<B>,
): Service {
  const { cost, env, fetch, on, releases, traffic, calls, policy, ...others } = options;
  const { weights, limit, shed, concurrency, sockets, mesh, discovery, tls, ...rest } = others;
  const isCode = fetch !== undefined || on !== undefined || releases !== undefined;
  const { config, problems } = readKnobs(name, rest, isCode, besides);
  const path = pathPolicy(`${name}.policy`, policy ?? {});
  const wrong: Problem[] = [...problems, ...path.problems];
  const versions = releases ?? { current: { fetch } };
  const names = Object.keys(versions);
  if (fetch && releases) wrong.push({ at: name, what: 'give fetch or releases, not both' });
  for (const [at, handler] of handlersOf(name, options)) {
    if (typeof handler === 'function') continue;
    wrong.push({ at, what: `a handler must be a function, got ${show(handler)}` });
  }
  if (isCode && calls)
    wrong.push({ at: `${name}.calls`, what: 'a service with a handler makes its own calls' });
  const binds: Record<string, Declaration> = {};
  for (const [binding, bound] of Object.entries(env ?? {})) {
    if (bound?.block?.client) binds[binding] = bound;
    else wrong.push({ at: `${name}.env.${binding}`, what: cannotBind(bound) });
  }
  const steps = isCode
    ? null
    : (calls ?? []).map((step, index) => compile(step, binds, `${name}.calls[${index}]`, wrong));
  const split = splitOf(name, names, traffic, wrong);
  if (config.instances < names.length) {
    const what = `must be at least ${names.length}, one for each release, got ${config.instances}`;
    wrong.push({ at: `${name}.instances`, what });
  }
  if (mesh !== undefined && !mesh?.block?.sidecarConfig) {
    const what = `must be a mesh, got ${mesh?.block?.kind ?? show(mesh)}`;
    wrong.push({ at: `${name}.mesh`, what });
  }
  const isRegistry = discovery?.block?.directoryConfig !== undefined;
  if (discovery !== undefined && !isRegistry) {
    const given = discovery?.block?.kind ?? show(discovery);
    wrong.push({ at: `${name}.discovery`, what: `must be a registry, got ${given}` });
  }
  const secure = readTls(`${name}.tls`, tls);
  wrong.push(...secure.problems);
  const consumed = Object.keys(on ?? {});
  for (const binding of consumed) {
    if (binds[binding]?.block.consumerConfig) continue;
    wrong.push({ at: `${name}.on.${binding}`, what: 'must name a topic that stands in env' });
  }
  const serviceConfig: ServiceConfig = {
    ...config,
    cost: settledCost(name, cost, wrong),
    steps,
    traffic: split,
    ...(weights ? { weights: weightsOf(`${name}.weights`, weights, wrong) } : {}),
    ...within('limit', name, instanceLimitKnobs, limit, wrong),
    ...within('shed', name, shedKnobs, shed, wrong),
    ...within('concurrency', name, adaptiveLimitKnobs, concurrency, wrong),
    ...within('sockets', name, socketsKnobs, sockets, wrong),
    path: path.policy,
    directory: isRegistry
      ? {
          port: discovery.name,
          waitUs: (discovery.config as { readonly waitUs: number }).waitUs,
          ...(mesh ? { door: sidecarPort(mesh) } : {}),
        }
      : null,
    tls: secure.tls,
  };
  const code: ServiceCode = {
    // The types of `env` were checked where the user wrote them; below here it is any object.
    releases: versions as Readonly<Record<string, { readonly fetch: AnyFetch | undefined }>>,
    on: (on ?? {}) as unknown as Readonly<Record<string, AnyConsumer>>,
  };
  return {
    kind: 'service',
    name,
    block: serviceBlock,
    config: serviceConfig as unknown as Value,
    problems: wrong,
    binds,
    ...(mesh ? { mesh } : {}),
    ...(path.backup ? { standsIn: [path.backup] } : {}),
    consumes: consumed.flatMap((binding) => binds[binding] ?? []),
    ...(isRegistry ? { discovery } : {}),
    code,
  };
}

/** A stage of the receiving side, where it is asked for. */
function within<N extends string, T extends Knobs>(
  option: N,
  name: string,
  knobs: T,
  given: object | undefined,
  wrong: Problem[],
): { readonly [K in N]?: ConfigOf<T> } {
  const at = `${name}.${option}`;
  if (given === undefined && !isSetIn(at)) return {};
  const { config, problems } = configure(at, knobs, given ?? {});
  wrong.push(...problems);
  return { [option]: config } as { readonly [K in N]?: ConfigOf<T> };
}

function weightsOf(at: string, weights: unknown, wrong: Problem[]): readonly number[] {
  const isWeight = (weight: unknown): boolean =>
    typeof weight === 'number' && weight > 0 && weight < Number.POSITIVE_INFINITY;
  if (Array.isArray(weights) && weights.every(isWeight)) return weights as readonly number[];
  wrong.push({ at, what: `must be a list of numbers above zero, got ${show(weights)}` });
  return [];
}

function settledCost(name: string, given: CostOption | undefined, wrong: Problem[]): Cost | null {
  const at = `${name}.cost`;
  const cost = settle(at, costKnob, given);
  const set = typeof cost === 'string' ? readCost(cost, given) : undefined;
  return set ?? (given === undefined ? null : costOf(at, given, wrong));
}

function handlersOf(
  name: string,
  {
    fetch,
    releases,
    on,
  }: { readonly fetch?: unknown; readonly releases?: object; readonly on?: object },
): readonly (readonly [string, unknown])[] {
  return [
    ...(fetch === undefined ? [] : [[`${name}.fetch`, fetch] as const]),
    ...Object.entries(releases ?? {}).map(
      ([release, given]: [string, { readonly fetch?: unknown } | undefined]) =>
        [`${name}.releases.${release}.fetch`, given?.fetch] as const,
    ),
    ...Object.entries(on ?? {}).map(
      ([binding, given]) => [`${name}.on.${binding}`, given] as const,
    ),
  ];
}

/** Each release has its share, also one that gets nothing yet: its instances are there to shift to. */
function splitOf(
  name: string,
  releases: readonly string[],
  traffic: Readonly<Record<string, number>> | undefined,
  wrong: Problem[],
): Readonly<Record<string, number>> {
  const split = Object.fromEntries(releases.map((release) => [release, traffic ? 0 : 1]));
  for (const [release, share] of Object.entries(traffic ?? {})) {
    const at = `${name}.traffic.${release}`;
    if (!releases.includes(release)) {
      wrong.push({ at, what: `no such release; there are ${releases.join(', ')}` });
    } else if (!(share >= 0 && share < Number.POSITIVE_INFINITY)) {
      wrong.push({ at, what: `must be a share, zero or more, got ${show(share)}` });
    } else split[release] = share;
  }
  if (Object.values(split).every((share) => share === 0)) {
    wrong.push({ at: `${name}.traffic`, what: 'must give some release a share' });
  }
  return split;
}

function cannotBind(bound: Declaration | undefined): string {
  if (bound === undefined) return 'is undefined: do two files import each other?';
  const given = bound?.block?.kind;
  return given
    ? `a ${given} cannot be bound: nothing inside the system calls it`
    : `must be a block, got ${show(bound)}`;
}

/** What a modelled service does: a step made by `call`, `parallel`, `sometimes` … */
export type Call =
  | { readonly do: 'call'; readonly to: Declaration }
  | { readonly do: 'work'; readonly cost: CostOption }
  | { readonly do: 'sequence' | 'parallel'; readonly steps: readonly Call[] }
  | { readonly do: 'sometimes'; readonly chance: number; readonly step: Call }
  | { readonly do: 'optional'; readonly step: Call };

export function call(to: Declaration): Call {
  return { do: 'call', to };
}

/** All at once; done when the last is. */
export function parallel(...steps: readonly Call[]): Call {
  return { do: 'parallel', steps };
}

export function sequence(...steps: readonly Call[]): Call {
  return { do: 'sequence', steps };
}

/** With a probability: `sometimes(0.3, call(search))`. */
export function sometimes(chance: number, step: Call): Call {
  return { do: 'sometimes', chance, step };
}

/** A step whose failure does not fail the request. */
export function optional(step: Call): Call {
  return { do: 'optional', step };
}

/** More of its own work between calls. */
export function work(cost: CostOption): Call {
  return { do: 'work', cost };
}

/** To plain data; whom it calls goes into `binds`, what cannot be into `wrong`. */
function compile(
  step: Call,
  binds: Record<string, Declaration>,
  at: string,
  wrong: Problem[],
): Step {
  switch (step.do) {
    case 'call': {
      const { to } = step;
      if (!to?.block?.servesWeb || !to.block.client) {
        const given = to?.block?.kind ?? show(to);
        wrong.push({ at, what: `a modelled service calls services, got ${given}` });
        return { do: 'sequence', steps: [] };
      }
      if (binds[to.name] && binds[to.name] !== to) {
        wrong.push({ at, what: `two services are called ${to.name}` });
      }
      binds[to.name] = to;
      return { do: 'call', to: to.name };
    }
    case 'work':
      return { do: 'work', cost: costOf(at, step.cost, wrong) ?? nothing };
    case 'sequence':
    case 'parallel':
      return {
        do: step.do,
        steps: step.steps.map((one, index) =>
          compile(one, binds, `${at}.${step.do}[${index}]`, wrong),
        ),
      };
    case 'sometimes':
      if (!(step.chance >= 0 && step.chance <= 1)) {
        wrong.push({ at, what: `sometimes takes a chance from 0 to 1, got ${show(step.chance)}` });
      }
      return {
        do: 'sometimes',
        chance: step.chance,
        step: compile(step.step, binds, `${at}.sometimes`, wrong),
      };
    case 'optional':
      return { do: 'optional', step: compile(step.step, binds, `${at}.optional`, wrong) };
  }
}

const nothing: Cost = { wait: { kind: 'constant', value: 0 } };
