/** Who gets in, under which name, and who is told what. */
import { createHash, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Said, type Visit, visit } from '../../../../test/visitor.ts';
import { fromBase64Url } from '../../../kit/bytes.ts';
import { service } from '../../compute/service/index.ts';
import { apiKeys, type GatewayOptions, gateway, type JwtOptions, jwt } from './index.ts';
import { isSame, readToken } from './jwt.ts';

const second = 1_000_000;
/** The wall clock of a simulated world at its beginning. */
const startS = Date.UTC(2026, 0, 1) / 1_000;

const whoami = service('api', {
  instances: 1,
  fetch: ({ headers }) =>
    new Response(`${headers.get('x-user') ?? 'nobody'} ${headers.get('x-user-tier') ?? '-'}`),
});
const routes = [
  { path: '/', to: whoami },
  { path: '/open', auth: 'none', to: whoami },
  { path: '/either', auth: 'optional', to: whoami },
  { path: '/partners', tiers: ['partner'], to: whoami },
] as const;

async function seen(at: Visit, said: Said): Promise<string> {
  const id = at.send(said);
  await at.run(100_000);
  return `${at.status(id)} ${at.status(id) === 200 ? await at.text(id) : ''}`.trim();
}

describe('an API key', () => {
  const digest = (key: string) => createHash('sha256').update(key).digest('hex');
  const auth = apiKeys({
    users: {
      acme: { sha256: digest('secret of acme'), tier: 'partner' },
      joe: [{ sha256: digest('old') }, { sha256: digest('new') }],
    },
  });
  const door = () => visit(gateway('edge', { routes, auth }));
  const key = (value: string, url = 'http://edge/') => ({ url, headers: ['x-api-key', value] });

  test('names its user to the service, and nobody else does', async () => {
    const at = door();
    expect(await seen(at, key('secret of acme'))).toBe('200 acme partner');
    expect(await seen(at, key('old'))).toBe('200 joe -');
    expect(await seen(at, key('new'))).toBe('200 joe -');
    const forged = ['x-api-key', 'new', 'x-user', 'acme', 'x-user-tier', 'partner'];
    expect(await seen(at, { headers: forged })).toBe('200 joe -');
    const open = 'http://edge/open';
    expect(await seen(at, { url: open, headers: ['x-user', 'acme'] })).toBe('200 nobody -');
  });

  test('is required, or may be shown, or is not looked at', async () => {
    const at = door();
    expect(await seen(at, {})).toBe('401');
    expect(await seen(at, key('wrong'))).toBe('401');
    expect(await seen(at, key('wrong', 'http://edge/either'))).toBe('401');
    expect(await seen(at, key('new', 'http://edge/either'))).toBe('200 joe -');
    expect(await seen(at, { url: 'http://edge/either' })).toBe('200 nobody -');
    expect(await seen(at, key('wrong', 'http://edge/open'))).toBe('200 nobody -');
    expect(await seen(at, key('new', 'http://edge/partners'))).toBe('403');
    expect(await seen(at, key('secret of acme', 'http://edge/partners'))).toBe('200 acme partner');
  });

  test('that is no good stays so, however many good ones were shown before and after', async () => {
    const at = door();
    for (let round = 0; round < 3; round++) {
      expect(await seen(at, key('new'))).toBe('200 joe -');
      for (const bad of ['NEW', 'new ', 'ne', digest('new'), '__proto__', '']) {
        expect(await seen(at, key(bad)), bad).toBe('401');
      }
      expect(await seen(at, key('secret of acme'))).toBe('200 acme partner');
    }
    // Of another gateway's users nothing is known here.
    const other = apiKeys({ users: { ann: { sha256: digest('another') } } });
    expect(await seen(visit(gateway('edge', { routes, auth: other })), key('new'))).toBe('401');
  });

  test('is asked for as a key, and a token as one', async () => {
    const challenge = async (of: NonNullable<GatewayOptions['auth']>, said: Said) => {
      const at = visit(gateway('edge', { routes, auth: of }));
      const id = at.send(said);
      await at.run(100_000);
      const { headers } = at.reply(id)!;
      return headers[headers.indexOf('www-authenticate') + 1];
    };
    const asksKey = 'ApiKey realm="gateway", header="x-api-key"';
    const asksToken = 'Bearer realm="gateway"';
    const tokens = jwt({ issuer: 'https://id', audience: 'shop', secret: 'x'.repeat(32) });
    expect(await challenge(auth, {})).toBe(asksKey);
    expect(await challenge(auth, key('wrong'))).toBe(`${asksKey}, error="no such key"`);
    expect(await challenge(tokens, {})).toBe(asksToken);
    expect(await challenge([auth, tokens], {})).toBe(`${asksKey}, ${asksToken}`);
    const bad = { headers: ['authorization', 'Bearer x'] };
    expect(await challenge([auth, tokens], bad)).toContain(`${asksToken}, error="invalid_token"`);
  });

  test('is in no plan: there are digests only', () => {
    const plan = JSON.stringify(door().plan);
    expect(plan).toContain(digest('secret of acme'));
    expect(plan).not.toContain('secret of acme');
  });
});

const pairs = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2_048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
};
type Name = keyof typeof pairs;

const base64 = (value: object | Buffer) =>
  (Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value))).toString('base64url');

const claims = {
  sub: 'ann',
  tier: 'gold',
  iss: 'https://id',
  aud: ['shop', 'x'],
  exp: startS + 100,
};

function token(
  header: { alg: string; kid?: string },
  body: object,
  key: KeyObject | string,
): string {
  const signed = `${base64(header)}.${base64(body)}`;
  if (typeof key === 'string') {
    return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
  }
  const hash = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  const signature = sign(hash, Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${base64(signature)}`;
}

const bearer = (text: string): Said => ({ headers: ['authorization', `Bearer ${text}`] });

/** An issuer whose keys a test may change, and how often they were fetched. */
function issuer(names: readonly Name[]) {
  const state = { names, fetches: 0, isDown: false };
  const id = service('id', {
    instances: 1,
    fetch: ({ url }) => {
      state.fetches++;
      if (state.isDown) return new Response(null, { status: 500 });
      if (new URL(url).pathname !== '/.well-known/jwks.json')
        return new Response('', { status: 404 });
      const keys = state.names.map((kid) => ({
        ...pairs[kid].publicKey.export({ format: 'jwk' }),
        kid,
      }));
      return Response.json({ keys });
    },
  });
  return { state, id };
}

const tokens = (options: JwtOptions, more: Partial<GatewayOptions> = {}) =>
  visit(
    gateway('edge', {
      routes,
      auth: jwt({ issuer: 'https://id', audience: 'shop', ...options }),
      ...more,
    }),
  );

const good = (kid: Name, body: object = claims) =>
  token({ alg: kid, kid }, body, pairs[kid].privateKey);

describe('a token', () => {
  test('of each kind is good with a key of its kind, which is fetched once', async () => {
    const { state, id } = issuer(['RS256', 'ES256', 'EdDSA']);
    const at = tokens({ keys: id });
    for (const name of ['RS256', 'ES256', 'EdDSA'] as const) {
      expect(await seen(at, bearer(good(name)))).toBe('200 ann gold');
    }
    expect(state.fetches).toBe(1);
  });

  test('by a shared secret', async () => {
    const secret = 'a secret that is as long as it must be';
    const at = tokens({ secret });
    expect(await seen(at, bearer(token({ alg: 'HS256' }, claims, secret)))).toBe('200 ann gold');
    expect(await seen(at, bearer(token({ alg: 'HS256' }, claims, 'another')))).toBe('401');
  });

  test('counts in its time, with leeway, for whom it is, from whom it must be', async () => {
    const { id } = issuer(['EdDSA']);
    const at = tokens({ keys: id, leeway: '10s' });
    const check = async (body: object) => seen(at, bearer(good('EdDSA', { ...claims, ...body })));
    expect(await check({ exp: startS - 8 })).toBe('200 ann gold');
    expect(await check({ exp: startS - 12 })).toBe('401');
    expect(await check({ exp: undefined })).toBe('401');
    expect(await check({ exp: 'never' })).toBe('401');
    expect(await check({ nbf: startS + 8 })).toBe('200 ann gold');
    expect(await check({ nbf: startS + 30 })).toBe('401');
    expect(await check({ iss: 'https://other' })).toBe('401');
    expect(await check({ aud: 'shop' })).toBe('200 ann gold');
    expect(await check({ aud: 'bank' })).toBe('401');
    expect(await check({ aud: undefined })).toBe('401');
    expect(await check({ sub: 7 })).toBe('401');
    expect(await check({ sub: 'ann\r\nx-admin: 1' })).toBe('401');
  });

  test('that was good expires all the same', async () => {
    const { id } = issuer(['EdDSA']);
    const at = tokens({ keys: id, leeway: '0s' });
    const text = good('EdDSA', { ...claims, exp: startS + 2 });
    expect(await seen(at, bearer(text))).toBe('200 ann gold');
    await at.run(2 * second);
    expect(await seen(at, bearer(text))).toBe('401');
  });

  test('does not choose its algorithm: none, a public key as a secret, a key of another kind', async () => {
    const { id } = issuer(['RS256', 'ES256']);
    const at = tokens({ keys: id });
    const [head, body, signature] = good('RS256').split('.') as [string, string, string];
    const pem = pairs.RS256.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const jwk = JSON.stringify(pairs.RS256.publicKey.export({ format: 'jwk' }));
    const bad = [
      `${base64({ alg: 'none' })}.${body}.`,
      `${base64({ alg: 'None', kid: 'RS256' })}.${body}.${signature}`,
      token({ alg: 'HS256', kid: 'RS256' }, claims, pem),
      token({ alg: 'HS256', kid: 'RS256' }, claims, jwk),
      token({ alg: 'ES256', kid: 'RS256' }, claims, pairs.ES256.privateKey),
      token({ alg: 'RS256', kid: 'ES256' }, claims, pairs.RS256.privateKey),
      `${base64({ alg: 'RS256', kid: 'RS256', crit: ['exp'], exp: 1 })}.${body}.${signature}`,
      `${head}.${base64({ ...claims, sub: 'root' })}.${signature}`,
      `${head}.${body}.${signature}.${signature}`,
      `${head}.${body}`,
      'x',
    ];
    for (const text of bad) expect(await seen(at, bearer(text)), text).toBe('401');
    expect(await seen(at, bearer(good('RS256')))).toBe('200 ann gold');
  });

  test('is not good with its letters changed, whichever', async () => {
    const { id } = issuer(['EdDSA']);
    const at = tokens({ keys: id });
    const text = good('EdDSA');
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: text.length - 1 }),
        fc.constantFrom(...'ABCxyz019-_.='),
        async (index, letter) => {
          if (text[index] === letter) return;
          const changed = text.slice(0, index) + letter + text.slice(index + 1);
          expect(await seen(at, bearer(changed))).toBe('401');
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('the keys of an issuer', () => {
  test('are fetched again for a name that nobody knows, and not for every invented one', async () => {
    const { state, id } = issuer(['RS256']);
    const at = tokens({ keys: id, refetchMin: '10s' });
    expect(await seen(at, bearer(good('RS256')))).toBe('200 ann gold');
    await at.run(10 * second);
    state.names = ['RS256', 'EdDSA'];
    expect(await seen(at, bearer(good('EdDSA')))).toBe('200 ann gold');
    expect(state.fetches).toBe(2);
    for (let i = 0; i < 20; i++) {
      const invented = token({ alg: 'EdDSA', kid: `k${i}` }, claims, pairs.EdDSA.privateKey);
      expect(await seen(at, bearer(invented))).toBe('401');
    }
    expect(state.fetches).toBe(2);
  });

  test('are fetched once for all who wait for them', async () => {
    const { state, id } = issuer(['EdDSA']);
    const at = tokens({ keys: id });
    const ids = Array.from({ length: 10 }, () => at.send(bearer(good('EdDSA'))));
    await at.run(100_000);
    expect(ids.map((one) => at.status(one))).toEqual(ids.map(() => 200));
    expect(state.fetches).toBe(1);
  });

  test('that were withdrawn are not good any more, once they were fetched again', async () => {
    const { state, id } = issuer(['RS256', 'EdDSA']);
    const at = tokens({ keys: id, keysTtl: '5s' });
    const body = { ...claims, exp: startS + 1_000 };
    expect(await seen(at, bearer(good('RS256', body)))).toBe('200 ann gold');
    state.names = ['EdDSA'];
    await at.run(6 * second);
    expect(await seen(at, bearer(good('EdDSA', body)))).toBe('200 ann gold');
    expect(await seen(at, bearer(good('RS256', body)))).toBe('401');
  });

  test('stay good while the issuer cannot be reached, but not for ever; without any it is 503', async () => {
    const { state, id } = issuer(['EdDSA']);
    const at = tokens({ keys: id, keysTtl: '5s', keysStale: '5s' });
    const body = { ...claims, exp: startS + 1_000 };
    state.isDown = true;
    expect(await seen(at, bearer(good('EdDSA', body)))).toBe('503');
    state.isDown = false;
    await at.run(2 * second);
    expect(await seen(at, bearer(good('EdDSA', body)))).toBe('200 ann gold');
    state.isDown = true;
    await at.run(6 * second);
    expect(await seen(at, bearer(good('EdDSA', body)))).toBe('200 ann gold');
    await at.run(6 * second);
    // Signed anew, so that nothing remembered speaks for it.
    expect(await seen(at, bearer(good('EdDSA', { ...body, n: 1 })))).toBe('503');
  });
});

test('limits hold for users where there are any, and for tiers', async () => {
  const { id } = issuer(['EdDSA']);
  const limits = {
    each: { algorithm: 'sliding-log', rate: '1/min', by: 'user', tier: 'free' },
  } as const;
  const at = tokens({ keys: id }, { limits });
  const free = (sub: string) => bearer(good('EdDSA', { ...claims, sub, tier: 'free' }));
  expect(await seen(at, free('ann'))).toBe('200 ann free');
  expect(await seen(at, free('bob'))).toBe('200 bob free');
  expect(await seen(at, free('ann'))).toBe('429');
  expect(await seen(at, bearer(good('EdDSA')))).toBe('200 ann gold');
  expect(await seen(at, bearer(good('EdDSA')))).toBe('200 ann gold');
});

describe('what is read of a token', () => {
  test('base64url is that of the platform, and strict', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(fromBase64Url(Buffer.from(bytes).toString('base64url'))).toEqual(bytes);
      }),
    );
    for (const odd of ['A', 'AB=', 'A+8', 'A/8', 'AB', 'A b', 'é']) {
      expect(fromBase64Url(odd), odd).toBeUndefined();
    }
  });

  test('whatever comes is a token or none: nothing throws', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 4 }), (parts) => {
        readToken(parts.join('.'));
        readToken(parts.map((part) => base64(Buffer.from(part))).join('.'));
      }),
    );
  });

  test('bytes are the same, or not', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (one, other) => {
        expect(isSame(one, one.slice())).toBe(true);
        expect(isSame(one, other)).toBe(Buffer.compare(one, other) === 0);
      }),
    );
  });
});

describe('authentication that cannot be', () => {
  const api = whoami;
  const wrong = (options: object) =>
    gateway('edge', { routes: { '/': api }, ...options } as GatewayOptions).problems.map(
      ({ at }) => at,
    );

  test('is told all at once', () => {
    expect(wrong({ auth: [] })).toEqual(['edge.auth']);
    expect(wrong({ auth: 'keys' })).toEqual(['edge.auth']);
    expect(
      wrong({
        auth: [
          apiKeys({
            header: 'X',
            users: { joe: { sha256: 'plain' }, 'a\nb': { sha256: '0'.repeat(64) } },
          }),
          jwt({}),
          jwt({ secret: 'short' }),
          jwt({ keys: api, algorithms: ['HS256'] }),
        ],
        identity: { userHeader: '' },
      }),
    ).toEqual([
      'edge.identity.userHeader',
      'edge.auth[0].header',
      'edge.auth[0].users.joe',
      'edge.auth[0].users.a\nb',
      'edge.auth[1]',
      'edge.auth[2].secret',
      'edge.auth[3].algorithms',
    ]);
    expect(wrong({ routes: [{ to: api, auth: 'required' }] })).toEqual(['edge.routes[0].auth']);
    expect(wrong({ routes: [{ to: api, tiers: ['a'] }] })).toEqual(['edge.routes[0].tiers']);
    expect(wrong({ usage: {}, quotas: { a: { calls: 0 } } })).toEqual([
      'edge.quotas.a.calls',
      'edge',
    ]);
  });
});
