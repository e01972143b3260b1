import { describe, expect, test } from 'vitest';
import { countText, nothingText, sampleText, shownRequests } from './request-list.ts';
import { requests, waterfall } from './waterfall.fixture.ts';
import { isLate, partsOf, rowsOf, sharesOf, spanInWords, whereTimeWent } from './waterfall.ts';

const { rows, fromUs, toUs } = rowsOf(waterfall);
const row = (id: number) => rows.find(({ span }) => span.id === id)!;

describe('rows', () => {
  test('children stand below their parents, indented', () => {
    expect(rows.map(({ span, depth }) => `${'  '.repeat(depth)}${span.to}`)).toEqual([
      'edge/0',
      '  api/1',
      '    links/1',
      '  api/2',
      '    hot/0',
      '    links/0',
      '    links/1',
      '    links/2',
    ]);
  });

  test('parts of a span follow one another without gaps', () => {
    for (const { parts } of rows) {
      for (let i = 1; i < parts.length; i++) expect(parts[i]!.fromUs).toBe(parts[i - 1]!.toUs);
    }
  });

  test('queueing and serving are as long as they were, its own calls are waited for', () => {
    const total = (kind: string) =>
      row(4)
        .parts.filter((part) => part.kind === kind)
        .reduce((sum, part) => sum + part.toUs - part.fromUs, 0);
    expect(total('queued')).toBe(24_000);
    expect(total('served')).toBe(420);
    expect(total('waiting')).toBe(460 + 6_200);
    expect(total('network')).toBe(550);
  });

  test('what goes on after the caller gave up is marked', () => {
    expect(row(2).gaveUpAt).toBe(fromUs + 26_100);
    const after = row(2).parts.filter((part) => part.fromUs >= fromUs + 26_100);
    expect(after.length).toBeGreaterThan(0);
    expect(after.every((part) => part.isAbandoned)).toBe(true);
  });

  test('what never arrived is one part, until its caller knew', () => {
    expect(row(3).parts.map((part) => part.kind)).toEqual(['lost']);
    expect(toUs).toBe(fromUs + 61_400);
  });

  test('a span whose parent was left out stands at the top', () => {
    const orphan = { ...waterfall, spans: waterfall.spans.slice(3) };
    expect(rowsOf(orphan).rows[0]!.depth).toBe(0);
  });
});

describe('where time went', () => {
  test('every microsecond of the wait is given to one thing', () => {
    const given = sharesOf(waterfall).reduce((sum, share) => sum + share.us, 0);
    expect(given).toBe(61_400);
  });

  test('is told in one sentence, with the measured share', () => {
    expect(whereTimeWent(waterfall)).toBe(
      '39 % of 61.4\u202fms waiting for a core or a slot of api/2, 25 % waiting for an answer of links/1 that never came.',
    );
    expect(whereTimeWent({ ...waterfall, spans: [] })).toBe(
      'Nothing is known of where its time went.',
    );
  });
});

test('a span says itself in one line', () => {
  expect(spanInWords(row(2))).toMatch(
    /^edge\/0 → api\/1: GET \/k3f9\. .*Timed out; the work went on without anybody waiting\.$/,
  );
  expect(spanInWords(row(4))).toContain('attempt 2');
});

test('a reply after its caller gave up is late', () => {
  const late = {
    ...row(4).span,
    repliedAt: 100,
    endedAt: 50,
    arrivedAt: 10,
    sentAt: 0,
    queuedUs: 0,
    servedUs: 90,
  };
  expect(isLate(late)).toBe(true);
  expect(partsOf(late, []).map((part) => [part.kind, part.isAbandoned])).toEqual([
    ['network', false],
    ['served', false],
    ['served', true],
  ]);
});

describe('list', () => {
  test('slowest first: what never ended has taken longest', () => {
    const slowest = shownRequests(requests, { order: 'slowest', search: '' });
    expect(slowest[0]!.latencyUs).toBeNull();
    expect(slowest[1]!.latencyUs).toBe(61_400);
  });

  test('failed ones alone, and by any of their words', () => {
    const failed = shownRequests(requests, { order: 'failed', search: '503' });
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.every((one) => one.outcome === 'status 503')).toBe(true);
    expect(shownRequests(requests, { order: 'first', search: 'post' })[0]!.index).toBeLessThan(
      8_213,
    );
  });
});

describe('what is kept of all requests', () => {
  const failed = requests.filter(({ outcome }) => outcome !== 'ok');
  const slowest = requests.filter(({ outcome }) => outcome === 'ok').slice(0, 20);
  const part = { slowest, answeredCount: 14_938, failed, failedCount: failed.length };

  test('is told with how many there were', () => {
    expect(sampleText(part)).toBe(
      `the slowest 20 of 14,938 answered and the ${failed.length} failed`,
    );
    expect(sampleText({ ...part, failed: failed.slice(0, 5), failedCount: 1_200 })).toBe(
      'the slowest 20 of 14,938 answered and the first 5 of 1,200 failed',
    );
    expect(sampleText({ ...part, failed: [], failedCount: 0 })).toBe(
      'the slowest 20 of 14,938 answered',
    );
    expect(sampleText({ slowest, answeredCount: 20, failed: [], failedCount: 0 })).toBe(
      'all 20 requests',
    );
  });

  test('is all that a search looks at, and it says so', () => {
    expect(countText(3, part)).toBe(`3 of ${sampleText(part)}`);
    expect(countText(20 + failed.length, part)).toBe(sampleText(part));
    const search = { order: 'slowest', search: 'DELETE' } as const;
    expect(nothingText(part, search)).toMatch(/^None is like that of the slowest 20 of 14,938/);
    const whole = { slowest, answeredCount: 20, failed: [], failedCount: 0 };
    expect(nothingText(whole, search)).toBe('No request is like that.');
    expect(nothingText(whole, { order: 'failed', search: '' })).toBe('No request failed.');
  });
});
