/** What is asked of a run, checked before anything starts. */
import { describe, expect, test } from 'vitest';
import { external } from '../blocks/compute/service/external.ts';
import { service } from '../blocks/compute/service/index.ts';
import { planOf, system } from '../design/system.ts';
import { LoadpathError } from '../kit/errors.ts';
import { silenceNotes, stubNotes } from './live-notes.ts';
import { defaultLoadUs, resolve, systemIn } from './options.ts';

const api = service('api', { calls: [] });
const design = system('shop', { entry: api, faults: ['kill api/0 at 3s'] });

describe('what is asked of a run', () => {
  test('is nothing at first: the design’s own faults and load, for a while', () => {
    expect(resolve(design, {})).toEqual({
      forUs: defaultLoadUs,
      warmUpUs: 0,
      faults: design.faults,
      load: undefined,
    });
  });

  test('adds faults to those of the design, in the order given', () => {
    const { faults } = resolve(design, {
      faults: ['kill api/1 at 4s', 'cut zone a from zone b at 1s for 2s'],
    });
    expect(faults.map((fault) => fault.do)).toEqual(['kill', 'kill', 'cut']);
  });

  test('names every fault that is none', () => {
    const asked = { faults: ['kill api/9 at 4s', 'kill api/1 at 4s', 'boom'] };
    try {
      resolve(design, asked);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(LoadpathError);
      expect((error as LoadpathError).problems.map(({ at }) => at)).toEqual([
        "'kill api/9 at 4s'",
        "'boom'",
      ]);
    }
  });

  test('replaces the load, and a log lasts as long as it is', () => {
    expect(resolve(design, { ratePerSec: 0.5 }).load).toEqual({ rate: '0.5/s' });
    const visits = [{ atUs: 7_000_000, ip: '20.0.0.1', method: 'GET', path: '/' }];
    expect(resolve(design, { visits })).toMatchObject({ forUs: 8_000_000, load: { visits } });
  });

  test('warms nothing up with a log, which is sent once', () => {
    const visits = [{ atUs: 7_000_000, ip: '20.0.0.1', method: 'GET', path: '/' }];
    expect(() => resolve(design, { visits, warmUpUs: 1_000_000 })).toThrow(/recorded log/);
    expect(resolve(design, { visits, warmUpUs: 0 }).forUs).toBe(8_000_000);
  });
});

describe('what is somebody else’s', () => {
  test('is answered by a stub, live as well, where it has no address: that is said', () => {
    const payments = external('payments');
    const mail = external('mail', { url: 'https://mail.example' });
    const fetch = () => new Response();
    const shop = service('shop', { env: { payments, mail }, fetch });
    expect(stubNotes(planOf(system('shop', { entry: shop })))).toEqual([
      'payments was answered by its stub, live as well: it has no url',
    ]);
  });
});

describe('a live node that comes round to nothing', () => {
  test('is named, with how long', () => {
    const nodes = [
      { id: 'api/0', silentMs: 1_200 },
      { id: 'api/1', silentMs: 14_300 },
    ];
    expect(silenceNotes(nodes)).toEqual([
      'api/1 did not answer its supervisor for 14 s: an endless loop, or work that never lets anything else run',
    ]);
  });
});

describe('what a design file exports', () => {
  test('is a system, or the data of one', () => {
    expect(systemIn(design, 'shop.ts')).toBe(design);
    const blocks = [{ kind: 'service', name: 'api' }];
    expect(systemIn({ name: 'shop', blocks, entry: 'api' }, 'shop.json').name).toBe('shop');
  });

  test.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [5, 'number'],
    [api, 'object'],
  ])('is not %o', (exported, kind) => {
    expect(() => systemIn(exported, 'shop.ts')).toThrow(
      `shop.ts: the default export must be a system('name', { … }), got ${kind}`,
    );
  });
});
