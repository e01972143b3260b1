/** A CDN and its purges as Loadpath sees them. */
import type { Block, Declaration, Site } from '../../../host/declaration.ts';
import type { Value } from '../../../host/host.ts';
import type { NodePlan, ZonePlan } from '../../../host/plan.ts';
import { webPort } from '../../../host/web.ts';
import { LoadpathError } from '../../../kit/errors.ts';
import { listenAt } from '../../../parts/ports.ts';
import type { FetcherConfig, Targets } from '../../../path/caller.ts';
import { policyTables } from '../../../path/policy.ts';
import { describeWebOrPurge, logOf, purgesPlan, purgesPort } from '../../../path/purges.ts';
import { client } from './client.ts';
import {
  type CdnConfig,
  cacheKnobs,
  type EdgeConfig,
  knobs,
  limitKnobs,
  type PurgeClientConfig,
  type PurgeLogConfig,
  purgeKnobs,
} from './config.ts';
import { handle } from './handle.ts';
import { log } from './log.ts';
import { edge } from './node.ts';

export const cdnBlock: Block = {
  kind: 'cdn',
  family: 'edge',
  purpose:
    'Edges near users that keep what the origin said: fewer requests there, shorter ways here.',
  knobs,
  tables: { cache: cacheKnobs, limit: limitKnobs, ...policyTables },
  servesWeb: true,
  servesNearest: true,
  besides: {
    origin: 'Whom edges ask: a service or a gateway.',
    purges: 'By which everything stored can be removed. Without it only time removes.',
    rules:
      "What holds for addresses below a path, whatever their replies say: `{ '/img/': { ttl: '1d' } }`. The longest path counts.",
  },
  view: { shape: 'box', colour: 'teal' },
  expand,
  programs: { edge },
  // A gateway may stand before it: for that it needs to know the edges, and no half of ours.
  clientConfig: (declaration, site) => {
    const { policy } = declaration.config as unknown as CdnConfig;
    return { path: policy, targets: targetsOf(declaration, site) } satisfies FetcherConfig;
  },
  describe: describeWebOrPurge,
};

export const purgesBlock: Block = {
  kind: 'purges',
  family: 'edge',
  purpose: 'What is to be removed from every edge of a CDN, acknowledged when none serves it.',
  knobs: purgeKnobs,
  view: { shape: 'queue', colour: 'teal' },
  expand: (declaration, site) => [
    {
      id: logOf(declaration),
      block: declaration.name,
      kind: 'purges',
      role: 'log',
      zone: site.zones[0]!.name,
      cores: 1,
      userCode: false,
      programs: [
        {
          port: purgesPort,
          block: declaration.name,
          role: 'log',
          config: declaration.config,
        },
      ],
    },
  ],
  programs: { log },
  clientConfig: (declaration) => {
    const config = declaration.config as PurgeLogConfig;
    return { ...config, log: logOf(declaration) } satisfies PurgeClientConfig;
  },
  client,
  handle,
  describe: describeWebOrPurge,
};

function expand(declaration: Declaration, site: Site): readonly NodePlan[] {
  const { name, binds } = declaration;
  const config = declaration.config as unknown as CdnConfig;
  const places = placesOf(config, site.zones);
  const edges = places.map((zone, index) => ({ id: `${name}/${index}`, zone }));
  const { shield } = config;
  const isShield = ({ name: zone, region }: ZonePlan): boolean =>
    shield !== undefined && (zone === shield || region === shield);
  const shields = edges.filter(({ zone }) => isShield(zone)).map(({ id }) => id);
  if (shield !== undefined && shields.length === 0) {
    throw new LoadpathError(
      'bad-design',
      `${name}.shield must name a zone or a region with an edge of this CDN, got '${shield}'`,
    );
  }
  return edges.map(({ id, zone }, index) => {
    const own: EdgeConfig = {
      ...config,
      name,
      isShield: isShield(zone),
      shields: isShield(zone) ? [] : shields,
      originName: binds.origin!.name,
      origin: originOf(binds.origin!, site, zone.name),
      purges: purgesPlan(declaration, isShield(zone) ? 0 : 1),
    };
    return {
      id,
      block: name,
      kind: 'cdn',
      role: isShield(zone) ? 'shield' : 'edge',
      zone: zone.name,
      cores: 1,
      userCode: false,
      programs: [
        {
          port: webPort,
          block: name,
          role: 'edge',
          config: own as unknown as Value,
          edge: listenAt(config, index),
        },
      ],
    };
  });
}

function placesOf(config: CdnConfig, zones: readonly ZonePlan[]): readonly ZonePlan[] {
  const isFirst = (zone: ZonePlan): boolean =>
    zones.find(({ region }) => region === zone.region) === zone;
  const places = config.per === 'zone' ? zones : zones.filter(isFirst);
  return places.flatMap((zone) => Array<ZonePlan>(config.edges).fill(zone));
}

function originOf(origin: Declaration, site: Site, zone: string): Targets {
  const config = origin.block.clientConfig?.(origin, site, zone) as FetcherConfig | undefined;
  return config?.targets ?? targetsOf(origin, site);
}

function targetsOf(declaration: Declaration, site: Site): Targets {
  const nodes = site.members(declaration).map(({ id }) => id);
  return { releases: { current: nodes }, traffic: { current: 1 } };
}
