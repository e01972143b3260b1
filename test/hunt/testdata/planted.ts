/**
 * Five small designs, each around one block that may have a well-known mistake in it, and a claim
 * that the mistake breaks. Given the real block, the same claim holds: whatever a hunt finds is the
 * mistake. They come as functions, since a test asks for both.
 */
import {
  type Ids,
  ids,
  type KvHandle,
  type KvOptions,
  kv,
  type System,
  service,
  system,
  type Topic,
  topic,
  users,
} from 'loadpath';
import { durable, linearizable, noLoss, uniqueIds } from 'loadpath/verify';
import { idsToldFirst } from '../../../src/blocks/coordination/ids/testdata/planted.ts';
import {
  kvAckCountedTwice,
  kvHintDropped,
  kvNoSync,
} from '../../../src/blocks/data/kv/testdata/planted.ts';
import { topicCommittingFirst } from '../../../src/blocks/messaging/topic/testdata/planted.ts';
import type { Declaration } from '../../../src/host/declaration.ts';

type KvMaker = (name: string, options?: KvOptions) => Declaration<KvHandle<string>>;

/** Users who write and read a few keys, so that any two of them often meet. */
export function register(
  make: KvMaker = (name, options) => kv<string>(name, options),
  options: KvOptions = { replicas: 3, consistency: 'atomic' },
): System {
  const cells = make('cells', options);
  const api = service('api', {
    instances: 1,
    env: { cells },
    async fetch(request, env) {
      const key = new URL(request.url).pathname;
      if (request.method === 'PUT') {
        await env.cells.put(key, await request.text());
        return new Response('stored');
      }
      return new Response((await env.cells.get(key)) ?? 'nothing');
    },
  });
  return system('register', {
    entry: api,
    workload: users({
      rate: '50/s',
      async act(user) {
        const key = `/${user.random.below(3)}`;
        if (user.random.chance(0.5)) await user.fetch(key);
        else await user.fetch(key, { method: 'PUT', body: `${user.random.below(1e9)}` });
      },
    }),
    invariants: [linearizable(cells)],
  });
}

/** Users of `keepsake` write for so long after the load began; whoever comes later reads. */
export const keepsakeWritesUs = 6_000_000;

/**
 * Users who write keys of their own, and, once all is healed, read them back. To be hunted with a
 * load of `keepsakeWritesUs`: the visits after it are those by which a hunt sees the system recover.
 */
export function keepsake(make: KvMaker = (name, options) => kv<string>(name, options)): System {
  const cells = make('cells', {
    consistency: 'quorum',
    nodes: 5,
    sloppy: true,
    // So that all is handed over within the second in which the healed system is visited.
    hintEvery: '20ms',
  });
  const api = service('api', {
    instances: 2,
    env: { cells },
    async fetch(request, env) {
      const key = new URL(request.url).pathname;
      if (request.method === 'PUT') {
        await env.cells.put(key, await request.text());
        return new Response('stored');
      }
      return new Response((await env.cells.get(key)) ?? 'nothing');
    },
  });
  return system('keepsake', {
    entry: api,
    workload: users({
      rate: '50/s',
      setup: () => ({ beganAtMs: Date.now(), keys: new Array<string>() }),
      async act(user, { beganAtMs, keys }) {
        if (Date.now() - beganAtMs < keepsakeWritesUs / 1_000) {
          const key = `/${keys.length}`;
          keys.push(key);
          await user.fetch(key, { method: 'PUT', body: 'kept' });
          return;
        }
        await user.sleep(700);
        for (let index = user.random.below(10); index < keys.length; index += 10) {
          await user.fetch(keys[index]!);
        }
      },
    }),
    invariants: [durable(cells)],
  });
}

/** Messages whose handling takes a while, so that a crash often interrupts it. */
export function parcels(make: () => Topic<string> = () => topic<string>('parcels')): System {
  const parcelsTopic = make();
  const post = service('post', {
    instances: 2,
    env: { parcels: parcelsTopic },
    async fetch(request, env) {
      await env.parcels.publish(await request.text());
      return new Response('taken');
    },
  });
  const carrier = service('carrier', {
    instances: 2,
    env: { parcels: parcelsTopic },
    on: {
      parcels: () => new Promise<void>((resolve) => setTimeout(resolve, 100)),
    },
  });
  return system('parcels', {
    entry: post,
    blocks: [carrier],
    workload: users({
      rate: '20/s',
      async act(user) {
        await user.fetch('/', { method: 'POST', body: `${user.random.below(1e9)}` });
      },
    }),
    invariants: [noLoss(parcelsTopic)],
  });
}

/** Small ranges, so that new ones are asked for all the time. */
export function tickets(make: typeof ids = ids): System {
  const numbers: Ids = make('numbers', { block: 5 });
  const desk = service('desk', {
    instances: 2,
    env: { numbers },
    fetch: async (_request, env) => new Response(await env.numbers.next()),
  });
  return system('tickets', {
    entry: desk,
    workload: users({ rate: '50/s' }),
    invariants: [uniqueIds(numbers)],
  });
}

export interface Planted {
  readonly name: string;
  readonly mistake: string;
  readonly broken: System;
  readonly sound: System;
  /** Which claims the mistake breaks, one or the other. */
  readonly breaks: readonly string[];
  /** Within so many seeds, from 1 on, the hunt must have found it. */
  readonly seedsMax: number;
}

export const planted: readonly Planted[] = [
  {
    name: 'kvAckCountedTwice',
    mistake: 'a replica that answers twice makes a quorum',
    broken: register(kvAckCountedTwice),
    sound: register(),
    breaks: ['cells is linearizable'],
    seedsMax: 200,
  },
  {
    name: 'kvNoSync',
    mistake: 'a replica answers before its disk has the write',
    broken: register(kvNoSync),
    sound: register(),
    breaks: ['cells is linearizable'],
    seedsMax: 60,
  },
  {
    name: 'kvHintDropped',
    mistake: 'a stand-in forgets a write when it has sent it',
    broken: keepsake(kvHintDropped),
    sound: keepsake(),
    breaks: ['cells is durable'],
    seedsMax: 60,
  },
  {
    name: 'topicCommittingFirst',
    mistake: 'a consumer commits before it has handled',
    broken: parcels(() => topicCommittingFirst<string>('parcels')),
    sound: parcels(),
    breaks: ['parcels loses no message'],
    seedsMax: 60,
  },
  {
    name: 'idsToldFirst',
    mistake: 'a range is handed out before it is stored',
    broken: tickets(idsToldFirst),
    sound: tickets(),
    // Callers who show the allocator a range that it forgot make it stop. Where all of them forgot it, too, it gives numbers twice.
    breaks: ['the system recovers', 'numbers are unique'],
    seedsMax: 60,
  },
];
