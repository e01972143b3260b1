/** The knobs of an HTTP cache. */
import {
  bytes,
  type ConfigOf,
  configure,
  count,
  duration,
  flag,
  type OptionsOf,
  ratio,
} from '../../kit/config.ts';

export const httpCacheKnobs = {
  capacity: bytes('64MB', {
    min: '10kB',
    doc: 'What stored responses may take, in memory. Beyond it the one used longest ago goes.',
  }),
  objectMax: bytes('8MB', {
    min: '1kB',
    doc: 'The largest body that is kept. A few huge ones would push out everything else.',
  }),
  variantsMax: count(32, {
    min: 1,
    doc: 'Responses kept of one address, where they vary with request headers. Beyond it the oldest goes: an origin that varies with user-agent must not fill the cache with one page.',
  }),
  heuristicRatio: ratio(0.1, {
    max: 1,
    doc: 'A response without a lifetime is fresh for this share of the time that it had been unchanged. The tenth that RFC 9111 names.',
  }),
  heuristicMax: duration('1h', {
    min: '0ms',
    doc: 'The most that such a guess may be. Short, because nobody promised anything.',
  }),
  negativeTtl: duration('0ms', {
    min: '0ms',
    doc: 'How long 404, 410 and 5xx are kept when they say nothing of it. A second or two shields an origin from requests for what is not there.',
  }),
  staleWhileRevalidate: duration('0ms', {
    min: '0ms',
    doc: 'How long after its lifetime a response is still given while the origin is asked, where it says nothing of it (RFC 5861).',
  }),
  staleIfError: duration('0ms', {
    min: '0ms',
    doc: 'How long after its lifetime a response stands in for an origin that fails, where it says nothing of it (RFC 5861).',
  }),
  passFor: duration('10s', {
    min: '0ms',
    doc: 'How long requests for something that turned out not to be cacheable go on side by side, before one is waited for again.',
  }),
  passesMax: count(10_000, {
    min: 1,
    doc: 'Addresses remembered as not cacheable. Those used longest ago are forgotten.',
  }),
  obeyRequests: flag(
    true,
    'Whether cache directives of requests count. A CDN says no: else any client sends its load on to the origin.',
  ),
};

export type HttpCacheConfig = ConfigOf<typeof httpCacheKnobs>;
export type HttpCacheOptions = OptionsOf<typeof httpCacheKnobs>;

/** The defaults, and what is given in their place; throws at what is not allowed. */
export function httpCacheConfig(options: HttpCacheOptions = {}): HttpCacheConfig {
  const { config, problems } = configure('cache', httpCacheKnobs, options);
  const [first] = problems;
  if (first) throw new TypeError(`${first.at} ${first.what}`);
  return config;
}
