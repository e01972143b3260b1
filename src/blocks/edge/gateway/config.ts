/** The knobs of a gateway and of its stages, and what they become in the plan. */

import type { Micros } from '../../../host/host.ts';
import {
  bytes,
  type ConfigOf,
  choice,
  count,
  duration,
  optional,
  rate,
  text,
} from '../../../kit/config.ts';
import { limiterKnobs } from '../../../parts/limit/config.ts';
import type { Targets } from '../../../path/caller.ts';
import type { PathPolicy } from '../../../path/policy.ts';

export const knobs = {
  nodes: count(1, {
    min: 1,
    max: 100,
    doc: 'Gateways side by side. Users spread over them and go to another when one refuses.',
  }),
  port: optional(
    count(8080, {
      min: 0,
      max: 65_535,
      doc: 'Where it listens when live; 0 takes a free port. More gateways take the next ports.',
    }),
  ),
  cost: duration('20us', {
    max: '1min',
    doc: 'Processor time that a request takes here when simulated; live the real work is the cost. About what parsing, matching and copying take a proxy.',
  }),
  openMax: count(10_000, {
    min: 1,
    doc: 'Requests held at once; beyond it 503 at once. About what one process can hold without running out of memory.',
  }),
  bodyMax: bytes('1MB', { min: '1kB', doc: 'Largest request body; beyond it 413.' }),
};

/** The one limit of a gateway that needs no more: `limit: tokenBucket(…)`. */
export const limitKnobs = {
  rate: rate('100/s', { doc: 'Requests a key may make, averaged over time.' }),
  burst: count(200, {
    min: 1,
    doc: 'Requests a quiet key may make at once. Two seconds of the rate: a page with its parts.',
  }),
  by: choice(['ip', 'all'], 'What is counted apart: each address, or everything together as one.'),
  keysMax: count(100_000, {
    min: 1,
    doc: 'Keys remembered. Beyond it the one seen longest ago is forgotten, and starts with a whole limit.',
  }),
};

/** Each of `limits`, by name. */
export const limitsKnobs = {
  algorithm: choice(
    [...limiterKnobs.algorithm.choices!, 'leaky-queue', 'concurrency'] as unknown as readonly [
      'token-bucket',
      'leaky-meter',
      'gcra',
      'fixed-window',
      'sliding-window',
      'sliding-buckets',
      'sliding-log',
      'leaky-queue',
      'concurrency',
    ],
    'token-bucket, leaky-meter and gcra are one law: a pace, with bursts. fixed-window is a count a minute, and lets twice as many through around its edge; sliding-window weighs two such counts; sliding-buckets and sliding-log never admit more than the limit in any window. leaky-queue delays, and refuses what its queue has no room for; concurrency counts what is open.',
  ),
  rate: limiterKnobs.rate,
  burst: limiterKnobs.burst,
  parts: limiterKnobs.parts,
  queueMax: count(100, {
    min: 1,
    max: 100_000,
    doc: 'Requests of a key that may wait, where a limit delays; beyond it they are refused.',
  }),
  openMax: count(10, {
    min: 1,
    doc: 'Requests that a key may have open at once, for concurrency. Browsers open 6 connections to a host.',
  }),
  over: choice(
    ['reject', 'delay'],
    'What becomes of a request that comes too soon. delay shapes instead: it waits its turn, up to queueMax of them; only where a limit is a pace.',
  ),
  by: choice(
    ['ip', 'network', 'user', 'location', 'header', 'route', 'service', 'all'],
    'What is counted apart. network is the /24 of an IPv4 and the /64 of an IPv6 address: who has one address of a network mostly has all. user is who was authenticated, else the address; location is looked up in `locations`; header takes the value of `header`.',
  ),
  header: text('', {
    pattern: /^[a-z0-9-]*$/,
    allowed: 'the name of a header, in lower case',
    doc: 'Whose value is the key, for by: header. Only as good as who sets it: a CDN before the gateway, not the user.',
  }),
  cost: count(1, { min: 1, max: 1_000_000, doc: 'Units that a request takes.' }),
  tier: text('', {
    doc: 'Holds only for callers of this tier, as their key or token says; empty: for all.',
  }),
  keysMax: limiterKnobs.keysMax,
  tell: choice(
    ['always', 'refused'],
    'Which replies carry RateLimit and RateLimit-Policy: all, so that good clients slow down by themselves, or only 429.',
  ),
};

export type LimitConfig = ConfigOf<typeof limitsKnobs> & {
  readonly name: string;
  /** Keys that the limit alone holds for; empty: all. Then those that it does not hold for. */
  readonly only: readonly string[];
  readonly except: readonly string[];
};

/** A network and what it is called. */
export type LocationConfig = { readonly network: string; readonly name: string };

export type Condition = {
  readonly name: string;
  readonly test: 'present' | 'absent' | 'is' | 'begins';
  readonly value: string;
};

export const redirectStatuses = [301, 302, 303, 307, 308] as const;
export type RedirectStatus = (typeof redirectStatuses)[number];

export type Destination =
  | { readonly type: 'service'; readonly service: string }
  | { readonly type: 'redirect'; readonly to: string; readonly status: RedirectStatus };

export type RewriteConfig = {
  /** A prefix to take off; empty: none. */
  readonly strip: string;
  /** Null: as it came. */
  readonly path: string | null;
  readonly host: string | null;
};

export type RouteConfig = {
  /** As the design writes it: in messages, as a key. */
  readonly name: string;
  /** Null: whatever the host. `*.example.com`: whatever is below it. */
  readonly host: string | null;
  /**
   * Matches itself and everything below: `/api` takes `/api` and `/api/x`, not `/apis`. With
   * parameters just what it spells, and below where it ends in `/*`.
   */
  readonly path: string;
  readonly isExact: boolean;
  /** Empty: any. */
  readonly methods: readonly string[];
  readonly headers: readonly Condition[];
  readonly cookies: readonly Condition[];
  readonly query: readonly Condition[];
  readonly contentType: string | null;
  readonly to: Destination;
  readonly rewrite: RewriteConfig | null;
  /** Null: the gateway's. */
  readonly policy: PathPolicy | null;
  readonly limits: readonly LimitConfig[];
  /** Null: the gateway's. */
  readonly bodyMaxBytes: number | null;
};

export type GatewayConfig = {
  readonly nodes: number;
  readonly port: number;
  readonly costUs: Micros;
  readonly openMax: number;
  readonly bodyMaxBytes: number;
  readonly routes: readonly RouteConfig[];
  readonly limits: readonly LimitConfig[];
  readonly locations: readonly LocationConfig[];
  readonly policy: PathPolicy;
};

/** The same with who serves each service filled in. */
export type DoorConfig = GatewayConfig & { readonly targets: Readonly<Record<string, Targets>> };
