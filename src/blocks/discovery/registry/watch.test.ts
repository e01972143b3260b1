import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sandbox } from '../../../../test/sandbox.ts';
import { everyFault, weather } from '../../../../test/weather.ts';
import type { NodeId } from '../../../host/host.ts';
import { configure } from '../../../kit/config.ts';
import { seeded } from '../../../kit/random.ts';
import { Book } from './book.ts';
import { client, type RegistryApi } from './client.ts';
import { knobs, type RegistryClientConfig } from './config.ts';
import { Followed } from './followed.ts';
import type { Changes, Entry } from './messages.ts';
import { registry } from './node.ts';

const second = 1_000_000;

function entry(node: NodeId, status: Entry['status'] = 'up'): Entry {
  return { service: 'api', node, zone: 'a', release: 'r', status };
}

const { config: base } = configure('names', knobs, {
  ttl: '1500ms',
  renewEvery: '500ms',
  timeout: '200ms',
  poll: '2s',
});

describe('a list', () => {
  test('holds what the book holds, whatever is lost, repeated or late on the way', () => {
    const step = fc.record({
      do: fc.constantFrom('register', 'remove', 'sick', 'push', 'push', 'resync'),
      node: fc.integer({ min: 0, max: 4 }),
      lost: fc.boolean(),
      twice: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const book = new Book({ ...base, changesMax: 3 });
        const list = new Followed('api');
        const applied: number[] = [];
        const told = (after: number) => {
          const changes = book.since('api', after);
          return (
            changes &&
            ({
              type: 'changes',
              id: 0,
              service: 'api',
              epoch: 'e',
              after,
              complete: true,
              changes,
            } satisfies Changes)
          );
        };
        const listing = () => ({
          ...({ type: 'listing', id: 0, service: 'api', epoch: 'e', complete: true } as const),
          revision: book.revisionOf('api'),
          entries: book.entries('api'),
        });
        list.take(listing());
        let sent: Changes | undefined;
        for (const { do: what, node, lost, twice } of steps) {
          const id = `api/${node}`;
          if (what === 'register') book.register(entry(id), 0);
          else if (what === 'remove') book.remove('api', id);
          else if (what === 'sick') book.renew('api', id, 'sick', 0);
          else if (what === 'resync') list.take(listing());
          else {
            const before = list.revision;
            const news = told(before);
            // Too long ago: then the whole list.
            if (!news) list.take(listing());
            else if (lost) sent = news;
            else {
              expect(list.take(news)).toBe(true);
              for (const change of news.changes) applied.push(change.revision);
              if (twice) expect(list.take(news)).toBe(true);
            }
          }
          // A former one comes after all: it changes nothing that is newer.
          if (sent && twice) list.take(sent);
        }
        if (list.revision < book.revisionOf('api')) list.take(listing());
        expect(list.entries.map(({ node, status }) => `${node} ${status}`).sort()).toEqual(
          book
            .entries('api')
            .map(({ node, status }) => `${node} ${status}`)
            .sort(),
        );
        // Once each, in order.
        expect(applied).toEqual([...new Set(applied)].sort((a, b) => a - b));
      }),
    );
  });

  test('refuses what does not follow, and an incomplete one takes nobody away', () => {
    const list = new Followed('api');
    const complete = {
      type: 'listing',
      id: 0,
      service: 'api',
      epoch: 'a#1',
      complete: true,
    } as const;
    list.take({ ...complete, revision: 2, entries: [entry('api/0'), entry('api/1')] });
    const gap = { type: 'changes', id: 0, service: 'api', complete: true, changes: [] } as const;
    expect(list.take({ ...gap, epoch: 'a#1', after: 4 })).toBe(false);
    expect(list.take({ ...gap, epoch: 'a#2', after: 2 })).toBe(false);
    list.take({
      ...complete,
      epoch: 'a#2',
      complete: false,
      revision: 1,
      entries: [entry('api/2')],
    });
    expect(list.entries.map(({ node }) => node)).toEqual(['api/0', 'api/1', 'api/2']);
    list.take({ ...complete, epoch: 'a#2', revision: 1, entries: [entry('api/2')] });
    expect(list.entries.map(({ node }) => node)).toEqual(['api/2']);
  });
});

/** Six instances, two registries, three callers; faults by seed, then calm. */
function stormy(seed: number) {
  const names = ['names/0', 'names/1'];
  const members = Array.from({ length: 6 }, (_, index) => `api/${index}`);
  const callers = ['caller/0', 'caller/1', 'caller/2'];
  const known = new Map<NodeId, readonly NodeId[]>();
  const half = (use: Pick<RegistryClientConfig, 'services' | 'register'>) => ({
    names: (host: Parameters<typeof client>[0]) => {
      const made = client(host, { ...base, registries: names, ...use });
      const api: RegistryApi = made.api;
      api.follow('api', (releases) => {
        const nodes = Object.values(releases).flat();
        known.set(host.self, nodes.map((one) => (typeof one === 'string' ? one : one.node)).sort());
      });
      return made as never;
    },
  });
  const world = sandbox({
    seed,
    nodes: {
      ...Object.fromEntries(
        names.map((id) => [
          id,
          { registry: (host: Parameters<typeof registry>[0]) => registry(host, base) as never },
        ]),
      ),
      ...Object.fromEntries(
        members.map((id) => [
          id,
          half({ services: [], register: { service: 'api', release: 'r' } }),
        ]),
      ),
      ...Object.fromEntries(callers.map((id) => [id, half({ services: ['api'], register: null })])),
    },
  });
  world.bootAll();
  const random = seeded(seed).fork('weather');
  const kinds = everyFault.filter((kind) => !['fill-disk', 'fail-disk', 'slow'].includes(kind));
  const nodes = [...names, ...members, ...callers];
  world.applyFaults(weather(random, { kinds, nodes, count: 8, untilUs: 6 * second }), 0);
  return { world, known, members, callers };
}

test('after any storm every caller knows exactly who is there', () => {
  for (let seed = 1; seed <= 8; seed++) {
    const { world, known, members, callers } = stormy(seed);
    world.run(9 * second);
    world.healAll();
    world.run(world.now + 6 * second);
    for (const caller of callers) expect(known.get(caller), `seed ${seed}`).toEqual(members);
  }
});

test('who died is known to nobody once its lease and a poll are over', () => {
  for (let seed = 1; seed <= 8; seed++) {
    const { world, known, members, callers } = stormy(seed);
    world.run(9 * second);
    world.healAll();
    world.run(world.now + 6 * second);
    world.inject({ do: 'power-off', target: { node: 'api/3' }, atUs: 0 });
    world.run(world.now + base.ttlUs + base.pollUs + second);
    const living = members.filter((id) => id !== 'api/3');
    for (const caller of callers) expect(known.get(caller), `seed ${seed}`).toEqual(living);
  }
});
