/** What a process has besides clock and timers: each node its own, and nothing left of it after a run. */
import crypto from 'node:crypto';
import { getEventListeners } from 'node:events';
import { createHistogram } from 'node:perf_hooks';
import type { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { realSetTimeout, simulate } from '../../../test/tiny.ts';
import type { LoadpathError } from '../../kit/errors.ts';
import { install, uninstall } from './globals.ts';
import { releaseSignals } from './timers.ts';

beforeAll(() => install());
afterAll(() => uninstall());

describe('the performance of a node', () => {
  test('has a timeline of its own, on its own clock, and tells who observes', async () => {
    const timeline = async () => {
      const heard: string[] = [];
      const observer = new PerformanceObserver((list) =>
        heard.push(
          list
            .getEntries()
            .map(({ name, startTime }) => `${name} ${startTime}`)
            .join(),
        ),
      );
      observer.observe({ entryTypes: ['mark', 'measure'] });
      performance.mark('began');
      await sleep(20);
      performance.measure('took', 'began');
      performance.measure('was', { start: 1, duration: 2, detail: 'x' });
      await sleep(1);
      observer.disconnect();
      performance.mark('unheard');
      console.log(heard);
      console.log(performance.getEntries().map(({ name }) => name));
      console.log(JSON.stringify(performance.getEntriesByName('took')[0]));
      const [measure] = performance.getEntriesByType('measure');
      console.log(measure instanceof PerformanceMeasure, measure!.duration);
      try {
        performance.measure('never', 'nowhere');
      } catch (failure) {
        console.log((failure as Error).name);
      }
      performance.clearMeasures('was');
      performance.clearMarks();
      console.log(performance.getEntries().length, JSON.stringify(performance.toJSON()));
      console.log(performance.nodeTiming.duration, performance.nodeTiming.loopExit);
    };
    const before = performance.getEntries().length;
    const first = await simulate(timeline);
    expect(await simulate(timeline)).toEqual(first);
    expect(performance.getEntries()).toHaveLength(before);
    expect(first).toMatchInlineSnapshot(`
      [
        "21000 log: [ 'began 0', 'took 0,was 1' ]",
        "21000 log: [ 'began', 'took', 'was', 'unheard' ]",
        "21000 log: {"name":"took","entryType":"measure","startTime":0,"duration":20,"detail":null}",
        "21000 log: true 20",
        "21000 log: SyntaxError",
        "21000 log: 1 {"nodeTiming":{"name":"node","entryType":"node","startTime":0,"duration":21,"nodeStart":0,"v8Start":0,"environment":0,"bootstrapComplete":0,"loopStart":0,"loopExit":-1,"idleTime":0},"timeOrigin":1800000000000,"eventLoopUtilization":{"idle":0,"active":0,"utilization":0}}",
        "21000 log: 21 -1",
      ]
    `);
  });
});

describe('back doors to clock, chance and machine', () => {
  test('lead to the node’s own: contexts, histograms, heaps', async () => {
    const tries = async () => {
      console.log(vm.runInNewContext('[Date.now(), new Date().getTime(), typeof Math.random()]'));
      const context = vm.createContext({ kept: 1 });
      console.log(vm.runInContext('kept + Math.random()', context));
      console.log(new vm.Script('Math.random() + Date.now()').runInNewContext());
      const histogram = createHistogram();
      histogram.recordDelta();
      await sleep(3);
      histogram.recordDelta();
      console.log(histogram.count, histogram.min);
      console.log(v8.getHeapStatistics().used_heap_size);
    };
    const first = await simulate(tries);
    await new Promise((resolve) => realSetTimeout(resolve, 5));
    expect(await simulate(tries)).toEqual(first);
    // As exact as histograms are.
    expect(first.at(-2)).toMatch(/^3000 log: 1 (2998|2999|3000|3001)\d{3}$/);
  });

  test('are closed where no seed reaches', async () => {
    const refused: string[] = [];
    const attempt = (work: () => unknown) => {
      try {
        work();
      } catch (failure) {
        refused.push((failure as LoadpathError).code);
      }
    };
    await simulate(() => {
      attempt(() => crypto.getDiffieHellman('modp5').generateKeys());
      attempt(() => crypto.createECDH('secp256k1').generateKeys());
      attempt(() => crypto.createDiffieHellman(64));
    });
    expect(refused).toEqual(['real-io', 'real-io', 'real-io']);
  });

  test('classes of zlib and streamed WebAssembly come to an end', async () => {
    const lines = await simulate(async () => {
      const zipped: Uint8Array[] = [];
      const { Gzip } = zlib as unknown as { readonly Gzip: new () => PassThrough };
      for await (const piece of new Gzip().end('hello')) zipped.push(piece as Uint8Array);
      console.log(zlib.gunzipSync(Buffer.concat(zipped)).toString());
      const { instantiateStreaming } = (
        globalThis as unknown as {
          readonly WebAssembly: {
            instantiateStreaming(source: unknown): Promise<{ readonly instance: object }>;
          };
        }
      ).WebAssembly;
      const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
      const { instance } = await instantiateStreaming(new Response(bytes));
      console.log(typeof instance);
    });
    expect(lines).toEqual(['0 log: hello', '0 log: object']);
  });

  test('a loop of immediates comes to the timer that it waits for', async () => {
    const lines = await simulate(async () => {
      let isDone = false;
      setTimeout(() => {
        isDone = true;
      }, 5);
      while (!isDone) await new Promise((resolve) => setImmediate(resolve));
      console.log('done');
    });
    expect(lines).toEqual([expect.stringMatching(/^500\d log: done$/)]);
  });
});

describe('what a run leaves behind', () => {
  test('numbers of timers count from one in each life, and hold nobody else’s', async () => {
    const numbers = () => {
      const interval = Number(setInterval(() => {}, 1_000));
      console.log(interval, Number(setTimeout(() => {}, 1)));
      clearInterval(interval);
    };
    const first = await simulate(numbers);
    expect(await simulate(numbers)).toEqual(first);
    expect(first).toEqual(['0 log: 1 2']);
  });

  test('a signal that follows others has no listeners when the run is over', async () => {
    let signal: AbortSignal | undefined;
    await simulate(() => {
      signal = AbortSignal.any([new AbortController().signal]);
      signal.addEventListener('abort', () => console.log('never'));
    });
    expect(getEventListeners(signal!, 'abort')).toHaveLength(1);
    releaseSignals();
    expect(getEventListeners(signal!, 'abort')).toHaveLength(0);
  });
});
