/** What a forward proxy promises to those who use it, to sites, and to who runs it. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { visit } from '../../../../test/visitor.ts';
import { system } from '../../../design/system.ts';
import { simulateHere } from '../../../run/node/here.ts';
import { service } from '../../compute/service/index.ts';
import { users } from '../../workload/users/index.ts';
import { type ForwardProxyOptions, forwardProxy } from './index.ts';
import { inward, outward } from './masking.ts';
import { isPrivate, Rules } from './rules.ts';

/** Says what it was asked, and how often. */
function site(name: string, headers: Readonly<Record<string, string>> = {}) {
  let count = 0;
  return service(name, {
    instances: 1,
    cost: { wait: '5ms' },
    fetch: async (request) => {
      count++;
      const size = Number(new URL(request.url).searchParams.get('size') ?? 0);
      const told = Object.fromEntries([...request.headers]);
      const body = JSON.stringify({ name, count, url: request.url, told, pad: 'x'.repeat(size) });
      return new Response(body, { headers: { 'content-type': 'application/json', ...headers } });
    },
  });
}

interface Told {
  readonly name: string;
  readonly count: number;
  readonly url: string;
  readonly told: Readonly<Record<string, string>>;
}

function egress(options: Partial<ForwardProxyOptions> = {}) {
  const news = site('news', { 'cache-control': 'max-age=60' });
  const other = site('other');
  const sites = { 'news.example': news, '*.example': other, '*': other };
  const at = visit(forwardProxy('egress', { sites, ...options }));
  const ask = async (
    url: string,
    headers: readonly string[] = [],
    more: { readonly ip?: string; readonly method?: string; readonly body?: string } = {},
  ) => {
    const id = at.send({ url, headers, ip: '10.0.0.7', ...more });
    await at.run(100_000);
    return { status: at.status(id), headers: at.reply(id)!.headers, text: await at.text(id) };
  };
  const told = async (url: string, headers?: readonly string[]) =>
    JSON.parse((await ask(url, headers)).text) as Told;
  return { at, ask, told };
}

const client = [
  'x-forwarded-for',
  '192.168.1.4',
  'forwarded',
  'for=192.168.1.4',
  'via',
  '1.1 inner',
  'connection',
  'x-hop, keep-alive',
  'x-hop',
  'secret',
  'proxy-authorization',
  'Basic c2VjcmV0',
  'accept',
  'text/html',
];

describe('a site is told', () => {
  test('nothing of who asks: not the address, nor what a client or its own proxy says of it', async () => {
    const { told } = egress();
    const { name, url, told: headers } = await told('http://news.example/a?b', client);
    expect([name, url]).toEqual(['news', 'http://news.example/a?b']);
    expect(headers).toMatchObject({ via: '1.1 egress', accept: 'text/html' });
    expect(JSON.stringify(headers)).not.toMatch(/192\.168|10\.0\.0\.7|inner|secret|c2VjcmV0/);
  });

  test('where `forwarded` is added, the address behind those that came with it', async () => {
    const { told } = egress({ forwarded: 'added' });
    const { told: headers } = await told('http://news.example/', client);
    expect(headers).toMatchObject({
      'x-forwarded-for': '192.168.1.4, 10.0.0.7',
      via: '1.1 inner, 1.1 egress',
    });
    expect(headers).not.toHaveProperty('x-hop');
    expect(headers).not.toHaveProperty('proxy-authorization');
  });

  test('and no hop-by-hop field, whatever the others are', () => {
    const name = fc.constantFrom('connection', 'te', 'keep-alive', 'x-a', 'x-b', 'via', 'trailer');
    const fields = fc.array(fc.tuple(name, fc.constantFrom('x-a', 'close', '1.1 p')));
    const forwarded = fc.constantFrom('hidden' as const, 'added' as const);
    fc.assert(
      fc.property(fields, forwarded, (pairs, forwarded) => {
        const headers = pairs.flat();
        for (const sent of [
          outward(headers, '1.2.3.4', { name: 'egress', forwarded }),
          inward(headers, 'egress'),
        ]) {
          const names = sent.filter((_, index) => index % 2 === 0);
          expect(names).not.toEqual(expect.arrayContaining(['connection']));
          for (const hop of ['te', 'keep-alive', 'trailer']) expect(names).not.toContain(hop);
          const listed = headers[headers.indexOf('connection') + 1];
          if (headers.includes('connection')) expect(names).not.toContain(listed);
          expect(names.filter((one) => one === 'via')).toHaveLength(1);
        }
      }),
    );
  });
});

test('the most telling site is asked, and a request in a circle is not sent round again', async () => {
  const { ask, told } = egress();
  expect((await told('http://news.example/')).name).toBe('news');
  expect((await told('http://sport.example/')).name).toBe('other');
  expect((await told('http://elsewhere.test/')).name).toBe('other');
  expect((await ask('http://news.example/', ['via', '1.1 a, 1.1 egress'])).status).toBe(508);
  const { ask: askFew } = egress({ sites: { 'news.example': site('news') } });
  expect((await askFew('http://sport.example/')).status).toBe(502);
});

test('what repeats is answered without the site, for all callers', async () => {
  const { ask, told, at } = egress({ cache: {} });
  expect((await told('http://news.example/a')).count).toBe(1);
  expect((await told('http://news.example/a')).count).toBe(1);
  const { headers } = await ask('http://news.example/a', [], { ip: '10.0.0.8' });
  expect(headers.join()).toMatch(/cache-status,egress; hit/);
  expect(at.counted('news', 'requests')).toBe(1);
  const { text } = await ask('http://egress/.well-known/proxy-account');
  expect(JSON.parse(text)).toMatchObject({ requests: 3, hits: 1, blocked: 0 });
});

describe('rules', () => {
  test('block by host, path, caller, type and size; the first that decides holds', async () => {
    const { ask } = egress({
      rules: [
        { do: 'allow', from: ['10.9.0.0/16'] },
        { do: 'block', hosts: ['*.ads.example', 'ads.example'] },
        { do: 'block', paths: ['/private/*'] },
        { do: 'block', types: ['application/*'], hosts: ['typed.example'] },
        { do: 'block', over: '2kB' },
      ],
    });
    const status = async (url: string, ip = '10.0.0.7') => (await ask(url, [], { ip })).status;
    expect(await status('http://x.ads.example/')).toBe(403);
    expect(await status('http://ads.example/')).toBe(403);
    expect(await status('http://bads.example/')).toBe(200);
    expect(await status('http://news.example/private/a')).toBe(403);
    expect(await status('http://news.example/privates')).toBe(200);
    expect(await status('http://typed.example/')).toBe(403);
    expect(await status('http://news.example/?size=4000')).toBe(403);
    expect(await status('http://x.ads.example/', '10.9.3.4')).toBe(200);
  });

  test('a list of what is allowed lets nothing else pass, and replies by their type', async () => {
    const { ask, at } = egress({
      otherwise: 'block',
      rules: [
        { do: 'allow', hosts: ['news.example'], types: ['application/json'] },
        { do: 'allow', hosts: ['plain.example'], types: ['text/*'] },
      ],
    });
    expect((await ask('http://news.example/')).status).toBe(200);
    expect((await ask('http://plain.example/')).status).toBe(403);
    expect(at.counted('other', 'requests')).toBe(1);
    expect((await ask('http://else.example/')).status).toBe(403);
    expect(at.counted('other', 'requests')).toBe(1);
  });

  test('never let pass before the reply what they would block after it, whatever it is', () => {
    const rule = fc.record({
      do: fc.constantFrom('allow' as const, 'block' as const),
      hosts: fc.subarray(['a', 'b']),
      paths: fc.constant([]),
      from: fc.constant([]),
      users: fc.constant([]),
      types: fc.subarray(['text/html', 'video/*']),
      overBytes: fc.constantFrom(null, 10),
    });
    const otherwise = fc.constantFrom('allow' as const, 'block' as const);
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 4 }), otherwise, (list, otherwise) => {
        const rules = new Rules({ rules: list, otherwise });
        for (const host of ['a', 'b', 'c']) {
          const subject = { host, path: '/', ip: '', user: undefined };
          const replies = ['text/html', 'video/mp4', 'x/y'].flatMap((type) =>
            [5, 50].map((bytes) => rules.isReplyBlocked(subject, { type, bytes })),
          );
          // Blocked at once only what every reply would be blocked for.
          if (rules.isBlocked(subject)) expect(replies).not.toContain(false);
        }
      }),
    );
  });
});

test('a rule holds for a host and a path however they are spelled', async () => {
  const rules = [
    { do: 'block', hosts: ['*.bad.test', 'bad.test'] },
    { do: 'block', paths: ['/secret', '/%61dmin/*'] },
  ] as const;
  const { ask } = egress({ rules });
  for (const url of [
    'http://bad.test./',
    'http://BAD.test.:80/',
    'http://a.bad.test./',
    'http://news.example/%73ecret',
    'http://news.example./x/../%73%65cret?a=b',
    'http://news.example/admin/a',
    'http://news.example/%61%64min',
  ]) {
    expect((await ask(url)).status, url).toBe(403);
  }
  expect((await ask('http://news.example./%2fsecret')).status).toBe(200);
});

test('private addresses are reached by name only, however they are spelled', async () => {
  const { ask } = egress();
  for (const host of [
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '10.1.2.3',
    '169.254.169.254',
    'localhost',
    'a.localhost',
    '[::1]',
    '[::ffff:10.0.0.1]',
    '[fd00::1]',
    '[fec0::1]',
    '[::127.0.0.1]',
    '[::ffff:0:10.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[64:ff9b:1::808:808]',
    '[2002:7f00:1::1]',
    '127.0.0.1.',
    'localhost.',
  ]) {
    expect((await ask(`http://${host}/`)).status, host).toBe(403);
  }
  for (const host of ['93.184.216.34', '[64:ff9b::808:808]', '[2002:808:808::1]', '[2600::1]']) {
    expect((await ask(`http://${host}/`)).status, host).toBe(200);
  }
  expect(isPrivate('172.32.0.1')).toBe(false);
  const { ask: askAny } = egress({ privateHosts: 'allow' });
  expect((await askAny('http://127.0.0.1/')).status).toBe(200);
});

test('only those who are known may ask, each within a limit of their own', async () => {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const { ask, at } = egress({
    users: { ann: sha256('ann:pä'), bob: sha256('bob:b') },
    limit: { rate: '1/s', burst: 2 },
    rules: [{ do: 'block', users: ['bob'], hosts: ['news.example'] }],
  });
  const as = (text: string) => [
    'proxy-authorization',
    `Basic ${Buffer.from(text).toString('base64')}`,
  ];
  const nobody = await ask('http://news.example/');
  expect(nobody.status).toBe(407);
  expect(nobody.headers.join()).toContain('proxy-authenticate,Basic realm="egress"');
  expect((await ask('http://news.example/', as('ann:wrong'))).status).toBe(407);
  expect((await ask('http://news.example/', ['proxy-authorization', 'Basic !'])).status).toBe(407);
  expect((await ask('http://news.example/', as('bob:b'))).status).toBe(403);
  expect(at.counted('news', 'requests')).toBe(0);
  const statuses: (number | undefined)[] = [];
  for (let i = 0; i < 3; i++) statuses.push((await ask('http://a.example/', as('ann:pä'))).status);
  expect(statuses).toEqual([200, 200, 429]);
  // Under another address she is the same; somebody else is not.
  const elsewhere = await ask('http://a.example/', as('ann:pä'), { ip: '10.0.0.8' });
  expect(elsewhere.status).toBe(429);
  expect((await ask('http://a.example/', as('bob:b'))).status).toBe(200);
});

test('users and services go through it alike, and every request ends once while sites die', async () => {
  const news = site('news');
  const proxy = forwardProxy('egress', { sites: { 'news.example': news }, cache: {} });
  let served = 0;
  const api = service('api', {
    env: { proxy },
    fetch: async (_request, { proxy }) => {
      const reply = await proxy.fetch('http://news.example/today');
      served += reply.status === 200 ? 1 : 0;
      return new Response(String(reply.status));
    },
  });
  const design = system('office', {
    entry: api,
    blocks: [proxy],
    workload: users({ rate: '50/s', act: async (user) => void (await user.fetch('/')) }),
  });
  const kill = (node: string, atUs: number, forUs: number) =>
    ({ do: 'kill', target: { node }, atUs, forUs }) as const;
  const faults = [kill('news/0', 2_000_000, 1_000_000), kill('egress/0', 4_000_000, 500_000)];
  const { report } = await simulateHere(() => ({ design, seed: 3, forUs: 6_000_000, faults }));
  expect(report.completed + report.failed).toBe(report.generated);
  expect(served).toBeGreaterThan(150);
});

test('a design that cannot be is refused, all at once', () => {
  const wrong = forwardProxy('egress', {
    sites: { 'http://a': site('a'), 'b.example': undefined as never },
    nodes: 0,
    users: { ann: 'password' },
    rules: [
      { do: 'deny' as 'block', from: ['10.0.0.0/99'], over: 'big' as '1MB', host: [] } as never,
    ],
    purges: site('p'),
  });
  expect(wrong.problems.map(({ at }) => at)).toEqual([
    'egress.nodes',
    'egress.purges',
    "egress.sites['http://a']",
    "egress.sites['b.example']",
    'egress.rules[0].host',
    'egress.rules[0].do',
    'egress.rules[0].over',
    'egress.rules[0].from',
    'egress.users.ann',
  ]);
});
