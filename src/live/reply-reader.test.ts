import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReplyReader } from './reply-reader.ts';

interface Heard {
  status: number;
  headers: string[];
  body: string;
  trailers?: string[];
  mayStay: boolean;
}

/** What comes of a reply that arrives in these pieces, and then ends if it has no other end. */
function heard(pieces: readonly string[], method = 'GET', ends = false): Heard {
  const all: Heard = { status: 0, headers: [], body: '', mayStay: false };
  const reader = new ReplyReader({
    head: (status, headers) => Object.assign(all, { status, headers }),
    data: (part) => {
      all.body += part.toString('latin1');
    },
    end: (trailers) => {
      all.trailers = trailers;
    },
  });
  reader.expect(method);
  for (const piece of pieces) reader.read(Buffer.from(piece, 'latin1'));
  if (ends) reader.ended();
  all.mayStay = reader.mayStay;
  return all;
}

const ok = 'HTTP/1.1 200 OK\r\n';
const chunked = `${ok}transfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0A\r\n0123456789\r\n0\r\n`;
const good: readonly (readonly [string, string, Partial<Heard>])[] = [
  ['a length', `${ok}Content-Length: 3\r\nX-A: 1 \r\n\r\nabc`, { body: 'abc', mayStay: true }],
  ['nothing', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204, body: '', trailers: [] }],
  ['no reason', 'HTTP/1.1 500\r\ncontent-length: 0\r\n\r\n', { status: 500, trailers: [] }],
  ['chunks', `${chunked}\r\n`, { body: 'abc0123456789', trailers: [] }],
  ['trailers', `${chunked}X-T: 1\r\nx-u: 2\r\n\r\n`, { trailers: ['x-t', '1', 'x-u', '2'] }],
  [
    'one before it',
    `HTTP/1.1 103 Early\r\nlink: x\r\n\r\n${ok}content-length: 1\r\n\r\na`,
    { body: 'a' },
  ],
  [
    'a line that goes on',
    `${ok}x: a\r\n  b\r\ncontent-length: 0\r\n\r\n`,
    { headers: ['x', 'a b', 'content-length', '0'] },
  ],
  [
    'its last',
    `${ok}connection: close\r\ncontent-length: 1\r\n\r\na`,
    { body: 'a', mayStay: false },
  ],
  ['an old one', 'HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na', { body: 'a', mayStay: false }],
];

test('reads a reply the same in whatever pieces it comes', () => {
  for (const [what, text, expected] of good) {
    const whole = heard([text]);
    expect(whole, what).toMatchObject(expected);
    expect(whole.trailers, what).toBeDefined();
    const cuts = fc.array(fc.nat(text.length), { maxLength: 8 });
    fc.assert(
      fc.property(cuts, (at) => {
        const sorted = [0, ...at.toSorted((a, b) => a - b), text.length];
        const pieces = sorted.slice(1).map((to, i) => text.slice(sorted[i], to));
        expect(heard(pieces)).toEqual(whole);
      }),
      { numRuns: 200 },
    );
    expect(heard([...text])).toEqual(whole);
  }
});

test('reads a reply without a length until its end, and one to HEAD without a body', () => {
  expect(heard([`${ok}\r\na`, 'b'], 'GET', true)).toMatchObject({
    body: 'ab',
    trailers: [],
    mayStay: false,
  });
  expect(heard([`${ok}content-length: 5\r\n\r\n`], 'HEAD')).toMatchObject({
    trailers: [],
    mayStay: true,
  });
});

test('takes nothing that could be read in two ways', () => {
  const bad = [
    `${ok}content-length: 3\r\ncontent-length: 3\r\n\r\nabc`,
    `${ok}content-length: 3, 3\r\n\r\nabc`,
    `${ok}content-length: -1\r\n\r\n`,
    `${ok}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    `${ok}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    `${ok}transfer-encoding: chunked\r\n\r\n-1\r\n`,
    `${ok}transfer-encoding: chunked\r\n\r\n3\r\nabcd\r\n`,
    `${ok}transfer-encoding: chunked\r\n\r\n3\nabc\r\n`,
    `${ok}x : 1\r\n\r\n`,
    `${ok}x: 1\ny: 2\r\n\r\n`,
    `${ok}x: \0\r\n\r\n`,
    'HTTP/2 200 OK\r\n\r\n',
    'HTTP/1.1 101 Switching\r\n\r\n',
    'ICY 200 OK\r\n\r\n',
    `${ok}content-length: 1\r\n\r\nab`,
    `${ok}x: ${'x'.repeat(70_000)}`,
  ];
  for (const text of bad) expect(() => heard([text]), text.slice(0, 80)).toThrow();
  for (const text of [`${ok}content-length: 3\r\n\r\nab`, ok, chunked]) {
    expect(() => heard([text], 'GET', true), text).toThrow();
  }
});
