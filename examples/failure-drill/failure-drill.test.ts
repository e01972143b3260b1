/** What a moment of overload does to three services that retry, and what stands against it. */
import { expect, test } from 'vitest';
import { amplification, drilled, everything, recovery } from './drill.ts';

test('without protection the moment does not end: M3 gets many times what M1 does, and hardly anybody is served', async () => {
  const report = await drilled({});
  expect(amplification(report)).toBeGreaterThan(10);
  expect(recovery(report)).toBeLessThan(0.1);
}, 60_000);

test.each([
  ['a retry budget', { budget: true }],
  ['a breaker', { breaker: true }],
  ['shedding', { shedding: true }],
])(
  'with %s it is over two seconds after the pulse',
  async (_, protection) => {
    const report = await drilled(protection);
    expect(recovery(report)).toBeGreaterThan(0.85);
  },
  60_000,
);

test('with all of them, too, and M3 is asked hardly more often than M1', async () => {
  const report = await drilled(everything);
  expect(recovery(report)).toBeGreaterThan(0.85);
  expect(amplification(report)).toBeLessThan(1.2);
}, 60_000);
