/**
 * An HTTP cache as RFC 9111 has it: freshness, validation, `Vary`, what is private and what is not;
 * stale-while-revalidate and stale-if-error (RFC 5861), `CDN-Cache-Control` (RFC 9213), `Cache-Status`
 * (RFC 9211), purges by address, prefix, tag and age. Misses for one thing collapse into one request.
 *
 * `HttpCache` decides and sends nothing; `CachedFetch` is it with a sender, as gateways, CDNs and
 * proxies need it. Time comes in: `now` for ages, `wall` for dates.
 *
 * ```ts
 * import { CachedFetch, httpCacheConfig } from 'loadpath/parts/http-cache';
 *
 * let now = 0;
 * let sent = 0;
 * const reply = { status: 200, headers: ['cache-control', 'max-age=60'], body: 'a page' };
 * const cached = new CachedFetch(httpCacheConfig(), {
 *   now: () => now,
 *   wall: () => now,
 *   send: (_request, _asker, done) => {
 *     sent++;
 *     done({ ok: true, reply });
 *     return () => {};
 *   },
 * });
 * const look = () => cached.serve({ method: 'GET', url: 'http://a/', headers: [] }, {}, () => {});
 * look();
 * look();
 * sent; // → 1
 * now = 61_000_000;
 * look();
 * sent; // → 2
 * cached.purge({ by: 'prefix', prefix: 'http://a/' }); // → 1
 * ```
 *
 * In memory only. Bodies are whole: what streams is collected first. Parts (`Range`) and conditions on
 * writes go past it.
 */
export {
  type Decision,
  type Delivery,
  type Flight,
  type How,
  HttpCache,
  type HttpCacheRule,
} from './http-cache/cache.ts';
export {
  CachedFetch,
  type CachedFetchOptions,
  type Outside,
  type Sent,
  type Served,
  type ServedCounts,
} from './http-cache/cached-fetch.ts';
export {
  type HttpCacheConfig,
  type HttpCacheOptions,
  httpCacheConfig,
  httpCacheKnobs,
} from './http-cache/config.ts';
export {
  type CacheReply,
  type CacheRequest,
  type Freshness,
  type FreshnessOptions,
  isOriginFailure,
  judge,
  usable,
  wantsOf,
} from './http-cache/freshness.ts';
export { type Device, deviceOf, type KeyRule, resourceOf } from './http-cache/key.ts';
export type { Purge } from './http-cache/shelf.ts';
