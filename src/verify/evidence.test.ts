import { describe, expect, test } from 'vitest';
import { evidenceOf } from './evidence.ts';
import type { Counterexample, TimedOperation } from './verdict.ts';

const put = (index: number): TimedOperation => ({
  client: `u${index}`,
  f: 'put',
  key: 'a',
  input: index,
  output: null,
  outcome: 'ok',
  invokedAt: index * 10,
  endedAt: index * 10 + 5,
});

function counterexample(
  operations: readonly TimedOperation[],
  culprit: number,
  order: readonly number[] = [],
): Counterexample {
  return { model: 'kv', key: 'a', operations, culprit, at: 0, order, reason: 'it cannot be' };
}

describe('evidence', () => {
  test('is JSON whatever the values are', () => {
    const odd = [
      { ...put(0), input: new Uint8Array([1, 2]) },
      { ...put(1), f: 'cas', input: [1n, { n: 2n }], output: false },
      { ...put(2), f: 'get', input: null, output: 'x'.repeat(1_000) },
    ];
    const evidence = evidenceOf(counterexample(odd, 2, [0, 1]));
    expect(JSON.parse(JSON.stringify(evidence))).toEqual(evidence);
    expect(evidence.operations.map(({ what }) => what)).toEqual([
      'put <1 2>',
      'cas 1n → {"n":2n} = false',
      `get = '${'x'.repeat(30)}…`,
    ]);
    expect(evidence.operations[0]).toMatchObject({ input: '<1 2>', output: null });
    expect(evidence.operations[2]!.output).toHaveLength(120);
  });

  test('keeps a small counterexample whole', () => {
    const evidence = evidenceOf(counterexample([put(0), put(1), put(2)], 1, [0, 2]));
    expect(evidence).toMatchObject({ culprit: 1, order: [0, 2], leftOut: 0 });
    expect(evidence.operations).toHaveLength(3);
  });

  test.each([0, 5, 500, 990, 999])(
    'of a thousand operations keeps those around number %i',
    (at) => {
      const operations = Array.from({ length: 1_000 }, (_, index) => put(index));
      const order = operations.keys();
      const evidence = evidenceOf(counterexample(operations, at, [...order]));
      expect(evidence.operations).toHaveLength(60);
      expect(evidence.leftOut).toBe(940);
      expect(evidence.operations[evidence.culprit]).toMatchObject({ client: `u${at}` });
      // What explains the rest still names the same operations.
      expect(evidence.order).toEqual([...evidence.operations.keys()]);
    },
  );
});
