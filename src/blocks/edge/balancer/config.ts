/** The knobs of a balancer, and what they become in the plan. */
import type { NodeId } from '../../../host/host.ts';
import type { DirectoryPlace, Targets } from '../../../host/path.ts';
import { type ConfigOf, choice, count, duration, optional } from '../../../kit/config.ts';
import { type HealthConfig, healthKnobs } from '../../../parts/health.ts';
import { listenKnobs } from '../../../parts/listeners.ts';
import { type StandbyConfig, standbyKnobs } from '../../../parts/standby.ts';

export { healthKnobs, standbyKnobs };

export const balances = [
  'least-connections',
  'round-robin',
  'two-choices',
  'random',
  'source-hash',
  'consistent-hash',
] as const;

export const knobs = {
  nodes: count(1, {
    min: 1,
    max: 16,
    doc: 'Balancers side by side. Without `standby` and `listen` users spread over them; with `standby` one has the address.',
  }),
  port: optional(
    count(8080, {
      min: 0,
      max: 65_535,
      doc: 'Where it listens when live; 0 takes a free port. Its further nodes take the next ports, and gateways behind them free ones. Left out: 8080, or the next that no other block has.',
    }),
  ),
  ...listenKnobs,
  balance: choice(
    balances,
    'Who gets the next connection. Connections last, and differ in what comes over them, so the one with the fewest is the best guess; source-hash keeps an address with one target, consistent-hash too, but spills over when that one has too many.',
  ),
  connectTimeout: duration('1s', {
    min: '1ms',
    doc: 'How long a target may take to accept, before another is tried. The first bytes wait meanwhile.',
  }),
  tries: count(3, {
    min: 1,
    max: 10,
    doc: 'Targets tried for one connection. Nothing was sent to those that did not accept, so trying is safe.',
  }),
  ejectFor: duration('5s', {
    min: '1ms',
    doc: 'How long a target that did not accept is passed over while there is another. About as long as a process takes to start.',
  }),
  whenDown: choice(
    ['cut', 'keep'],
    'What becomes of the connections of a target that is down for its health checks. Who accepts nothing for seconds answers nothing either, and a user whose connection is cut can do something about it.',
  ),
  connectionsMax: count(10_000, {
    min: 1,
    doc: 'Connections held at once; further ones are refused. Each holds two windows of bytes at most.',
  }),
  quiet: duration('500ms', {
    min: '1ms',
    doc: 'While it drains: a connection on which nothing came for so long since the last answer is ended, as servers end idle ones. Longer than the pauses within one answer or a TLS handshake.',
  }),
  cost: duration('15us', {
    max: '1s',
    doc: 'Processor time of a new connection when simulated: accepting one and opening another.',
  }),
  passCost: duration('3us', {
    max: '1s',
    doc: 'Processor time of passing on one chunk when simulated. A fraction of what reading a request costs a gateway, since nothing is read.',
  }),
};

export type BalancerKnobs = ConfigOf<typeof knobs>;

export type BalancerConfig = BalancerKnobs & {
  readonly port: number;
  readonly isPortGiven: boolean;
  /** Null: no checks, only what connections tell. */
  readonly health: HealthConfig | null;
  /** Null: all of them serve. */
  readonly standby: StandbyConfig | null;
};

/** What a node of it is given. */
export type PassingConfig = BalancerConfig & {
  /** Whose connections they are. */
  readonly service: string;
  readonly targets: Targets;
  readonly directory: DirectoryPlace | null;
  /** One of several that share an address. */
  readonly seat: SeatConfig | null;
};

export type SeatConfig = StandbyConfig & {
  readonly address: NodeId;
  readonly rank: number;
  readonly others: readonly NodeId[];
};
