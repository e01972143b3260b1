/**
 * A shop of microservices: a product page that is made of seven calls, a gateway that knows who asks, a store
 * for every service, and orders that go on by themselves once they are written down.
 *
 *   users ─▶ edge ─┬─▶ catalogue · prices · stock · reviews · recommendations · sellers · delivery   (one page)
 *   partner        ├─▶ search-a-n · search-o-z
 *                  ├─▶ accounts · cart
 *                  └─▶ orders ─▶ demand ─▶ stock ─▶ news ─▶ orders ─▶ bank
 *                                                     └──▶ notifications ─▶ mail
 */
import {
  aggregate,
  apiKeys,
  external,
  gateway,
  jwt,
  lognormal,
  registry,
  type System,
  secureHeaders,
  service,
  system,
  users,
} from 'loadpath';
import { linearizable, noLoss } from 'loadpath/verify';
import { blocks } from './blocks.ts';
import { act, opened } from './customers.ts';
import { noneLost, soldOnce } from './promises.ts';
import { accounts, issuer, secret } from './services/accounts.ts';
import { cart } from './services/cart.ts';
import { catalogue, merchants, recommendations } from './services/catalogue.ts';
import { delivery } from './services/delivery.ts';
import { notify } from './services/notifications.ts';
import { orders, settle } from './services/orders.ts';
import * as outside from './services/outside.ts';
import { prices } from './services/prices.ts';
import { countReviews, reviews } from './services/reviews.ts';
import { searching } from './services/search.ts';
import { sell, stock } from './services/stock.ts';

// Every policy there is -------------------------------------------------------------------------

const policies = {
  /** From the gateway to a service: what customers look at. */
  pages: {
    timeout: '1s',
    attemptTimeout: '300ms',
    balance: 'least-requests',
    /** Once more, elsewhere; never more than a tenth on top. */
    retry: { attempts: 2, budget: 0.1 },
    /** A service that fails is left alone for two seconds, and so is not kept down. */
    breaker: { per: 'service', openFor: '2s', window: '5s' },
    /** What was so a minute ago is better than an error. */
    fallback: { staleMax: '60s', keysMax: 5_000 },
    /** A slow service holds so many requests of a gateway and no more. */
    bulkhead: { slots: 200, queueMax: 50 },
  },
  /** What changes something takes its time, and has no answer of a minute ago. */
  changes: { timeout: '3s', attemptTimeout: '1400ms' },
  /** Between services. */
  inside: {
    timeout: '800ms',
    attemptTimeout: '300ms',
    retry: { attempts: 2, budget: 0.1 },
    breaker: { openFor: '2s', window: '5s' },
  },
  /** Other people's services: slow at times. Who waits for them is a log, which can wait longer. */
  outside: {
    timeout: '1500ms',
    attemptTimeout: '700ms',
    retry: { attempts: 2, budget: 0.1 },
    breaker: { per: 'service', openFor: '3s', window: '10s', volumeMin: 10 },
    bulkhead: { slots: 32, queueMax: 32 },
  },
} as const;

const limits = {
  /** A page with its pictures, and again; not a crawler. */
  visitor: { algorithm: 'gcra', rate: '20/s', burst: 60, by: 'ip' },
} as const;

/** Guessing passwords is slow. */
const guesses = { algorithm: 'sliding-log', rate: '20/min', by: 'ip' } as const;

const quotas = { day: { calls: 500_000, per: '1d', tier: 'partner' } } as const;

/** How long a page waits for each of its parts; without the first two there is no page. */
const part = {
  product: { timeout: '800ms', required: true },
  price: { timeout: '800ms', required: true },
  other: { timeout: '250ms' },
} as const;

// Who is there ----------------------------------------------------------------------------------

/** Instances say themselves where they are; callers hear of it. */
const names = registry('names', { ttl: '30s', renewEvery: '10s' });
const inside = { discovery: names, policy: policies.inside } as const;
const { carts, ledger, shelves, ratings, hot, demand, news } = blocks;

const catalogueService = service('catalogue', {
  ...inside,
  cost: { cpu: '0.3ms' },
  fetch: catalogue.fetch,
});
const pricesService = service('prices', { ...inside, cost: { cpu: '0.3ms' }, fetch: prices.fetch });
const recommendationsService = service('recommendations', {
  ...inside,
  instances: 1,
  cost: { cpu: '1ms' },
  fetch: recommendations.fetch,
});
const sellersService = service('sellers', {
  ...inside,
  instances: 1,
  cost: { cpu: '0.2ms' },
  fetch: merchants.fetch,
});
const deliveryService = service('delivery', {
  ...inside,
  instances: 1,
  cost: { cpu: '0.2ms' },
  fetch: delivery.fetch,
});
const accountsService = service('accounts', {
  ...inside,
  cost: { cpu: '0.5ms' },
  fetch: accounts.fetch,
});
const cartService = service('cart', {
  ...inside,
  cost: { cpu: '0.3ms' },
  env: { carts },
  fetch: cart.fetch,
});

/** Searched more than anything is bought, so cut in two, each of which grows by itself. */
const searchA = service('search-a-n', {
  ...inside,
  instances: 1,
  cost: { cpu: '1ms' },
  fetch: searching('A', 'N').fetch,
});
const searchO = service('search-o-z', {
  ...inside,
  instances: 1,
  cost: { cpu: '1ms' },
  fetch: searching('O', 'Z').fetch,
});

const reviewsService = service('reviews', {
  ...inside,
  cost: { cpu: '0.3ms' },
  env: { ratings, hot, news },
  fetch: reviews.fetch,
  on: { news: countReviews },
});

const stockService = service('stock', {
  ...inside,
  cost: { cpu: '0.3ms' },
  env: { shelves, demand, news },
  fetch: stock.fetch,
  on: { demand: sell },
});

const bank = external('bank', {
  policy: policies.outside,
  latency: lognormal({ median: '80ms', p99: '400ms' }),
  stub: outside.bank.fetch,
});
const mail = external('mail', { policy: policies.outside, stub: outside.mail.fetch });

const ordersService = service('orders', {
  ...inside,
  cost: { cpu: '0.5ms' },
  env: { ledger, demand, news, cart: cartService, prices: pricesService, bank },
  fetch: orders.fetch,
  on: { news: settle },
});

export const notifications = service('notifications', {
  instances: 1,
  env: { news, mail },
  on: { news: notify },
});

// The door --------------------------------------------------------------------------------------

const parts = {
  product: { from: catalogueService, path: '/products/:sku', ...part.product },
  price: { from: pricesService, path: '/prices/:sku', ...part.price },
  stock: { from: stockService, path: '/stock/:sku', ...part.other },
  reviews: { from: reviewsService, path: '/reviews/:sku', ...part.other },
  others: { from: recommendationsService, path: '/recommendations/:sku', ...part.other },
  seller: { from: sellersService, path: '/sellers/of/:sku', ...part.other },
  delivery: { from: deliveryService, path: '/delivery/:sku', ...part.other },
};
const { product, price, stock: left, reviews: rated } = parts;

/** The same services, another face: a phone gets what fits on it. */
const phone = aggregate({
  parts: { product, price, stock: left, reviews: rated },
  shape: {
    name: '$product.name',
    cents: '$price.cents',
    left: '$stock.left',
    stars: '$reviews.stars',
  },
});

const partners = aggregate({
  parts: { product, price, stock: left },
  shape: {
    sku: '$product.sku',
    grams: '$product.grams',
    netCents: '$price.cents',
    left: '$stock.left',
  },
});

const found = aggregate({
  parts: {
    an: { from: searchA, path: '/search', ...part.other },
    oz: { from: searchO, path: '/search', ...part.other },
  },
  shape: { 'A-N': '$an.hits', 'O-Z': '$oz.hits' },
});

const asked = { auth: 'optional' } as const;

export const edge = gateway('edge', {
  nodes: 2,
  port: 8082,
  routes: [
    { path: '/products/:sku', to: aggregate({ parts }), ...asked },
    { path: '/products/:sku', headers: { 'x-client': 'ios' }, to: phone, ...asked },
    { path: '/products/:sku', headers: { 'x-client': 'android' }, to: phone, ...asked },
    { path: '/partners/products/:sku', to: partners, tiers: ['partner'] },
    { path: '/search', to: found, ...asked },
    { path: '/login', methods: ['POST'], to: accountsService, auth: 'none', limits: { guesses } },
    { path: '/cart', to: cartService, policy: policies.changes },
    { path: '/checkout', methods: ['POST'], to: ordersService, policy: policies.changes },
    { path: '/orders', methods: ['GET'], to: ordersService, policy: policies.changes },
    { path: '/reviews', methods: ['POST'], to: reviewsService, policy: policies.changes },
  ],
  auth: [
    jwt({ secret, issuer, audience: issuer }),
    apiKeys({
      users: {
        // printf %s "$KEY" | sha256sum
        furnish: {
          sha256: '700106c993493028d1adb38ced98a1bfdedbf3af25fc674833f2c5a4c5620213',
          tier: 'partner',
        },
      },
    }),
  ],
  limits,
  quotas,
  usage: {},
  replyHeaders: secureHeaders,
  compress: {},
  policy: policies.pages,
});

/** With faults of its own, if you like. */
export const design = (name: string, faults: readonly string[] = []): System =>
  system(name, {
    faults,
    entry: edge,
    blocks: [notifications],
    workload: users({ rate: '20/s', population: 5_000, setup: opened, act }),
    objectives: { p99: '400ms', availability: 0.99 },
    invariants: [linearizable(ledger), noLoss(demand), noLoss(news), noneLost, soldOnce],
    tryIt: [
      'curl {url}/search?q=oak+lamp',
      'curl {url}/products/p-017',
      "curl {url}/products/p-017 -H 'x-client: ios'",
      `curl {url}/login -d '{"name":"customer-7","password":"secret-7"}'`,
      "curl {url}/partners/products/p-017 -H 'x-api-key: a key that only the partner has'",
    ],
  });

export default design('shop');
