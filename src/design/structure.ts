/**
 * A design as lint, explain and estimate see it: who is there, who calls whom, under which
 * policy. Plain data made from a design, so that nothing there depends on how designs are written.
 *
 * What it reads from a block's config are names that all blocks share: `replicas`, `read`,
 * `write`, `timeoutUs`, `attemptTimeoutUs`, `path` (how to call it), `policy` (how it calls), and
 * bounds of queues. A new block is understood when it keeps to them.
 */
import type { Declaration } from '../host/declaration.ts';
import type { Micros } from '../host/host.ts';
import { formatDuration } from '../kit/units.ts';
import { type FixedPort, fixedPorts } from '../parts/ports.ts';
import type { PathPolicy } from '../path/policy.ts';
import { stagesOfPolicy } from './pipeline.ts';
import { calledBy } from './plan.ts';
import { declarationsOf, planOf, type System } from './system.ts';

export interface StructuralView {
  readonly design: string;
  readonly zones: readonly { readonly name: string; readonly region: string }[];
  readonly blocks: readonly BlockView[];
  /** Every path on which one block calls another. */
  readonly calls: readonly CallView[];
  /** Requests a second that the workload sends, and by whom; undefined when it depends on the run. */
  readonly ratePerSec?: number | undefined;
}

export interface BlockView {
  readonly name: string;
  readonly kind: string;
  /** What its block calls it, for people: `replicated store`. */
  readonly purpose: string;
  /** The checked config, units in names. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly nodes: readonly { readonly id: string; readonly zone: string }[];
  /** Live, where it listens because somebody asked for it; a node may be an address that several share. */
  readonly ports?: readonly FixedPort[];
  /** Set for a replicated store: how many copies, how many must answer. */
  readonly quorum?: { readonly copies: number; readonly read: number; readonly write: number };
  /** While one of its nodes is down: what lives there is out of reach, or nobody misses it. Else another node does the work. */
  readonly lossOfNode?: 'share' | 'nothing';
  /** Queues it keeps, by name, with their bounds (null: none). */
  readonly queues?: Readonly<Record<string, number | null>>;
  /** Requests do not pass through it: a directory of who serves, or an operator of others. */
  readonly beside?: 'directory' | 'operator';
  /** A fleet replaces its nodes, and has as many as it needs, from `min` on. */
  readonly kept?: { readonly by: string; readonly min: number; readonly startUs: Micros };
  /** Stubs for what is not ours, and users: they are not ours to replicate. */
  readonly outside?: boolean;
}

/** The effective policy of one path, after defaults. Absent fields mean that the stage is absent. */
export interface CallView {
  readonly from: string;
  readonly to: string;
  /** `route /`, or the binding's name. */
  readonly as: string;
  /** `from` reads this topic as a consumer group: what flows, flows from `to` to `from`. */
  readonly consumed?: boolean;
  /** What the whole call may take, with all attempts. */
  readonly deadlineUs?: Micros | undefined;
  /** What one attempt may take. */
  readonly timeoutUs?: Micros | undefined;
  readonly retry?: {
    /** First try included. */
    readonly attempts: number;
    /** Retries allowed as a share of calls; undefined: no budget. */
    readonly budgetRatio?: number | undefined;
    /** Methods that are tried again; undefined: all. */
    readonly methods?: readonly string[] | undefined;
  };
  /** Other stages in their order, one sentence each: `breaker: opens at 50 % failures over 10 s`. */
  readonly stages?: readonly string[];
  /** Connections are passed on, and not calls: how long one may look for a target that takes it. */
  readonly placedWithinUs?: Micros;
  /** How many of `stages` a call meets before its deadline is set, and how many before retries. */
  readonly before?: { readonly deadline: number; readonly retry: number };
}

/** The methods of HTTP that may be repeated without asking (RFC 9110, section 9.2.2). */
export const idempotentMethods: readonly string[] = [
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PUT',
  'DELETE',
];

type Config = Readonly<Record<string, unknown>>;

export function structureOf(design: System): StructuralView {
  const plan = planOf(design);
  const declarations = declarationsOf(design);
  const ratePerSec = rateOf(declarations);
  const ports = fixedPorts(plan);
  return {
    design: design.name,
    zones: design.zones,
    blocks: declarations.map((declaration) => ({
      ...blockView(declaration),
      ...keptBy(declaration, declarations),
      nodes: plan.nodes
        .filter((node) => node.block === declaration.name)
        .map(({ id, zone }) => ({ id, zone })),
      ...portsOf(declaration.name, ports),
    })),
    calls: declarations.flatMap((from) => [
      ...Object.entries(from.binds).map(([as, to]) => ({
        ...callView(from, to, as),
        ...(from.consumes?.includes(to) ? { consumed: true } : {}),
      })),
      ...callsBeside(from, declarations),
    ]),
    ...(ratePerSec === undefined ? {} : { ratePerSec }),
  };
}

function portsOf(block: string, ports: readonly FixedPort[]): Pick<BlockView, 'ports'> {
  const own = ports.filter(({ node }) => node.startsWith(`${block}/`));
  return own.length > 0 ? { ports: own } : {};
}

function blockView(declaration: Declaration): Omit<BlockView, 'nodes'> {
  const { name, block } = declaration;
  const config = configOf(declaration);
  const copies = numberIn(config, 'replicas');
  const read = numberIn(config, 'read');
  const write = numberIn(config, 'write');
  const queues = Object.entries(config).filter(
    ([option, value]) => /^(queue|inFlight|openMax|hintsMax)$/.test(option) && isBound(value),
  );
  return {
    name,
    kind: block.kind,
    purpose: block.purpose,
    config,
    ...(copies && read && write ? { quorum: { copies, read, write } } : {}),
    queues: Object.fromEntries(queues) as Record<string, number | null>,
    ...(block.lossOfNode ? { lossOfNode: block.lossOfNode } : {}),
    ...(block.directoryConfig ? { beside: 'directory' as const } : {}),
    ...(declaration.operates ? { beside: 'operator' as const } : {}),
    outside: block.kind === 'users' || block.kind === 'external',
  };
}

/** Questions of who serves, and of how instances fare: no binding names them. */
function callsBeside(from: Declaration, declarations: readonly Declaration[]): CallView[] {
  const bound = new Set(Object.values(from.binds).map(({ name }) => name));
  return calledBy(from).flatMap((name) => {
    const to = declarations.find((one) => one.name === name);
    if (!to || bound.has(name)) return [];
    const { health } = configOf(from);
    const isProbe = from.operates?.includes(to) === true;
    const timeoutUs = numberIn(isProbe && isRecord(health) ? health : configOf(to), 'timeoutUs');
    const as = isProbe ? 'health' : 'discovery';
    return [{ from: from.name, to: name, as, deadlineUs: timeoutUs, timeoutUs }];
  });
}

function keptBy(
  declaration: Declaration,
  declarations: readonly Declaration[],
): Pick<BlockView, 'kept'> {
  const fleet = declarations.find(
    ({ block, operates }) => block.kind === 'fleet' && operates?.includes(declaration),
  );
  if (!fleet) return {};
  const config = configOf(fleet);
  const min = numberIn(config, 'min') ?? 1;
  return { kept: { by: fleet.name, min, startUs: numberIn(config, 'startDelayUs') ?? 0 } };
}

function isBound(value: unknown): value is number | null {
  return typeof value === 'number' || value === null;
}

function callView(from: Declaration, to: Declaration, as: string): CallView {
  const caller = configOf(from);
  const callee = configOf(to);
  const policy = policyIn(caller.policy) ?? policyIn(callee.path);
  const base = { from: from.name, to: to.name, as };
  if (from.block.passesConnections) {
    const connectUs = numberIn(caller, 'connectTimeoutUs') ?? 0;
    const tries = numberIn(caller, 'tries') ?? 1;
    const stage = `connections: passed on untouched; who does not take one within ${formatDuration(connectUs)} is left for another, up to ${tries} are asked`;
    return { ...base, stages: [stage], placedWithinUs: connectUs * tries };
  }
  if (from.block.kind === 'users') {
    return { ...base, deadlineUs: numberIn(caller, 'timeoutUs') };
  }
  if (policy) {
    return {
      ...base,
      deadlineUs: policy.timeoutUs,
      timeoutUs: policy.attemptTimeoutUs,
      retry: {
        attempts: policy.attempts,
        budgetRatio: policy.budgetRatio,
        methods: idempotentMethods,
      },
      ...stagesOf(
        [...limitStages(caller), ...sharedStages(caller), ...routeStages(caller, to)],
        policy,
        instanceStages(callee),
      ),
    };
  }
  // A store's client is its own policy: it asks again until its timeout, and that is safe.
  return {
    ...base,
    deadlineUs: numberIn(callee, 'timeoutUs'),
    timeoutUs: numberIn(callee, 'attemptTimeoutUs'),
  };
}

function limitStages(config: Config): string[] {
  if (!Array.isArray(config.limits)) return [];
  return config.limits.filter(isRecord).flatMap((limit) => {
    const { name, algorithm, rate, burst, queueMax, openMax, over, by } = limit;
    if (!isRecord(rate)) return [];
    const label = name === 'limit' ? 'limit' : `limit ${String(name)}`;
    const whom = whoms[String(by)] ?? `each ${String(by)}`;
    if (algorithm === 'concurrency') {
      return [`${label}: ${openMax} open at once for ${whom}; beyond it 429`];
    }
    const { count, periodUs } = rate;
    const period = typeof periodUs === 'number' ? formatDuration(periodUs) : '';
    const pace = `${label}: ${count} every ${period} for ${whom}`;
    if (algorithm === 'leaky-queue' || over === 'delay') {
      return [`${pace}, ${queueMax} wait; beyond it 429`];
    }
    return [`${pace}, ${howCounted(algorithm, burst)}; beyond it 429`];
  });
}

function howCounted(algorithm: unknown, burst: unknown): string {
  const isWindow = String(algorithm).includes('window') || String(algorithm).includes('sliding');
  return isWindow ? String(algorithm) : `bursts of ${burst}`;
}

/** What the service itself lets into each instance. */
function instanceStages({ limit }: Config): string[] {
  if (!isRecord(limit) || !isRecord(limit.rate)) return [];
  const { algorithm, rate, burst } = limit;
  const period = formatDuration(Number((rate as Config).periodUs));
  const most = `${(rate as Config).count} every ${period}`;
  return [
    `at each instance: ${most} from everybody, ${howCounted(algorithm, burst)}; beyond it 429`,
  ];
}

function sharedStages({ shared }: Config): string[] {
  if (!Array.isArray(shared)) return [];
  return shared.filter(isRecord).map(({ name, by, limiter }) => {
    const whom = whoms[String(by)] ?? `each ${String(by)}`;
    return `limit ${String(name)}: counted by ${String(limiter)} for ${whom}; beyond it 429`;
  });
}

const whoms: Readonly<Record<string, string>> = {
  ip: 'each address',
  all: 'everybody together',
};

function routeStages(config: Config, to: Declaration): string[] {
  if (!Array.isArray(config.routes)) return [];
  const paths = config.routes
    .filter(isRecord)
    .filter((route) => isRecord(route.to) && route.to.service === to.name)
    .map((route) => `${typeof route.host === 'string' ? route.host : ''}${String(route.path)}`);
  return paths.length === 0 ? [] : [`route: ${paths.join(', ')}`];
}

function stagesOf(
  door: readonly string[],
  policy: PathPolicy,
  inside: readonly string[],
): Required<Pick<CallView, 'stages' | 'before'>> {
  const { before, around, within } = stagesOfPolicy(policy);
  const deadline = door.length + before.length;
  return {
    stages: [...door, ...before, ...around, ...within, ...inside],
    before: { deadline, retry: deadline + around.length },
  };
}

/** Arrivals a second of an open workload, at its highest; users who wait have none of their own. */
function rateOf(declarations: readonly Declaration[]): number | undefined {
  const users = declarations.find(({ block }) => block.kind === 'users');
  const load = users && configOf(users).load;
  if (!isRecord(load) || !isRecord(load.shape)) return undefined;
  const rates = ['perSec', 'fromPerSec', 'toPerSec', 'basePerSec', 'peakPerSec', 'meanPerSec']
    .map((name) => numberIn(load.shape as Config, name))
    .filter((rate) => rate !== undefined);
  return rates.length === 0 ? undefined : Math.max(...rates);
}

function configOf(declaration: Declaration): Config {
  return isRecord(declaration.config) ? declaration.config : {};
}

function policyIn(value: unknown): PathPolicy | undefined {
  if (!isRecord(value) || typeof value.attemptTimeoutUs !== 'number') return undefined;
  return value as PathPolicy;
}

function numberIn(config: Config, name: string): number | undefined {
  const value = config[name];
  return typeof value === 'number' ? value : undefined;
}

function isRecord(value: unknown): value is Config {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
