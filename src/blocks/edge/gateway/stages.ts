/** The stages of a gateway in their fixed order, of which each route has those that are configured. */
import type { Host } from '../../../host/host.ts';
import type { DoorConfig, RouteConfig } from './config.ts';
import { Limits } from './limits.ts';
import type { Stage } from './visit.ts';

export interface Stages {
  stagesOf(route: RouteConfig): readonly Stage[];
  /** Of requests that no route takes. */
  readonly strays: readonly Stage[];
}

export function makeStages(host: Host, config: DoorConfig): Stages {
  const limits = new Limits(host, config.locations);

  function make(route: RouteConfig | undefined): readonly Stage[] {
    const { byAddress, byIdentity } = limits.stages([...config.limits, ...(route?.limits ?? [])]);
    return [byAddress, byIdentity].filter((stage) => stage !== undefined);
  }

  const byRoute = new Map(config.routes.map((route) => [route, make(route)]));
  return { stagesOf: (route) => byRoute.get(route)!, strays: make(undefined) };
}
