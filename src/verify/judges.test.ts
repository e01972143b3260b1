import { describe, expect, it } from 'vitest';
import type { HistoryEvent, Phase } from '../host/history.ts';
import type { Value } from '../host/host.ts';
import { LoadpathError } from '../kit/errors.ts';
import { judgeConservation } from './conservation.ts';
import {
  durable,
  inOrder,
  invariant,
  linearizable,
  monotonicReads,
  noLoss,
  readYourWrites,
  uniqueIds,
} from './invariants.ts';
import { printCounterexample } from './print.ts';
import type { Invariant } from './verdict.ts';

/**
 * Events in order from lines such as `['ann', 'put', 'a', 1]` and `['ann', 'ok']`: a line with an
 * operation invokes it, a line with an outcome completes what that client has open.
 */
type Line =
  | readonly [client: string, f: string, key: string, value?: Value]
  | readonly [client: string, outcome: 'ok' | 'fail' | 'info', value?: Value];

const outcomes = new Set<string>(['ok', 'fail', 'info']);

function historyOf(lines: readonly Line[], block = 'links'): HistoryEvent[] {
  const open = new Map<string, HistoryEvent>();
  return lines.map((line, i) => {
    const [client, word] = line;
    const common = { block, session: client, node: 'api/0', life: 1, at: i * 1_000 };
    if (outcomes.has(word)) {
      const invoked = open.get(client)!;
      open.delete(client);
      const value = (line[2] ?? null) as Value;
      return { ...invoked, ...common, phase: word as Phase, value };
    }
    const [, f, key, value] = line as readonly [string, string, string, Value?];
    const event = { ...common, phase: 'invoke' as const, op: i, f, key, value: value ?? null };
    open.set(client, event);
    return event;
  });
}

const links = { name: 'links' };
const clicks = { name: 'clicks' };

describe('every judge', () => {
  it('says unknown when nothing was recorded', () => {
    for (const judge of [
      linearizable,
      readYourWrites,
      monotonicReads,
      durable,
      uniqueIds,
      noLoss,
      inOrder,
    ]) {
      expect(judge(links).check([]).verdict).toBe('unknown');
    }
  });

  it('watches its own block only', () => {
    const other = historyOf(
      [
        ['ann', 'get', 'a'],
        ['ann', 'ok', 7],
      ],
      'others',
    );
    expect(linearizable(links).check(other)).toEqual({
      verdict: 'unknown',
      detail: 'nothing was recorded',
    });
  });

  it('does not trust a history that lost invocations', () => {
    const [, completion] = historyOf([
      ['ann', 'get', 'a'],
      ['ann', 'ok', 7],
    ]);
    const whole = historyOf([
      ['bob', 'put', 'a', 7],
      ['bob', 'ok'],
    ]);
    const found = linearizable(links).check([...whole, { ...completion!, op: 99 }]);
    expect(found.verdict).toBe('unknown');
    expect(found.detail).toContain('damaged');
  });
});

describe('linearizable', () => {
  it('shows who read what after whom', () => {
    const history = historyOf([
      ['bob', 'put', 'a', 1],
      ['bob', 'ok'],
      ['cleo', 'get', 'b'],
      ['cleo', 'ok', null],
      ['bob', 'put', 'a', 2],
      ['bob', 'ok'],
      ['ann', 'get', 'a'],
      ['ann', 'ok', 1],
      ['ann', 'get', 'a'],
      ['ann', 'ok', 2],
    ]);
    const found = linearizable(links).check(history);
    expect(found.verdict).toBe('violated');
    expect(found.detail).toBe(
      "key 'a': get by ann returned 1, though put 2 by bob had come after it and returned",
    );
    expect(printCounterexample(found.counterexample!)).toBe(
      [
        "key 'a': get by ann returned 1, though put 2 by bob had come after it and returned (kv)",
        '',
        '  bob  put 1    ├──┤              0.000 … 1.000 ms',
        '  bob  put 2          ├──┤        4.000 … 5.000 ms',
        '  ann  get = 1              ├──┤  6.000 … 7.000 ms  ◀ here',
        '',
        '  The longest order that works: put 1 (bob), put 2 (bob); then nothing fits.',
      ].join('\n'),
    );
  });

  it('lets what nobody knows happen late, or never', () => {
    const lines: Line[] = [
      ['bob', 'put', 'a', 1],
      ['bob', 'info'],
      ['ann', 'get', 'a'],
      ['ann', 'ok', null],
      ['ann', 'get', 'a'],
      ['ann', 'ok', 1],
    ];
    expect(linearizable(links).check(historyOf(lines)).verdict).toBe('holds');
    const back: Line[] = [...lines, ['ann', 'get', 'a'], ['ann', 'ok', null]];
    expect(linearizable(links).check(historyOf(back)).verdict).toBe('violated');
  });

  it('holds a certain failure to its word', () => {
    const history = historyOf([
      ['bob', 'put', 'a', 1],
      ['bob', 'fail'],
      ['ann', 'get', 'a'],
      ['ann', 'ok', 1],
    ]);
    const found = linearizable(links).check(history);
    expect(found.verdict).toBe('violated');
    expect(found.detail).toContain('which nobody ever wrote');
  });

  it('says unknown when the search is over its limit, and never holds', () => {
    // Everything at once, and every value again and again: the search has no handle.
    const lines: Line[] = [];
    for (let i = 0; i < 30; i++)
      lines.push([`c${i}`, i % 2 ? 'put' : 'get', 'a', i % 2 ? i % 6 : null]);
    for (let i = 0; i < 30; i++)
      lines.push([`c${i}`, 'ok', i % 2 ? null : i % 6 === 0 ? 9 : (i + 1) % 6]);
    const found = linearizable(links).check(historyOf(lines), { stepsMax: 50 });
    expect(found.verdict).toBe('unknown');
    expect(found.detail).toContain('limit');
  });

  it('finds the one bad key although another is too hard', () => {
    const lines: Line[] = [];
    for (let i = 0; i < 60; i++)
      lines.push([`c${i}`, i % 2 ? 'put' : 'get', 'hard', i % 2 ? i % 6 : null]);
    for (let i = 0; i < 60; i++)
      lines.push([`c${i}`, 'ok', i % 2 ? null : i === 58 ? 9 : (i + 1) % 6]);
    lines.push(
      ['bob', 'put', 'easy', 1],
      ['bob', 'ok'],
      ['bob', 'get', 'easy'],
      ['bob', 'ok', null],
    );
    const found = linearizable(links).check(historyOf(lines), { stepsMax: 100_000 });
    expect(found.verdict).toBe('violated');
    expect(found.counterexample!.key).toBe('easy');
  });

  it('compares values, not objects', () => {
    const history = historyOf([
      ['bob', 'put', 'a', { url: 'x', at: 1n }],
      ['bob', 'ok'],
      ['ann', 'get', 'a'],
      ['ann', 'ok', { at: 1n, url: 'x' }],
    ]);
    expect(linearizable(links).check(history).verdict).toBe('holds');
  });
});

describe('sessions', () => {
  const stale: Line[] = [
    ['bob', 'put', 'a', 1],
    ['bob', 'ok'],
    ['ann', 'put', 'a', 2],
    ['ann', 'ok'],
    ['ann', 'get', 'a'],
    ['ann', 'ok', 1],
  ];

  it('reads its writes: what returned before the own write began is too old', () => {
    const found = readYourWrites(links).check(historyOf(stale));
    expect(found.verdict).toBe('violated');
    expect(found.detail).toBe("key 'a': ann wrote 2 and then read 1, which is older");
    expect(found.counterexample!.operations.map((op) => op.f)).toEqual(['put', 'put', 'get']);
  });

  it('reads its writes: what overlaps the own write may have won', () => {
    const overlapping: Line[] = [
      ['ann', 'put', 'a', 2],
      ['bob', 'put', 'a', 1],
      ['bob', 'ok'],
      ['ann', 'ok'],
      ['ann', 'get', 'a'],
      ['ann', 'ok', 1],
    ];
    expect(readYourWrites(links).check(historyOf(overlapping)).verdict).toBe('holds');
    const later: Line[] = [...stale.slice(0, 4), ['bob', 'put', 'a', 1], ...stale.slice(4)];
    expect(readYourWrites(links).check(historyOf(later)).verdict).toBe('holds');
  });

  it('reads its writes: nothing at all is too old as well', () => {
    const gone: Line[] = [
      ['ann', 'put', 'a', 2],
      ['ann', 'ok'],
      ['ann', 'get', 'a'],
      ['ann', 'ok', null],
    ];
    expect(readYourWrites(links).check(historyOf(gone)).verdict).toBe('violated');
    const deleted: Line[] = [
      ...gone.slice(0, 2),
      ['bob', 'delete', 'a'],
      ['bob', 'info'],
      ...gone.slice(2),
    ];
    expect(readYourWrites(links).check(historyOf(deleted)).verdict).toBe('holds');
  });

  it('never reads backward', () => {
    const lines: Line[] = [
      ['bob', 'put', 'a', 1],
      ['bob', 'ok'],
      ['bob', 'put', 'a', 2],
      ['bob', 'ok'],
      ['ann', 'get', 'a'],
      ['ann', 'ok', 2],
      ['ann', 'get', 'a'],
      ['ann', 'ok', 1],
    ];
    const found = monotonicReads(links).check(historyOf(lines));
    expect(found.verdict).toBe('violated');
    expect(found.detail).toBe("key 'a': ann read 2 and later 1, which is older");
    expect(found.counterexample!.operations.length).toBe(4);
    // Two sessions may see two things.
    const two = lines.map(
      (line, i): Line =>
        i === 4 || i === 5 ? (['eve', ...line.slice(1)] as unknown as Line) : line,
    );
    expect(
      monotonicReads(links).check(historyOf([...two, ['ann', 'get', 'a'], ['ann', 'ok', 1]]))
        .verdict,
    ).toBe('holds');
  });

  it('says unknown when there was nothing to see', () => {
    const written: Line[] = [
      ['ann', 'put', 'a', 1],
      ['ann', 'ok'],
    ];
    expect(readYourWrites(links).check(historyOf(written)).verdict).toBe('unknown');
    const anonymous = historyOf(stale).map(
      (event): HistoryEvent => ({ ...event, session: undefined }),
    );
    expect(readYourWrites(links).check(anonymous).detail).toBe('no operation names its session');
  });
});

describe('durable', () => {
  it('wants the last acknowledged write at the end', () => {
    const written: Line[] = [
      ['ann', 'put', 'a', 1],
      ['ann', 'ok'],
      ['ann', 'put', 'a', 2],
      ['ann', 'ok'],
    ];
    const read = (value: number): Line[] => [...written, ['eve', 'get', 'a'], ['eve', 'ok', value]];
    expect(durable(links).check(historyOf(read(2))).verdict).toBe('holds');
    expect(durable(links).check(historyOf(read(1))).verdict).toBe('violated');
    expect(durable(links).check(historyOf(written)).verdict).toBe('unknown');
  });
});

describe('delivery', () => {
  const delivered = (group: string, id: string, offset: number): HistoryEvent => ({
    block: 'clicks',
    phase: 'ok',
    op: 1_000 + offset,
    f: 'deliver',
    value: { group, id, partition: 0, offset },
    node: 'top/0',
    life: 1,
    at: 9_000,
  });
  const published = historyOf(
    [
      ['ann', 'publish', 'x', 'm1'],
      ['ann', 'ok', { id: 'm1', partition: 0, offset: 0 }],
      ['ann', 'publish', 'x', 'm2'],
      ['ann', 'info'],
      ['ann', 'publish', 'x', 'm3'],
      ['ann', 'ok', { id: 'm3', partition: 0, offset: 1 }],
    ],
    'clicks',
  );

  it('allows repeats and what nobody knows', () => {
    const history = [
      ...published,
      delivered('top', 'm1', 0),
      delivered('top', 'm1', 0),
      delivered('top', 'm2', 2),
      delivered('top', 'm3', 1),
    ];
    expect(noLoss(clicks).check(history)).toEqual({
      verdict: 'holds',
      detail: '2 acknowledged messages to 1 group, 1 delivery repeated',
    });
  });

  it('misses what one of two groups never got', () => {
    const history = [
      ...published,
      delivered('top', 'm1', 0),
      delivered('top', 'm3', 1),
      delivered('geo', 'm1', 0),
    ];
    const found = noLoss(clicks).check(history);
    expect(found.verdict).toBe('violated');
    expect(found.detail).toContain("never reached group geo, the first is 'm3'");
  });

  it('misses a group that was named and got nothing', () => {
    const history = [...published, delivered('top', 'm1', 0), delivered('top', 'm3', 1)];
    expect(noLoss(clicks, { groups: ['geo'] }).check(history).verdict).toBe('violated');
    const subscribed: HistoryEvent = {
      ...delivered('geo', '', 0),
      f: 'subscribe',
      value: { group: 'geo' },
    };
    expect(noLoss(clicks).check([subscribed, ...history]).verdict).toBe('violated');
    expect(noLoss(clicks).check(published).verdict).toBe('unknown');
  });

  it('refuses what nobody published', () => {
    expect(noLoss(clicks).check([...published, delivered('top', 'm9', 5)]).verdict).toBe(
      'violated',
    );
  });

  it('wants a partition in order, repeats aside', () => {
    const offsets = (list: number[]): HistoryEvent[] =>
      list.map((offset) => delivered('top', 'm', offset));
    expect(inOrder(clicks).check(offsets([0, 1, 2, 1, 2, 3])).verdict).toBe('holds');
    expect(inOrder(clicks).check(offsets([0, 2, 1])).verdict).toBe('violated');
  });
});

describe('ids', () => {
  const codes = { name: 'codes' };
  const given = (lines: Line[]) => uniqueIds(codes).check(historyOf(lines, 'codes'));

  it('are given once', () => {
    const lines: Line[] = [
      ['ann', 'next', ''],
      ['bob', 'next', ''],
      ['ann', 'ok', 'a1'],
      ['bob', 'ok', 'a2'],
    ];
    expect(given(lines)).toEqual({ verdict: 'holds', detail: '2 ids' });
    const twice = given([...lines, ['ann', 'next', ''], ['ann', 'ok', 'a2']]);
    expect(twice.verdict).toBe('violated');
    expect(twice.counterexample!.operations.length).toBe(2);
  });

  it('are judged by what gave them: other operations say nothing', () => {
    const put: Line[] = [
      ['ann', 'put', 'a', 1],
      ['ann', 'ok'],
    ];
    expect(given(put)).toEqual({ verdict: 'unknown', detail: 'no id was given, no name claimed' });
  });

  it('give a name to one owner', () => {
    const lines: Line[] = [
      ['ann', 'claim', 'cats'],
      ['bob', 'claim', 'cats'],
      ['ann', 'ok', true],
    ];
    expect(given([...lines, ['bob', 'ok', false]]).verdict).toBe('holds');
    expect(given([...lines, ['bob', 'ok', true]]).verdict).toBe('violated');
    expect(
      given([
        ['bob', 'claim', 'cats'],
        ['bob', 'ok', false],
      ]).verdict,
    ).toBe('violated');
    const twice = (other: string): Line[] => [
      ['ann', 'claim', 'cats', 'ann'],
      ['ann', 'ok', true],
      ['bob', 'claim', 'cats', other],
      ['bob', 'ok', true],
    ];
    expect(given(twice('ann')).verdict).toBe('holds');
    expect(given(twice('bob')).verdict).toBe('violated');
    // Who never heard back may be the owner.
    expect(
      given([
        ['ann', 'claim', 'cats'],
        ['ann', 'info'],
        ['bob', 'claim', 'cats'],
        ['bob', 'ok', false],
      ]).verdict,
    ).toBe('holds');
  });
});

describe('conservation', () => {
  it('counts every request once', () => {
    const counts = { generated: 10, completed: 6, rejected: 1, failed: 2, inFlight: 1 };
    expect(judgeConservation(counts).verdict).toBe('holds');
    expect(judgeConservation({ ...counts, failed: 1 }).detail).toContain(
      '1 request of 10 vanished',
    );
    expect(judgeConservation({ ...counts, failed: 3 }).verdict).toBe('violated');
  });
});

describe('your own invariant', () => {
  it('answers with a boolean, a text, or a verdict', () => {
    expect(invariant('x', () => true).check([]).verdict).toBe('holds');
    expect(invariant('x', () => false).check([]).verdict).toBe('violated');
    expect(invariant('x', () => 'two balances differ').check([])).toEqual({
      verdict: 'violated',
      detail: 'two balances differ',
    });
    expect(
      invariant('x', () => ({ verdict: 'unknown', detail: 'too few' })).check([]).verdict,
    ).toBe('unknown');
  });

  it('that throws is violated, for the reason it gives', () => {
    const broken = invariant('sums', () => {
      throw new Error('expected 3, got 4');
    });
    expect(broken.check([])).toEqual({ verdict: 'violated', detail: 'expected 3, got 4' });
  });

  // What a design in JavaScript, or one that was never type-checked, may hand in.
  it.each([
    ['a promise', async () => false, 'is async'],
    ['a promise that fails', async () => Promise.reject(new Error('no')), 'is async'],
    ['a mistyped verdict', () => ({ verdict: 'violate', detail: '' }), '"violate"'],
    ['a verdict without a reason', () => ({ verdict: 'holds' }), 'answered {"verdict":"holds"}'],
    ['a number', () => 1, 'answered 1'],
    ['nothing', () => undefined, 'answered undefined'],
    ['null', () => null, 'answered null'],
  ])('that answers with %s is a mistake, which names it', (_, check, what) => {
    const odd = Reflect.apply(invariant, undefined, ['sums', check]) as Invariant;
    expect(() => odd.check([])).toThrow(LoadpathError);
    expect(() => odd.check([])).toThrow(/invariant 'sums'/);
    expect(() => odd.check([])).toThrow(what);
  });
});
