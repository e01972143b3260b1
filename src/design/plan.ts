/**
 * From declarations to a plan: which nodes there are, in which zones, running which programs.
 * Nothing is started here and nothing is drawn at random: the same design gives the same plan.
 */
import type { Declaration, Site } from '../host/declaration.ts';
import type { NetworkPlan, NodePlan, Plan, ProgramPlan, ZonePlan } from '../host/plan.ts';
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
    for (const bound of Object.values(declaration.binds)) visit(bound);
    for (const other of declaration.standsIn ?? []) visit(other);
    if (declaration.mesh) visit(declaration.mesh);
  };
  for (const root of roots) visit(root);
  return [...met];
}

export function expand(
  design: string,
  declarations: readonly Declaration[],
  zones: readonly ZonePlan[],
  network: NetworkPlan = cloudNetwork,
): Plan {
  const site = siteOf(declarations, zones);
  const nodes = declarations.flatMap((declaration) => nodesOf(site, declaration));
  return { design, zones, nodes, network };
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
