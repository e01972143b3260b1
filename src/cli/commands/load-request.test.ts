import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Given } from '../options.ts';
import { addressIn, bodyOf, chanceNote, headersOf, tlsOf, withoutSecrets } from './load-request.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'loadpath-load-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const home = new URL('http://shop.example/');

describe('what load is pointed at', () => {
  test('is a URL in any case of letters, or else a design', () => {
    expect(addressIn('HTTP://Shop.example/a')?.href).toBe('http://shop.example/a');
    expect(addressIn('https://shop.example')?.protocol).toBe('https:');
    expect(addressIn('examples/shortener')).toBeUndefined();
    expect(addressIn('design.ts')).toBeUndefined();
  });

  test.each([
    ['localhost:8471', 'localhost:8471: has no scheme: is it http://localhost:8471?'],
    ['[::1]:80/a', '[::1]:80/a: has no scheme: is it http://[::1]:80/a?'],
    ['ftp://shop.example', 'ftp://shop.example: must begin with http:// or https://'],
    ['http://', 'http://: is not a URL'],
  ])('is refused when it is neither: %s', (target, why) => {
    expect(() => addressIn(target)).toThrow(why);
  });

  test('is shown without its password', () => {
    const target = 'http://me:secret@shop.example/a?b=c';
    expect(withoutSecrets(new URL(target), target)).toBe('http://shop.example/a?b=c');
    expect(withoutSecrets(home, 'http://shop.example')).toBe('http://shop.example');
  });
});

describe('headers', () => {
  const headers = (...header: readonly string[]) => headersOf(new Given({ header }), home);

  test('are all sent, also several of one name', () => {
    expect(headers('Cookie: a=1', 'cookie: b=2', 'x-empty:')).toEqual([
      ['cookie', 'a=1'],
      ['cookie', 'b=2'],
      ['x-empty', ''],
    ]);
  });

  test('tell the user whom the URL names, unless one of them says so', () => {
    const url = new URL('http://me:p%40ss@shop.example/');
    const basic = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
    expect(headersOf(new Given({}), url)).toEqual([['authorization', basic]]);
    const header = ['authorization: Bearer t'];
    expect(headersOf(new Given({ header }), url)).toEqual([['authorization', 'Bearer t']]);
  });

  test.each([
    ['no colon', 'must be like'],
    ['transfer-encoding: chunked', "transfer-encoding is the generator's to send"],
    ['connection: upgrade', "connection is the generator's to send"],
    ['x-face: \u{1f600}', 'x-face has a character that no header may have'],
  ])('that cannot be sent are refused: %s', (text, why) => {
    const given = new Given({ header: [text] });
    headersOf(given, home);
    expect(() => given.check()).toThrow(why);
  });
});

test('a body from a file is sent byte by byte', () => {
  const path = join(folder, 'body');
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  writeFileSync(path, bytes);
  expect([...Buffer.from(bodyOf(new Given({ body: `@${path}` }))!)]).toEqual([...bytes]);
  expect(bodyOf(new Given({ body: 'text' }))).toBe('text');
});

test('whom to trust is asked only where a certificate is shown', () => {
  const given = new Given({ insecure: true });
  expect(tlsOf(given, new URL('https://shop.example/'))).toEqual({ isUnchecked: true });
  tlsOf(given, home);
  expect(() => given.check()).toThrow('--insecure: is for https:// only');
});

test('a load in which chance sent more than was asked for says so', () => {
  expect(chanceNote(50, { requestedPerSec: 55 })).toEqual([
    expect.stringMatching(/^asked for were 50\/s on average, due were 55\/s:/),
  ]);
  expect(chanceNote(50, { requestedPerSec: 50.2 })).toEqual([]);
});
