/** What a gateway answers by itself, and never to whom it is not for. The rules have tests of their own in `parts/`. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { type Said, visit } from '../../../../test/visitor.ts';
import { service } from '../../compute/service/index.ts';
import { purges } from '../cdn/index.ts';
import { apiKeys, type GatewayOptions, gateway } from './index.ts';

/** Says how often it was asked, and lets it be kept for 10 s. */
function counting() {
  let count = 0;
  return service('api', {
    instances: 1,
    cost: { wait: '10ms' },
    fetch: ({ headers }) => {
      count++;
      const text = `${count} ${headers.get('x-user') ?? '-'}`;
      return new Response(text, { headers: { 'cache-control': 'max-age=10' } });
    },
  });
}

function door(options: Partial<GatewayOptions> = {}) {
  const routes = [{ path: '/', to: counting() }];
  const at = visit(gateway('edge', { routes, cache: {}, ...options }));
  const ask = async (said: Said = {}) => {
    const id = at.send(said);
    await at.run(50_000);
    return at.text(id);
  };
  return { at, ask };
}

test('what is fresh is answered without the service, and who misses at once waits for one', async () => {
  const { at, ask } = door();
  const ids = [at.send(), at.send(), at.send()];
  await at.run(50_000);
  expect(await Promise.all(ids.map((id) => at.text(id)))).toEqual(['1 -', '1 -', '1 -']);
  expect(await ask()).toBe('1 -');
  expect(at.counted('api', 'requests')).toBe(1);
  expect(at.counted('edge', 'cache hits')).toBe(3);
  await at.run(11_000_000);
  expect(await ask()).toBe('2 -');
});

test('a route may go without, and nothing is kept where there is no cache', async () => {
  for (const options of [
    { routes: [{ path: '/', cache: false, to: counting() }] },
    { cache: undefined },
  ]) {
    const { ask } = door(options as Partial<GatewayOptions>);
    expect([await ask(), await ask()]).toEqual(['1 -', '2 -']);
  }
});

test('one user never gets what another was told, though the service forgets to say so', async () => {
  const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');
  const auth = apiKeys({ users: { ann: { sha256: sha256('a') }, bob: { sha256: sha256('b') } } });
  const { ask } = door({ auth });
  const by = (key: string) => ({ headers: ['x-api-key', key] });
  expect(await ask(by('a'))).toBe('1 ann');
  expect(await ask(by('b'))).toBe('2 bob');
  expect(await ask(by('a'))).toBe('1 ann');
});

test('what stands in for a failing service is for the same user, and kept by no cache', async () => {
  const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');
  const auth = apiKeys({ users: { ann: { sha256: sha256('a') }, bob: { sha256: sha256('b') } } });
  let isWell = true;
  let count = 0;
  const api = service('api', {
    instances: 1,
    fetch: ({ headers }) =>
      isWell
        ? new Response(`${++count} ${headers.get('x-user')}`, {
            headers: { 'cache-control': 'max-age=1' },
          })
        : new Response('no', { status: 500 }),
  });
  const at = visit(
    gateway('edge', {
      routes: [{ path: '/', to: api }],
      auth,
      cache: {},
      policy: { fallback: {} },
    }),
  );
  const ask = async (key: string) => {
    const id = at.send({ headers: ['x-api-key', key] });
    await at.run(50_000);
    return [at.status(id), await at.text(id)];
  };
  expect(await ask('a')).toEqual([200, '1 ann']);
  await at.run(2_000_000);
  isWell = false;
  expect(await ask('b')).toEqual([500, 'no']);
  expect(await ask('a')).toEqual([200, '1 ann']);
  isWell = true;
  // What stood in is not taken for news.
  expect(await ask('a')).toEqual([200, '2 ann']);
});

test('the answer of a backup is for now, and not kept as if it were that of the service', async () => {
  let isWell = false;
  const headers = { 'cache-control': 'max-age=60' };
  const backup = service('backup', { fetch: () => new Response('of old', { headers }) });
  const api = service('api', {
    instances: 1,
    fetch: () => (isWell ? new Response('news', { headers }) : new Response('', { status: 500 })),
  });
  const policy = { fallback: { service: backup } };
  const at = visit(gateway('edge', { routes: [{ path: '/', to: api }], cache: {}, policy }));
  const ids = [at.send(), at.send()];
  await at.run(50_000);
  // Both have it, and the service was asked once.
  expect(await Promise.all(ids.map((id) => at.text(id)))).toEqual(['of old', 'of old']);
  expect(at.counted('api', 'requests')).toBe(1);
  isWell = true;
  const id = at.send();
  await at.run(50_000);
  expect(await at.text(id)).toBe('news');
});

test('who waits with one that goes early does not go with it', async () => {
  const api = service('api', {
    instances: 1,
    cost: { wait: '300ms' },
    fetch: () => new Response('done', { headers: { 'cache-control': 'max-age=60' } }),
  });
  const at = visit(gateway('edge', { routes: [{ path: '/', to: api }], cache: {} }));
  const hasty = at.send({ timeoutUs: 100_000 });
  await at.run(50_000);
  const patient = at.send();
  await at.run(100_000);
  expect([at.status(hasty), at.status(patient)]).toEqual([504, undefined]);
  await at.run(400_000);
  expect(at.status(patient)).toBe(200);
  expect(at.counted('api', 'requests')).toBe(1);
});

test('what a service purges goes from every gateway, by address, prefix and tag', async () => {
  const pages = purges('pages', { lease: '1s' });
  let version = 0;
  const api = service('api', {
    env: { pages },
    instances: 1,
    async fetch({ method, url }, { pages }) {
      if (method === 'POST') {
        version++;
        const [, how] = new URL(url).pathname.split('/');
        if (how === 'tag') await pages.purge({ tag: 'all' });
        else if (how === 'prefix') await pages.purge({ prefix: 'http://edge/pref' });
        else await pages.purge({ url });
        return new Response('purged');
      }
      const headers = { 'cache-control': 'max-age=600', 'surrogate-key': 'all' };
      return new Response(`${version}`, { headers });
    },
  });
  const routes = [{ path: '/', to: api }];
  const at = visit(gateway('edge', { routes, nodes: 2, cache: {}, purges: pages }));
  await at.run(100_000);
  const get = async (path: string) => {
    const ids = [0, 1].map((node) => at.send({ url: `http://edge${path}` }, `edge/${node}`));
    await at.run(50_000);
    return Promise.all(ids.map((id) => at.text(id)));
  };
  const post = async (path: string) => {
    const id = at.send({ method: 'POST', url: `http://edge${path}` });
    await at.run(200_000);
    expect(await at.text(id)).toBe('purged');
  };
  for (const path of ['/url', '/prefix', '/tag']) {
    const old = await get(path);
    expect(await get(path)).toEqual(old);
    await post(path);
    expect(await get(path)).toEqual([`${version}`, `${version}`]);
  }
  expect(await get('/url')).not.toEqual(['0', '0']);
  // The log is gone: after a lease nothing stored is served, since a purge may have been missed.
  const hits = at.counted('edge', 'cache hits');
  at.world.stopNode('pages/0', 'kill');
  await at.run(1_500_000);
  version++;
  expect(await get('/url')).toEqual([`${version}`, `${version}`]);
  expect(at.counted('edge', 'cache hits')).toBe(hits);
});

test('purges without a cache, and what is no purges, are refused', () => {
  const routes = [{ path: '/', to: counting() }];
  const of = (options: object) =>
    gateway('edge', { routes, ...options }).problems.map(({ at }) => at);
  expect(of({ purges: purges('pages') })).toEqual(['edge.purges']);
  expect(of({ cache: {}, purges: counting() })).toEqual(['edge.purges']);
});

test('two services behind one address are kept apart', async () => {
  const other = service('other', {
    instances: 1,
    fetch: () => new Response('other', { headers: { 'cache-control': 'max-age=10' } }),
  });
  const routes = [
    { path: '/', to: counting() },
    { path: '/', headers: { 'x-client': 'mobile' }, to: other },
  ];
  const { ask } = door({ routes });
  expect(await ask()).toBe('1 -');
  expect(await ask({ headers: ['x-client', 'mobile'] })).toBe('other');
});

test('who goes away does not take the answer from the others', async () => {
  const { at } = door();
  const ids = [at.send(), at.send()];
  await at.run(5_000);
  at.cancel(ids[0]!);
  await at.run(50_000);
  expect(at.status(ids[0]!)).toBeUndefined();
  expect(await at.text(ids[1]!)).toBe('1 -');
});
