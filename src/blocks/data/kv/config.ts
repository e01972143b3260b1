/** The knobs of a store, and what must hold between them. */
import {
  bytes,
  type ConfigOf,
  choice,
  configure,
  count,
  duration,
  flag,
  type OptionsOf,
  optional,
} from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import { formatDuration } from '../../../kit/units.ts';

export const knobs = {
  consistency: choice(
    ['atomic', 'quorum'],
    'What a reader may rely on. atomic: each key behaves as one copy (linearizable); a write takes two round trips. quorum: the newest by clock wins, one round trip, and a read may miss a write that was just acknowledged. atomic is the default, because a design that loses an update fails silently, and one that is slower says so in the report.',
  ),
  replicas: count(3, {
    min: 1,
    max: 9,
    doc: 'Copies of each key, in different zones as far as there are zones. 3 survive the loss of one and still answer.',
  }),
  nodes: optional(
    count(3, {
      min: 1,
      max: 1_000,
      doc: 'Data nodes on the ring. By default as many as replicas; more share keys and load between them. A store that has data refuses to start with another number, or with other replicas, tokens or zones: keys would be looked for where they are not.',
    }),
  ),
  read: optional(
    count(2, {
      min: 1,
      doc: 'Replicas that must answer a read when consistency is quorum. By default a majority. read + write above replicas makes the two overlap.',
    }),
  ),
  write: optional(
    count(2, {
      min: 1,
      doc: 'Replicas that must have stored a write, durably, when consistency is quorum. By default a majority.',
    }),
  ),
  sloppy: flag(
    false,
    'Whether a copy kept by a stand-in counts towards write when consistency is quorum. It accepts writes while owners are away, and reads miss them until these are handed over.',
  ),
  skewMax: duration('1min', {
    min: '1ms',
    doc: 'How far a write may be ahead of the clock of a replica when consistency is quorum; beyond it the write is refused. Else one clock that jumps would win over all other writers until they reach it. Clocks that are kept in step differ by less than a second.',
  }),
  timeout: duration('250ms', {
    min: '1ms',
    max: '1min',
    doc: 'How long an operation may take, both phases and two resends included. Far above the p99 of four hops and two syncs, below what a person notices.',
  }),
  tokens: count(128, {
    min: 1,
    max: 4_096,
    doc: 'Places of each node on the ring. 128 keep the fullest node within about a quarter of the mean.',
  }),
  cost: duration('10us', {
    doc: 'CPU time of one message at a replica. What a small in-memory store takes for one, decoding included. Writing the log anew takes a fifth of it for a key and half of it for a kilobyte.',
  }),
  keysMax: count(1_000_000, {
    min: 1,
    // A `Map` takes 2^24.
    max: 16_000_000,
    doc: 'Keys a node holds in memory, tombstones included. Beyond it new keys are refused, existing ones still change.',
  }),
  hintsMax: count(100_000, {
    min: 0,
    doc: 'Writes a node keeps for owners that are away. Beyond it none are taken: reads and the next write repair what is missing.',
  }),
  hintEvery: duration('500ms', {
    min: '1ms',
    doc: 'How often a node tries to hand over what it keeps for others. One message for each owner that is away.',
  }),
  hintWindow: duration('3h', {
    min: '1s',
    doc: 'How long a node keeps a write for an owner that is away. Longer than a repair takes, shorter than a disk fills.',
  }),
  tombstoneTtl: duration('1h', {
    min: '100ms',
    doc: 'How long a deleted key leaves a mark after everyone has it. It must be longer than a message can be under way, or a late one brings the key back; connections give up after minutes.',
  }),
  snapshot: bytes('4MB', {
    min: '1kB',
    doc: 'Log size from which a node writes its keys anew and forgets the log, when that at least halves it. In slices, and one node a little later than another, so that no two are slow at once. Recovery reads less than three times as much.',
  }),
};

export type KvOptions = OptionsOf<typeof knobs>;

/** Checked, with what was left out filled in. Plain data. */
export type KvConfig = ConfigOf<typeof knobs> & {
  readonly nodes: number;
  readonly read: number;
  readonly write: number;
};

export function majority(replicas: number): number {
  return Math.floor(replicas / 2) + 1;
}

export function checkOptions(
  at: string,
  options: KvOptions,
): { readonly config: KvConfig; readonly problems: readonly Problem[] } {
  const { config: checked, given, problems } = configure(at, knobs, options);
  if (problems.length > 0) return { config: checked as KvConfig, problems };
  const config = complete(checked);
  return { config, problems: relations(at, config, given) };
}

/** Fills in what depends on something else. */
export function complete(given: ConfigOf<typeof knobs>): KvConfig {
  return {
    ...given,
    nodes: given.nodes ?? given.replicas,
    read: given.read ?? majority(given.replicas),
    write: given.write ?? majority(given.replicas),
  };
}

/** Each names both values. */
function relations(at: string, config: KvConfig, options: KvOptions): Problem[] {
  const { replicas, nodes, read, write } = config;
  const problems: Problem[] = [];
  const claim = (holds: boolean, option: string, what: string): void => {
    if (!holds) problems.push({ at: `${at}.${option}`, what });
  };
  claim(
    replicas <= nodes,
    'replicas',
    `must be at most nodes, got replicas ${replicas} and nodes ${nodes}`,
  );
  if (config.consistency === 'atomic') {
    for (const option of ['read', 'write', 'sloppy'] as const) {
      claim(
        options[option] === undefined || options[option] === false,
        option,
        `means nothing with consistency 'atomic', which always asks a majority; got ${option} ${options[option]}`,
      );
    }
  } else {
    claim(
      read <= replicas,
      'read',
      `must be at most replicas, got read ${read} and replicas ${replicas}`,
    );
    claim(
      write <= replicas,
      'write',
      `must be at most replicas, got write ${write} and replicas ${replicas}`,
    );
  }
  claim(
    config.tombstoneTtlUs >= 4 * config.timeoutUs,
    'tombstoneTtl',
    `must be at least four times timeout, got tombstoneTtl ${formatDuration(config.tombstoneTtlUs)} and timeout ${formatDuration(config.timeoutUs)}`,
  );
  return problems;
}
