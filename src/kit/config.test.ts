import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  bytes,
  type ConfigOf,
  choice,
  configure,
  count,
  duration,
  flag,
  nearest,
  type OptionsOf,
  optional,
  rate,
  ratio,
  show,
  text,
} from './config.ts';

const knobs = {
  policy: choice(['lru', 'fifo'], 'Who goes first.'),
  nodes: count(3, { min: 1, max: 9, doc: 'How many.' }),
  timeout: duration('250ms', { min: '1ms', max: '1min', doc: 'How long.' }),
  limit: rate('100/s', { doc: 'How often.' }),
  memory: bytes('64MB', { min: '1kB', doc: 'How much.' }),
  share: ratio(0.2, { doc: 'Which part.' }),
  sync: flag(true, 'Whether.'),
  prefix: text('a-', { pattern: /^[a-z-]+$/, allowed: 'lower-case letters', doc: 'Which.' }),
  spare: optional(count(1, { doc: 'Perhaps.' })),
};

function problemsOf(given: object): readonly string[] {
  return configure('links', knobs, given).problems.map(({ at, what }) => `${at}: ${what}`);
}

describe('a knob table', () => {
  test('gives defaults for all that is not said, with the unit in the name', () => {
    expect(configure('links', knobs, {})).toEqual({
      problems: [],
      given: {},
      config: {
        policy: 'lru',
        nodes: 3,
        timeoutUs: 250_000,
        limit: { count: 100, periodUs: 1_000_000 },
        memoryBytes: 64_000_000,
        share: 0.2,
        sync: true,
        prefix: 'a-',
      },
    });
  });

  test('takes what is said, and an undefined as unsaid', () => {
    const given = { timeout: '1s', sync: false, share: 0, spare: 4, nodes: undefined } as const;
    const { config, problems } = configure('links', knobs, given);
    expect(problems).toEqual([]);
    expect(config).toMatchObject({ timeoutUs: 1_000_000, sync: false, share: 0, spare: 4 });
    expect(config.nodes).toBe(3);
  });

  test('names every mistake at once: where, what is allowed, what was given', () => {
    expect(
      problemsOf({
        policy: 'lifo',
        nodes: 10,
        timeout: 250,
        limit: '0/s',
        memory: '10B',
        share: 1.5,
        sync: 'yes',
        prefix: 'A',
        spare: 0.5,
      }),
    ).toEqual([
      "links.policy: must be one of lru, fifo, got 'lifo'",
      'links.nodes: must be a whole number from 1 to 9, got 10',
      "links.timeout: must be a duration like '250ms', from 1ms to 1min, got 250",
      "links.limit: must be a rate like '100/s' above zero, got '0/s'",
      "links.memory: must be a size like '64MB', at least 1kB, got '10B'",
      'links.share: must be a number from 0 to 1, got 1.5',
      "links.sync: must be true or false, got 'yes'",
      "links.prefix: must be lower-case letters, got 'A'",
      'links.spare: must be a whole number at least 0, got 0.5',
    ]);
  });

  test('proposes the option that was meant, or lists them when none is near', () => {
    const all = Object.keys(knobs).join(', ');
    expect(problemsOf({ timout: '1s' })).toEqual([
      'links.timout: no such option; did you mean timeout?',
    ]);
    expect(problemsOf({ replicas: 3 })).toEqual([
      `links.replicas: no such option; there are ${all}`,
    ]);
  });

  test('what every object inherits is not an option', () => {
    expect(problemsOf({ constructor: 1 })).toHaveLength(1);
    expect(problemsOf({ toString: 1 })).toHaveLength(1);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, '3', 2.5, -1, false])(
    'a count is not %s',
    (given) => {
      expect(problemsOf({ nodes: given })).toHaveLength(1);
    },
  );

  test('says NaN when it was NaN', () => {
    expect(problemsOf({ share: Number.NaN })).toEqual([
      'links.share: must be a number from 0 to 1, got NaN',
    ]);
  });

  test('gives the types of what users write and of what the code reads', () => {
    type Options = OptionsOf<typeof knobs>;
    expectTypeOf<Options['policy']>().toEqualTypeOf<'lru' | 'fifo' | undefined>();
    expectTypeOf<'80ms'>().toExtend<NonNullable<Options['timeout']>>();
    expectTypeOf<'80 parsecs'>().not.toExtend<NonNullable<Options['timeout']>>();
    type Config = ConfigOf<typeof knobs>;
    expectTypeOf<Config['timeoutUs']>().toEqualTypeOf<number>();
    expectTypeOf<Config['memoryBytes']>().toEqualTypeOf<number>();
    expectTypeOf<Config['spare']>().toEqualTypeOf<number | undefined>();
  });
});

describe('a near miss', () => {
  const names = ['timeout', 'replicas', 'ttl'];
  test.each([
    ['timout', 'timeout'],
    ['TimeOut', 'timeout'],
    ['replica', 'replicas'],
    ['tl', 'ttl'],
    ['tlt', 'ttl'],
    ['timeotu', 'timeout'],
    ['consistency', undefined],
    ['', undefined],
  ])('of %j is %j', (wrong, right) => {
    expect(nearest(wrong, names)).toBe(right);
  });
});

describe('what was given is shown', () => {
  test.each([
    ['a', "'a'"],
    [5, '5'],
    [Number.NaN, 'NaN'],
    [7n, '7n'],
    [undefined, 'undefined'],
    [null, 'null'],
    [() => 1, 'a function'],
    [{ a: 1 }, '{"a":1}'],
    [[1, 'b'], '[1,"b"]'],
  ])('%o as %s', (value, shown) => {
    expect(show(value)).toBe(shown);
  });

  test('also where JSON fails, and never at length', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(show(circle)).toBe('[object Object]');
    expect(show({ big: 1n })).toBe('[object Object]');
    expect(show('x'.repeat(10_000)).length).toBeLessThan(200);
    expect(show(Array(10_000).fill(1)).length).toBeLessThan(200);
  });
});
