import { describe, expect, test } from 'vitest';
import { evidence } from './evidence.fixture.ts';
import { lettersFor, operationInWords, orderInWords, timelineOf } from './timeline.ts';

const timeline = timelineOf(evidence);

describe('the time line of operations', () => {
  test('every client has a lane, and operations at once do not cover one another', () => {
    expect(timeline.lanes.map((lane) => lane.client)).toEqual(['api/0', 'api/1', 'api/2', 'api/3']);
    for (const a of timeline.bars) {
      for (const b of timeline.bars) {
        if (a.index >= b.index || a.row !== b.row) continue;
        expect(a.to <= b.from || b.to <= a.from).toBe(true);
      }
    }
  });

  test('time only goes forward, long gaps are shortened and said', () => {
    const places = evidence.operations.map((one) => timeline.placeOf(one.invokedAt));
    expect([...places].sort((a, b) => a - b)).toEqual(places);
    expect(timeline.breaks.map((one) => one.text)).toEqual(['1.2\u202fs']);
    expect(Math.min(...places)).toBeGreaterThan(0);
    expect(timeline.placeOf(0)).toBe(0);
    expect(timeline.placeOf(Number.MAX_SAFE_INTEGER)).toBe(1);
  });

  test('the culprit is marked, and the order before it is numbered', () => {
    expect(timeline.bars.filter((bar) => bar.isCulprit).map((bar) => bar.index)).toEqual([6]);
    expect(timeline.bars.map((bar) => bar.place)).toEqual([1, 2, null, 3, 4, 5, null, null]);
    expect(timeline.culpritAt).toBe(timeline.bars[6]!.to);
  });

  test('what nobody learned the end of goes on to the end', () => {
    expect(timeline.bars[2]).toMatchObject({ isOpen: true, to: 1 });
  });

  test('one operation alone is a time line, too', () => {
    const alone = {
      ...evidence,
      operations: evidence.operations.slice(0, 1),
      culprit: 0,
      order: [],
      at: 21_404_900,
    };
    expect(timelineOf(alone).bars[0]!.to).toBeLessThanOrEqual(1);
  });
});

test('operations and their order read as sentences', () => {
  expect(operationInWords(timeline.bars[6]!)).toBe(
    'api/3: get = 1 of k3f9, from 22.6178 s to 22.6195 s: no order explains this one.',
  );
  expect(operationInWords(timeline.bars[2]!)).toContain('Nobody learned whether it happened');
  expect(orderInWords(evidence, timeline)).toBe(
    'All before it can be explained as put 1, then get = 1, then get = 1, then put 2, then get = 2. api/3 then saw get = 1.',
  );
});

test('long values, which would look alike, are called by letters', () => {
  const long = ['put', 'get', 'put'].map((f, i) => ({
    ...evidence.operations[i]!,
    f,
    input: f === 'put' ? `{"url":"https://example.com/${i}"}` : null,
    output: f === 'get' ? `{"url":"https://example.com/0"}` : null,
  }));
  expect([...lettersFor(long).values()]).toEqual(['A', 'B']);
  const { bars } = timelineOf({ ...evidence, operations: long, culprit: 1, order: [0] });
  expect(bars.map((bar) => bar.what)).toEqual(['put A', 'get = A', 'put B']);
  expect(lettersFor(evidence.operations).size).toBe(0);
});
