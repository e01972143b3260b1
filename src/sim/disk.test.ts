import { describe, expect, test } from 'vitest';
import { type Sketch, sandbox } from '../../test/sandbox.ts';
import type { Host } from '../host/host.ts';
import { seeded } from '../kit/random.ts';
import type { World } from './world.ts';

const idle = { message() {} };

/** A node whose disk is used from outside; `crash` ends it and gives the next life's host. */
function machine(seed: number, options: { diskSizeBytes?: number } = {}) {
  let host: Host | undefined;
  const program: Sketch = (booted) => {
    host = booted;
    return idle;
  };
  const world: World = sandbox({
    seed,
    nodes: { n: { p: program } },
    syncCost: { kind: 'constant', value: 100 },
    ...options,
  });
  world.bootAll();
  const end = (what: 'kill' | 'restart') => {
    world.inject({ do: what, target: { node: 'n' }, atUs: 0, forUs: 10 });
    world.run(world.now + 20_000);
    return host!.disk;
  };
  return { world, disk: host!.disk, crash: () => end('kill'), restart: () => end('restart') };
}

const seeds = Array.from({ length: 40 }, (_, i) => i + 1);

describe('a crash', () => {
  test('keeps what was synced and a part of the rest from its beginning, at times with zeros at its end', () => {
    let tornCount = 0;
    const lengths = new Set<number>();
    for (const seed of seeds) {
      const { world, disk, crash } = machine(seed);
      const bytes = Uint8Array.from({ length: 200 }, (_, i) => (i % 255) + 1);
      disk.append('log', bytes.subarray(0, 100));
      disk.sync('log', () => {});
      world.run(world.now + 100);
      disk.append('log', bytes.subarray(100));
      const left = crash().read('log')!;
      expect(left.length, `seed ${seed}`).toBeGreaterThanOrEqual(100);
      const torn = left.findIndex((byte, i) => byte !== bytes[i]);
      if (torn !== -1) {
        tornCount++;
        expect(torn, `seed ${seed}`).toBeGreaterThanOrEqual(100);
        expect(left.subarray(torn).every((byte) => byte === 0)).toBe(true);
      }
      lengths.add(left.length);
    }
    expect(tornCount).toBeGreaterThan(2);
    expect(tornCount).toBeLessThan(20);
    expect(lengths.size).toBeGreaterThan(20);
  });

  test('before a sync is done keeps nothing for sure; after it, everything before the call', () => {
    let shortest = 100;
    for (const seed of seeds) {
      const early = machine(seed);
      early.disk.append('log', new Uint8Array(100));
      early.disk.sync('log', () => expect.unreachable());
      early.world.run(99);
      shortest = Math.min(shortest, early.crash().read('log')?.length ?? 0);
      const late = machine(seed);
      late.disk.append('log', new Uint8Array(50));
      late.disk.sync('log', () => {});
      late.disk.append('log', new Uint8Array(50));
      late.world.run(100);
      expect(late.crash().read('log')!.length).toBeGreaterThanOrEqual(50);
    }
    expect(shortest).toBeLessThan(20);
  });

  test('leaves the old or the new content of a file being replaced, whole', () => {
    const seen = new Set<string>();
    for (const seed of seeds) {
      const { world, disk, crash } = machine(seed);
      disk.replace('f', new Uint8Array([1, 1]), () => {});
      world.run(100);
      disk.replace('f', new Uint8Array([2, 2, 2]), () => expect.unreachable());
      disk.replace('f', new Uint8Array([3]), () => expect.unreachable());
      expect([...disk.read('f')!]).toEqual([3]);
      seen.add(crash().read('f')!.join());
    }
    expect(seen).toEqual(new Set(['1,1', '3']));
  });

  test('after a replacement is done leaves the new one', () => {
    for (const seed of seeds) {
      const { world, disk, crash } = machine(seed);
      const outcomes: string[] = [];
      disk.replace('f', new Uint8Array([2, 2, 2]), (outcome) => outcomes.push(outcome));
      world.run(100);
      expect(outcomes).toEqual(['ok']);
      expect([...crash().read('f')!]).toEqual([2, 2, 2]);
    }
  });

  test('does not change what an earlier one left', () => {
    for (const seed of seeds) {
      const { disk, crash } = machine(seed);
      disk.append('log', new Uint8Array(100).fill(1));
      const first = crash().read('log') ?? null;
      expect(crash().read('log') ?? null).toEqual(first);
    }
  });
});

test('what is given to a disk may be used again', () => {
  const { disk } = machine(1);
  const bytes = new Uint8Array([1, 2]);
  disk.append('a', bytes);
  disk.replace('b', bytes, () => {});
  bytes.fill(9);
  disk.read('a')!.fill(8);
  expect([...disk.read('a')!, ...disk.read('b')!]).toEqual([1, 2, 1, 2]);
});

test('a graceful stop loses nothing', () => {
  for (const seed of seeds) {
    const { disk, restart } = machine(seed);
    disk.append('log', new Uint8Array(100).fill(1));
    expect(restart().read('log')).toHaveLength(100);
  }
});

test('a full disk gives room back for what is removed, truncated or replaced', () => {
  const { world, disk } = machine(1, { diskSizeBytes: 100 });
  expect(disk.append('a', new Uint8Array(60))).toBe(true);
  expect(disk.append('b', new Uint8Array(60))).toBe(false);
  expect(disk.list()).toEqual(['a']);
  const outcomes: string[] = [];
  disk.replace('b', new Uint8Array(60), (outcome) => outcomes.push(outcome));
  disk.truncate('a', 20);
  disk.replace('b', new Uint8Array(60), (outcome) => outcomes.push(outcome));
  disk.remove('a');
  expect(disk.append('c', new Uint8Array(40))).toBe(true);
  world.run(1000);
  expect(outcomes).toEqual(['full', 'ok']);
  expect(world.usage()[0]!.diskBytes).toBe(100);
});

test('syncs wait for one another', () => {
  const { world, disk } = machine(1);
  const at: number[] = [];
  for (const name of ['a', 'b', 'c']) {
    disk.append(name, new Uint8Array(1));
    disk.sync(name, () => at.push(world.now));
  }
  world.run(1000);
  expect(at).toEqual([100, 200, 300]);
});

test('appending a little at a time costs no more than appending', () => {
  const { disk } = machine(1);
  const random = seeded(1);
  let length = 0;
  // A million small writes: copying the file for each would not end.
  for (let i = 0; i < 1_000_000; i++) {
    const bytes = new Uint8Array(random.below(8));
    length += bytes.length;
    disk.append('log', bytes);
  }
  expect(disk.read('log')).toHaveLength(length);
});
