/** The knobs of a limiter, and what its programs read. */
import type { NodeId } from '../../../host/host.ts';
import { type ConfigOf, choice, count, duration, flag, rate, show } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import { parseRate, type Rate } from '../../../kit/units.ts';

export const modes = ['central', 'sticky', 'lock', 'replicated'] as const;

export const knobs = {
  mode: choice(
    modes,
    'Where the counts of a key are. central: in the first region. sticky: in the key’s home region, one of all by its hash. lock: in every region, changed under a lock held for the key. replicated: in every region, each counting for itself and telling the others a little later, which lets more through than the limit.',
  ),
  limit: rate('100/min', {
    doc: 'Units a key may take in each window: `10/min` is ten in a window of a minute.',
  }),
  window: choice(
    ['sliding', 'fixed'],
    'sliding never admits more than the limit in any window. fixed counts from each full minute (or whatever the window is) on, and lets twice the limit through around its edge.',
  ),
  parts: count(10, {
    min: 1,
    max: 60,
    doc: 'Parts of a sliding window. With 10 a unit is forgiven at most a tenth of the window late; each costs a number a key.',
  }),
  nodes: count(1, {
    min: 1,
    max: 64,
    doc: 'Nodes in each region (with central: in the first alone). A key is counted by one of them.',
  }),
  durable: flag(
    false,
    'Writes every count to disk before its verdict is told, so that a node that was killed admits nothing beyond the limit. Without it a restart forgives what its node had counted, once.',
  ),
  whenUnreachable: choice(
    ['allow', 'refuse'],
    'What a caller does without a verdict. allow: a dead limiter does not take the site down with it. refuse: the limit holds whatever happens.',
  ),
  whenLost: choice(
    ['policy', 'move'],
    'With sticky, what becomes of the keys of a home that is down. policy: `whenUnreachable` speaks for it. move: another region counts them from nothing, so that each may get its limit once more.',
  ),
  timeout: duration('500ms', {
    min: '1ms',
    doc: 'How long a caller waits for a verdict. Above two round trips between continents, which a lock takes.',
  }),
  lease: duration('2s', {
    min: '10ms',
    doc: 'With lock, how long it is held for who does not give it back. Others wait that long after a node dies with it.',
  }),
  syncEvery: duration('100ms', {
    min: '1ms',
    doc: 'With replicated, how often a node tells the others what it counted. What is admitted meanwhile elsewhere is what may come on top of the limit.',
  }),
  keysMax: count(100_000, {
    min: 1,
    doc: 'Keys a node remembers. Beyond it the one seen longest ago is forgotten, and has a whole limit again.',
  }),
  pendingMax: count(10_000, {
    min: 1,
    doc: 'Questions a node works on at once. Further ones get no verdict.',
  }),
  cost: duration('10us', {
    doc: 'CPU time of a node for one message, as the simulator charges it.',
  }),
};

export type LimiterConfig = ConfigOf<typeof knobs> & {
  /** All that hold together; the first is `limit`. */
  readonly limits: readonly Rate[];
};

/** Of one node. */
export type NodeConfig = LimiterConfig & {
  readonly name: string;
  /** All nodes, itself among them. */
  readonly members: readonly Member[];
};

export type Member = { readonly id: NodeId; readonly region: string };

/** Of the client half. */
export type LimiterClientConfig = LimiterConfig & {
  readonly name: string;
  readonly members: readonly Member[];
  /** The caller's. */
  readonly region: string;
};

/** Checked by hand: a list is no knob. */
export function furtherLimits(
  name: string,
  given: readonly unknown[],
): { readonly limits: readonly Rate[]; readonly problems: readonly Problem[] } {
  const limits: Rate[] = [];
  const problems: Problem[] = [];
  given.forEach((text, index) => {
    const parsed = typeof text === 'string' ? parseRate(text) : undefined;
    if (parsed && parsed.count > 0) limits.push(parsed);
    else {
      problems.push({
        at: `${name}.also[${index}]`,
        what: `must be a rate like '100/h' above zero, got ${show(text)}`,
      });
    }
  });
  return { limits, problems };
}
