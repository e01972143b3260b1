/**
 * The same responses and requests put to npm's http-cache-semantics. Where the two differ on purpose:
 *
 * | what | here | there |
 * | --- | --- | --- |
 * | `must-revalidate`, `proxy-revalidate` | fresh until the lifetime ends, never stale | never without asking |
 * | `max-stale` against `s-maxage` | refused (RFC 9111, 4.2.4) | allowed |
 * | `no-cache` with `stale-while-revalidate` | never stale (RFC 9111, 5.2.2.4) | stale |
 * | `min-fresh` with `stale-while-revalidate` | the origin is asked | stale |
 * | a 4xx or 5xx that says it may be kept | kept | not understood |
 * | a cookie with `public` | not kept | kept |
 * | `immutable` | for browsers: says nothing here | a day at least |
 * | `Date` | counts into the age (4.2.3) | does not |
 *
 * These are not drawn, or left out below; all else must be equal.
 */
import Oracle from 'http-cache-semantics';
import { expect, test } from 'vitest';
import { type Random, seeded } from '../../kit/random.ts';
import { httpCacheConfig } from './config.ts';
import { judge, usable, wantsOf } from './freshness.ts';

const second = 1_000_000;
const epoch = 1_700_000_000 * second;
const date = (atS: number): string => new Date((epoch / second + atS) * 1_000).toUTCString();

class Clocked extends Oracle {
  static atUs = 0;
  now(): number {
    return Clocked.atUs / 1_000;
  }
}

function some(random: Random, chances: Readonly<Record<string, number>>): string | undefined {
  const taken = Object.entries(chances).filter(([, chance]) => random.chance(chance));
  return taken.length === 0 ? undefined : taken.map(([name]) => name).join(', ');
}

const flat = (fields: Readonly<Record<string, string>>): string[] => Object.entries(fields).flat();

test('agrees with http-cache-semantics on what is kept, and what is fresh for whom', () => {
  const seen = { kept: 0, not: 0, fresh: 0, stale: 0, ask: 0 };
  for (let seed = 1; seed <= 6_000; seed++) {
    const random = seeded(seed);
    const headers: Record<string, string> = {};
    const control = some(random, {
      'max-age=10': 0.5,
      's-maxage=20': 0.15,
      public: 0.2,
      private: 0.1,
      'no-store': 0.05,
      'no-cache': 0.1,
      'stale-while-revalidate=7': 0.3,
      'no-transform': 0.1,
    });
    if (control !== undefined) headers['cache-control'] = control;
    if (random.chance(0.3)) headers.expires = random.pick([date(15), date(-1), '0', 'soon']);
    if (random.chance(0.3)) headers['last-modified'] = date(-random.between(10, 1_000));
    if (random.chance(0.2)) headers.age = String(random.below(12));
    if (random.chance(0.3)) headers.etag = '"x"';
    if (random.chance(0.1)) headers.vary = '*';
    const asked: Record<string, string> = { host: 'a' };
    if (random.chance(0.15)) asked.authorization = 'somebody';
    const status = random.pick([200, 200, 200, 203, 301, 302, 307, 404, 410, 500, 599]);
    const shared = random.chance(0.7);

    Clocked.atUs = epoch;
    const theirs = new Clocked(
      { method: 'GET', url: '/', headers: asked },
      { status, headers: { ...headers } },
      { shared },
    );
    const request = { method: 'GET', url: 'http://a/', headers: flat(asked) };
    const config = httpCacheConfig({ heuristicMax: '24h' });
    const reply = { status, headers: flat(headers), body: null };
    const judged = judge(request, reply, { delayUs: 0, wall: epoch }, { shared, ...config });
    const what = JSON.stringify({ seed, status, headers, asked, shared });

    // What is useless, and what varies with everything, is not kept here, and kept for nothing there.
    const isUseless = !judged.keep && /stale at once|varies/.test(judged.why);
    if (!isUseless && status !== 500) expect(judged.keep, what).toBe(theirs.storable());
    seen[judged.keep ? 'kept' : 'not']++;

    const ageS = random.below(30);
    const wish = some(random, { 'max-age=5': 0.1, 'min-fresh=3': 0.1, 'no-cache': 0.05 });
    const later = wish === undefined ? asked : { ...asked, 'cache-control': wish };
    // Half a second more, so that nothing lies on an edge where the two round differently.
    const resident = ageS * second + second / 2;
    Clocked.atUs = epoch + resident;
    const { response, revalidation } = theirs.evaluateRequest({
      method: 'GET',
      url: '/',
      headers: later,
    });
    const expected =
      response === undefined ? 'ask' : revalidation === undefined ? 'fresh' : 'stale';
    if (!judged.keep) {
      if (isUseless) expect(expected, what).toBe('ask');
      continue;
    }
    const { freshness } = judged;
    const ours = usable(freshness, freshness.initialAgeUs + resident, wantsOf(flat(later)));
    const isStricter = wish?.includes('min-fresh') || control?.includes('no-cache');
    if (status !== 500 && !(ours === 'ask' && expected === 'stale' && isStricter)) {
      expect(ours, `${what} ${wish} after ${ageS} s`).toBe(expected);
    }
    seen[ours]++;
  }
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(100);
});
