/** The knobs of a gateway and of its limit. */
import type { Micros } from '../../../host/host.ts';
import { bytes, choice, count, duration, optional, rate } from '../../../kit/config.ts';
import type { Rate } from '../../../kit/units.ts';
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

export const limitKnobs = {
  rate: rate('100/s', { doc: 'Requests a key may make, averaged over time.' }),
  burst: count(200, {
    min: 1,
    doc: 'Requests a quiet key may make at once. Two seconds of the rate: a page with its parts.',
  }),
  by: choice(['ip', 'all'], 'What is counted apart: each address, or everything together as one.'),
  keysMax: count(100_000, {
    min: 1,
    doc: 'Keys remembered. Beyond it those with a full bucket are forgotten, then the oldest: they start again with a full burst.',
  }),
};

export type LimitConfig = {
  readonly rate: Rate;
  readonly burst: number;
  readonly by: 'ip' | 'all';
  readonly keysMax: number;
};

export type RouteConfig = {
  /** Null: whatever the host. */
  readonly host: string | null;
  /** Matches itself and everything below: `/api` takes `/api` and `/api/x`, not `/apis`. */
  readonly path: string;
  readonly service: string;
};

export type GatewayConfig = {
  readonly nodes: number;
  readonly port: number;
  readonly costUs: Micros;
  readonly openMax: number;
  readonly bodyMaxBytes: number;
  readonly routes: readonly RouteConfig[];
  readonly limit: LimitConfig | null;
  readonly policy: PathPolicy;
};

/** The same with who serves each service filled in. */
export type DoorConfig = GatewayConfig & { readonly targets: Readonly<Record<string, Targets>> };
