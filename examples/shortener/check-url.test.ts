import { describe, expect, test } from 'vitest';
import { checkUrl } from './check-url.ts';
import { realUrls } from './urls.ts';

describe('a URL may be shortened', () => {
  test.each([
    ['https://example.com', 'https://example.com/'],
    ['HTTP://Example.COM/A?b=c#d', 'http://example.com/A?b=c#d'],
    ['https://1.1.1.1/', 'https://1.1.1.1/'],
    ['https://172.15.0.1/', 'https://172.15.0.1/'],
    ['https://[2606:4700::1111]/', 'https://[2606:4700::1111]/'],
    ['https://bücher.example/', 'https://xn--bcher-kva.example/'],
    ['https://localhost.example.com/', 'https://localhost.example.com/'],
  ])('%s', (given, url) => {
    expect(checkUrl(given)).toEqual({ ok: true, url });
  });

  test('if it is one of some thousands of real ones', () => {
    expect(realUrls.length).toBeGreaterThan(2_000);
    const refused = realUrls.filter((url) => !checkUrl(url).ok);
    expect(refused).toEqual([]);
  });
});

describe('a private address is refused', () => {
  test.each([
    // Loopback, as browsers and resolvers read it.
    'http://127.0.0.1/',
    'http://127.1/',
    'http://0x7f.1/',
    'http://0x7f000001/',
    'http://2130706433/',
    'http://017700000001/',
    'http://0177.0.0.1/',
    'http://127.0.0.1./',
    'http://１２７.0.0.1/',
    'http://%31%32%37.0.0.1/',
    'http://0/',
    'http://0.0.0.0/',
    // Private, shared, link-local (where clouds keep their secrets), benchmarks, multicast, reserved.
    'http://10.0.0.1/',
    'http://172.16.0.1/',
    'http://172.31.255.255/',
    'http://192.168.1.1/',
    'http://100.64.0.1/',
    'http://169.254.169.254/latest/meta-data',
    'http://198.18.0.1/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
    // The same in IPv6: loopback, unique local, link-local, and those that carry an IPv4 address.
    'http://[::]/',
    'http://[::1]/',
    'http://[0:0:0:0:0:0:0:1]/',
    'http://[fd00::1]/',
    'http://[fe80::1]/',
    'http://[ff02::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[2002:7f00:1::]/',
    'http://[2001:0:1::1]/',
    // Names that never leave a network.
    'http://localhost/',
    'http://LOCALHOST./',
    'http://db.internal/',
    'http://printer.local/',
    'http://router.home.arpa/',
    'http://intranet/',
  ])('%s', (given) => {
    expect(checkUrl(given)).toEqual({ ok: false, why: 'no private or local addresses' });
  });
});

describe('what is no public web address is refused', () => {
  test.each([
    [undefined, 'url must be text'],
    [42, 'url must be text'],
    ['', 'url must be text'],
    ['/relative', 'url must be absolute, like https://example.com/'],
    ['example.com', 'url must be absolute, like https://example.com/'],
    ['http://999.1.1.1/', 'url must be absolute, like https://example.com/'],
    ['javascript:alert(1)', 'only http and https'],
    ['file:///etc/passwd', 'only http and https'],
    ['ftp://example.com/', 'only http and https'],
    ['data:text/html,hello', 'only http and https'],
    ['https://bank.example@evil.example/', 'no user name or password in the url'],
    [`https://example.com/${'a'.repeat(2_048)}`, 'url must be at most 2048 characters'],
  ])('%s', (given, why) => {
    expect(checkUrl(given)).toEqual({ ok: false, why });
  });
});
