/** What the compiler tells somebody who writes a design: types flow from declarations to handlers. */
import {
  type Batch,
  cache,
  type Env,
  type Fetcher,
  gateway,
  ids,
  type KvHandle,
  kv,
  type SystemOptions,
  service,
  system,
  topic,
  type User,
  type UsersOptions,
  users,
} from 'loadpath';
import { linearizable, noLoss, readYourWrites, uniqueIds } from 'loadpath/verify';
import { describe, expectTypeOf, test } from 'vitest';

type Link = { readonly url: string };
type Click = { readonly code: string; readonly at: number };

const links = kv<Link>('links');
const hot = cache<Link>('hot');
const codes = ids('codes');
const clicks = topic<Click>('clicks');
const prices = service('prices', { fetch: () => new Response() });
const fetch = () => new Response();

describe('env', () => {
  test('gives each handler the handles of what it binds', () => {
    service('api', {
      env: { links, codes, clicks, prices },
      fetch: async (request, env) => {
        expectTypeOf(request).toEqualTypeOf<Request>();
        expectTypeOf(env.links).toEqualTypeOf<KvHandle<Link>>();
        expectTypeOf(env.links.get('a')).resolves.toEqualTypeOf<Link | undefined>();
        expectTypeOf(env.codes.next()).resolves.toEqualTypeOf<string>();
        expectTypeOf(env.clicks.publish).parameter(0).toEqualTypeOf<Click>();
        expectTypeOf(env.prices).toEqualTypeOf<Fetcher>();
        // @ts-expect-error: what is not bound is not there.
        env.hot;
        // @ts-expect-error: a link has a url.
        await env.links.put('a', { href: '' });
        return new Response();
      },
    });
  });

  test('is a type of its own, for Hono and for handlers in other files', () => {
    const env = { links, hot };
    expectTypeOf<Env<typeof env>['links']>().toEqualTypeOf<KvHandle<Link>>();
    expectTypeOf<keyof Env<typeof env>>().toEqualTypeOf<'links' | 'hot'>();
  });
});

describe('on', () => {
  test('gives the batches of the topic, and the env beside them', () => {
    service('counter', {
      env: { clicks, links },
      on: {
        clicks: (batch, env) => {
          expectTypeOf(batch).toEqualTypeOf<Batch<Click>>();
          expectTypeOf(env.links).toEqualTypeOf<KvHandle<Link>>();
        },
      },
    });
  });

  test('takes topics that are bound, and nothing else', () => {
    service('counter', {
      env: { links },
      // @ts-expect-error: a store delivers nothing.
      on: { links: () => {} },
    });
    service('counter', {
      env: { clicks },
      // @ts-expect-error: it is not bound.
      on: { orders: () => {} },
    });
  });
});

describe('invariants', () => {
  test('are about blocks whose history their judge can read', () => {
    linearizable(links);
    readYourWrites({ name: 'links' });
    uniqueIds(codes);
    noLoss(clicks);
    // @ts-expect-error: a topic has no values by key.
    linearizable(clicks);
    // @ts-expect-error: nor do ids.
    readYourWrites(codes);
    // @ts-expect-error: a store gives no ids.
    uniqueIds(links);
    // @ts-expect-error: nobody publishes to a store.
    noLoss(links);
    // @ts-expect-error: a cache may forget.
    linearizable(hot);
  });
});

describe('users', () => {
  test('hands what setup returns to act', () => {
    users({
      setup: async (user) => {
        expectTypeOf(user).toEqualTypeOf<User>();
        return { codes: ['a'] };
      },
      act: (_user, prepared) => {
        expectTypeOf(prepared).toEqualTypeOf<{ codes: string[] }>();
      },
    });
    users({
      act: (_user, prepared) => {
        expectTypeOf(prepared).toEqualTypeOf<undefined>();
      },
    });
  });
});

describe('options', () => {
  test('take values with units, and no others', () => {
    type Policy = NonNullable<Parameters<typeof gateway>[1]['policy']>;
    expectTypeOf<{ timeout: '250ms' }>().toExtend<Policy>();
    expectTypeOf<{ timeout: '250 parsecs' }>().not.toExtend<Policy>();
    expectTypeOf<{ timeout: 250 }>().not.toExtend<Policy>();
    expectTypeOf<{ balance: 'random' }>().toExtend<Policy>();
    expectTypeOf<{ balance: 'chance' }>().not.toExtend<Policy>();
    expectTypeOf<{ rate: '5/s' }>().toExtend<UsersOptions<undefined>>();
    expectTypeOf<{ rate: '5/fortnight' }>().not.toExtend<UsersOptions<undefined>>();
    expectTypeOf<{ p99: '50ms'; availability: 0.999 }>().toExtend<
      NonNullable<SystemOptions['objectives']>
    >();
  });

  test('that there are not do not compile', () => {
    // @ts-expect-error: it is instances.
    service('api', { fetch, replicas: 3 });
    // @ts-expect-error: it is replicas.
    kv('links', { instances: 3 });
    // @ts-expect-error: a design has an entry.
    const nowhere = () => system('shop', {});
    // @ts-expect-error: a gateway leads somewhere.
    const doorless = () => gateway('edge', {});
    expectTypeOf(nowhere).toBeFunction();
    expectTypeOf(doorless).toBeFunction();
  });
});
