/** The knobs of `cache`, and what its programs read. */
import type { NodeId } from '../../../host/host.ts';
import { type ConfigOf, choice, count, duration, optional } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';

export const knobs = {
  nodes: count(2, {
    min: 1,
    max: 1_000,
    doc: 'Cache nodes on the ring. Each keeps its share of the keys; none keeps a copy of another. Two, so that losing one costs half of the hits and not all.',
  }),
  capacity: count(50_000, {
    min: 1,
    doc: 'Entries a node keeps. Beyond it the policy decides which one goes. At 1 kB an entry the default is 50 MB a node.',
  }),
  policy: choice(
    ['lru', 'fifo'],
    'Which entry goes when a node is full: lru the one unused for longest, fifo the one set first, however often it is used.',
  ),
  ttl: duration('10m', {
    min: '1ms',
    doc: 'How long an entry counts unless `set` or `through` says otherwise: the longest that a value may be stale after an invalidation got lost.',
  }),
  negativeTtl: optional(
    duration('5s', {
      min: '1ms',
      doc: 'How long `through` remembers that a load found nothing. Off by default: then every such lookup loads again.',
    }),
  ),
  timeout: duration('20ms', {
    min: '1ms',
    doc: 'How long a caller waits for a cache node before it does without. Ten times the usual answer, and less than the load it saves.',
  }),
  wait: duration('20ms', {
    min: '1ms',
    doc: 'How long a lookup waits for a value that another caller is loading, before it loads for itself. About the p99 of a load.',
  }),
  lease: duration('1s', {
    min: '1ms',
    doc: 'How long a caller that missed is the one to load. Longer than a load ever takes: after it the next lookup gets a lease of its own, and those who share the load go on without it.',
  }),
  whenLost: choice(
    ['move', 'load'],
    'What happens to the keys of a node that does not answer: move asks the next node on the ring, whose entries then live for `standInTtl` at most; load goes past the cache until the node is back.',
  ),
  standInTtl: duration('10s', {
    min: '1ms',
    doc: 'How long an entry lives on a node that stands in for another. Short, because invalidations go where each caller believes the key to be.',
  }),
  retryAfter: duration('1s', {
    min: '1ms',
    doc: 'How long a node that did not answer is left alone before one lookup tries it again.',
  }),
  leasesMax: count(10_000, {
    min: 1,
    doc: 'Loads a node keeps track of at once, and callers waiting for each. Beyond it everybody loads for himself.',
  }),
  cost: duration('5us', {
    doc: 'CPU time of a cache node for one operation, as the simulator charges it.',
  }),
};

export type CacheConfig = ConfigOf<typeof knobs>;

/** Of the client half. */
export interface CacheClientConfig extends CacheConfig {
  readonly name: string;
  readonly members: readonly { readonly id: NodeId; readonly zone: string }[];
}

export function relations(name: string, config: CacheConfig): readonly Problem[] {
  if (config.leaseUs > config.waitUs) return [];
  return [
    {
      at: `${name}.lease`,
      what: `must be longer than wait, or those who wait outlast the lease; got lease ${config.leaseUs} us and wait ${config.waitUs} us`,
    },
  ];
}
