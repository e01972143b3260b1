/**
 * `const net = mesh('net')`, then `service('m2', { mesh: net, … })`: calls between services of a mesh pass a proxy
 * on either side, and who binds `net` may change policies and traffic splits while the system runs.
 */
import type { Declaration } from '../../../host/declaration.ts';
import { configure, type OptionsOf, show } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import { meshBlock } from './block.ts';
import { knobs } from './config.ts';
import type { MeshHandle } from './handle.ts';

export type { MeshHandle, MeshState, Pair, ServiceChange } from './handle.ts';

export interface MeshOptions extends OptionsOf<typeof knobs> {
  /**
   * Who may call a service: `{ payments: ['orders'] }`, by names of services in this mesh and of gateways.
   * A service that is not named may be called by every service of the mesh. Needs `identity: 'required'`.
   */
  readonly allow?: Readonly<Record<string, readonly string[]>>;
}

export interface Mesh extends Declaration<MeshHandle> {
  readonly kind: 'mesh';
}

export function mesh(name: string, options: MeshOptions = {}): Mesh {
  const { allow = {}, ...rest } = options;
  const { config, problems } = configure(name, knobs, rest, ['allow']);
  const wrong = [...problems, ...rulesOf(name, allow)];
  if (config.identity === 'none' && Object.keys(allow).length > 0) {
    const what = "needs identity: 'required': without it a sidecar cannot tell who calls";
    wrong.push({ at: `${name}.allow`, what });
  }
  return {
    kind: 'mesh',
    name,
    block: meshBlock,
    config: { ...config, allow },
    problems: wrong,
    binds: {},
  };
}

function rulesOf(name: string, allow: unknown): readonly Problem[] {
  const isTable = typeof allow === 'object' && allow !== null && !Array.isArray(allow);
  if (!isTable) {
    const what = `must be lists of names by service, such as { payments: ['orders'] }, got ${show(allow)}`;
    return [{ at: `${name}.allow`, what }];
  }
  return Object.entries(allow).flatMap(([service, callers]) =>
    Array.isArray(callers) && callers.every((caller) => typeof caller === 'string')
      ? []
      : [
          {
            at: `${name}.allow.${service}`,
            what: `must be a list of names, such as ['orders'], got ${show(callers)}`,
          },
        ],
  );
}
