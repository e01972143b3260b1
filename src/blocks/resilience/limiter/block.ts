/** `limiter` as Loadpath sees it. */
import type { Block, Declaration, Site } from '../../../host/declaration.ts';
import type { NodePlan } from '../../../host/plan.ts';
import { client } from './client.ts';
import {
  knobs,
  type LimiterClientConfig,
  type LimiterConfig,
  type Member,
  type NodeConfig,
} from './config.ts';
import { handle } from './handle.ts';
import { limiterPort, locked } from './locked.ts';
import { describe, type LimiterMessage } from './messages.ts';
import { counter } from './node.ts';
import { replicated } from './replicated.ts';

const roles = {
  central: 'counter',
  sticky: 'counter',
  lock: 'locked',
  replicated: 'replicated',
} as const;

export const limiterBlock: Block = {
  kind: 'limiter',
  family: 'resilience',
  purpose:
    'How much each caller may take, over all regions: one count, or one that regions agree on.',
  knobs,
  besides: {
    also: "Further limits, such as `['100/h']`: a unit is taken from all of them or from none.",
  },
  view: { shape: 'store', colour: 'orange' },
  expand,
  programs: { counter, locked, replicated },
  clientConfig: (declaration, site, zone): LimiterClientConfig => ({
    ...(declaration.config as LimiterConfig),
    name: declaration.name,
    members: membersOf(declaration, site),
    region: regionOf(site, zone),
  }),
  client,
  handle,
  describe: (message) => describe(message as LimiterMessage),
};

function expand(declaration: Declaration, site: Site): readonly NodePlan[] {
  const config = declaration.config as LimiterConfig;
  const role = roles[config.mode];
  const places = placesOf(declaration, site);
  const members = places.map(({ id, region }) => ({ id, region }));
  return places.map(({ id, zone }) => {
    const own: NodeConfig = { ...config, name: declaration.name, members };
    return {
      id,
      block: declaration.name,
      kind: 'limiter',
      role,
      zone,
      cores: 1,
      userCode: false,
      programs: [{ port: limiterPort, block: declaration.name, role, config: own }],
    };
  });
}

/** `nodes` in each region, over its zones in turn; a central one stands in the first alone. */
function placesOf(declaration: Declaration, { zones }: Site) {
  const { mode, nodes } = declaration.config as LimiterConfig;
  const all = [...new Set(zones.map(({ region }) => region))];
  const regions = mode === 'central' ? all.slice(0, 1) : all;
  return regions.flatMap((region, place) => {
    const own = zones.filter((zone) => zone.region === region);
    return Array.from({ length: nodes }, (_, index) => ({
      id: `${declaration.name}/${place * nodes + index}`,
      zone: own[index % own.length]!.name,
      region,
    }));
  });
}

function membersOf(declaration: Declaration, site: Site): readonly Member[] {
  return site.members(declaration).map(({ id, zone }) => ({ id, region: regionOf(site, zone) }));
}

function regionOf(site: Site, zone: string): string {
  return site.zones.find(({ name }) => name === zone)?.region ?? '';
}
