import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { service } from '../blocks/compute/service/index.ts';
import { cache } from '../blocks/data/cache/index.ts';
import { kv } from '../blocks/data/kv/index.ts';
import { topic } from '../blocks/messaging/topic/index.ts';
import {
  estimateSystem,
  inParallel,
  inputOf,
  inSeries,
  keyWidth,
  nines,
  yearSeconds,
} from './estimate.ts';
import { structureOf } from './structure.ts';
import { system } from './system.ts';

function figure(given: Parameters<typeof estimateSystem>[0], name: string): number {
  const found = estimateSystem(given).figures.find((one) => one.name === name);
  if (!found) throw new Error(`no figure called ${name}`);
  return found.value;
}

describe('the envelope', () => {
  test('seven base62 characters last ten years at 11,167 new URLs a second', () => {
    const given = { ratePerSec: 11_166, readRatio: 0, years: 10 };
    expect(figure(given, 'keyWidth')).toBe(7);
    expect(Math.round(figure(given, 'keysLastPerSec'))).toBe(11_167);
    expect(figure({ ...given, ratePerSec: 11_168 }, 'keyWidth')).toBe(8);
  });

  test('ten years of 100 writes a second of 500 bytes, three times, are 47 TB', () => {
    const given = { ratePerSec: 100, readRatio: 0, recordBytes: 500, replicas: 3 };
    expect(figure(given, 'storageReplicatedBytes')).toBe(100 * 500 * 3 * 10 * yearSeconds);
  });

  test('servers follow from processor time, the peak and how busy they may be', () => {
    const given = { ratePerSec: 1_000, peakFactor: 3, cpuUs: 1_000, utilisationMax: 0.6, cores: 1 };
    expect(figure(given, 'servers')).toBe(5);
    expect(figure({ ...given, cores: 4 }, 'servers')).toBe(2);
  });

  test("requests in flight follow Little's law", () => {
    const given = { ratePerSec: 2_000, peakFactor: 1, latencyUs: 30_000 };
    expect(figure(given, 'inFlight')).toBe(60);
  });

  test('every figure says how it came about', () => {
    const parts = [{ name: 'api', availability: 0.99, count: 2, needed: 1 }];
    for (const { how, text } of estimateSystem({ parts }).figures) {
      expect(how).not.toBe('');
      expect(text).not.toMatch(/NaN|undefined|Infinity/);
    }
  });
});

describe('the parts of a design', () => {
  const clicks = topic('clicks', { nodes: 2 });
  const hot = cache('hot', { nodes: 2 });
  const links = kv('links', { replicas: 3 });
  const fetch = () => new Response();
  const api = service('api', { instances: 2, env: { clicks, hot, links }, fetch });
  const { parts } = inputOf(structureOf(system('shop', { entry: api })));

  test('need all brokers of a topic, one instance of a service, a majority of replicas, and no cache', () => {
    expect(parts?.map(({ name, count, needed }) => [name, needed, count])).toEqual([
      ['api', 1, 2],
      ['clicks', 2, 2],
      ['links', 2, 3],
    ]);
  });

  test('are less with a second broker, since none has what the other has', () => {
    const one = [{ name: 'clicks', availability: 0.999, count: 1, needed: 1 }];
    const two = parts!.filter(({ name }) => name === 'clicks');
    expect(figure({ parts: two }, 'availability')).toBeCloseTo(0.999 ** 2, 12);
    expect(figure({ parts: two }, 'availability')).toBeLessThan(
      figure({ parts: one }, 'availability'),
    );
  });
});

describe('nines', () => {
  test.each([
    [0.99, 315_360],
    [0.999, 31_536],
    [0.9999, 3_153.6],
    [0.99999, 315.36],
  ])('%d is down for %d seconds a year', (availability, seconds) => {
    const parts = [{ name: 'it', availability, count: 1, needed: 1 }];
    expect(figure({ parts }, 'downSecondsPerYear')).toBeCloseTo(seconds, 4);
  });

  test('in series they multiply, in parallel the failures do', () => {
    expect(inSeries([0.99, 0.99])).toBeCloseTo(0.9801, 12);
    expect(inParallel(0.99, 2, 1)).toBeCloseTo(0.9999, 12);
    expect(nines(0.999)).toBeCloseTo(3, 9);
  });

  test('two of three beats one of one', () => {
    expect(inParallel(0.99, 3, 2)).toBeCloseTo(0.99 ** 3 + 3 * 0.99 ** 2 * 0.01, 12);
    expect(inParallel(0.99, 3, 2)).toBeGreaterThan(0.99);
  });

  test('needing more never makes it more available', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 20 }),
        (availability, count) => {
          for (let needed = 1; needed < count; needed++) {
            const less = inParallel(availability, count, needed);
            expect(less + 1e-9).toBeGreaterThanOrEqual(inParallel(availability, count, needed + 1));
          }
        },
      ),
    );
  });

  test('a key is as short as it can be', () => {
    expect(keyWidth(62, 62)).toBe(1);
    expect(keyWidth(63, 62)).toBe(2);
    expect(keyWidth(0, 62)).toBe(1);
  });
});
