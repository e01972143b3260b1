/**
 * `balancer('lb', { to: edge })`: spreads connections over the nodes of a gateway or the instances of a
 * service, by connection and not by request (layer 4).
 */
import type { Declaration } from '../../../host/declaration.ts';
import { configure, type OptionsOf, show } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import { isSetIn } from '../../../kit/settings.ts';
import { balancerBlock } from './block.ts';
import { type BalancerConfig, healthKnobs, knobs, standbyKnobs } from './config.ts';

export interface BalancerOptions extends OptionsOf<typeof knobs> {
  /** Whose connections it takes: a gateway, a service, a CDN. */
  readonly to: Declaration;
  /** How it asks targets whether they accept. `false`: it only learns from connections. */
  readonly health?: OptionsOf<typeof healthKnobs> | false;
  /** One of the nodes has the address that users know, and another takes over when it falls silent. `true`: with the defaults. */
  readonly standby?: OptionsOf<typeof standbyKnobs> | true;
}

export interface Balancer extends Declaration<never> {
  readonly kind: 'balancer';
}

const besides = ['to', 'health', 'standby'];

export function balancer(name: string, options: BalancerOptions): Balancer {
  const { to, health, standby, ...rest } = options;
  const { config, problems } = configure(name, knobs, rest, besides);
  const checks = configure(`${name}.health`, healthKnobs, health === false ? {} : (health ?? {}));
  const pair = configure(`${name}.standby`, standbyKnobs, standby === true ? {} : (standby ?? {}));
  const wrong: Problem[] = [...problems, ...checks.problems, ...pair.problems];
  const isShared = standby !== undefined || isSetIn(`${name}.standby`);
  if (isShared && config.nodes < 2) {
    wrong.push({ at: `${name}.standby`, what: 'needs at least two nodes: `nodes: 2`' });
  }
  if (isShared && config.listen !== 'apart') {
    wrong.push({
      at: `${name}.listen`,
      what: "one address is either a standby's or shared: leave `standby` out",
    });
  }
  if (isShared && pair.config.silenceUs <= pair.config.heartbeatUs) {
    wrong.push({ at: `${name}.standby.silence`, what: 'must be longer than the heartbeat' });
  }
  if (!to?.block?.servesWeb || to.block.passesConnections || to.mesh) {
    wrong.push({ at: `${name}.to`, what: whatIsWrong(to) });
  }
  const balancerConfig: BalancerConfig = {
    ...config,
    port: config.port ?? 8080,
    isPortGiven: config.port !== undefined,
    health: health === false ? null : checks.config,
    standby: isShared ? pair.config : null,
  };
  return {
    kind: 'balancer',
    name,
    block: balancerBlock,
    config: balancerConfig,
    problems: wrong,
    binds: to?.block ? { [to.name]: to } : {},
  };
}

function whatIsWrong(to: Declaration | undefined): string {
  if (to === undefined) return 'is undefined: do two files import each other?';
  if (to.mesh) return `leads to ${to.name}, which only its sidecars may call`;
  const given = to.block ? `a ${to.block.kind}` : show(to);
  return `must lead to a gateway, a service or a CDN, got ${given}`;
}
