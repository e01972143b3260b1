/** The forward proxy as Loadpath sees it. */
import type { Block, Declaration, Site } from '../../../host/declaration.ts';
import type { Value } from '../../../host/host.ts';
import type { NodePlan } from '../../../host/plan.ts';
import { webPort } from '../../../host/web.ts';
import { spread } from '../../../parts/placement.ts';
import { listenAt } from '../../../parts/ports.ts';
import type { FetcherConfig, Targets } from '../../../path/caller.ts';
import { fetcher } from '../../../path/fetcher.ts';
import { fetcherHandle } from '../../../path/fetcher-handle.ts';
import { policyTables } from '../../../path/policy.ts';
import { describeWebOrPurge, purgesOf, purgesPlan } from '../../../path/purges.ts';
import {
  cacheKnobs,
  knobs,
  limitKnobs,
  type NodeConfig,
  type ProxyConfig,
  tunnelsKnobs,
} from './config.ts';
import { proxy } from './node.ts';

export const proxyBlock: Block = {
  kind: 'forwardProxy',
  family: 'edge',
  purpose: 'Asks sites on behalf of clients: hides them, filters, counts, and keeps what repeats.',
  knobs,
  tables: { cache: cacheKnobs, limit: limitKnobs, tunnels: tunnelsKnobs, ...policyTables },
  servesWeb: true,
  besides: {
    sites:
      "Who is asked for which host: `{ 'news.example': news, '*.example': others }`. The most telling holds.",
    rules:
      "What may pass: a list of `{ do: 'allow' | 'block', hosts, paths, from, types, over }`. The first that decides holds.",
    users:
      'Who may use it: by name, the SHA-256 of `name:password` in hexadecimal. Without it anybody.',
    purges: 'By which services remove what its cache keeps.',
  },
  view: { shape: 'box', colour: 'orange' },
  expand,
  programs: { proxy },
  clientConfig: (declaration, site) => {
    const { path } = declaration.config as unknown as ProxyConfig;
    return { path, targets: targetsOf(declaration, site) } satisfies FetcherConfig;
  },
  client: fetcher,
  handle: fetcherHandle,
  describe: describeWebOrPurge,
};

function expand(declaration: Declaration, site: Site): readonly NodePlan[] {
  const { name, binds } = declaration;
  const config = declaration.config as unknown as ProxyConfig;
  const purges = purgesOf(declaration);
  const services = Object.values(binds).filter((one) => one !== purges);
  return spread(name, config.nodes, site.zones).map(({ id, zone }, index) => {
    const paths = services.map((service) => {
      const path = service.block.clientConfig?.(service, site, zone) as FetcherConfig | undefined;
      return [service, path] as const;
    });
    const own: NodeConfig = {
      ...config,
      name,
      targets: Object.fromEntries(
        paths.map(([service, path]) => [service.name, path?.targets ?? targetsOf(service, site)]),
      ),
      directories: Object.fromEntries(
        paths.flatMap(([{ name: of }, path]) => (path?.directory ? [[of, path.directory]] : [])),
      ),
      purges: purgesPlan(declaration, 0),
    };
    return {
      id,
      block: name,
      kind: 'forwardProxy',
      role: 'proxy',
      zone,
      cores: 1,
      userCode: false,
      programs: [
        ...site.directories(declaration, null),
        {
          port: webPort,
          block: name,
          role: 'proxy',
          config: own as unknown as Value,
          edge: { ...listenAt(config, index), tunnels: true },
        },
      ],
    };
  });
}

function targetsOf(declaration: Declaration, site: Site): Targets {
  const nodes = site.members(declaration).map(({ id }) => id);
  return { releases: { current: nodes }, traffic: { current: 1 } };
}
