import type { KnobView } from 'loadpath/studio';
import { describe, expect, test } from 'vitest';
import { events, framesOf, layout } from '../parts/run.fixture.ts';
import { boundsIn, fieldsOf, matching, readField, stepped } from './fields.ts';
import { figuresOf, nodeIndexes, nodeRows, pathIndexes, pathStates } from './figures.ts';
import { policyInWords } from './policy.ts';
import { storyOf } from './story.ts';

const knobs: readonly KnobView[] = [
  {
    name: 'replicas',
    unit: 'count',
    preset: 3,
    choices: null,
    allowed: 'a whole number from 1 to 9',
    doc: 'Copies of each key.',
  },
  {
    name: 'timeout',
    unit: 'duration',
    preset: '250ms',
    choices: null,
    allowed: "a duration like '250ms', from 1ms to 1min",
    doc: 'How long.',
  },
  {
    name: 'sloppy',
    unit: 'flag',
    preset: false,
    choices: null,
    allowed: 'true or false',
    doc: 'Stand-ins count.',
  },
  {
    name: 'read',
    unit: 'count',
    preset: null,
    choices: null,
    allowed: 'a whole number at least 1',
    doc: 'Must answer.',
  },
];
const options = { replicas: 5, timeout: '250ms', sloppy: false, 'policy.retry.attempts': 2 };

describe('fields', () => {
  const fields = fieldsOf('links', knobs, options, { 'links.timeout': '80ms' }, [
    { at: 'links.timeout', what: 'must be above attemptTimeout' },
  ]);
  const named = (name: string) => fields.find((field) => field.name === name)!;

  test('tell the design, the default and the edit apart', () => {
    expect(named('replicas')).toMatchObject({
      value: 5,
      own: 5,
      isSetByDesign: true,
      isEdited: false,
    });
    expect(named('timeout')).toMatchObject({
      value: '80ms',
      own: '250ms',
      isSetByDesign: false,
      isEdited: true,
    });
    expect(named('read')).toMatchObject({ value: undefined, own: undefined, isSetByDesign: false });
  });

  test('a refusal of the server stands at the option it is about', () => {
    expect(named('timeout').problem).toBe('must be above attemptTimeout');
    expect(named('replicas').problem).toBeNull();
  });

  test('options of inner parts have a field, too', () => {
    expect(named('policy.retry.attempts')).toMatchObject({
      key: 'links.policy.retry.attempts',
      unit: 'count',
      value: 2,
    });
  });

  test('are found by name and by reason', () => {
    expect(matching(fields, 'stand-in').map((field) => field.name)).toEqual(['sloppy']);
    expect(matching(fields, ' ')).toHaveLength(5);
  });

  test('typed text is read by its unit', () => {
    expect(readField(named('replicas'), '7')).toEqual({ value: 7 });
    expect(readField(named('replicas'), '10')).toEqual({
      problem: 'Must be a whole number from 1 to 9.',
    });
    expect(readField(named('replicas'), '2.5')).toHaveProperty('problem');
    expect(readField(named('replicas'), '')).toHaveProperty('problem');
    expect(readField(named('timeout'), '80 ms')).toEqual({ value: '80 ms' });
    expect(readField(named('timeout'), 'soon')).toHaveProperty('problem');
    expect(readField(named('sloppy'), 'true')).toEqual({ value: true });
  });

  test('steps go to the next round figure of the unit', () => {
    expect(stepped('count', '3', 1)).toBe('4');
    expect(stepped('duration', '250ms', 1)).toBe('350ms');
    expect(stepped('duration', '100ms', -1)).toBe('90ms');
    expect(stepped('rate', '5/s', -1)).toBe('4/s');
    expect(stepped('duration', '1s', -1)).toBeUndefined();
    expect(stepped('text', 'abc', 1)).toBeUndefined();
  });

  test('bounds are read from what is allowed', () => {
    expect(boundsIn('a whole number from 1 to 9')).toEqual({ min: 1, max: 9 });
    expect(boundsIn('a number from 0 to 1')).toEqual({ min: 0, max: 1 });
    expect(boundsIn('a whole number at least 1')).toEqual({ min: 1, max: undefined });
    expect(boundsIn("a duration like '1s', from 1ms to 1min")).toEqual({
      min: undefined,
      max: undefined,
    });
  });
});

describe('figures', () => {
  const frames = framesOf();

  test('now is the last second before the playhead, over is the whole run', () => {
    const [requests] = figuresOf({ type: 'node', id: 'links/1' }, layout, frames, 25_000_000, null);
    expect(requests).toMatchObject({ name: 'requests', now: '0/s' });
    expect(requests!.over).not.toBe('0/s');
    expect(requests!.history).toHaveLength(60);
  });

  test('percentiles of users are of all requests in the span', () => {
    const figures = figuresOf({ type: 'users', id: 'users' }, layout, frames, 10_000_000, null);
    expect(figures.map((figure) => figure.name)).toContain('p99.9');
  });

  test('before the first frame there are figures, of nothing', () => {
    const figures = figuresOf({ type: 'block', id: 'api' }, layout, [], 0, null);
    expect(figures[0]).toMatchObject({ now: '0/s', over: '0/s' });
    expect(figures.at(-1)).toMatchObject({ now: '–', over: 'at the end' });
  });

  test('nodes and callers are listed with their state', () => {
    const rows = nodeRows(layout, nodeIndexes(layout, { type: 'zone', id: 'b' }), frames[250]);
    expect(rows.map((row) => `${row.id} ${row.state}`)).toEqual(['api/1 up', 'links/1 down']);
    const path = pathIndexes(layout, { type: 'path', id: 'api->links' });
    expect(pathStates(layout, path, frames[0]).map((row) => row.from)).toEqual([
      'api/0',
      'api/1',
      'api/2',
    ]);
    expect(pathIndexes(layout, { type: 'path', id: 'api/1->links/0' })).toEqual([3]);
  });
});

test('the story of a node is what was done to it and what it did', () => {
  expect(storyOf({ type: 'node', id: 'links/1' }, layout, events).map((line) => line.text)).toEqual(
    ['kill links/1', 'went down: killed', 'over: kill links/1', 'is up, life 2'],
  );
  expect(
    storyOf({ type: 'block', id: 'links' }, layout, events).map((line) => line.text),
  ).toContain('links/0: hints kept for links/1');
  expect(storyOf({ type: 'zone', id: 'c' }, layout, events)).toEqual([]);
});

test('a policy reads as sentences', () => {
  expect(
    policyInWords({
      from: 'edge',
      to: 'api',
      as: 'route /',
      deadlineUs: 1_000_000,
      timeoutUs: 250_000,
      retry: { attempts: 2, budgetRatio: 0.2, methods: ['GET', 'PUT'] },
      stages: ['balance: least-requests'],
    }),
  ).toEqual([
    'A call may take 1\u202fs in all, retries included.',
    'One attempt is given up after 250\u202fms.',
    'What fails is tried once more, GET and PUT only.',
    'Retries may add 20\u202f% to the calls at most.',
    'Balance: least-requests.',
  ]);
  expect(policyInWords({ from: 'a', to: 'b', as: 'b' })).toEqual([
    'No timeout and no retry stand on this path.',
  ]);
});
