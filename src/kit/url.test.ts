import { expect, test } from 'vitest';
import { parseUrl } from './url.ts';

test('a URL is one however often it is asked for', () => {
  // The compiled path of Node's own `URL.canParse` reads Latin-1 as if it were UTF-8.
  let no = 0;
  for (let i = 0; i < 30_000; i++) if (!parseUrl('https://bücher.example/')) no++;
  expect(no).toBe(0);
});

test('what is no URL is none', () => {
  expect(parseUrl('bücher')).toBeUndefined();
  expect(parseUrl('/a', 'https://example.com')?.href).toBe('https://example.com/a');
  expect(parseUrl('/a', 'example.com')).toBeUndefined();
});
