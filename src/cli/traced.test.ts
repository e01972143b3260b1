/** Single requests and messages as the terminal shows them. */
import { describe, expect, test } from 'vitest';
import type { MessageRow, Span, Waterfall } from '../run/traced.ts';
import { renderMessages, sequenceDiagram } from './messages.ts';
import { renderWaterfall } from './waterfall.ts';

const span = (change: Partial<Span>): Span => ({
  id: 0,
  parent: null,
  from: 'users/0',
  to: 'edge/0',
  block: 'edge',
  what: 'GET /abc',
  sentAt: 1_000_000,
  arrivedAt: 1_001_000,
  repliedAt: 1_009_000,
  endedAt: 1_010_000,
  queuedUs: 0,
  servedUs: 0,
  outcome: 'ok',
  attempt: 1,
  ...change,
});

const waterfall: Waterfall = {
  request: { index: 7, what: 'GET /abc', startUs: 1_000_000, latencyUs: 10_000, outcome: 'ok' },
  spans: [
    span({}),
    span({
      id: 1,
      parent: 0,
      to: 'api/0',
      sentAt: 1_001_000,
      arrivedAt: null,
      repliedAt: null,
      endedAt: 1_003_000,
      outcome: 'lost',
    }),
    span({
      id: 2,
      parent: 0,
      to: 'api/1',
      sentAt: 1_003_000,
      arrivedAt: 1_004_000,
      repliedAt: 1_008_000,
      endedAt: 1_009_000,
      queuedUs: 1_000,
      servedUs: 2_500,
      attempt: 2,
    }),
    span({
      id: 3,
      parent: 2,
      to: 'links/0',
      what: 'store #1 a value of more letters than there are columns',
      sentAt: 1_007_000,
      arrivedAt: 1_008_000,
      repliedAt: 1_009_000,
      endedAt: null,
      outcome: 'abandoned',
    }),
  ],
  leftOut: 3,
};

test('a waterfall has a line a span, on one time line', () => {
  expect(renderWaterfall(waterfall).split('\n')).toEqual([
    '#7 GET /abc took 10ms, from 1s on: ok',
    '  edge/0 GET /abc                    ···━━━━━━━━━━━━━━━━━━━━···   10ms',
    '    api/0 GET /abc                      ·····✕                     2ms  lost',
    '    api/1 GET /abc                           ··━━━━━━━━━━━··       6ms  try 2, queued 1ms, worked 2…',
    '      links/0 store #1 a value of m…                   ···━━╌      2ms  abandoned',
    '  … and 3 more',
  ]);
});

test('no line is wider than a terminal', () => {
  for (const line of renderWaterfall(waterfall).split('\n')) {
    expect(line.length).toBeLessThanOrEqual(100);
  }
});

const row = (change: Partial<MessageRow>): MessageRow => ({
  from: 'api/0',
  to: 'links/0',
  block: 'links',
  what: 'ask #1; <a>',
  sentAt: 10_000_250,
  arrivedAt: 10_000_750,
  fate: 'delivered',
  late: false,
  ...change,
});

const messages = {
  fromUs: 10_000_000,
  toUs: 10_100_000,
  messages: [
    row({}),
    row({ to: 'links/1', arrivedAt: null, fate: 'lost' }),
    row({ arrivedAt: 10_001_000, fate: 'twice' }),
    row({ from: 'links/0', to: 'api/0', what: 'entry', late: true }),
  ],
  leftOut: 2_000,
};

describe('messages', () => {
  test('say when, between whom, what became of each', () => {
    expect(renderMessages(messages).split('\n')).toEqual([
      '10.000250s  api/0 → links/0        +0.500ms  ask #1; <a>',
      '10.000250s  api/0 → links/1            lost  ask #1; <a>',
      '10.000250s  api/0 → links/0  again +0.750ms  ask #1; <a>',
      '10.000250s  links/0 → api/0   late +0.500ms  entry',
      '… and 2,000 more',
    ]);
    expect(renderMessages({ ...messages, messages: [], leftOut: 0 })).toBe(
      'Nothing was said between 10.000000s and 10.100000s.',
    );
  });

  test('as a diagram end in a cross when lost and are dashed when late', () => {
    expect(sequenceDiagram(messages).split('\n')).toEqual([
      'sequenceDiagram',
      '  participant n0 as api/0',
      '  participant n1 as links/0',
      '  participant n2 as links/1',
      '  n0->>n1: +0.250ms ask #35;1#59; #60;a#62;',
      '  n0-xn2: +0.250ms ask #35;1#59; #60;a#62; (lost)',
      '  n0->>n1: +0.250ms ask #35;1#59; #60;a#62; (twice)',
      '  n1-->>n0: +0.250ms entry',
      '  %% and 2000 more messages',
    ]);
  });
});
