/** Some thousand malformed requests; `npm run prove` sends a hundred thousand and more. */
import { expect, test } from 'vitest';
import { fuzz } from './fuzz.ts';

test('no malformed request crashes an edge, is read as one, or gets another past it', async () => {
  const report = await fuzz(1, 2_000);
  expect(report.wrong).toEqual([]);
  expect(report.read).toBeGreaterThan(500);
});
