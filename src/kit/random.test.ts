import { expect, test } from 'vitest';
import { hashText, seeded } from './random.ts';

test('a draw depends on seed, name and number, and on nothing else', () => {
  const draws = (seed: number, name: string) => {
    const stream = seeded(seed).fork(name);
    return Array.from({ length: 5 }, () => stream.next());
  };
  expect(draws(1, 'a')).toEqual(draws(1, 'a'));
  expect(draws(1, 'a')).not.toEqual(draws(1, 'b'));
  expect(draws(1, 'a')).not.toEqual(draws(2, 'a'));
  const root = seeded(1);
  for (let i = 0; i < 100; i++) root.next();
  const late = root.fork('a');
  expect(Array.from({ length: 5 }, () => late.next())).toEqual(draws(1, 'a'));
});

test('any draw can be looked at without moving the stream', () => {
  const stream = seeded(3).fork('x');
  const ahead = Array.from({ length: 20 }, (_, i) => stream.at(i));
  expect(Array.from({ length: 20 }, () => stream.next())).toEqual(ahead);
});

test.each([1, 2, 3, 4, 5])(
  'draws are uniform, and streams of like names have nothing in common (seed %i)',
  (seed) => {
    const cells = new Float64Array(64);
    const one = seeded(seed).fork('node 1');
    const other = seeded(seed).fork('node 2');
    const count = 64_000;
    let product = 0;
    for (let i = 0; i < count; i++) {
      const draw = one.next();
      cells[Math.floor(draw * 64)]!++;
      product += (draw - 0.5) * (other.next() - 0.5);
    }
    const chi = cells.reduce((sum, seen) => sum + (seen - 1000) ** 2 / 1000, 0);
    // 63 degrees of freedom: between 30 and 110 but once in thousands of times.
    expect(chi).toBeGreaterThan(30);
    expect(chi).toBeLessThan(110);
    // Correlation, in standard errors.
    expect(Math.abs((product / count) * 12 * Math.sqrt(count))).toBeLessThan(4.5);
  },
);

test('whole numbers keep to their bounds and reach both ends', () => {
  const random = seeded(9);
  const seen = new Set<number>();
  for (let i = 0; i < 1000; i++) seen.add(random.between(-2, 2));
  expect([...seen].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
  for (let i = 0; i < 1000; i++) expect(random.below(3)).toBeLessThan(3);
  expect(new Set(Array.from({ length: 100 }, () => random.pick(['a', 'b'])))).toEqual(
    new Set(['a', 'b']),
  );
  expect(random.word()).toBeGreaterThanOrEqual(0);
});

test('the hash of a text never changes: seeds and rings rest on it', () => {
  expect([
    hashText(''),
    hashText('links/0'),
    hashText('links/1'),
    hashText('a', 7),
  ]).toMatchInlineSnapshot(`
    [
      -1421968373,
      -525477824,
      -1186385050,
      -558187136,
    ]
  `);
});
