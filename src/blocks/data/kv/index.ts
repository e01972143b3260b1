/**
 * `kv`: values by key, replicated and durable.
 *
 *   const links = kv<Link>('links', { replicas: 3, consistency: 'atomic' })
 *   …  await env.links.put(code, { url })      await env.links.get(code)
 */
import type { Declaration } from '../../../host/declaration.ts';
import type { Value } from '../../../host/host.ts';
import { kvBlock } from './block.ts';
import { checkOptions, type KvOptions } from './config.ts';
import type { KvHandle } from './handle.ts';

export type { KvOptions } from './config.ts';
export type { KvHandle } from './handle.ts';

/**
 * `T` when its values can be stored (JSON types, bytes and bigint, in interfaces too), else never:
 * `kv<{ at: Date }>` then has a `put` that takes nothing.
 */
export type Stored<T> = T extends Value ? T : T extends Storable<T> ? T : never;

type Storable<T> = T extends Scalar
  ? T
  : T extends (...given: never) => unknown
    ? never
    : { [K in keyof T]: Storable<T[K]> };
type Scalar = null | undefined | boolean | number | string | bigint | Uint8Array;

/** Declares a store. Mistakes in `options` are reported by `system()`, all together. */
export function kv<T = Value>(
  name: string,
  options: KvOptions = {},
): Declaration<KvHandle<Stored<T>>> {
  return declare(name, options, kvBlock);
}

/** As `kv`, with another block: how tests plant bugs. */
export function declare<T>(
  name: string,
  options: KvOptions,
  block: typeof kvBlock,
): Declaration<KvHandle<T>> {
  const { config, problems } = checkOptions(name, options);
  return { name, block, config, problems, binds: {} };
}
