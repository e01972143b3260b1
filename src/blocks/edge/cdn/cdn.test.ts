/** What a CDN promises under faults, what its parts decide, and what is refused. */
import { describe, expect, test } from 'vitest';
import { visit } from '../../../../test/visitor.ts';
import { system } from '../../../design/system.ts';
import type { Declaration } from '../../../host/declaration.ts';
import type { Fault } from '../../../host/fault.ts';
import { seeded } from '../../../kit/random.ts';
import { field } from '../../../parts/http-cache/fields.ts';
import { simulateHere } from '../../../run/node/here.ts';
import { service } from '../../compute/service/index.ts';
import { users } from '../../workload/users/index.ts';
import { gateway } from '../gateway/index.ts';
import { type CdnOptions, cdn, type Purges, purges } from './index.ts';
import { PurgeLog } from './purge-log.ts';
import { Top } from './top.ts';

const second = 1_000_000;
const zones = ['asia', 'europe', 'america'].map((region) => ({ name: `${region}-1`, region }));
const everywhere = { asia: 1, europe: 1, america: 1 };

/** A site of pages that change; the change is purged, and nobody may see the old one after that. */
function newsSite(
  options: Partial<CdnOptions> = {},
  /** What edges ask in the origin's place. */
  before: (origin: Declaration, pages: Purges) => Declaration = (origin) => origin,
) {
  const versions = new Map<string, number>();
  /** Of each page, the version of which a purge was acknowledged. */
  const acknowledged = new Map<string, number>();
  const seen = {
    stale: [] as string[],
    reads: 0,
    purges: 0,
    unsure: 0,
    origin: 0,
    open: new Map(),
  };
  const pages = purges('pages', { lease: '1s', timeout: '4s' });
  const origin = service('origin', {
    env: { pages },
    cost: { wait: '20ms' },
    instances: 1,
    async fetch(request, { pages }) {
      const { pathname } = new URL(request.url);
      if (request.method === 'POST') {
        const version = (versions.get(pathname) ?? 0) + 1;
        versions.set(pathname, version);
        const how = version % 3;
        if (how === 0) await pages.purge({ url: request.url });
        else if (how === 1) await pages.purge({ tag: pathname.slice(1) });
        else await pages.purge({ prefix: request.url });
        acknowledged.set(pathname, Math.max(version, acknowledged.get(pathname) ?? 0));
        return new Response('purged');
      }
      seen.origin++;
      return new Response(String(versions.get(pathname) ?? 0), {
        headers: { 'cache-control': 'max-age=600', 'surrogate-key': pathname.slice(1) },
      });
    },
  });
  const site = cdn('site', {
    origin: before(origin, pages),
    purges: pages,
    per: 'region',
    shield: 'europe',
    ...options,
  });
  const design = system('news', {
    entry: site,
    zones,
    workload: users({
      rate: '60/s',
      from: everywhere,
      timeout: '6s',
      async act(user) {
        const path = `/${user.random.below(4)}`;
        if (user.random.chance(0.03)) {
          seen.purges++;
          const reply = await user.fetch(path, { method: 'POST' });
          if (reply.status !== 200) seen.unsure++;
          return;
        }
        const least = acknowledged.get(path) ?? 0;
        const reply = await user.fetch(path);
        if (reply.status !== 200) return;
        seen.reads++;
        const got = Number(await reply.text());
        if (got < least)
          seen.stale.push(`${path}: ${got} after ${least} ${reply.headers.get('cache-status')}`);
      },
    }),
  });
  return { design, seen };
}

async function run(
  site: ReturnType<typeof newsSite>,
  seed: number,
  faults: readonly Fault[],
  forUs = 12 * second,
) {
  const { report } = await simulateHere(() => ({ design: site.design, seed, forUs, faults }));
  return report;
}

/** What is drawn for a seed: edges, the shield and the log are hit in all the ways there are. */
function weather(seed: number): readonly Fault[] {
  const random = seeded(seed).fork('weather');
  const nodes = ['site/0', 'site/1', 'site/2', 'pages/0'];
  return Array.from({ length: 5 }, (): Fault => {
    const target = { node: random.pick(nodes) };
    const when = { atUs: random.below(9 * second), forUs: random.between(300_000, 4 * second) };
    switch (random.below(6)) {
      case 0:
        return { do: 'kill', target, ...when };
      case 1:
        return { do: 'pause', target, ...when };
      case 2:
        return { do: 'lose', from: target, to: { all: true }, ratio: 0.5, ...when };
      case 3:
        return { do: 'duplicate', from: target, to: { all: true }, ratio: 0.5, ...when };
      case 4:
        return {
          do: 'cut',
          from: { node: 'pages/0' },
          to: target,
          oneWay: random.chance(0.5),
          ...when,
        };
      default:
        return { do: 'delay', from: target, to: { all: true }, byUs: 400_000, ...when };
    }
  });
}

describe('a purge', () => {
  test('that is acknowledged holds at every edge, whatever fails', async () => {
    let reads = 0;
    let certain = 0;
    for (let seed = 1; seed <= 4; seed++) {
      const site = newsSite();
      await run(site, seed, weather(seed));
      expect(site.seen.stale, `seed ${seed}`).toEqual([]);
      reads += site.seen.reads;
      certain += site.seen.purges - site.seen.unsure;
    }
    expect(reads).toBeGreaterThan(1_500);
    expect(certain).toBeGreaterThan(30);
  });

  test('holds for what stands in for an origin that fails, and that is not taken for news', async () => {
    let isWell = true;
    let version = 0;
    const pages = purges('pages', { lease: '1s' });
    const origin = service('origin', {
      env: { pages },
      instances: 1,
      async fetch({ method, url }, { pages }) {
        if (method === 'POST') {
          version++;
          await pages.purge({ url });
          return new Response('purged');
        }
        const headers = { 'cache-control': 'max-age=2' };
        return isWell
          ? new Response(String(version), { headers })
          : new Response('no', { status: 503 });
      },
    });
    const options = { policy: { timeout: '500ms', fallback: {} } } as const;
    const at = visit(cdn('site', { origin, purges: pages, per: 'region', ...options }));
    await at.run(100_000);
    const ask = async (method = 'GET') => {
      const id = at.send({ method, url: 'http://site/p' });
      await at.run(1_500_000);
      return [at.status(id), await at.text(id)];
    };
    expect(await ask()).toEqual([200, '0']);
    await at.run(2_000_000);
    isWell = false;
    expect(await ask()).toEqual([200, '0']);
    isWell = true;
    version = 7;
    // The origin is asked again at once, though what stood in said it was good for two seconds.
    expect(await ask()).toEqual([200, '7']);
    expect(await ask('POST')).toEqual([200, 'purged']);
    isWell = false;
    expect(await ask()).toEqual([503, 'no']);
  });

  test('reaches a gateway behind the edges first: they fetch nothing old from its cache', async () => {
    const routes = (origin: Declaration) => ({ '/': origin });
    const door = (origin: Declaration, purges: Purges) =>
      gateway('door', { routes: routes(origin), nodes: 2, cache: {}, purges });
    let certain = 0;
    for (let seed = 1; seed <= 2; seed++) {
      const site = newsSite({}, door);
      await run(site, seed, weather(seed), 8 * second);
      expect(site.seen.stale, `seed ${seed}`).toEqual([]);
      certain += site.seen.purges - site.seen.unsure;
    }
    expect(certain).toBeGreaterThan(4);
  });

  test('finds stale pages where edges that are cut off go on serving', async () => {
    const site = newsSite({ whenOutOfTouch: 'serve' });
    await run(site, 1, [
      {
        do: 'cut',
        from: { node: 'pages/0' },
        to: { node: 'site/0' },
        oneWay: false,
        atUs: second,
        forUs: 9 * second,
      },
    ]);
    expect(site.seen.stale.length).toBeGreaterThan(10);
  });
});

describe('edges', () => {
  test('take the load off the origin, one request for all that miss', async () => {
    const site = newsSite();
    const report = await run(site, 3, []);
    expect(report.failed).toBe(0);
    // Four pages, each fetched once and after each purge; not once at each of three edges.
    expect(site.seen.origin).toBeLessThan(4 + site.seen.purges * 2);
    expect(site.seen.reads).toBeGreaterThan(10 * site.seen.origin);
  });

  test('stand in for one another, and for a shield that is gone', async () => {
    const site = newsSite();
    const report = await run(site, 4, [
      { do: 'kill', target: { node: 'site/0' }, atUs: 2 * second, forUs: 3 * second },
      { do: 'kill', target: { node: 'site/1' }, atUs: 6 * second, forUs: 3 * second },
    ]);
    // What was in the hands of the one that died, and what found out that it had.
    expect(report.failed).toBeLessThan(report.generated * 0.02);
    expect(report.completed).toBeGreaterThan(report.generated * 0.97);
  });

  test('go on without the log, from the origin', async () => {
    const site = newsSite();
    const report = await run(site, 5, [
      { do: 'kill', target: { node: 'pages/0' }, atUs: 2 * second, forUs: 8 * second },
    ]);
    expect(site.seen.stale).toEqual([]);
    const get = report.generated - site.seen.purges;
    expect(report.completed).toBeGreaterThan(get * 0.99);
  });
});

test('what a gateway compressed goes to nobody else, also after the origin said that it still holds', async () => {
  const headers = {
    etag: '"1"',
    vary: 'accept-language',
    'cache-control': 'max-age=1',
    'content-type': 'text/html',
  };
  const origin = service('origin', {
    instances: 1,
    fetch: (request) =>
      request.headers.has('if-none-match')
        ? new Response(null, { status: 304, headers })
        : new Response('la'.repeat(2_000), { headers }),
  });
  const door = gateway('door', { routes: { '/': origin }, compress: {} });
  const at = visit(cdn('site', { origin: door }));
  const ask = async (...headers: string[]) => {
    const id = at.send({ headers });
    await at.run(100_000);
    const reply = at.reply(id)!;
    const said = (name: string) => field(reply.headers, name);
    return { code: said('content-encoding'), etag: said('etag'), how: said('cache-status') };
  };
  const gzip = { code: 'gzip', etag: 'W/"1"' };
  expect(await ask('accept-encoding', 'gzip')).toMatchObject(gzip);
  await at.run(2 * second);
  const again = await ask('accept-encoding', 'gzip');
  expect(again).toMatchObject(gzip);
  expect(again.how).toContain('fwd-status=304; stored');
  for (const other of [[], ['accept-encoding', 'identity']]) {
    expect(await ask(...other)).toMatchObject({ code: undefined, etag: '"1"' });
  }
  expect(await ask('accept-encoding', 'br')).toMatchObject({ code: 'br' });
});

describe('the log of purges', () => {
  const lease = { leaseUs: 100, logMax: 4, formerUntil: 0 };
  const poll = (poll: number, version: number, step = 1) => ({ poll, version, step });

  test('tells shields first, and others only when those are done', () => {
    const log = new PurgeLog(lease);
    log.polled('s', poll(1, -1, 0), 0);
    log.polled('e', poll(1, -1), 0);
    log.add({ by: 'all' });
    const told = (now: number) => log.tell(now).map(({ node }) => node);
    expect(told(1)).toEqual(['s']);
    expect(told(1)).toEqual([]);
    log.polled('s', poll(2, 1, 0), 2);
    expect(told(2)).toEqual(['e']);
    expect(log.purgedVersion(2)).toBe(0);
    log.polled('e', poll(2, 1), 3);
    expect(log.purgedVersion(3)).toBe(1);
  });

  test('waits for who is silent until his lease is over, drift included', () => {
    const log = new PurgeLog(lease);
    log.polled('e', poll(1, -1), 0);
    log.add({ by: 'all' });
    expect([log.purgedVersion(104), log.nextEnd(50)]).toEqual([0, 105]);
    expect(log.purgedVersion(105)).toBe(1);
  });

  test('takes no question for a new one that comes twice', () => {
    const log = new PurgeLog(lease);
    log.polled('e', poll(1, -1), 0);
    log.add({ by: 'all' });
    expect(log.polled('e', poll(1, -1), 1)).toBeUndefined();
    expect(log.purgedVersion(2)).toBe(0);
  });

  test('lets who missed more than it remembers start empty', () => {
    const log = new PurgeLog(lease);
    log.polled('e', poll(1, -1), 0);
    for (let i = 0; i < 10; i++) log.add({ by: 'tag', tag: `${i}` });
    expect(log.polled('e', poll(2, 0), 1)).toMatchObject({ all: true, version: 10 });
    expect(log.polled('e', poll(3, 8), 1)).toMatchObject({ all: false, version: 10 });
  });

  test('acknowledges nothing after a restart before every former lease is over', () => {
    const log = new PurgeLog({ ...lease, formerUntil: 110 });
    log.add({ by: 'all' });
    expect([log.purgedVersion(109), log.purgedVersion(110)]).toEqual([0, 1]);
  });
});

test('a body that flows is kept like any other, if it says its length and comes soon', async () => {
  const size = 400_000;
  let asked = 0;
  const origin = service('origin', {
    instances: 1,
    fetch({ url }) {
      asked++;
      const isSlow = url.endsWith('slow');
      const stream = new ReadableStream<Uint8Array>({
        async start(controller) {
          for (let i = 0; i < 4; i++) {
            if (isSlow) await new Promise((resolve) => setTimeout(resolve, 500));
            controller.enqueue(new Uint8Array(size / 4).fill(65 + i));
          }
          controller.close();
        },
      });
      const headers = { 'cache-control': 'max-age=60', 'content-length': String(size) };
      return new Response(stream, { headers });
    },
  });
  const heard: string[] = [];
  const design = system('films', {
    entry: cdn('site', { origin, per: 'region', policy: { timeout: '5s' } }),
    workload: users({
      rate: '1/s',
      timeout: '9s',
      async act(user) {
        const path = user.id % 2 === 0 ? '/soon' : '/slow';
        const reply = await user.fetch(path);
        const how = reply.headers.get('cache-status')!.split(';')[1]!.trim().split('=')[0]!;
        const { byteLength } = await reply.arrayBuffer();
        heard.push(`${path} ${how} ${byteLength} ${reply.headers.get('cache-control')}`);
      },
    }),
  });
  await simulateHere(() => ({ design, seed: 1, forUs: 20 * second, faults: [] }));
  const soon = heard.filter((one) => one.startsWith('/soon'));
  expect(soon.length).toBeGreaterThan(4);
  expect(soon).toEqual([
    `/soon fwd ${size} max-age=60`,
    ...soon.slice(1).map(() => `/soon hit ${size} max-age=60`),
  ]);
  // That flows on to each who asks, and is kept for nobody.
  const slow = heard.filter((one) => one.startsWith('/slow'));
  expect(slow.length).toBeGreaterThan(4);
  expect(slow).toEqual(slow.map(() => `/slow fwd ${size} max-age=60`));
  expect(asked).toBe(1 + slow.length);
});

test('nobody outside passes for an edge, and what comes round is turned away', async () => {
  const origin = service('origin', { instances: 1, fetch: ({ url }) => new Response(url) });
  const limit = { rate: '1/s', burst: 2 } as const;
  const at = visit(cdn('site', { origin, limit, per: 'region' }));
  const ask = async (headers: readonly string[] = [], url = 'http://site/p') => {
    const id = at.send({ url, headers });
    await at.run(20_000);
    return at.status(id);
  };
  const [first, second, third] = [await ask(), await ask(), await ask()];
  expect([first, second, third]).toEqual([200, 200, 429]);
  for (const loop of ['site', 'other, site', 'site;a=1']) {
    expect(await ask(['cdn-loop', loop])).toBe(508);
  }
  expect(await ask(['cdn-loop', 'other'])).toBe(429);
  await at.run(3_000_000);
  // A page that is asked for with that text somewhere is no question about the edge.
  const id = at.send({ url: 'http://site/p?x=/.well-known/cdn-analytics' });
  await at.run(20_000);
  expect(await at.text(id)).toBe('http://site/p?x=/.well-known/cdn-analytics');
});

test('the addresses asked for most are named, near their true counts', () => {
  const top = new Top(40);
  const random = seeded(1);
  const counts = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const name = `/${Math.floor(200 * random.next() ** 3)}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    top.add(name);
  }
  const best = [...counts].sort((a, b) => b[1] - a[1]);
  const [first] = top.first(3);
  expect(first?.name).toBe(best[0]![0]);
  expect(first!.count).toBeGreaterThanOrEqual(best[0]![1]);
  expect(first!.count).toBeLessThan(best[0]![1] + 20_000 / 40);
});

test('a design that cannot be is refused, all at once', () => {
  const origin = service('origin', {});
  const wrong = cdn('site', {
    origin: undefined as never,
    edges: 0,
    rules: { img: { ttl: 'long' as '1s' } },
    cache: { capacity: '1kB' },
  });
  expect(wrong.problems.map(({ at }) => at)).toEqual([
    'site.edges',
    'site.cache.capacity',
    'site.origin',
    "site.rules['img']",
    "site.rules['img'].ttl",
  ]);
  expect(purges('pages', { lease: '9s', timeout: '9s' }).problems).toHaveLength(1);
  const lost = cdn('site', { origin, shield: 'mars' });
  expect(() => system('s', { entry: lost, faults: ['kill site at 1s'] })).toThrow('site.shield');
});
