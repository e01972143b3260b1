/** The gateway as Loadpath sees it. */
import type { Block, Declaration, Site } from '../../../host/declaration.ts';
import type { NodePlan } from '../../../host/plan.ts';
import { webPort } from '../../../host/web.ts';
import { linesOf } from '../../../parts/listeners.ts';
import { spread } from '../../../parts/placement.ts';
import { listenAt } from '../../../parts/ports.ts';
import { backupConfig } from '../../../path/backup.ts';
import type { FetcherConfig } from '../../../path/caller.ts';
import { policyTables } from '../../../path/policy.ts';
import { describeWebOrPurge, purgesOf, purgesPlan } from '../../../path/purges.ts';
import {
  cacheKnobs,
  compressKnobs,
  connectionsKnobs,
  corsKnobs,
  type DoorConfig,
  floodKnobs,
  type GatewayConfig,
  identityKnobs,
  knobs,
  limitKnobs,
  requestsKnobs,
  socketsKnobs,
  tlsKnobs,
  traceKnobs,
  usageKnobs,
  wafKnobs,
} from './config.ts';
import { door } from './node.ts';

export const gatewayBlock: Block = {
  kind: 'gateway',
  family: 'edge',
  purpose: 'The one door for users: routes, limits, balances and retries.',
  knobs,
  tables: {
    limit: limitKnobs,
    identity: identityKnobs,
    usage: usageKnobs,
    requests: requestsKnobs,
    waf: wafKnobs,
    flood: floodKnobs,
    cors: corsKnobs,
    cache: cacheKnobs,
    compress: compressKnobs,
    trace: traceKnobs,
    sockets: socketsKnobs,
    connections: connectionsKnobs,
    tls: tlsKnobs,
    ...policyTables,
  },
  servesWeb: true,
  address({ name, config }) {
    const listening = config as GatewayConfig;
    const lines = linesOf(listening);
    return lines && { node: `${name}/address`, ...listenAt(listening, 0), lines };
  },
  endsTls: ({ config }) => (config as GatewayConfig).tls !== null,
  besides: {
    routes:
      "Whom a request goes to, by path or host and path, as a table `{ '/api': api }` or a list of `{ path, to, … }`. The most telling match wins.",
    limits: 'Several limits at once, by name: a request is admitted by all or charged by none.',
    locations: "Networks by the name of where they are, for limits `by: 'location'`.",
    auth: 'Who may come in: `apiKeys(…)`, `jwt(…)`, or a list of them.',
    quotas: 'So many calls a period for each user, by name; they outlive the gateway.',
    purges: 'By which services remove what its cache keeps.',
    replyHeaders:
      'Headers set in every reply, in place of what a service says. `secureHeaders` is a good beginning.',
  },
  view: { shape: 'box', colour: 'violet' },
  expand,
  programs: { door },
  describe: describeWebOrPurge,
};

function expand(declaration: Declaration, site: Site): readonly NodePlan[] {
  const config = declaration.config as GatewayConfig;
  const lines = linesOf(config);
  const zones = lines ? site.zones.slice(0, 1) : site.zones;
  const places = spread(declaration.name, config.nodes, zones);
  const callers: Record<string, number> = {};
  for (const { zone } of places) callers[zone] = (callers[zone] ?? 0) + 1;
  return places.map(({ id, zone }, index) => {
    const services = Object.values(declaration.binds).filter(({ block }) => block.servesWeb);
    // Purges come to the door itself; there is no half of ours beside it.
    const purges = purgesOf(declaration);
    const served = new Set([...services, ...(purges ? [purges] : [])].map(({ name }) => name));
    const paths = services.map((service) => {
      const path = service.block.clientConfig?.(service, site, zone) as FetcherConfig;
      return [service.name, path] as const;
    });
    const backups = (declaration.standsIn ?? []).map((backup) => backupConfig(backup, site, zone));
    const own: DoorConfig = {
      ...config,
      index,
      purges: purgesPlan(declaration, 0),
      targets: Object.fromEntries(
        paths.map(([name, { targets: of }]) => [name, of.callers ? { ...of, callers } : of]),
      ),
      directories: Object.fromEntries(
        paths.flatMap(([name, { directory }]) => (directory ? [[name, directory]] : [])),
      ),
      ...(backups.length > 0
        ? { backups: Object.fromEntries(backups.map((backup) => [backup.service, backup])) }
        : {}),
    };
    return {
      id,
      block: declaration.name,
      kind: 'gateway',
      role: 'door',
      zone,
      cores: 1,
      userCode: false,
      programs: [
        ...site.directories(declaration, null),
        // Services are called by the door itself; limiters by the half that they have beside it.
        ...site.clients(declaration, zone).filter(({ block }) => !served.has(block)),
        {
          port: webPort,
          block: declaration.name,
          role: 'door',
          config: own,
          edge: {
            // Behind a balancer, which listens in its place, any free port will do.
            ...(lines || site.isBehind(declaration) ? { listen: 0 } : listenAt(config, index)),
            ...(lines ? { shares: lines } : {}),
            ...(config.tls ? { tls: config.tls } : {}),
            ...(config.connections ? { limits: config.connections } : {}),
          },
        },
      ],
    };
  });
}
