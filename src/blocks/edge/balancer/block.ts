/** The balancer as Loadpath sees it. */
import { type Connection, isConnection } from '../../../host/connection.ts';
import type { Block, Declaration, Site } from '../../../host/declaration.ts';
import type { NodeId } from '../../../host/host.ts';
import type { NodePlan } from '../../../host/plan.ts';
import { describeWeb, type WebMessage, webPort } from '../../../host/web.ts';
import { assert } from '../../../kit/assert.ts';
import { linesOf } from '../../../parts/listeners.ts';
import { spread } from '../../../parts/placement.ts';
import { listenAt } from '../../../parts/ports.ts';
import type { FetcherConfig } from '../../../path/caller.ts';
import {
  type BalancerConfig,
  healthKnobs,
  knobs,
  type PassingConfig,
  type SeatConfig,
  standbyKnobs,
} from './config.ts';
import { type BeatMessage, describeBeat } from './messages.ts';
import { pass } from './node.ts';

export const balancerBlock: Block = {
  kind: 'balancer',
  family: 'edge',
  purpose: 'Spreads connections over gateways or services, and looks into none of them (layer 4).',
  knobs,
  tables: { health: healthKnobs, standby: standbyKnobs },
  servesWeb: true,
  passesConnections: true,
  endsTls: ({ binds }) => Object.values(binds).some((to) => to.block.endsTls?.(to) ?? false),
  address: (declaration) => {
    const config = declaration.config as BalancerConfig;
    const at = { node: addressOf(declaration), ...listenAt(config, 0) };
    const lines = linesOf(config);
    if (lines) return { ...at, lines };
    return config.standby ? at : undefined;
  },
  besides: {
    to: 'Whose connections it takes: a gateway, a service, a CDN.',
  },
  view: { shape: 'box', colour: 'violet' },
  expand,
  programs: { pass },
  describe(message) {
    if (isConnection(message)) return describeConnection(message);
    if (message.type === 'beat') return describeBeat(message as BeatMessage);
    return describeWeb(message as WebMessage);
  },
};

/** As if it were one more of its nodes. */
function addressOf({ name }: Declaration): NodeId {
  return `${name}/address`;
}

function describeConnection({ ip, port }: Connection): string {
  return ip === '' ? 'connection, for its health' : `connection of ${ip}:${port}`;
}

function expand(declaration: Declaration, site: Site): readonly NodePlan[] {
  const { name, binds } = declaration;
  const config = declaration.config as BalancerConfig;
  const [to] = Object.values(binds);
  assert(to, 'a balancer leads somewhere');
  const lines = linesOf(config);
  const places = spread(name, config.nodes, lines ? site.zones.slice(0, 1) : site.zones);
  const seatOf = (rank: number): SeatConfig | null =>
    config.standby && {
      ...config.standby,
      address: addressOf(declaration),
      rank,
      others: places.map(({ id }) => id).filter((_, other) => other !== rank),
    };
  return places.map(({ id, zone }, index): NodePlan => {
    const path = to.block.clientConfig?.(to, site, zone) as FetcherConfig | undefined;
    const own: PassingConfig = {
      ...config,
      service: to.name,
      // What has no callers inside the system is served by all of its nodes.
      targets: path?.targets ?? {
        releases: { all: site.members(to).map(({ id: node }) => node) },
        traffic: { all: 1 },
      },
      directory: path?.directory ?? null,
      seat: seatOf(index),
    };
    return {
      id,
      block: name,
      kind: 'balancer',
      role: 'pass',
      zone,
      cores: 1,
      userCode: false,
      programs: [
        ...site.directories(declaration, null),
        {
          port: webPort,
          block: name,
          role: 'pass',
          config: own,
          edge: {
            // Those that share an address are known by that one.
            ...(config.standby || lines ? { listen: 0 } : listenAt(config, index)),
            passes: declaration.block.endsTls?.(declaration) ? 'tls' : 'plain',
            ...(lines ? { shares: lines } : {}),
          },
        },
      ],
    };
  });
}
