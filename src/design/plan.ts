/**
 * From declarations to a plan: which nodes there are, in which zones, running which programs.
 * Nothing is started here and nothing is drawn at random: the same design gives the same plan.
 */
import type { Declaration, DirectoryUse, Site } from '../host/declaration.ts';
import type { Grow, NetworkPlan, NodePlan, Plan, ProgramPlan, ZonePlan } from '../host/plan.ts';
import { LoadpathError } from '../kit/errors.ts';

/**
 * One-way delays of a cloud region, in microseconds: loopback, a rack, another availability
 * zone, another continent. Medians and 99th percentiles as providers publish them.
 */
export const cloudNetwork: NetworkPlan = {
  loopback: link(20, 60),
  sameZone: link(150, 500),
  sameRegion: link(500, 1_500),
  betweenRegions: link(40_000, 55_000),
  connectTimeoutUs: 3_000_000,
};

function link(medianUs: number, p99Us: number): NetworkPlan['sameZone'] {
  return {
    delay: { kind: 'lognormal', median: medianUs, p99: p99Us },
    lossRatio: 0,
    duplicateRatio: 0,
  };
}

/** Everything that `roots` need, each once, in the order a reader of the design meets them. */
export function reachable(roots: readonly Declaration[]): readonly Declaration[] {
  const met = new Set<Declaration>();
  const visit = (declaration: Declaration): void => {
    if (met.has(declaration)) return;
    met.add(declaration);
    for (const needed of neededBy(declaration)) visit(needed);
  };
  for (const root of roots) visit(root);
  return [...met];
}

/** Bindings first, then what no binding names. */
function neededBy(declaration: Declaration): readonly Declaration[] {
  const { binds, standsIn = [], mesh, discovery, operates = [] } = declaration;
  const besides = [mesh, discovery].flatMap((one) => one ?? []);
  return [...Object.values(binds), ...standsIn, ...besides, ...operates];
}

/** Blocks that the nodes of one send to: its bindings, the registries of those and its own, whom it operates. */
export function calledBy(declaration: Declaration): readonly string[] {
  const found = Object.values(declaration.binds).flatMap(({ discovery }) => discovery ?? []);
  const needed = neededBy({ ...declaration, standsIn: [], mesh: undefined });
  return [...new Set([...needed, ...found].map(({ name }) => name))];
}

export function expand(
  design: string,
  declarations: readonly Declaration[],
  zones: readonly ZonePlan[],
  network: NetworkPlan = cloudNetwork,
): Plan {
  const site = siteOf(declarations, zones);
  const nodes = declarations.flatMap((declaration) => nodesOf(site, declaration));
  const addresses = declarations.flatMap((declaration) => {
    const address = declaration.block.address?.(declaration);
    return address ? [{ ...address, members: site.members(declaration).map(({ id }) => id) }] : [];
  });
  return { design, zones, nodes, network, ...(addresses.length > 0 ? { addresses } : {}) };
}

/** Plans members that come while the system runs, of the same declarations. */
export function grower(declarations: readonly Declaration[], zones: readonly ZonePlan[]): Grow {
  const site = siteOf(declarations, zones);
  const byName = new Map(declarations.map((declaration) => [declaration.name, declaration]));
  return (block, index, zone) => {
    const declaration = byName.get(block);
    return declaration?.block.member?.(declaration, site, index, zone);
  };
}

interface PlanningSite extends Site {
  readonly expanded: Map<Declaration, readonly NodePlan[]>;
  readonly expanding: Set<Declaration>;
}

function nodesOf(site: PlanningSite, declaration: Declaration): readonly NodePlan[] {
  const known = site.expanded.get(declaration);
  if (known) return known;
  if (site.expanding.has(declaration)) {
    throw new LoadpathError(
      'bad-design',
      `${declaration.name} needs itself, through ${[...site.expanding].map((one) => one.name).join(' -> ')}`,
    );
  }
  site.expanding.add(declaration);
  const nodes = declaration.block.expand(declaration, site);
  site.expanding.delete(declaration);
  site.expanded.set(declaration, nodes);
  return nodes;
}

function siteOf(declarations: readonly Declaration[], zones: readonly ZonePlan[]): PlanningSite {
  const site: PlanningSite = {
    zones,
    expanded: new Map(),
    expanding: new Set(),
    members: (declaration) =>
      nodesOf(site, declaration).map(({ id, zone, role }) => ({ id, zone, role })),
    clients: (declaration, zone) => clientPrograms(site, declaration, zone),
    directories: (declaration, register) => directoryPrograms(site, declaration, register),
    operators: (declaration) =>
      declarations.filter((other) => other.operates?.includes(declaration) ?? false),
    isBehind: (declaration) =>
      declarations.some(
        ({ block, binds }) => block.passesConnections && Object.values(binds).includes(declaration),
      ),
    meshed: (mesh) => declarations.filter((other) => other.mesh === mesh),
    consumers: (declaration) =>
      declarations.filter((other) => other.consumes?.includes(declaration) ?? false),
  };
  return site;
}

function clientPrograms(
  site: PlanningSite,
  declaration: Declaration,
  zone: string,
): readonly ProgramPlan[] {
  const bound = new Set(Object.values(declaration.binds));
  return [...bound].flatMap((other) => {
    if (!other.block.clientConfig) return [];
    const config = other.block.clientConfig(other, site, zone);
    return [{ port: other.name, block: other.name, role: 'client', config }];
  });
}

function directoryPrograms(
  site: PlanningSite,
  declaration: Declaration,
  register: DirectoryUse['register'],
): readonly ProgramPlan[] {
  const bound = [...new Set(Object.values(declaration.binds))];
  const own = register && declaration.discovery;
  const registries = bound.flatMap(({ discovery }) => discovery ?? []);
  return [...new Set([...registries, ...(own ? [own] : [])])].flatMap((registry) => {
    const services = bound.filter((one) => one.discovery === registry).map(({ name }) => name);
    const use = { services, register: registry === own ? register : null };
    const config = registry.block.directoryConfig?.(registry, site, use);
    if (config === undefined) return [];
    return [{ port: registry.name, block: registry.name, role: 'client', config }];
  });
}
