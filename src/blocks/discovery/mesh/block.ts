/** A mesh as Loadpath sees it. */
import type { Block, Declaration, Site } from '../../../host/declaration.ts';
import type { Value } from '../../../host/host.ts';
import type { NodePlan } from '../../../host/plan.ts';
import { describeWeb, type WebMessage } from '../../../host/web.ts';
import { spread } from '../../../parts/placement.ts';
import type { FetcherConfig } from '../../../path/caller.ts';
import { client } from './client.ts';
import {
  type ControlConfig,
  controlPort,
  knobs,
  type MeshClientConfig,
  type MeshConfig,
  type SidecarConfig,
} from './config.ts';
import { control } from './control.ts';
import { handle } from './handle.ts';
import { describe, isMesh } from './messages.ts';
import { sidecar } from './sidecar.ts';

export const meshBlock: Block = {
  kind: 'mesh',
  family: 'discovery',
  purpose:
    'A proxy beside each instance, and a control plane that changes policies while the system runs.',
  knobs,
  besides: {
    allow:
      "Who may call a service, by name: `{ payments: ['orders'] }`. Who is not named may be called by all of the mesh. Needs `identity: 'required'`.",
  },
  view: { shape: 'box', colour: 'violet' },
  expand,
  programs: { control, sidecar },
  clientConfig: (declaration, site): MeshClientConfig => ({
    name: declaration.name,
    control: controlOf(declaration, site),
    services: Object.fromEntries(
      site.meshed(declaration).map(({ name, config }) => [name, releasesIn(config)]),
    ),
  }),
  sidecarConfig: (declaration, site, beside): SidecarConfig => ({
    ...(declaration.config as MeshConfig),
    ...beside,
    name: declaration.name,
    control: controlOf(declaration, site),
    routes: beside.routes as Readonly<Record<string, FetcherConfig>>,
  }),
  client,
  handle,
  describe: (message) => (isMesh(message) ? describe(message) : describeWeb(message as WebMessage)),
};

/** Of a service, which says how its calls are split at first. */
function releasesIn(config: Value): readonly string[] {
  const { traffic } = config as { readonly traffic: Readonly<Record<string, number>> };
  return Object.keys(traffic);
}

function controlOf(declaration: Declaration, site: Site): string {
  return site.members(declaration)[0]!.id;
}

function expand(declaration: Declaration, site: Site): readonly NodePlan[] {
  const { name } = declaration;
  const config: ControlConfig = { ...(declaration.config as MeshConfig), name };
  return spread(name, 1, site.zones).map(({ id, zone }) => ({
    id,
    block: name,
    kind: 'mesh',
    role: 'control',
    zone,
    cores: 1,
    userCode: false,
    programs: [{ port: controlPort, block: name, role: 'control', config }],
  }));
}
