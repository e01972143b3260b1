/** The knobs of a CDN and of the purges that reach it. */
import type { Micros, NodeId } from '../../../host/host.ts';
import {
  bytes,
  type ConfigOf,
  choice,
  count,
  duration,
  flag,
  optional,
  rate,
  text,
} from '../../../kit/config.ts';
import type { KeyRule } from '../../../parts/http-cache/key.ts';
import { type HttpCacheConfig, httpCacheKnobs } from '../../../parts/http-cache.ts';
import type { Targets } from '../../../path/caller.ts';
import type { PathPolicy } from '../../../path/policy.ts';
import type { PurgesPlan } from '../../../path/purges.ts';

export const knobs = {
  per: choice(
    ['zone', 'region'],
    'Where edges stand: in every zone, or in one zone of every region.',
  ),
  edges: count(1, {
    min: 1,
    max: 100,
    doc: 'Edges at each of these places. Users go to one that is near, and to the next when it refuses.',
  }),
  shield: optional(
    text('home', {
      allowed: 'a zone or a region',
      doc: 'Region or zone whose edges ask the origin on behalf of all others: then a miss everywhere is one request there. Near the origin is best.',
    }),
  ),
  port: optional(
    count(8080, {
      min: 0,
      max: 65_535,
      doc: 'Where the first edge listens when live; 0 takes a free port. More edges take the next ports. Left out: 8080, or the next that no other block has.',
    }),
  ),
  cost: duration('20us', {
    max: '1min',
    doc: 'Processor time of a request at an edge when simulated; live the real work is the cost.',
  }),
  openMax: count(10_000, { min: 1, doc: 'Requests held at once by an edge; beyond it 503.' }),
  bodyMax: bytes('1MB', { min: '1kB', doc: 'Largest request body; beyond it 413.' }),
  shieldTimeout: duration('2s', {
    min: '1ms',
    doc: 'How long an edge waits for the shield before it asks the origin itself.',
  }),
  whenOutOfTouch: choice(
    ['pass', 'serve'],
    'What an edge does that has not heard of purges for a lease: pass sends everything on, so that nothing purged is ever served; serve goes on from its cache, and a purge then holds only where it arrives.',
  ),
  topCount: count(10, {
    min: 0,
    max: 1_000,
    doc: 'How many of the addresses asked for most an edge names in its notes when it stops, and to who asks for its analytics.',
  }),
};

/** The cache of every edge: the part’s own, but a client’s wishes do not count. */
export const cacheKnobs = {
  ...httpCacheKnobs,
  obeyRequests: flag(
    false,
    'Whether cache directives of requests count. Not by default: else any client sends its load on to the origin.',
  ),
};

export const limitKnobs = {
  rate: rate('100/s', { doc: 'Requests an address may make at one edge, averaged over time.' }),
  burst: count(200, { min: 1, doc: 'Requests a quiet address may make at once.' }),
  keysMax: count(100_000, { min: 1, doc: 'Addresses remembered. Those seen longest ago go.' }),
};

export type LimitConfig = ConfigOf<typeof limitKnobs>;

export const purgeKnobs = {
  lease: duration('3s', {
    min: '30ms',
    doc: 'How long an edge may serve after it last heard of purges. A purge waits that long, at most, for an edge that is cut off: then that edge serves nothing stored any more.',
  }),
  timeout: duration('10s', {
    min: '1ms',
    doc: 'How long who purges waits for the acknowledgement. Above the lease.',
  }),
  logMax: count(10_000, {
    min: 1,
    doc: 'Purges remembered for edges that come back. One that missed more starts empty.',
  }),
};

export type PurgeLogConfig = ConfigOf<typeof purgeKnobs>;
export type PurgeClientConfig = PurgeLogConfig & { readonly log: NodeId };

/** What holds for the addresses below a path. */
export type PathRule = KeyRule & {
  /** In place of the lifetime that the response gives. */
  readonly ttlUs?: Micros | undefined;
  readonly bypass?: boolean | undefined;
};

export type CdnConfig = Omit<ConfigOf<typeof knobs>, 'port'> & {
  readonly port: number;
  readonly isPortGiven: boolean;
  readonly cache: HttpCacheConfig;
  readonly limit: LimitConfig | null;
  /** The longest path that covers an address counts. */
  readonly rules: readonly { readonly path: string; readonly rule: PathRule }[];
  readonly policy: PathPolicy;
};

/** Of one edge: the same with who is where filled in. */
export type EdgeConfig = CdnConfig & {
  readonly name: string;
  readonly isShield: boolean;
  /** In which to ask for an address, the first that answers. Empty at a shield. */
  readonly shields: readonly NodeId[];
  readonly originName: string;
  readonly origin: Targets;
  /** Who says what is purged, if anybody. */
  readonly purges: PurgesPlan | null;
};
