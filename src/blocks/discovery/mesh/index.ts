/**
 * `const net = mesh('net')`, then `service('m2', { mesh: net, … })`: calls between services of a mesh pass a proxy
 * on either side, and who binds `net` may change policies and traffic splits while the system runs.
 */
import type { Declaration } from '../../../host/declaration.ts';
import { configure, type OptionsOf } from '../../../kit/config.ts';
import { meshBlock } from './block.ts';
import { knobs } from './config.ts';
import type { MeshHandle } from './handle.ts';

export type { MeshHandle, MeshState, Pair, ServiceChange } from './handle.ts';

export type MeshOptions = OptionsOf<typeof knobs>;

export interface Mesh extends Declaration<MeshHandle> {
  readonly kind: 'mesh';
}

export function mesh(name: string, options: MeshOptions = {}): Mesh {
  const { config, problems } = configure(name, knobs, options);
  return { kind: 'mesh', name, block: meshBlock, config, problems, binds: {} };
}
