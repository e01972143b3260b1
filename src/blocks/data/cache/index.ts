/**
 * `cache<Link>('hot', { capacity: 50_000, ttl: '10m' })`: values kept in the memory of cache nodes
 * behind a consistent-hash ring. See README.md.
 */
import type { Declaration } from '../../../host/declaration.ts';
import { configure, type OptionsOf } from '../../../kit/config.ts';
import { cacheBlock } from './block.ts';
import { knobs, relations } from './config.ts';
import type { CacheHandle } from './handle.ts';

export type { CacheHandle, KeepOptions } from './handle.ts';
export { cacheBlock };

export type CacheOptions = OptionsOf<typeof knobs>;

export interface Cache<T> extends Declaration<CacheHandle<T>> {
  readonly kind: 'cache';
}

export function cache<T>(name: string, options: CacheOptions = {}): Cache<T> {
  const { config, problems } = configure(name, knobs, options);
  return {
    kind: 'cache',
    name,
    block: cacheBlock,
    config,
    problems: problems.length > 0 ? problems : relations(name, config),
    binds: {},
  };
}
