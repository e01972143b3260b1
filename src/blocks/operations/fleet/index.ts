/**
 * `fleet('api-fleet', { of: api, min: 2, max: 10, scale: { cpu: 0.6 } })`: heals and scales a service.
 * Stands in the `blocks` of a design. See README.md.
 */
import type { Declaration } from '../../../host/declaration.ts';
import { configure, type OptionsOf, show } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import { isSetIn } from '../../../kit/settings.ts';
import { scaleKnobs } from '../../../parts/autoscale.ts';
import { healthKnobs } from '../../../parts/health.ts';
import { fleetBlock } from './block.ts';
import { type FleetConfig, knobs, relations } from './config.ts';

export interface FleetOptions extends OptionsOf<typeof knobs> {
  /** A service with `discovery`: who comes must be found. */
  readonly of: Declaration;
  /** Without it their number stays as the design says. */
  readonly scale?: OptionsOf<typeof scaleKnobs>;
  /** When an instance counts as sick, and as well. */
  readonly health?: OptionsOf<typeof healthKnobs>;
}

export interface Fleet extends Declaration<never> {
  readonly kind: 'fleet';
}

export function fleet(name: string, options: FleetOptions): Fleet {
  const { of, scale, health, ...rest } = options;
  const own = configure(name, knobs, rest, ['of', 'scale', 'health']);
  const checked = configure(`${name}.health`, healthKnobs, health ?? {});
  const scaled =
    scale !== undefined || isSetIn(`${name}.scale`)
      ? configure(`${name}.scale`, scaleKnobs, scale ?? {})
      : undefined;
  const problems: Problem[] = [...own.problems, ...checked.problems, ...(scaled?.problems ?? [])];
  const isService = of?.block?.member !== undefined;
  if (!isService) {
    const given = of?.block?.kind ?? show(of);
    problems.push({ at: `${name}.of`, what: `must be a service, got ${given}` });
  } else if (!of.discovery && (scaled || own.config.heal === 'replace')) {
    const what = `needs discovery on ${of.name}: nobody would find an instance that it starts`;
    problems.push({ at: `${name}.of`, what });
  }
  if (scaled && scaled.problems.length === 0 && !hasTarget(scaled.config)) {
    const what = 'must have a target: rate, cpu, queue or latency';
    problems.push({ at: `${name}.scale`, what });
  }
  const { instances } = (isService ? of.config : { instances: 1 }) as {
    readonly instances: number;
  };
  const config: FleetConfig = {
    ...own.config,
    of: isService ? of.name : '',
    instances,
    scale: scaled?.config ?? null,
    health: checked.config,
  };
  return {
    kind: 'fleet',
    name,
    block: fleetBlock,
    config,
    problems: problems.length > 0 ? problems : relations(name, config),
    binds: {},
    operates: isService ? [of] : [],
  };
}

function hasTarget({ rate, cpu, queue, latencyUs }: NonNullable<FleetConfig['scale']>): boolean {
  return [rate, cpu, queue, latencyUs].some((target) => target !== undefined);
}
