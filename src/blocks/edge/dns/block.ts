/** `dns` as Loadpath sees it. */
import type { Block, Declaration, Site } from '../../../host/declaration.ts';
import type { NodeId, Value } from '../../../host/host.ts';
import type { NodePlan, ProgramPlan, ZonePlan } from '../../../host/plan.ts';
import { describeWeb, type WebMessage } from '../../../host/web.ts';
import { client } from './client.ts';
import {
  type DnsConfig,
  healthKnobs,
  knobs,
  type Place,
  type ResolverConfig,
  recordKnobs,
  type ServerConfig,
  type StubConfig,
  spreadKnobs,
} from './config.ts';
import { handle } from './handle.ts';
import { type DnsMessage, describeDns, dnsPort } from './messages.ts';
import { resolver, server } from './node.ts';

export const dnsBlock: Block = {
  kind: 'dns',
  family: 'edge',
  purpose:
    'Names to nodes: records, resolvers that remember them, and the region that is nearest and well.',
  knobs,
  tables: { health: healthKnobs, regions: spreadKnobs, records: recordKnobs },
  besides: {
    distances:
      "How far regions are from one another, both ways the same: `{ asia: { europe: '160ms' } }`. Equally by default.",
  },
  view: { shape: 'box', colour: 'teal' },
  expand,
  programs: { server, resolver },
  clientConfig,
  client,
  handle,
  namesOf: ({ config }, entry) =>
    Object.entries((config as unknown as DnsConfig).records)
      .filter(([, record]) => record.kind === 'nodes' && record.to.includes(entry.name))
      .map(([name]) => name),
  describe: (message) =>
    message.type === 'query' || message.type === 'answer'
      ? describeDns(message as DnsMessage)
      : describeWeb(message as WebMessage),
};

/** The servers first, then a resolver for every region. */
function expand(declaration: Declaration, site: Site): readonly NodePlan[] {
  const { name, binds } = declaration;
  const config = declaration.config as unknown as DnsConfig;
  const { zones } = site;
  const regionOf = new Map(zones.map((zone) => [zone.name, zone.region]));
  const placesOf = (to: readonly string[]): readonly Place[] =>
    to.flatMap((target) =>
      site
        .members(binds[target]!)
        .map(({ id, zone }) => ({ node: id, region: regionOf.get(zone) ?? '' })),
    );
  const places: Record<string, readonly Place[]> = {};
  for (const [record, it] of Object.entries(config.records)) {
    if (it.kind === 'nodes') places[record] = placesOf(it.to);
  }
  const node = (index: number, zone: ZonePlan, program: ProgramPlan): NodePlan => ({
    id: `${name}/${index}`,
    block: name,
    kind: 'dns',
    role: program.role,
    zone: zone.name,
    cores: 1,
    userCode: false,
    programs: [program],
  });
  const servers = serversOf(name, config);
  const own = servers.map((_id, index): NodePlan => {
    const zone = zones[index % zones.length]!;
    const serverConfig: ServerConfig = { ...config, region: zone.region, places };
    const program = { port: dnsPort, block: name, role: 'server' };
    return node(index, zone, { ...program, config: serverConfig as unknown as Value });
  });
  const resolvers = regionsOf(zones).map((zone, index): NodePlan => {
    const { records: _records, health: _health, regions: _regions, ...rest } = config;
    const asks = nearestFirst(servers, zones, zone.region, config);
    const resolverConfig: ResolverConfig = { ...rest, region: zone.region, asks };
    const door = config.port === undefined ? {} : { names: { listen: config.port + index } };
    const program = { port: dnsPort, block: name, role: 'resolver', ...door };
    return node(servers.length + index, zone, {
      ...program,
      config: resolverConfig as unknown as Value,
    });
  });
  return [...own, ...resolvers];
}

function serversOf(name: string, { servers }: DnsConfig): readonly NodeId[] {
  return Array.from({ length: servers }, (_, index) => `${name}/${index}`);
}

/** As a resolver asks them: one that is lost far away must not slow down who has others near. */
function nearestFirst(
  servers: readonly NodeId[],
  zones: readonly ZonePlan[],
  region: string,
  { distancesUs }: DnsConfig,
): readonly NodeId[] {
  const distanceOf = (node: NodeId): number => {
    const there = zones[servers.indexOf(node) % zones.length]!.region;
    if (there === region) return -1;
    return distancesUs[region]?.[there] ?? distancesUs[there]?.[region] ?? 0;
  };
  return [...servers].sort((one, other) => distanceOf(one) - distanceOf(other));
}

/** The first zone of each region. */
function regionsOf(zones: readonly ZonePlan[]): readonly ZonePlan[] {
  return zones.filter(
    ({ region }, index) => zones.findIndex((it) => it.region === region) === index,
  );
}

function clientConfig(declaration: Declaration, site: Site, zone: string): Value {
  const config = declaration.config as unknown as DnsConfig;
  const { records: _records, health: _health, regions: _regions, ...rest } = config;
  const first = serversOf(declaration.name, config).length;
  const region = site.zones.find((one) => one.name === zone)?.region;
  const resolvers = regionsOf(site.zones).map((one, index) => ({
    id: `${declaration.name}/${first + index}`,
    isNear: one.region === region,
  }));
  const near = resolvers.filter(({ isNear }) => isNear);
  const others = resolvers.filter(({ isNear }) => !isNear);
  const stub: StubConfig = { ...rest, resolvers: [...near, ...others].map(({ id }) => id) };
  return stub as unknown as Value;
}
