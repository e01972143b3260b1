import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseUrl } from '../kit/url.ts';
import { partsOf } from './web-client.ts';

/** Pieces of URLs in which readers by hand err, in any order. */
const piece = fc.constantFrom(
  ...[
    'http://',
    'https://',
    '/',
    '//',
    '.',
    '..',
    '/.',
    '/..',
    '/a',
    '/b.c',
    '/.well-known',
    '%2e',
    '%2E%2e',
    '%41',
  ],
  ...[
    'api',
    'API',
    'a-b',
    'xn--',
    'xn--bcher-kva',
    '-',
    '0x7f',
    '127.0.0.1',
    '127.1',
    '1',
    '256',
    '08',
    'a.1',
    'e1',
  ],
  ...[
    ':80',
    ':443',
    ':8080',
    ':0',
    ':059',
    ':59999',
    ':60000',
    ':65536',
    ':',
    '@',
    'u:p@',
    '?',
    '?a=b',
    '?q=%20&x',
    '#',
  ],
  ...[
    '#x',
    '\\',
    ' ',
    '\t',
    '"',
    "'",
    '<',
    '^',
    '|',
    '{',
    '`',
    'ü',
    '*',
    '~',
    '!',
    '$',
    '&',
    '(',
    '+',
    ',',
    ';',
    '=',
    '[',
    ']',
  ],
);

test('reads a URL by hand as the URL standard reads it', () => {
  const rest = fc.array(piece, { maxLength: 7 }).map((pieces) => pieces.join(''));
  const begin = fc.constantFrom('http://api', 'https://api.example', 'http://127.0.0.1:8080', '');
  fc.assert(
    fc.property(begin, rest, (first, second) => {
      const text = first + second;
      const url = parseUrl(text);
      if (!url) expect(() => partsOf(text)).toThrow();
      else {
        const { host, pathname, search } = partsOf(text);
        expect([host, pathname, search]).toEqual([url.host, url.pathname, url.search]);
      }
    }),
    { numRuns: 3_000 },
  );
});

test('reads an ordinary one without a URL', () => {
  const ordinary = ['http://api/', 'http://127.0.0.1:8080/users/7?full=1', 'https://shop.example'];
  for (const text of ordinary) expect(partsOf(text)).not.toBeInstanceOf(URL);
});
