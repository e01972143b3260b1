/** The knobs of a registry, and what its programs read. */
import type { NodeId } from '../../../host/host.ts';
import { type ConfigOf, choice, count, duration, ratio } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import { leaseKnobs } from '../../../parts/leases.ts';

export const knobs = {
  nodes: count(1, {
    min: 1,
    max: 16,
    doc: 'Registries side by side. An instance registers with each of them; a caller asks one, and another when that is silent. They do not talk to each other.',
  }),
  ...leaseKnobs,
  keepAbove: ratio(0.5, {
    doc: 'When more than this share of all instances (and more than one) are silent at once, the registry takes itself to be cut off, and drops none of them. 1 always drops.',
  }),
  whenBroken: choice(
    ['wait', 'drop'],
    'What becomes of an instance whose connection breaks. wait: its lease decides. drop: it is out at once, also when only the network hiccuped.',
  ),
  follow: choice(
    ['watch', 'poll'],
    'How callers keep their lists. watch: each change is pushed. poll: they ask every `poll`, which costs the registry less and callers a list that is old.',
  ),
  poll: duration('30s', {
    min: '10ms',
    doc: 'How often a caller asks for the whole list; with watch, how often it makes sure that it is still heard.',
  }),
  refreshAfter: duration('10s', {
    min: '1ms',
    doc: 'A caller none of whose calls to a service has succeeded for this long fetches its list again.',
  }),
  refetch: choice(
    ['after', 'each'],
    'When failures make a caller fetch the list. after: when they lasted for `refreshAfter`. each: at every failed call and broken connection, one question at a time.',
  ),
  wait: duration('1s', {
    min: '0ms',
    doc: 'How long a call waits for a first list on a node that has none yet. Then it fails: nobody is known to serve it.',
  }),
  timeout: duration('500ms', {
    min: '1ms',
    doc: 'How long an answer of a registry may take before another one is asked.',
  }),
  leaveMax: duration('1s', {
    min: '1ms',
    doc: 'How long an instance that stops waits until everybody who watches has heard of it.',
  }),
  linger: duration('100ms', {
    min: '0ms',
    doc: 'How much longer it serves: for calls that were sent before their callers heard.',
  }),
  watchersMax: count(100_000, {
    min: 1,
    doc: 'Lists watched at once, each by one caller. Beyond it a caller gets the list, and no changes.',
  }),
  changesMax: count(1_000, {
    min: 1,
    doc: 'Changes remembered for each service. A watcher that missed more gets the whole list instead.',
  }),
  cost: duration('10us', {
    min: '0us',
    doc: 'Processor time of a registry for one message, as the simulator charges it.',
  }),
};

export type RegistryConfig = ConfigOf<typeof knobs>;

/** Of the client half: with whom it speaks, what it follows, and whom it registers. */
export type RegistryClientConfig = RegistryConfig & {
  readonly registries: readonly NodeId[];
  /** Services whose lists are kept. */
  readonly services: readonly string[];
  /** This node is an instance: it registers itself. */
  readonly register: { readonly service: string; readonly release: string } | null;
};

export function relations(name: string, config: RegistryConfig): readonly Problem[] {
  if (config.ttlUs > config.renewEveryUs) return [];
  return [
    {
      at: `${name}.ttl`,
      what: `must exceed renewEvery (${config.renewEveryUs}us), got ${config.ttlUs}us: every lease would lapse`,
    },
  ];
}
