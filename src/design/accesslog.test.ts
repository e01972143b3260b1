import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AccessLogReader, badLinesMax, parseLine, readAccessLog, startsOf } from './accesslog.ts';

const common =
  '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326';
const combined = `${common} "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"`;

describe('a line', () => {
  test('in Common Log Format is read, the zone taken into account', () => {
    expect(parseLine(common)).toEqual({
      atUs: Date.UTC(2000, 9, 10, 20, 55, 36) * 1_000,
      ip: '127.0.0.1',
      method: 'GET',
      path: '/apache_pb.gif',
      status: 200,
      bytes: 2_326,
    });
  });

  test('in Combined Log Format also has a referer and a user agent', () => {
    expect(parseLine(combined)).toMatchObject({
      referer: 'http://www.example.com/start.html',
      userAgent: 'Mozilla/4.08 [en] (Win98; I ;Nav)',
    });
  });

  test('may have an IPv6 address, escaped quotes, no size, more fields, a whole URL', () => {
    const line =
      '2001:db8::1 - - [01/Jan/2025:00:00:00 +0000] "POST https://x.example/a?b=1 HTTP/2.0" ' +
      '204 - "-" "say \\"hi\\"" 0.003 upstream';
    expect(parseLine(line)).toEqual({
      atUs: Date.UTC(2025, 0, 1) * 1_000,
      ip: '2001:db8::1',
      method: 'POST',
      path: '/a?b=1',
      status: 204,
      bytes: 0,
      userAgent: 'say "hi"',
    });
  });

  test.each([
    ['hello', 'not Common'],
    [common.replace('10/Oct', '31/Feb'), 'not a time'],
    [common.replace('13:55', '25:55'), 'not a time'],
    [common.replace('GET /apache_pb.gif HTTP/1.0', '\\x16\\x03\\x01'), 'not an HTTP request'],
    [common.replace('GET /apache_pb.gif HTTP/1.0', ''), 'not an HTTP request'],
  ])('%j is not one', (line, why) => {
    expect(parseLine(line)).toEqual({ why: expect.stringContaining(why) });
  });
});

describe('a log', () => {
  const second = (n: number) => common.replace('13:55:36', `13:55:${10 + n}`);

  test('counts its bad lines by number and is read on', () => {
    const log = readAccessLog(`${second(1)}\nrubbish\n\n# a comment\n${second(2)}\nmore rubbish`);
    expect(log.entries).toHaveLength(2);
    expect(log.badCount).toBe(2);
    expect(log.badLines.map(({ line }) => line)).toEqual([2, 6]);
  });

  test('keeps only the first bad lines, and counts them all', () => {
    const log = readAccessLog('bad\n'.repeat(1_000));
    expect(log.badCount).toBe(1_000);
    expect(log.badLines).toHaveLength(badLinesMax);
  });

  test('is sorted by time, since servers log a request when it ends', () => {
    const { entries } = readAccessLog([second(5), second(1), second(3)].join('\r\n'));
    const times = entries.map(({ atUs }) => atUs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  test('is the same however it is cut into pieces', () => {
    const text = [combined, 'rubbish', second(1), second(1), common].join('\n');
    const whole = readAccessLog(text);
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
        const reader = new AccessLogReader();
        const places = [0, ...cuts.sort((a, b) => a - b), text.length];
        for (let i = 1; i < places.length; i++) reader.push(text.slice(places[i - 1], places[i]));
        expect(reader.end()).toEqual(whole);
      }),
    );
  });

  test('spreads the requests of a second over it', () => {
    const { entries } = readAccessLog([second(0), second(0), second(0), second(2)].join('\n'));
    expect(startsOf(entries)).toEqual([0, 333_333, 666_666, 2_000_000]);
    expect(startsOf([])).toEqual([]);
  });

  test('a hostile line takes no longer than its length', () => {
    const hostile = `a - ${'['.repeat(5_000)} "${'\\"'.repeat(5_000)}`;
    expect(parseLine(hostile)).toHaveProperty('why');
  });
});
