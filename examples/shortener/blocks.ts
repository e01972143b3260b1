/** What the shortener keeps, and where. */
import { cache, ids, kv, topic } from 'loadpath';

export type Link = {
  readonly url: string;
  /** Redirected with 301: browsers may keep it. */
  readonly permanent: boolean;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number;
};

export type Click = {
  readonly code: string;
  readonly at: number;
  readonly country: string;
};

/** Clicks on one link, or, under `top N`, the most clicked links of partition N. */
export type Count = {
  readonly clicks: number;
  readonly countries: Readonly<Record<string, number>>;
  /** The click counted last: what is delivered again is not counted again. */
  readonly offset: number;
  readonly top?: readonly { readonly code: string; readonly clicks: number }[];
};

export const partitions = 8;

export const blocks = {
  /** The links themselves: three copies, one in each zone, and a read always sees the last write. */
  links: kv<Link>('links', { replicas: 3, consistency: 'atomic' }),
  /** Nine in ten requests follow a link, and few links get most of them. */
  hot: cache<Link>('hot', { nodes: 2, capacity: 50_000, ttl: '10m' }),
  /** Ranges of a million, so that no two services ever give the same code and none asks often. */
  codes: ids('codes', {
    scramble: true,
    secret: process.env.SHORTENER_SECRET ?? 'only for trying it out',
  }),
  /** A count may be half a second old: then one write of it stands for many clicks. */
  clicks: topic<Click>('clicks', {
    partitions,
    nodes: 2,
    linger: '500ms',
    key: (click) => click.code,
  }),
  counts: kv<Count>('counts', { replicas: 3, consistency: 'quorum' }),
};
