import { parseFault, type StructuralView } from 'loadpath/studio';
import { describe, expect, test } from 'vitest';
import type { Selection } from '../state/selection.ts';
import { complete } from './complete.ts';
import {
  examplesFor,
  namesOf,
  othersFor,
  problemOf,
  sentenceOf,
  verbs,
  verbsFor,
} from './verbs.ts';

const block = (name: string, nodes: readonly string[], more: object = {}) => ({
  name,
  kind: 'service',
  purpose: 'service',
  config: {},
  nodes: nodes.map((id, index) => ({ id, zone: index === 0 ? 'a' : 'b' })),
  ...more,
});

const design: StructuralView = {
  design: 'shop',
  zones: [
    { name: 'a', region: 'eu' },
    { name: 'b', region: 'eu' },
  ],
  blocks: [
    block('users', ['users/0'], { kind: 'users', outside: true }),
    block('api', ['api/0', 'api/1']),
    block('zone', ['zone/0']),
    block('links', ['links/0', 'links/1'], { quorum: { copies: 2, read: 1, write: 2 } }),
  ],
  calls: [
    { from: 'users', to: 'api', as: 'route /' },
    { from: 'api', to: 'links', as: 'links' },
  ],
  ratePerSec: 100,
};
const names = namesOf(design);

const targets: readonly Selection[] = [
  { type: 'node', id: 'links/1' },
  { type: 'block', id: 'links' },
  { type: 'block', id: 'zone' },
  { type: 'zone', id: 'a' },
  { type: 'path', id: 'api->links' },
  { type: 'path', id: 'api/0->links' },
  { type: 'users', id: 'users' },
];

describe('the menu', () => {
  test('every verb on everything it is offered for is a sentence that the grammar takes', () => {
    for (const target of targets) {
      for (const verb of verbsFor(target)) {
        for (const other of verb.asksOther && target.type !== 'path'
          ? othersFor(target, design)
          : [undefined]) {
          for (const lasts of ['', '5s']) {
            const choice = { verb, target, other: other?.words, at: '12.3s', lasts };
            const sentence = sentenceOf(choice, design);
            expect(() => parseFault(sentence, names), sentence).not.toThrow();
          }
        }
      }
    }
  });

  test('each key of a menu means one thing', () => {
    for (const target of targets) {
      const keys = verbsFor(target).map((verb) => verb.key);
      expect(new Set(keys).size).toBe(keys.length);
    }
    expect(new Set(verbs.map(({ id }) => id)).size).toBe(verbs.length);
  });

  test('says an end as the grammar does', () => {
    const target = targets[0]!;
    const kill = verbs.find(({ id }) => id === 'kill')!;
    const pause = verbs.find(({ id }) => id === 'pause')!;
    expect(sentenceOf({ verb: kill, target, at: '12s', lasts: '5s' }, design)).toBe(
      'kill links/1 at 12s, restart after 5s',
    );
    expect(sentenceOf({ verb: pause, target, at: '12s', lasts: '5s' }, design)).toBe(
      'pause links/1 at 12s for 5s',
    );
    expect(sentenceOf({ verb: kill, target, at: '12s', lasts: '' }, design)).toBe(
      'kill links/1 at 12s',
    );
  });

  test('in a running system it does not say when', () => {
    const kill = verbs.find(({ id }) => id === 'kill')!;
    const choice = { verb: kill, target: targets[0]!, at: null, lasts: '5s' };
    const sentence = sentenceOf(choice, design);
    expect(sentence).toBe('kill links/1, restart after 5s');
    expect(problemOf(sentence, names, true)).toBeNull();
    expect(complete('kill links/1 ', names, null).words).toEqual(['restart']);
  });

  test('offers first whom something talks to', () => {
    expect(othersFor({ type: 'block', id: 'links' }, design)[0]).toEqual({
      words: 'api',
      hint: 'calls it',
    });
    expect(othersFor(targets[0]!, design).map(({ words }) => words)).toContain('links/0');
    expect(othersFor({ type: 'zone', id: 'a' }, design).map(({ words }) => words)).not.toContain(
      'zone a',
    );
  });

  test('a block that is called as a keyword is said with "block"', () => {
    const kill = verbs.find(({ id }) => id === 'kill')!;
    const choice = {
      verb: kill,
      target: { type: 'block', id: 'zone' } as const,
      at: '1s',
      lasts: '',
    };
    expect(sentenceOf(choice, design)).toBe('kill block zone at 1s');
  });
});

test('examples are in the design’s own names, and right', () => {
  const examples = examplesFor(design, '20s');
  expect(examples).toEqual([
    'kill links/1 at 20s, restart after 10s',
    'cut zone a from zone b at 20s for 10s',
    'surge 3x at 20s for 10s',
  ]);
  expect(examples.map((text) => problemOf(text, names))).toEqual([null, null, null]);
});

test('a mistake is told with what was expected and a near miss', () => {
  expect(problemOf('kill lnks/1 at 5s', names)).toContain("did you mean 'links/1'?");
  expect(problemOf('kill links/1', names)).toContain("'at'");
});

describe('completion', () => {
  const after = (text: string) => complete(text, names, '12.3s').words;

  test('goes along the sentence', () => {
    expect(after('k')).toEqual(['kill']);
    expect(after('kill links/')).toEqual(['links/0', 'links/1']);
    expect(after('kill links/1 ')).toEqual(['at']);
    expect(after('kill links/1 at ')).toEqual(['12.3s', '5s', '30s']);
    expect(after('kill links/1 at 5s, ')).toEqual(['restart']);
    expect(after('cut zone ')).toEqual(['a', 'b']);
    expect(after('cut zone a from zone b at 5s f')).toEqual(['for']);
    expect(after('lose 5% between api a')).toEqual(['and']);
  });

  test('says nothing where it does not know', () => {
    expect(after('explode ')).toEqual([]);
    expect(after('kill links/1 on ')).toEqual([]);
    expect(after('kill links/1 at 5s, restart after 5s ')).toEqual([]);
  });

  test('knows which word it completes', () => {
    expect(complete('kill li', names, '1s').from).toBe(5);
  });
});
