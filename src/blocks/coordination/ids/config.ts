/** The knobs of `ids`, and what its programs read. */
import type { NodeId } from '../../../host/host.ts';
import { type ConfigOf, choice, count, duration, flag } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import { base62Count, base62WidthMax } from '../../../parts/base62.ts';

export const knobs = {
  from: choice(
    ['ranges'],
    'Where codes come from. ranges: an allocator hands out blocks of numbers, and a caller turns the numbers of its block into codes without asking anybody.',
  ),
  block: count(1_000_000, {
    min: 1,
    doc: 'Numbers in a range. A caller asks the allocator once a range, and a crash of the caller loses what is left of at most two: a million is seldom asked for and is a millionth of what 7 characters hold.',
  }),
  alphabet: choice(['base62'], 'The characters of a code: digits, capitals, small letters.'),
  width: count(7, {
    min: 1,
    max: base62WidthMax,
    doc: 'Characters in a code. 7 make 3.5 million million codes: a thousand a second for a century.',
  }),
  scramble: flag(
    false,
    'Permutes the numbers by a secret before they become codes, so that no code tells another. Needs `secret`.',
  ),
  nodes: count(1, {
    min: 1,
    max: 64,
    doc: 'Allocators. With several, each has its own series of ranges, so that a new range can be had while any of them is up. A name is still decided by one of them alone.',
  }),
  timeout: duration('2s', {
    min: '1ms',
    doc: 'How long `next` and `claim` try before they fail. Longer than a restart of an allocator takes in most cases.',
  }),
  attemptTimeout: duration('250ms', {
    min: '1ms',
    doc: 'How long one question to an allocator may take before it is asked again.',
  }),
  waitersMax: count(10_000, {
    min: 1,
    doc: 'Callers on one node that may wait for a range at once. Further ones fail at once.',
  }),
  claimsMax: count(1_000_000, {
    min: 1,
    doc: 'Names an allocator remembers, for ever. About 200 bytes of memory each.',
  }),
  cost: duration('10us', {
    doc: 'CPU time of an allocator for one question, as the simulator charges it.',
  }),
};

export type IdsConfig = ConfigOf<typeof knobs>;

/** Of one allocator. */
export interface AllocatorConfig extends IdsConfig {
  readonly name: string;
  /** Which of `nodes` it is. */
  readonly index: number;
}

/** Of the client half. */
export interface IdsClientConfig extends IdsConfig {
  readonly name: string;
  /** In the order of their index. */
  readonly allocators: readonly NodeId[];
}

/** What stays out of the plan, which is printed, drawn and sent about. */
export interface IdsCode {
  readonly secret: string;
}

export const secretLengthMin = 16;

export function relations(
  name: string,
  config: IdsConfig,
  secret: string | undefined,
): readonly Problem[] {
  const problems: Problem[] = [];
  const codes = base62Count(config.width);
  if (config.block * config.nodes > codes) {
    problems.push({
      at: `${name}.block`,
      what: `must leave a range for each of nodes: ${config.nodes} times ${config.block} is more than the ${codes} codes of width ${config.width}`,
    });
  }
  if (config.scramble && (secret === undefined || secret.length < secretLengthMin)) {
    problems.push({
      at: `${name}.secret`,
      what: `must be a text of at least ${secretLengthMin} characters when scramble is true, got ${secret === undefined ? 'none' : `${secret.length} characters`}; keep it for ever: another secret gives out the same codes again`,
    });
  }
  return problems;
}
