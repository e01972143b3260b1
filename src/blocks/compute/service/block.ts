/** The service as Loadpath sees it. */
import { type AgentMessage, agentPort, describeAgent } from '../../../host/agent.ts';
import type { Block, Declaration, Site } from '../../../host/declaration.ts';
import type { Value } from '../../../host/host.ts';
import type { NodePlan, ProgramPlan } from '../../../host/plan.ts';
import { describeWeb, type WebMessage, webPort } from '../../../host/web.ts';
import { adaptiveLimitKnobs } from '../../../parts/adaptive-limit.ts';
import { spread } from '../../../parts/placement.ts';
import { backupConfig } from '../../../path/backup.ts';
import type { FetcherConfig, Member, Targets } from '../../../path/caller.ts';
import { fetcher } from '../../../path/fetcher.ts';
import { fetcherHandle } from '../../../path/fetcher-handle.ts';
import { type PathPolicy, policyTables } from '../../../path/policy.ts';
import { agent } from './agent.ts';
import {
  type InstanceConfig,
  instanceLimitKnobs,
  knobs,
  type ServiceConfig,
  shedKnobs,
  sidecarPort,
  socketsKnobs,
  tlsKnobs,
} from './config.ts';
import { costKnob } from './cost.ts';
import { instance } from './node.ts';

export const serviceBlock: Block = {
  kind: 'service',
  family: 'compute',
  purpose: 'Instances of a handler of your own, or of a model of one.',
  knobs,
  tables: {
    '': { cost: costKnob },
    limit: instanceLimitKnobs,
    shed: shedKnobs,
    tls: tlsKnobs,
    concurrency: adaptiveLimitKnobs,
    sockets: socketsKnobs,
    ...policyTables,
  },
  servesWeb: true,
  endsTls: ({ config }) => (config as ServiceConfig).tls !== null,
  besides: {
    env: 'Blocks that the handler may use, by the name that it sees: `env: { links }`, and then `env.links.get(…)`.',
    fetch:
      'The handler, `(request, env) => Response`, as a Workers module or a framework such as Hono has it. Without it, `on` and `releases` the service is modelled.',
    on: 'Topics of `env` that it reads as a consumer group of its name: `on: { clicks: async (batch, env) => … }`. A batch comes again when the function throws.',
    releases: 'Instead of `fetch`, versions side by side: `{ v1: { fetch }, v2: { fetch } }`.',
    traffic:
      'Share of the traffic that each release gets: `{ v1: 0.95, v2: 0.05 }`. Equal by default.',
    calls:
      "Modelled services only: what it calls after its own cost, one after the other: `[call(store), parallel(…), sometimes(0.1, …), work('1ms')]`.",
    weights: 'Shares of the instances, in their order, where they are not equal: `[2, 1, 1]`.',
    mesh: 'A mesh whose sidecars its calls pass, to it and from it.',
    discovery:
      'The registry in which its instances are found. Without it callers go to those that the plan names.',
  },
  view: { shape: 'box', colour: 'blue' },
  expand,
  member,
  programs: { instance, agent },
  clientConfig: (declaration, site, zone) => fetcherConfig(declaration, site, zone) satisfies Value,
  client: fetcher,
  readsCode: ['instance'],
  handle: fetcherHandle,
  describe: (message) =>
    message.type === 'probe' || message.type === 'condition'
      ? describeAgent(message as AgentMessage)
      : describeWeb(message as WebMessage),
};

/** For those whom a registrar registers: it hears of the stop, and everybody else from it. */
const lingerUs = 1_000_000;

function expand(declaration: Declaration, site: Site): readonly NodePlan[] {
  const { instances } = declaration.config as ServiceConfig;
  return spread(declaration.name, instances, site.zones).map(({ zone }, index) =>
    member(declaration, site, index, zone),
  );
}

/** The same whether the plan names it or it comes later. */
function member(declaration: Declaration, site: Site, index: number, zone: string): NodePlan {
  const config = declaration.config as ServiceConfig;
  const releases = releaseOf(config);
  const consumed = Object.entries(declaration.binds).filter(([, bound]) =>
    declaration.consumes?.includes(bound),
  );
  const consumers = consumed.map(([, topic]): ProgramPlan => {
    const { consumerConfig } = topic.block;
    return {
      port: consumerPort(topic),
      block: topic.name,
      role: 'consumer',
      config: consumerConfig?.(topic, site, declaration.name, zone) ?? null,
    };
  });
  const release = releases[index % releases.length]!;
  const operators = site.operators(declaration);
  const isRegistered = operators.some(({ registers }) => registers);
  const registers = declaration.discovery && !isRegistered;
  const register = registers ? { service: declaration.name, release } : null;
  const directories = site.directories(declaration, register);
  const directed = new Set(directories.map(({ port }) => port));
  const agents: readonly ProgramPlan[] =
    operators.length === 0
      ? []
      : [
          {
            port: agentPort,
            block: declaration.name,
            role: 'agent',
            config: { cores: config.cores, release },
          },
        ];
  const id = `${declaration.name}/${index}`;
  const { meshed, others } = sorted(declaration, site, zone, id);
  const own: InstanceConfig = {
    ...config,
    release,
    registration: (registers && declaration.discovery?.name) || null,
    lingerUs: isRegistered ? lingerUs : 0,
    consumes: Object.fromEntries(consumed.map(([name, topic]) => [name, consumerPort(topic)])),
  };
  return {
    id,
    block: declaration.name,
    kind: 'service',
    role: 'instance',
    zone,
    cores: config.cores,
    userCode: config.steps === null,
    programs: [
      ...directories,
      ...meshed.map(({ local }) => local),
      ...others.filter(({ port }) => !directed.has(port)),
      ...consumers,
      ...agents,
      {
        port: webPort,
        block: declaration.name,
        role: 'instance',
        config: own,
        ...(config.tls ? { tls: config.tls } : {}),
      },
      ...sidecarOf(declaration, site, meshed, own),
    ],
  };
}

interface Meshed {
  readonly service: string;
  /** How the sidecar calls it. */
  readonly route: Value;
  /** The fetcher, which only knows the sidecar beside it. */
  readonly local: ProgramPlan;
}

/** Client halves: those of services in the same mesh go through the sidecar. */
function sorted(
  declaration: Declaration,
  site: Site,
  zone: string,
  node: string,
): { readonly meshed: readonly Meshed[]; readonly others: readonly ProgramPlan[] } {
  const { mesh } = declaration;
  const bound = new Map(Object.values(declaration.binds).map((one) => [one.name, one]));
  const meshed: Meshed[] = [];
  const others: ProgramPlan[] = [];
  for (const program of site.clients(declaration, zone)) {
    if (!mesh || bound.get(program.block)?.mesh !== mesh) {
      others.push(program);
      continue;
    }
    const { path } = program.config as FetcherConfig;
    const config: FetcherConfig = {
      path: besideOf(path),
      targets: { releases: { mesh: [{ node, port: sidecarPort(mesh) }] }, traffic: { mesh: 1 } },
      isLocal: true,
    };
    meshed.push({ service: program.block, route: program.config, local: { ...program, config } });
  }
  return { meshed, others };
}

/** One attempt that waits as long as the sidecar does: the sidecar has the policy. */
function besideOf({ timeoutUs }: PathPolicy): PathPolicy {
  return {
    timeoutUs,
    attemptTimeoutUs: timeoutUs,
    balance: 'round-robin',
    attempts: 1,
    budgetRatio: 0,
    budgetReserve: 1,
    backoffUs: 0,
    backoffMaxUs: 0,
  };
}

function sidecarOf(
  { name, mesh }: Declaration,
  site: Site,
  meshed: readonly Meshed[],
  { registration, lingerUs }: InstanceConfig,
): readonly ProgramPlan[] {
  if (!mesh) return [];
  const routes = Object.fromEntries(meshed.map(({ service, route }) => [service, route]));
  const beside = { service: name, routes, registration, lingerUs };
  const config = mesh.block.sidecarConfig?.(mesh, site, beside) ?? null;
  return [{ port: sidecarPort(mesh), block: mesh.name, role: 'sidecar', config }];
}

function consumerPort(topic: Declaration): string {
  return `${topic.name}.consumer`;
}

/** Which release each instance runs: in proportion to traffic, at least one each. */
function releaseOf(config: ServiceConfig): readonly string[] {
  const names = Object.keys(config.traffic);
  const sum = Object.values(config.traffic).reduce((a, b) => a + b, 0) || 1;
  const counts = names.map((name) =>
    Math.max(1, Math.round(((config.traffic[name] ?? 0) / sum) * config.instances)),
  );
  // Rounding may overshoot; the largest gives way, so that small releases keep their instance.
  while (counts.reduce((a, b) => a + b, 0) > Math.max(config.instances, names.length)) {
    counts[counts.indexOf(Math.max(...counts))]!--;
  }
  return names.flatMap((name, index) => Array<string>(counts[index]!).fill(name));
}

export function targetsOf(declaration: Declaration, site: Site): Targets {
  const config = declaration.config as ServiceConfig;
  // Who serves comes from the registry.
  if (config.directory) return { releases: {}, traffic: config.traffic };
  const releases = releaseOf(config);
  const byRelease: Record<string, (string | Member)[]> = {};
  // Where all stand together and share equally, names say it all.
  const { mesh } = declaration;
  const isPlain = site.zones.length === 1 && !config.weights && !mesh;
  site.members(declaration).forEach(({ id, zone }, index) => {
    const release = releases[index % releases.length]!;
    const weight = config.weights?.[index];
    const member: Member = {
      node: id,
      zone,
      ...(weight === undefined ? {} : { weight }),
      ...(mesh ? { port: sidecarPort(mesh) } : {}),
    };
    byRelease[release] = [...(byRelease[release] ?? []), isPlain ? id : member];
  });
  // Callers are taken to stand in all zones alike; who knows better says so.
  const callers = Object.fromEntries(site.zones.map(({ name }) => [name, 1]));
  return { releases: byRelease, traffic: config.traffic, ...(isPlain ? {} : { callers }) };
}

function fetcherConfig(declaration: Declaration, site: Site, zone: string): FetcherConfig {
  const config = declaration.config as ServiceConfig;
  const { path, directory } = config;
  const [backup] = declaration.standsIn ?? [];
  return {
    path,
    targets: targetsOf(declaration, site),
    directory,
    ...(backup ? { backup: backupConfig(backup, site, zone) } : {}),
  };
}
