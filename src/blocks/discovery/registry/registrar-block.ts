/** The registrar as Loadpath sees it, and as users declare it. */
import { type AgentMessage, describeAgent } from '../../../host/agent.ts';
import type { Block, Declaration, Site } from '../../../host/declaration.ts';
import type { NodePlan } from '../../../host/plan.ts';
import { configure, type OptionsOf, show } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import { type HealthConfig, healthKnobs } from '../../../parts/health.ts';
import { spread } from '../../../parts/placement.ts';
import type { RegistryClientConfig } from './config.ts';
import type { Registry } from './index.ts';
import { describe, type RegistryMessage } from './messages.ts';
import { registrar as program, type RegistrarConfig } from './registrar.ts';

type Declared = { readonly of: readonly string[]; readonly health: HealthConfig };

export const registrarBlock: Block = {
  kind: 'registrar',
  family: 'discovery',
  purpose:
    'Registers instances that know of no registry: notices them, probes them, keeps them listed.',
  knobs: {},
  tables: { health: healthKnobs },
  besides: {
    registry: 'The registry in which it lists instances.',
    of: 'Services whose instances it registers: they have that registry as their `discovery`.',
  },
  view: { shape: 'box', colour: 'violet' },
  expand,
  programs: { registrar: program },
  describe: (message) => {
    const { type } = message;
    if (type === 'members') return type;
    return type === 'probe' || type === 'condition'
      ? describeAgent(message as AgentMessage)
      : describe(message as RegistryMessage);
  },
};

/** One: what it has listed outlives it by a lease, and it learns again what there is. */
function expand(declaration: Declaration, site: Site): readonly NodePlan[] {
  const { of, health } = declaration.config as Declared;
  const { discovery } = declaration;
  if (!discovery?.block.directoryConfig) return [];
  const use = { services: [], register: null };
  const towards = discovery.block.directoryConfig(discovery, site, use) as RegistryClientConfig;
  const config: RegistrarConfig = { ...towards, of, health };
  return spread(declaration.name, 1, site.zones).map(({ id, zone }) => ({
    id,
    block: declaration.name,
    kind: 'registrar',
    role: 'registrar',
    zone,
    cores: 1,
    userCode: false,
    programs: [
      { port: 'registrar', block: declaration.name, role: 'registrar', config, operates: of },
    ],
  }));
}

export interface RegistrarOptions {
  readonly registry: Registry;
  /** Services whose instances it registers: they have this registry as their `discovery`. */
  readonly of: readonly Declaration[];
  readonly health?: OptionsOf<typeof healthKnobs>;
}

export interface Registrar extends Declaration<never> {
  readonly kind: 'registrar';
}

/** Stands in the `blocks` of a design; the services in `of` then do not register themselves. */
export function registrar(name: string, options: RegistrarOptions): Registrar {
  const { registry, of = [], health, ...rest } = options;
  const checked = configure(`${name}.health`, healthKnobs, health ?? {});
  const extra = configure(name, {}, rest, ['registry', 'of', 'health']);
  const problems: Problem[] = [...extra.problems, ...checked.problems];
  if (registry?.block?.directoryConfig === undefined) {
    problems.push({ at: `${name}.registry`, what: `must be a registry, got ${show(registry)}` });
  }
  if (of.length === 0) problems.push({ at: `${name}.of`, what: 'must name at least one service' });
  for (const [index, service] of of.entries()) {
    if (service?.block?.member && service.discovery === registry) continue;
    const what = `must be a service with discovery: ${registry?.name ?? 'this registry'}`;
    problems.push({ at: `${name}.of[${index}]`, what });
  }
  return {
    kind: 'registrar',
    name,
    block: registrarBlock,
    config: { of: of.map((service) => service?.name ?? ''), health: checked.config },
    problems,
    binds: {},
    discovery: registry,
    operates: of,
    registers: true,
  };
}
