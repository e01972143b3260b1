import { expect, test } from 'vitest';
import type { Value } from '../host/host.ts';
import { Fingerprint } from './fingerprint.ts';
import { seeded } from './random.ts';

function hexOf(feed: (fingerprint: Fingerprint) => void): string {
  const fingerprint = new Fingerprint();
  feed(fingerprint);
  return fingerprint.hex();
}

test('values that differ in anything have different fingerprints', () => {
  const values: readonly Value[] = [
    null,
    true,
    false,
    0,
    -0,
    1,
    1.5,
    2 ** 40,
    '',
    '0',
    'ab',
    0n,
    1n,
    new Uint8Array(0),
    new Uint8Array([0]),
    new Uint8Array([0, 0]),
    new Uint8Array([1, 2, 3, 4, 5]),
    [],
    [[]],
    [[1], 2],
    [[1, 2]],
    [0],
    ['a', 'b'],
    ['ab'],
    {},
    { a: 1 },
    { b: 1 },
    { a: { b: 1 } },
    { a: [1], b: [] },
    { a: [], b: [1] },
  ];
  const prints = values.map((value) => hexOf((fingerprint) => fingerprint.value(value)));
  expect(new Set(prints).size).toBe(values.length);
  for (const print of prints) expect(print).toMatch(/^[0-9a-f]{16}$/);
});

test('a name without a value is as good as none', () => {
  expect(hexOf((f) => f.value({ a: 1, b: undefined }))).toBe(hexOf((f) => f.value({ a: 1 })));
});

test('order counts, and looking changes nothing', () => {
  const feed = (words: readonly number[]) =>
    hexOf((fingerprint) => {
      for (const word of words) {
        fingerprint.hex();
        fingerprint.short();
        fingerprint.word(word);
      }
    });
  expect(feed([1, 2, 3])).toBe(feed([1, 2, 3]));
  expect(feed([1, 2, 3])).not.toBe(feed([1, 3, 2]));
  expect(feed([0])).not.toBe(feed([0, 0]));
});

test.each([1, 2, 3])('one bit more or less changes about half of its own (seed %i)', (seed) => {
  const random = seeded(seed);
  let flipped = 0;
  const rounds = 500;
  for (let round = 0; round < rounds; round++) {
    const words = Array.from({ length: 8 }, () => random.word() | 0);
    const before = hexOf((f) => words.forEach((word) => void f.word(word)));
    words[random.below(8)]! ^= 1 << random.below(32);
    const after = hexOf((f) => words.forEach((word) => void f.word(word)));
    let different = BigInt(`0x${before}`) ^ BigInt(`0x${after}`);
    for (; different > 0n; different >>= 1n) flipped += Number(different & 1n);
  }
  expect(flipped / rounds / 64).toBeGreaterThan(0.45);
  expect(flipped / rounds / 64).toBeLessThan(0.55);
});
