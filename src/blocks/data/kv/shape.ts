/**
 * What decides who owns a key. Each log says with which shape it was begun: with another one, keys
 * would be looked for at nodes that never had them, and be missing without a word.
 */
import type { NodeId } from '../../../host/host.ts';
import { LoadpathError } from '../../../kit/errors.ts';
import type { Member } from './client.ts';
import type { KvConfig } from './config.ts';

export function shapeOf(config: KvConfig & { readonly members: readonly Member[] }): string {
  const { nodes, replicas, tokens, members } = config;
  const size = `nodes ${nodes}, replicas ${replicas}`;
  // All own everything then, wherever they stand on the ring.
  if (nodes === replicas) return size;
  const zones = new Set(members.map(({ zone }) => zone));
  return `${size}, tokens ${tokens}, zones ${[...zones].join(' ')}`;
}

export function reshaped(name: string, node: NodeId, was: string, is: string): LoadpathError {
  return new LoadpathError(
    'bad-design',
    `${name}: ${node} keeps keys as one of a store with ${was}; the design now says ${is}. ` +
      'Keys would be looked for where they are not. Put the options back, or declare a store of another name.',
  );
}
