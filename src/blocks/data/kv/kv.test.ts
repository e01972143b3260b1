/** What the store promises, under faults; what it refuses; and that its parts do what they say. */
import { describe, expect, test } from 'vitest';
import { cluster } from '../../../../test/cluster.ts';
import { Unavailable } from '../../../kit/errors.ts';
import { linearizability } from '../../../verify/index.ts';
import { kv } from './index.ts';
import { type FaultKind, storm } from './testdata/storm.ts';

const crashes: FaultKind[] = ['kill', 'power-off', 'restart'];
const network: FaultKind[] = ['cut', 'lose', 'duplicate', 'delay'];
const clocks: FaultKind[] = ['pause', 'slow', 'skew'];
const disks: FaultKind[] = ['fill-disk', 'fail-disk'];
const everything = [...crashes, ...network, ...clocks, ...disks];
const seeds = Array.from({ length: 40 }, (_, i) => i + 1);

describe('atomic', () => {
  test('is linearizable under every kind of fault at once, clients included', () => {
    for (const seed of seeds) {
      const links = kv('links', { tombstoneTtl: '10s', snapshot: '1kB' });
      const { history } = storm(links, { seed, faults: everything, hurtClients: true });
      const verdict = linearizability(history, { block: 'links' });
      expect(verdict, `seed ${seed}`).toMatchObject({ verdict: 'holds' });
    }
  });

  test('with five nodes and two zones, too', () => {
    for (const seed of seeds.slice(0, 15)) {
      const links = kv('links', { nodes: 5, tombstoneTtl: '10s', snapshot: '1kB' });
      const { history } = storm(links, { seed, faults: everything, keys: 5 });
      expect(linearizability(history, { block: 'links' }), `seed ${seed}`).toMatchObject({
        verdict: 'holds',
      });
    }
  });

  test('without faults every operation succeeds', () => {
    const { history } = storm(kv('links'), { seed: 1, faults: [] });
    expect(history.filter(({ phase }) => phase === 'fail' || phase === 'info')).toEqual([]);
    expect(history.length).toBeGreaterThan(2_000);
  });
});

describe('quorum', () => {
  test('loses no acknowledged write when nodes crash', () => {
    for (const seed of seeds.slice(0, 20)) {
      const links = kv('links', { consistency: 'quorum', snapshot: '1kB' });
      const { history, final } = storm(links, {
        seed,
        faults: [...crashes, 'cut', 'lose', 'duplicate', 'pause'],
        writeOnce: true,
      });
      const asked = new Map(history.map((e) => [`${e.node} ${e.life} ${e.op} ${e.phase}`, e]));
      let acknowledged = 0;
      for (const event of history) {
        if (event.f !== 'put' || event.phase !== 'ok') continue;
        const invoke = asked.get(`${event.node} ${event.life} ${event.op} invoke`)!;
        acknowledged++;
        expect(final.get(invoke.key!), `seed ${seed}, ${invoke.key}`).toBe(invoke.value);
      }
      expect(acknowledged).toBeGreaterThan(100);
    }
  });

  test('is not linearizable, and the judge finds out', () => {
    const verdicts = seeds.map((seed) => {
      const links = kv('links', { consistency: 'quorum' });
      return linearizability(storm(links, { seed, faults: everything }).history, { block: 'links' })
        .verdict;
    });
    expect(verdicts).toContain('violated');
  });
});
