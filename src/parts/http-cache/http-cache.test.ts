/** What an HTTP cache must never do, over random traffic; and what RFC 9111 says, line by line. */
import { describe, expect, test } from 'vitest';
import { type Random, seeded } from '../../kit/random.ts';
import { CachedFetch, type Sent } from './cached-fetch.ts';
import { type HttpCacheOptions, httpCacheConfig } from './config.ts';
import { field } from './fields.ts';
import type { CacheReply, CacheRequest } from './freshness.ts';
import { deviceOf, resourceOf } from './key.ts';
import type { Purge } from './shelf.ts';

const second = 1_000_000;
/** Where tests begin: dates of HTTP are whole seconds. */
const epoch = 1_700_000_000 * second;

function date(atUs: number): string {
  return new Date(atUs / 1_000).toUTCString();
}

interface Pending {
  readonly request: CacheRequest;
  readonly asker: CacheRequest;
  land(sent: Sent<string>): void;
  isGivenUp: boolean;
}

/** A cache whose clock and origin the test turns. */
function made(options: HttpCacheOptions = {}, shared = true) {
  let now = 0;
  const pending: Pending[] = [];
  const cached = new CachedFetch<CacheRequest, string>(
    httpCacheConfig(options),
    {
      now: () => now,
      wall: () => epoch + now,
      send(request, asker, done) {
        const one: Pending = { request, asker, land: done, isGivenUp: false };
        pending.push(one);
        return () => {
          one.isGivenUp = true;
        };
      },
    },
    { name: 'edge', shared },
  );
  const ask = (url: string, headers: readonly string[] = [], method = 'GET') => {
    const got: { reply?: CacheReply; how?: string; failure?: string; times: number } = { times: 0 };
    const giveUp = cached.serve({ method, url, headers }, {}, (served) => {
      got.times++;
      Object.assign(got, served);
    });
    return Object.assign(got, { giveUp });
  };
  const land = (headers: readonly string[] = [], status = 200, body: string | null = 'body') => {
    const one = pending.shift();
    if (!one) throw new Error('nothing is under way');
    one.land({ ok: true, reply: { status, headers, body } });
    return one.request;
  };
  return {
    cached,
    pending,
    ask,
    land,
    fail: (why: string) => pending.shift()!.land({ ok: false, failure: why }),
    pass: (us: number) => {
      now += us;
    },
    at: () => now,
    wall: () => epoch + now,
  };
}

const page = 'http://a/page';

describe('over random traffic', () => {
  const kinds = ['plain', 'swr', 'private', 'no-store', 'varies', 'authorized'] as const;
  type Kind = (typeof kinds)[number];
  const lifetime = 10;
  const grace = 5;

  interface Content {
    readonly kind: Kind;
    readonly for: string;
    readonly accept: string;
    readonly step: number;
    readonly at: number;
    readonly version: number;
  }

  function reply(content: Content): CacheReply {
    const control: Readonly<Record<Kind, string>> = {
      plain: `max-age=${lifetime}`,
      swr: `max-age=${lifetime}, stale-while-revalidate=${grace}, stale-if-error=${grace}`,
      private: 'private, max-age=100',
      'no-store': 'no-store',
      varies: `max-age=${lifetime}`,
      authorized: `max-age=${lifetime}`,
    };
    const headers = ['cache-control', control[content.kind], 'surrogate-key', `k ${content.kind}`];
    // Stands in headers, since a 304 says when it was so, and its body came long before.
    headers.push('etag', `"${content.version} ${content.for}"`, 'x-at', JSON.stringify(content));
    if (content.kind === 'varies') headers.push('vary', 'accept');
    return { status: 200, headers, body: '' };
  }

  function play(seed: number, steps: number) {
    const random: Random = seeded(seed);
    const world = made({ capacity: '10kB', passFor: '2s' });
    const wrong: string[] = [];
    const purges: { readonly step: number; readonly purge: Purge }[] = [];
    const contents = new Map<Pending, Content>();
    const asks: { readonly got: { times: number }; readonly isGone: boolean }[] = [];
    const urls = kinds.flatMap((kind) =>
      [0, 1].map((n) => ({ kind, url: `http://a/${kind}/${n}` })),
    );
    let validated = 0;
    let version = 0;

    const isFor = (purge: Purge, kind: Kind, url: string): boolean => {
      if (purge.by === 'url') return purge.url === url;
      if (purge.by === 'prefix') return url.startsWith(purge.prefix);
      return (
        purge.by === 'all' || (purge.by === 'tag' && (purge.tag === 'k' || purge.tag === kind))
      );
    };
    const sample = (step: number): void => {
      // The origin decides at once what it answers: the oldest that it may be.
      for (const one of world.pending) {
        if (contents.has(one)) continue;
        const kind = urls.find(({ url }) => url === one.request.url)!.kind;
        const { headers } = one.request;
        contents.set(one, {
          kind,
          for: field(one.asker.headers, 'x-user') ?? '',
          accept: field(headers, 'accept') ?? '',
          step,
          at: world.at(),
          version,
        });
      }
    };
    const ask = (step: number): void => {
      const { kind, url } = random.pick(urls);
      const user = `u${random.below(4)}`;
      const accept = random.pick(['html', 'json']);
      const headers = ['x-user', user, 'accept', accept];
      if (kind === 'authorized') headers.push('authorization', user);
      const isGone = random.chance(0.1);
      let times = 0;
      const got = {
        get times() {
          return times;
        },
        set times(_) {},
      };
      const giveUp = world.cached.serve({ method: 'GET', url, headers }, {}, (answer) => {
        times++;
        if (!answer.ok || answer.reply.status !== 200) return;
        const content = JSON.parse(field(answer.reply.headers, 'x-at')!) as Content;
        const say = (what: string) =>
          wrong.push(`seed ${seed}, step ${step}: ${answer.how} of ${url} to ${user} ${what}`);
        const isShared = kind === 'plain' || kind === 'swr' || kind === 'varies';
        if (!isShared && content.for !== user) say(`is ${content.for}’s`);
        if (kind === 'varies' && content.accept !== accept) say(`is ${content.accept}`);
        const most = lifetime + (kind === 'swr' ? grace : 0);
        if (answer.how === 'hit' || answer.how === 'stale') {
          if (world.at() - content.at > most * second) say('is too old');
        }
        const purged = purges.findLast(
          ({ purge, step: at }) => at < step && isFor(purge, kind, url),
        );
        if (purged && content.step < purged.step) say(`was purged at ${purged.step}`);
      });
      asks.push({ got, isGone });
      if (isGone) giveUp();
    };
    const purge = (step: number): void => {
      const { kind, url } = random.pick(urls);
      const one: Purge = random.pick<Purge>([
        { by: 'url', url },
        { by: 'tag', tag: kind },
        { by: 'prefix', prefix: `http://a/${kind}/` },
        { by: 'all' },
      ]);
      world.cached.purge(one);
      purges.push({ step, purge: one });
    };
    const land = (): void => {
      const [one] = world.pending.splice(random.below(world.pending.length), 1);
      if (one!.isGivenUp) return;
      const whole = reply(contents.get(one!)!);
      const has = field(one!.request.headers, 'if-none-match');
      const luck = random.next();
      if (luck < 0.1) one!.land({ ok: false, failure: 'broken' });
      else if (luck < 0.2) one!.land({ ok: true, reply: { ...whole, status: 503 } });
      else if (has !== undefined && has === field(whole.headers, 'etag')) {
        validated++;
        one!.land({ ok: true, reply: { ...whole, status: 304, body: null } });
      } else one!.land({ ok: true, reply: whole });
    };

    for (let step = 0; step < steps; step++) {
      const draw = random.next();
      if (draw < 0.5) ask(step);
      else if (draw < 0.8 && world.pending.length > 0) land();
      else if (draw < 0.85) purge(step);
      else if (draw < 0.87) version++;
      else world.pass(random.below(3 * second));
      sample(step);
      const open = new Map<string, number>();
      for (const one of world.pending) {
        const { kind, step: since } = contents.get(one)!;
        const { url } = one.request;
        if (kind !== 'plain') continue;
        if (purges.some(({ purge: it, step: at }) => at >= since && isFor(it, kind, url))) continue;
        open.set(url, (open.get(url) ?? 0) + 1);
      }
      for (const [url, count] of open) {
        if (count > 1) wrong.push(`seed ${seed}, step ${step}: ${count} requests for ${url}`);
      }
    }
    while (world.pending.length > 0) {
      sample(steps);
      land();
    }
    for (const { got, isGone } of asks) {
      if (got.times > 1 || (got.times === 0 && !isGone)) wrong.push(`ended ${got.times} times`);
    }
    if (world.cached.cache.bytes > 10_000) wrong.push('it holds more than its budget');
    return { wrong, validated, counts: world.cached.counts };
  }

  test('nobody gets what is another’s, too old, or purged; and one asks for all', () => {
    const sums = { hit: 0, stale: 0, collapsed: 0, validated: 0 };
    for (let seed = 1; seed <= 40; seed++) {
      const { wrong, counts, validated } = play(seed, 250);
      expect(wrong).toEqual([]);
      sums.validated += validated;
      for (const how of ['hit', 'stale', 'collapsed'] as const) sums[how] += counts[how];
    }
    expect(Math.min(...Object.values(sums))).toBeGreaterThan(5);
  });
});

describe('what is kept', () => {
  type Case = readonly [
    title: string,
    headers: readonly string[],
    status: number,
    isKept: boolean,
    asked?: readonly string[],
  ];
  const cases: readonly Case[] = [
    ['with a lifetime', ['cache-control', 'max-age=60'], 200, true],
    ['for shared caches', ['cache-control', 'max-age=0, s-maxage=60'], 200, true],
    ['until a date', ['expires', date(epoch + 60 * second)], 200, true],
    ['not past a date', ['expires', date(epoch - second)], 200, false],
    ['not with a date that is none', ['expires', '0'], 200, false],
    ['not when private', ['cache-control', 'private, max-age=60'], 200, false],
    ['not when no-store', ['cache-control', 'no-store, max-age=60'], 200, false],
    ['not with a cookie for one', ['cache-control', 'max-age=60', 'set-cookie', 'a=b'], 200, false],
    ['not when it varies with everything', ['cache-control', 'max-age=9', 'vary', '*'], 200, false],
    ['a redirect that says so', ['cache-control', 'max-age=60'], 302, true],
    ['not what is not understood', ['cache-control', 'max-age=60'], 299, false],
    ['not with nothing said', [], 200, false],
    ['not a failure', [], 500, false],
    ['for CDNs only', ['cache-control', 'no-store', 'cdn-cache-control', 'max-age=60'], 200, true],
    ['not for CDNs', ['cache-control', 'max-age=60', 'cdn-cache-control', 'no-store'], 200, false],
    ['not of the authorized', ['cache-control', 'max-age=60'], 200, false, ['authorization', 'x']],
    [
      'of the authorized',
      ['cache-control', 'max-age=9, public'],
      200,
      true,
      ['authorization', 'x'],
    ],
    [
      'not when asked not to',
      ['cache-control', 'max-age=60'],
      200,
      false,
      ['cache-control', 'no-store'],
    ],
    ['old, with a quarter left', ['cache-control', 'max-age=60', 'age', '45'], 200, true],
    ['not when it comes too old', ['cache-control', 'max-age=60', 'age', '60'], 200, false],
    ['what changed long ago', ['last-modified', date(epoch - 600 * second)], 200, true],
  ];

  test.each(cases.map((one) => ({ title: one[0], one })))('$title', ({ one }) => {
    const [, headers, status, isKept, asked = []] = one;
    const { ask, land, pending } = made();
    ask(page, asked);
    land(headers, status);
    ask(page, asked[0] === 'cache-control' ? [] : asked);
    expect(pending.length).toBe(isKept ? 0 : 1);
  });

  test('a browser keeps what is private, and cookies with it', () => {
    const { ask, land, pending } = made({}, false);
    ask(page, ['authorization', 'x']);
    land(['cache-control', 'private, max-age=60', 'set-cookie', 'a=b']);
    expect(ask(page, ['authorization', 'x']).how).toBe('hit');
    expect(pending).toEqual([]);
  });

  test('the tenth of an age is guessed, and no more than the bound', () => {
    const { ask, land, pass, pending } = made({ heuristicMax: '50s' });
    ask(page);
    land(['last-modified', date(epoch - 1_000_000 * second)]);
    pass(49 * second);
    expect(ask(page).how).toBe('hit');
    pass(2 * second);
    ask(page);
    expect(pending.length).toBe(1);
  });

  test('nothing beyond the budget: what was used longest ago goes', () => {
    const { ask, land, cached } = made({ capacity: '10kB' });
    for (let i = 0; i < 40; i++) {
      ask(`${page}/${i}`);
      land(['cache-control', 'max-age=60'], 200, 'x'.repeat(500));
      ask(`${page}/0`);
    }
    expect(cached.cache.bytes).toBeLessThanOrEqual(10_000);
    expect(cached.cache.evictedCount).toBeGreaterThan(20);
    expect(ask(`${page}/0`).how).toBe('hit');
  });
});

test('HEAD is answered from what is kept, with the length of the body that it spares', () => {
  const { ask, land } = made();
  ask(page);
  land(['cache-control', 'max-age=60', 'content-length', '9'], 200, 'page ä');
  const { reply, how } = ask(page, [], 'HEAD');
  expect([how, reply!.body, field(reply!.headers, 'content-length')]).toEqual(['hit', null, '7']);
  ask(`${page}/none`);
  land(['cache-control', 'max-age=60'], 204, null);
  expect(field(ask(`${page}/none`, [], 'HEAD').reply!.headers, 'content-length')).toBeUndefined();
});

describe('validation', () => {
  test('by etag: 304 renews what is kept, its headers too', () => {
    const { ask, land, pass } = made();
    ask(page);
    land(['cache-control', 'max-age=10', 'etag', '"1"', 'x-a', 'old'], 200, 'first');
    pass(11 * second);
    const second_ = ask(page);
    const sent = land(
      ['cache-control', 'max-age=20', 'x-a', 'new', 'content-length', '0'],
      304,
      null,
    );
    expect(field(sent.headers, 'if-none-match')).toBe('"1"');
    expect([second_.how, second_.reply?.status, second_.reply?.body]).toEqual([
      'validated',
      200,
      'first',
    ]);
    pass(15 * second);
    const third = ask(page);
    expect([third.how, field(third.reply!.headers, 'x-a')]).toEqual(['hit', 'new']);
    expect(field(third.reply!.headers, 'age')).toBe('15');
  });

  test('by a weak etag: what is kept does not become other bytes by a 304 with a strong one', () => {
    const { ask, land, pass } = made();
    ask(page);
    land(['cache-control', 'max-age=1', 'etag', 'W/"1"', 'content-encoding', 'gzip']);
    pass(2 * second);
    const again = ask(page);
    land(['cache-control', 'max-age=1', 'etag', '"1"'], 304, null);
    expect(field(again.reply!.headers, 'etag')).toBe('W/"1"');
    expect(field(ask(page).reply!.headers, 'etag')).toBe('W/"1"');
  });

  test('a client that has it gets 304 from the cache, and its condition does not reach the origin', () => {
    const { ask, land } = made();
    const first = ask(page, ['if-none-match', '"1"']);
    const sent = land(['cache-control', 'max-age=10', 'etag', '"1"']);
    expect(field(sent.headers, 'if-none-match')).toBeUndefined();
    expect(first.reply?.status).toBe(304);
    expect(ask(page, ['if-none-match', 'W/"1"']).reply?.status).toBe(304);
    expect(ask(page, ['if-none-match', '"2"']).reply?.status).toBe(200);
  });

  test('no-cache is validated each time, side by side', () => {
    const { ask, land, pending } = made();
    ask(page);
    land(['cache-control', 'no-cache', 'etag', '"1"']);
    const both = [ask(page), ask(page)];
    expect(pending.length).toBe(2);
    land([], 304, null);
    land([], 304, null);
    expect(both.map(({ reply }) => reply?.body)).toEqual(['body', 'body']);
  });

  test('a full reply in place of a 304 replaces, and one that may not be kept removes', () => {
    const { ask, land, pass } = made();
    ask(page);
    land(['cache-control', 'max-age=10', 'etag', '"1"'], 200, 'first');
    pass(11 * second);
    ask(page);
    land(['cache-control', 'max-age=10', 'etag', '"2"'], 200, 'next');
    expect(ask(page).reply?.body).toBe('next');
    pass(11 * second);
    ask(page);
    land(['cache-control', 'no-store'], 200, 'last');
    expect(ask(page).times).toBe(0);
  });
});

describe('stale', () => {
  const swr = 'max-age=10, stale-while-revalidate=5';

  test('is served while one asks in the background', () => {
    const { ask, land, pass, pending } = made();
    ask(page);
    land(['cache-control', swr], 200, 'old');
    pass(12 * second);
    const got = [ask(page), ask(page)];
    expect(got.map(({ how, reply }) => [how, reply?.body])).toEqual([
      ['stale', 'old'],
      ['stale', 'old'],
    ]);
    expect(pending.length).toBe(1);
    expect(field(got[0]!.reply!.headers, 'cache-status')).toBe('edge; hit; ttl=-2');
    land(['cache-control', swr], 200, 'new');
    expect([ask(page).how, ask(page).reply?.body]).toEqual(['hit', 'new']);
    pass(16 * second);
    expect(ask(page).times).toBe(0);
  });

  test('stands in for an origin that fails, and for no longer than allowed', () => {
    const { ask, land, fail, pass } = made();
    ask(page);
    land(['cache-control', 'max-age=10, stale-if-error=20'], 200, 'old');
    pass(12 * second);
    const broken = ask(page);
    land([], 503);
    expect([broken.how, broken.reply?.body]).toEqual(['stale', 'old']);
    const lost = ask(page);
    fail('reset');
    expect(lost.reply?.body).toBe('old');
    pass(20 * second);
    const over = ask(page);
    fail('reset');
    expect(over.failure).toBe('reset');
  });

  test.each(['must-revalidate', 'proxy-revalidate', 'no-cache'])('never with %s', (directive) => {
    const { ask, land, fail, pass, pending } = made({
      staleIfError: '1h',
      staleWhileRevalidate: '1h',
    });
    ask(page);
    land(['cache-control', `${swr}, stale-if-error=9, ${directive}`, 'etag', '"1"']);
    pass(11 * second);
    const got = ask(page, ['cache-control', 'max-stale']);
    expect(pending.length).toBe(1);
    fail('reset');
    expect(got.failure).toBe('reset');
  });
});

describe('a client’s wishes', () => {
  const asked: readonly (readonly [string, number, boolean])[] = [
    ['no-cache', 0, false],
    ['max-age=5', 4, true],
    ['max-age=5', 6, false],
    ['min-fresh=5', 4, true],
    ['min-fresh=5', 6, false],
    ['max-stale=5', 14, true],
    ['max-stale=5', 16, false],
    ['max-stale', 1_000, true],
  ];

  test.each(asked)('%s of what is %i s old: from the cache: %s', (control, age, isHit) => {
    for (const isObeyed of [true, false]) {
      const { ask, land, pass, pending } = made({ obeyRequests: isObeyed });
      ask(page);
      land(['cache-control', 'max-age=10']);
      pass(age * second);
      ask(page, ['cache-control', control]);
      expect(pending.length === 0).toBe(isObeyed ? isHit : age < 10);
    }
  });

  test('only-if-cached is answered at once, with 504 if need be', () => {
    const { ask, pending } = made();
    expect(ask(page, ['cache-control', 'only-if-cached']).reply?.status).toBe(504);
    expect(pending).toEqual([]);
  });

  test('parts and conditions on what is to be changed go past it', () => {
    const { ask, land, pending } = made();
    ask(page);
    land(['cache-control', 'max-age=10']);
    ask(page, ['range', 'bytes=0-1']);
    ask(page, ['if-match', '"1"']);
    expect(pending.length).toBe(2);
    land(['cache-control', 'max-age=10', 'content-range', 'bytes 0-1/4'], 206, 'bo');
    expect(ask(page).reply?.body).toBe('body');
  });
});

describe('many at once', () => {
  test('one asks for all, and what cannot be shared is asked for side by side', () => {
    const { ask, land, pending } = made();
    const all = Array.from({ length: 5 }, () => ask(page));
    expect(pending.length).toBe(1);
    land(['cache-control', 'private']);
    expect(all.map(({ times }) => times)).toEqual([1, 0, 0, 0, 0]);
    expect(pending.length).toBe(4);
    ask(page);
    expect(pending.length).toBe(5);
  });

  test('each gets what varies for it, one request a variant', () => {
    const { ask, land, pending } = made();
    const all = ['de', 'en', 'de', 'en', 'en'].map((one) => ask(page, ['accept-language', one]));
    land(['cache-control', 'max-age=9', 'vary', 'accept-language'], 200, 'de');
    expect(pending.length).toBe(1);
    land(['cache-control', 'max-age=9', 'vary', 'accept-language'], 200, 'en');
    expect(all.map(({ reply }) => reply?.body)).toEqual(['de', 'en', 'de', 'en', 'en']);
  });

  test('an origin that fails is not asked again by everybody, and says nothing to the others', () => {
    const { ask, land, pending } = made();
    const all = [ask(page), ask(page)];
    land([], 500, 'secret of the first');
    expect(all.map(({ reply }) => reply?.status)).toEqual([500, 500]);
    expect(all[1]!.reply?.body).toBe('the origin failed');
    expect(pending).toEqual([]);
  });

  test('who asked first and left takes nothing private along to the next', () => {
    const { ask, land, pending } = made();
    const first = ask(page);
    const next = ask(page);
    first.giveUp();
    land(['cache-control', 'private'], 200, 'of the first');
    expect([first.times, next.times, pending.length]).toEqual([0, 0, 1]);
  });
});

describe('a purge', () => {
  test('reaches what is under way: it is not kept, and later askers do not get it', () => {
    const { ask, land, cached, pending } = made();
    const before = ask(page);
    cached.purge({ by: 'url', url: page });
    const after = ask(page);
    expect(pending.length).toBe(2);
    land(['cache-control', 'max-age=9'], 200, 'old');
    expect([before.reply?.body, after.times]).toEqual(['old', 0]);
    land(['cache-control', 'max-age=9'], 200, 'new');
    expect([after.reply?.body, ask(page).reply?.body]).toEqual(['new', 'new']);
  });

  test('by tag finds out when it comes', () => {
    const { ask, land, cached, pending } = made();
    const before = ask(page);
    cached.purge({ by: 'tag', tag: 'news' });
    const after = ask(page);
    land(['cache-control', 'max-age=9', 'cache-tag', 'x, news'], 200, 'old');
    expect([before.reply?.body, after.times, pending.length]).toEqual(['old', 0, 1]);
    land(['cache-control', 'max-age=9', 'cache-tag', 'x, news'], 200, 'new');
    expect(after.reply?.body).toBe('new');
  });

  test('removes by prefix, by age, and everything', () => {
    const { ask, land, cached, pass } = made();
    for (const path of ['a/1', 'a/2', 'b/1']) {
      ask(`http://x/${path}`);
      land(['cache-control', 'max-age=9']);
      pass(second);
    }
    expect(cached.purge({ by: 'prefix', prefix: 'http://x/a/' })).toBe(2);
    expect(cached.purge({ by: 'age', ageUs: 2 * second })).toBe(0);
    expect(cached.purge({ by: 'all' })).toBe(1);
  });

  test('comes with a change through the cache, of the same origin only', () => {
    const { ask, land, pending } = made();
    for (const url of [page, 'http://a/other', 'http://b/']) {
      ask(url);
      land(['cache-control', 'max-age=9']);
    }
    ask(page, [], 'POST');
    land(['location', '/other', 'content-location', 'http://b/'], 201);
    for (const url of [page, 'http://a/other', 'http://b/']) ask(url);
    expect(pending.map(({ request }) => request.url)).toEqual([page, 'http://a/other']);
  });

  test('does not come with a change that failed', () => {
    const { ask, land } = made();
    ask(page);
    land(['cache-control', 'max-age=9']);
    ask(page, [], 'DELETE');
    land([], 403);
    expect(ask(page).how).toBe('hit');
  });
});

describe('keys', () => {
  test('are one for addresses that are one', () => {
    expect(resourceOf('HTTP://A.com:80')).toBe('http://a.com/');
    expect(resourceOf('https://a:443/B?x#y')).toBe('https://a/B?x');
    expect(resourceOf('http://a/?b=1&a=2', { query: 'sorted' })).toBe('http://a/?a=2&b=1');
    expect(resourceOf('http://a/p?utm=1&id=2', { query: { except: ['utm'] } })).toBe(
      'http://a/p?id=2',
    );
    expect(resourceOf('http://a/p?utm=1&id=2', { query: { only: ['id'] } })).toBe(
      'http://a/p?id=2',
    );
    expect(resourceOf('http://a/p?utm=1', { query: 'none' })).toBe('http://a/p');
  });

  test('tell devices apart', () => {
    expect(deviceOf('Mozilla/5.0 (iPhone) Mobile/15E148')).toBe('phone');
    expect(deviceOf('Mozilla/5.0 (iPad; CPU OS 17)')).toBe('tablet');
    expect(deviceOf('Mozilla/5.0 (Linux; Android 14) Safari')).toBe('tablet');
    expect(deviceOf('Mozilla/5.0 (X11; Linux)')).toBe('other');
  });
});
