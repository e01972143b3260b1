/** The knobs of `dns`, and its records as data. */
import type { Micros, NodeId } from '../../../host/host.ts';
import { type ConfigOf, choice, count, duration, optional, text } from '../../../kit/config.ts';
import { type HealthConfig, healthKnobs } from '../../../parts/health.ts';
import { type RegionConfig, regionKnobs } from '../../../parts/regions.ts';

export const knobs = {
  servers: count(2, {
    min: 1,
    max: 13,
    doc: 'Authoritative servers, each with all records and a health check of its own.',
  }),
  ttl: duration('30s', {
    min: '1s',
    doc: 'How long an answer may be remembered: the longest that users go on to a region after it was found dead. Each is a lookup more.',
  }),
  negativeTtl: duration('5s', {
    min: '0ms',
    doc: 'How long resolvers remember that there is no such name (RFC 2308).',
  }),
  answersMax: count(4, {
    min: 1,
    max: 32,
    doc: 'Addresses in an answer. Clients try the next one when a connection is refused.',
  }),
  timeout: duration('500ms', {
    min: '1ms',
    doc: 'How long a resolver waits for a server before it asks the next one. A client waits twice as long for its resolver, which may have to ask a second server.',
  }),
  namesMax: count(10_000, {
    min: 1,
    doc: 'Names that a resolver or a client remembers. Those used longest ago go.',
  }),
  port: optional(
    count(5353, {
      min: 1,
      max: 65_535,
      doc: 'Where the first resolver answers real questions (UDP and TCP) when live; those of other regions take the next ports. Left out: nowhere.',
    }),
  ),
  probe: optional(
    text('/health', {
      pattern: /^\//,
      allowed: "a path, such as '/health'",
      doc: 'What servers ask of every node that they name, to know whether it is well: any answer below 500 is. Left out: each node answers for itself (`OPTIONS *`). A path asks what is behind it too, and a gateway that balances into a lost region may then seem lost itself.',
    }),
  ),
  cost: duration('10us', { max: '1s', doc: 'Processor time of a question when simulated.' }),
};

export const answering = ['latency', 'priority', 'weighted', 'all'] as const;
export type Answering = (typeof answering)[number];

export const recordKnobs = {
  by: choice(
    answering,
    'Which nodes an answer names: those of the nearest region that is well; those of the first that is, in the order of `regions`; those of a region drawn by `weights`; or all that are well.',
  ),
};

/** A node that a record may lead to. */
export type Place = { readonly node: NodeId; readonly region: string };

export type RecordConfig =
  | { readonly kind: 'alias'; readonly to: string; readonly ttlUs: Micros }
  | { readonly kind: 'text'; readonly text: string; readonly ttlUs: Micros }
  | {
      readonly kind: 'nodes';
      readonly by: Answering;
      readonly ttlUs: Micros;
      /** Names of declarations. */
      readonly to: readonly string[];
      /** By region. */
      readonly weights: Readonly<Record<string, number>>;
      readonly regions: readonly string[];
    };

export type DnsConfig = ConfigOf<typeof knobs> & {
  readonly records: Readonly<Record<string, RecordConfig>>;
  readonly health: HealthConfig;
  readonly regions: Omit<RegionConfig, 'by'>;
  /** One way or round trip, as long as all are the same: from region, to region. */
  readonly distancesUs: Readonly<Record<string, Readonly<Record<string, Micros>>>>;
};

export { healthKnobs };

const { by: _by, ...spreadKnobs } = regionKnobs;

export { spreadKnobs };

export type ServerConfig = DnsConfig & {
  readonly region: string;
  /** By record. */
  readonly places: Readonly<Record<string, readonly Place[]>>;
};

export type ResolverConfig = ConfigOf<typeof knobs> & {
  readonly region: string;
  /** The servers. */
  readonly asks: readonly NodeId[];
};

export type StubConfig = ConfigOf<typeof knobs> & {
  /** The nearest first. */
  readonly resolvers: readonly NodeId[];
};
