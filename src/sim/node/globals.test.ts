import { AsyncLocalStorage } from 'node:async_hooks';
import childProcess from 'node:child_process';
import crypto, { randomBytes, randomUUID } from 'node:crypto';
import dns from 'node:dns';
import { EventEmitter, once } from 'node:events';
import fs, { readFileSync } from 'node:fs';
import fsPromises from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import net from 'node:net';
import os from 'node:os';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import timers from 'node:timers';
import timersPromises, { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import workerThreads from 'node:worker_threads';
import zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inMacrotask, simulate } from '../../../test/tiny.ts';
import type { LoadpathError } from '../../kit/errors.ts';
import { catchStrays, chooseDrain } from './drain.ts';
import { install, loading, uninstall } from './globals.ts';
import { Leaks } from './leaks.ts';

type CryptoKeyPair = crypto.webcrypto.CryptoKeyPair;

/** As a module would hold it that loaded before the simulation. */
const realLookup = dns.lookup;

beforeAll(() => install());
afterAll(() => uninstall());

/** Unmodified user code that touches everything the simulation gives. */
async function everything(): Promise<void> {
  const began = Date.now();
  console.log('date', new Date().toISOString(), typeof Date(), new Date(0).getTime());
  console.log('is a date', new Date() instanceof Date, Object.prototype.toString.call(new Date()));
  console.log('clocks', performance.now(), performance.timeOrigin, process.uptime());
  console.log('hrtime', process.hrtime(), process.hrtime.bigint());
  console.log('machine', process.pid, process.memoryUsage().rss, os.freemem(), os.loadavg());

  await new Promise((resolve) => setTimeout(resolve, 20));
  console.log('setTimeout', Date.now() - began);
  console.log('with arguments', await new Promise((resolve) => setTimeout(resolve, 3, 'kept')));
  await sleep(30, undefined);
  console.log('timers/promises', Date.now() - began);
  console.log('promisified', await promisify(setTimeout)(7, 'value'), Date.now() - began);
  await new Promise((resolve) => setImmediate(resolve));
  await timersPromises.setImmediate();
  await timersPromises.scheduler.wait(4);
  console.log('immediates', Date.now() - began);

  let count = 0;
  await new Promise<void>((resolve) => {
    const interval = setInterval(() => {
      if (++count < 3) return;
      clearInterval(interval);
      resolve();
    }, 10);
  });
  for await (const tick of timersPromises.setInterval(5, 'tick')) {
    console.log('interval', tick, Date.now() - began);
    if (++count === 5) break;
  }
  const cancelled = setTimeout(() => console.log('never'), 1);
  clearTimeout(cancelled);
  clearTimeout(Number(setTimeout(() => console.log('never'), 1)));
  const refreshed = setTimeout(() => console.log('refreshed', Date.now() - began), 10).unref();
  await sleep(6);
  refreshed.refresh();

  const signal = AbortSignal.timeout(50);
  await once(signal, 'abort');
  console.log('AbortSignal.timeout', (signal.reason as Error).name, Date.now() - began);
  await sleep(1_000, undefined, { signal: AbortSignal.timeout(2) }).catch((error: Error) =>
    console.log('aborted', error.name, Date.now() - began),
  );

  const emitter = new EventEmitter();
  setTimeout(() => emitter.emit('ready', 42), 8);
  console.log('events.once', await once(emitter, 'ready'), Date.now() - began);
  process.nextTick(() => console.log('nextTick'));
  queueMicrotask(() => console.log('queueMicrotask'));
  await sleep(1);

  const through = new PassThrough();
  const chunks: string[] = [];
  through.on('data', (chunk) => chunks.push(String(chunk)));
  await pipeline(Readable.from(['a', 'b', 'c']), through);
  console.log('node streams', chunks);
  const webStream = new ReadableStream({
    async start(controller) {
      for (let i = 0; i < 3; i++) {
        await sleep(2);
        controller.enqueue(i);
      }
      controller.close();
    },
  });
  for await (const chunk of webStream) console.log('web stream', chunk, Date.now() - began);
  async function* generate(): AsyncGenerator<number> {
    for (let i = 0; i < 2; i++) {
      await sleep(1);
      yield i;
    }
  }
  for await (const value of generate()) console.log('async generator', value);

  console.log('chance', Math.random(), randomUUID(), globalThis.crypto.randomUUID());
  console.log(
    randomBytes(4).toString('hex'),
    crypto.randomInt(100),
    crypto.randomFillSync(Buffer.alloc(3)),
  );
  console.log(globalThis.crypto.getRandomValues(new Uint16Array(2)));
  console.log((await promisify(crypto.randomBytes)(4)).toString('hex'));

  const reply = await fetch('http://other/thing');
  console.log('fetch', reply.status, await reply.json(), reply instanceof Response);

  const bytes = new TextEncoder().encode('hello');
  const digest = await globalThis.crypto.subtle.digest('SHA-256', bytes);
  console.log('digest', Buffer.from(digest).toString('hex'));
  const key = await globalThis.crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, [
    'encrypt',
    'decrypt',
  ]);
  const iv = globalThis.crypto.getRandomValues(new Uint8Array(12));
  const sealed = await globalThis.crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, bytes);
  const opened = await globalThis.crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, sealed);
  console.log('aes', Buffer.from(sealed).toString('hex'), Buffer.from(opened).toString());
  console.log('scrypt', await promisify(crypto.scrypt)('a', 'b', 8));

  const zipped = await promisify(zlib.gzip)(Buffer.from('hello'.repeat(10)));
  console.log('gzip', (await promisify(zlib.gunzip)(zipped)).toString());
  const squeezed = new Blob(['hello']).stream().pipeThrough(new CompressionStream('gzip'));
  const unsqueezed = squeezed.pipeThrough(new DecompressionStream('gzip'));
  console.log('CompressionStream', await new Response(unsqueezed).text());
  const piped: Buffer[] = [];
  await pipeline(
    Readable.from(['x', 'y']),
    zlib.createGzip(),
    zlib.createGunzip(),
    async (source) => {
      for await (const chunk of source) piped.push(chunk as Buffer);
    },
  );
  console.log('zlib streams', Buffer.concat(piped).toString());

  const form = new FormData();
  form.append('name', 'value');
  form.append('file', new File(['content'], 'a.txt'));
  const posted = new Request('http://x/', { method: 'POST', body: form });
  console.log('form', posted.headers.get('content-type'), [...(await posted.formData()).keys()]);

  performance.mark('here');
  console.log('mark', performance.getEntriesByName('here')[0]?.startTime);
  performance.clearMarks();
  console.warn('warned %d', 1);
  console.error(new Error('shown').message);
  console.table([{ a: 1 }]);
  process.stdout.write('written\n');
  console.log('end', Date.now() - began);
}

describe('unmodified user code under the virtual globals', () => {
  test('runs to its end without the event loop, with the same log each time', async () => {
    const first = await simulate(everything);
    const second = await simulate(everything);
    expect(first.at(-1)).toMatch(/end \d+$/);
    expect(second).toEqual(first);
    expect(first.find((line) => line.includes('chance'))).toMatch(
      / [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  test('draws other values from another seed, and nothing but values differs', async () => {
    const one = await simulate(everything, 1);
    const two = await simulate(everything, 2);
    expect(two).not.toEqual(one);
    expect(two.length).toBe(one.length);
  });

  test('sees the node’s clock, machine and name', async () => {
    const lines = await simulate(async () => {
      await sleep(1_500);
      console.log(Date.now(), performance.now(), process.uptime(), process.hrtime());
      console.log(process.pid, os.hostname(), os.cpus().length);
      console.log(new Intl.DateTimeFormat('en', { timeZone: 'UTC', year: 'numeric' }).format());
    });
    expect(lines).toEqual([
      '1500000 log: 1800000001500 1500 1.5 [ 1, 500000000 ]',
      '1500000 log: 1 api-0 1',
      '1500000 log: 2027',
    ]);
  });

  test('a delay is at least a millisecond and whole, as in Node', async () => {
    const lines = await simulate(async () => {
      setTimeout(() => console.log('2.9'), 2.9);
      setTimeout(() => console.log('0'), 0);
      setTimeout(() => console.log('NaN'), Number.NaN);
      setImmediate(() => console.log('immediate'));
    });
    expect(lines).toEqual(['1 log: immediate', '1000 log: 0', '1000 log: NaN', '2000 log: 2.9']);
  });

  test('crypto.subtle gives what Node’s own gives', async () => {
    const { subtle } = globalThis.crypto;
    const secret = new Uint8Array(32).fill(7);
    const text = new TextEncoder().encode('signed');
    const work = async (pair: CryptoKeyPair) => {
      const hmac = await subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-512' }, true, [
        'sign',
        'verify',
      ]);
      const mac = await subtle.sign('HMAC', hmac, text);
      const rsa = await subtle.sign('RSASSA-PKCS1-v1_5', pair.privateKey, text);
      const base = await subtle.importKey('raw', secret, 'PBKDF2', false, [
        'deriveBits',
        'deriveKey',
      ]);
      const pbkdf2 = { name: 'PBKDF2', salt: secret, iterations: 10, hash: 'SHA-256' };
      const aes = await subtle.deriveKey(pbkdf2, base, { name: 'AES-CTR', length: 128 }, true, [
        'encrypt',
        'decrypt',
      ]);
      const ctr = { name: 'AES-CTR', counter: new Uint8Array(16), length: 64 };
      const sealed = await subtle.encrypt(ctr, aes, text);
      const bytes = [
        mac,
        rsa,
        await subtle.deriveBits(pbkdf2, base, 256),
        await subtle.exportKey('raw', aes),
        sealed,
        await subtle.decrypt(ctr, aes, sealed),
        await subtle.exportKey('spki', pair.publicKey),
        await subtle.exportKey('pkcs8', pair.privateKey),
      ];
      const checks = [
        await subtle.verify('HMAC', hmac, mac, text),
        await subtle.verify('HMAC', hmac, mac, secret),
        await subtle.verify('RSASSA-PKCS1-v1_5', pair.publicKey, rsa, text),
        await subtle.verify('RSASSA-PKCS1-v1_5', pair.publicKey, rsa, secret),
        await subtle.encrypt(ctr, hmac, text).catch((error: Error) => error.name),
      ];
      return JSON.stringify([bytes.map((one) => Buffer.from(one).toString('hex')), checks]);
    };
    const pair = await subtle.generateKey(
      {
        name: 'RSASSA-PKCS1-v1_5',
        modulusLength: 2_048,
        publicExponent: new Uint8Array([1, 0, 1]),
        hash: 'SHA-256',
      },
      true,
      ['sign', 'verify'],
    );
    let simulated = '';
    await simulate(async () => {
      simulated = await work(pair);
    });
    expect(simulated).toBe(await work(pair));
  });

  test('AsyncLocalStorage reaches into timers', async () => {
    const lines = await simulate(() => {
      const storage = new AsyncLocalStorage<string>();
      storage.run('request 7', () => {
        setTimeout(() => console.log(storage.getStore()), 5);
      });
    });
    expect(lines).toEqual(['5000 log: request 7']);
  });

  test('subclasses and copies of Date keep working', async () => {
    const lines = await simulate(() => {
      class Day extends Date {
        name(): string {
          return this.toISOString().slice(0, 10);
        }
      }
      console.log(new Day().name(), new Day(0) instanceof Day, new Day() instanceof Date);
      const copy = new (new Date().constructor as DateConstructor)();
      console.log(
        copy.getTime(),
        Date.length,
        Date.name,
        Date.UTC(2000, 0),
        new Date(2000, 0, 2).getDate(),
      );
    });
    expect(lines[0]).toBe('0 log: 2027-01-15 true true');
    expect(lines[1]).toBe('0 log: 1800000000000 7 Date 946684800000 2');
  });
});

describe('the real world', () => {
  const reaches: readonly (readonly [string, () => unknown])[] = [
    ['fs.readFileSync', () => readFileSync('/etc/hostname')],
    ['fs.readFile', () => fs.readFile('/etc/hostname', () => {})],
    ['fs.promises.readFile', () => fsPromises.readFile('/etc/hostname')],
    ['fs.createReadStream', () => fs.createReadStream('/etc/hostname')],
    ['net.connect', () => net.connect(1)],
    ['net.createServer', () => net.createServer()],
    ['net.Socket.connect', () => new net.Socket().connect(1)],
    ['http.request', () => http.request('http://127.0.0.1:1')],
    ['https.get', () => https.get('https://127.0.0.1:1')],
    ['dns.lookup', () => dns.lookup('localhost', () => {})],
    ['dns.promises.resolve4', () => dns.promises.resolve4('localhost')],
    ['child_process.spawn', () => childProcess.spawn('true')],
    ['child_process.execSync', () => childProcess.execSync('true')],
    ['worker_threads.Worker', () => new workerThreads.Worker('', { eval: true })],
    ['MessageChannel', () => new MessageChannel()],
    ['process.exit', () => process.exit(3)],
    ['process.kill', () => process.kill(0, 0)],
    ['crypto.generateKeyPairSync', () => crypto.generateKeyPairSync('ed25519')],
    ['Atomics.wait', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)],
  ];

  test.each(reaches)('%s throws at the call, with its name and the node', async (name, reach) => {
    const lines = await simulate(() => {
      try {
        reach();
        console.log('reached');
      } catch (error) {
        console.log((error as LoadpathError).code, (error as Error).message);
      }
    });
    expect(lines[0]).toBe(`0 reached: ${name}`);
    expect(lines[1]).toMatch(/^0 log: real-io api\/0: /);
    expect(lines[1]).toContain(`: ${name} `);
  });

  test('net.isIP and other pure parts of guarded modules stay usable', async () => {
    const lines = await simulate(() => console.log(net.isIP('::1'), http.STATUS_CODES[404]));
    expect(lines).toEqual(['0 log: 6 Not Found']);
  });

  test('files can be read while modules load, and a late require still works', async () => {
    const lines = await simulate(() => {
      console.log(loading(() => readFileSync('package.json', 'utf8').includes('loadpath')));
      console.log(typeof createRequire(import.meta.url)('node:querystring').parse);
    });
    expect(lines).toEqual(['0 log: true', '0 log: function']);
  });

  test('belongs to the runner as long as no node is current', async () => {
    expect(readFileSync('package.json', 'utf8')).toContain('loadpath');
    expect(Math.abs(Date.now() - performance.timeOrigin - performance.now())).toBeLessThan(60_000);
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(await sleep(1, 'real')).toBe('real');
    expect(process.pid).toBeGreaterThan(1);
  });
});

describe('the drain', () => {
  test('refuses to be chosen inside a microtask, and says from where to start', async () => {
    await null;
    expect(() => chooseDrain()).toThrow(/setImmediate/);
  });

  test('falls back to V8’s checkpoint where Node’s own is missing', async () => {
    const before = Object.getOwnPropertyDescriptor(process, '_tickCallback')!;
    const { nextTick } = process;
    Object.defineProperty(process, '_tickCallback', { value: undefined, configurable: true });
    try {
      const lines = await simulate(async () => {
        await sleep(5);
        process.nextTick(() => console.log('ticked'));
        await sleep(5);
        console.log('end');
      });
      expect(lines).toEqual(['5000 log: ticked', '10000 log: end']);
    } finally {
      Object.defineProperty(process, '_tickCallback', before);
      process.nextTick = nextTick;
    }
  });
});

describe('what user code lets fall', () => {
  test('an unhandled rejection and a throw in a microtask surface with their node', async () => {
    const strays: string[] = [];
    const release = catchStrays((node, thrown) =>
      strays.push(`${node}: ${(thrown as Error).message}`),
    );
    try {
      await simulate(() => {
        void Promise.reject(new Error('dropped'));
        queueMicrotask(() => {
          throw new Error('thrown');
        });
        process.nextTick(() => {
          throw new Error('ticked');
        });
        process.nextTick(() => strays.push('the rest still ran'));
      });
    } finally {
      release();
    }
    expect(strays.sort()).toEqual([
      'api/0: dropped',
      'api/0: thrown',
      'api/0: ticked',
      'the rest still ran',
    ]);
  });

  // Without more than ticks: a throw in a microtask would have Node put its contexts right.
  test('ticks that throw leave nothing behind over which Node would abort the process', async () => {
    const strays: string[] = [];
    const release = catchStrays((_node, thrown) => strays.push((thrown as Error).message));
    try {
      await simulate(() => {
        for (const name of ['first', 'second']) {
          process.nextTick(() => {
            throw new Error(name);
          });
        }
        new Readable({
          read() {
            this.destroy(new Error('nobody listens'));
          },
        }).resume();
      });
    } finally {
      release();
    }
    expect(strays).toEqual(['first', 'second', 'nobody listens']);
    // A turn of the real loop, at whose end it would.
    await new Promise((resolve) => setTimeout(resolve, 1));
  });
});

describe('leaks', () => {
  test('an open handler is named until it is closed', () => {
    const leaks = new Leaks();
    const token = leaks.open('api/1', 'GET /x', 5);
    leaks.open('api/2', 'GET /y', 9);
    leaks.close(token);
    expect(leaks.stuck()).toEqual([{ node: 'api/2', what: 'GET /y', sinceUs: 9, waitsFor: [] }]);
    leaks.forget('api/2');
    expect(leaks.openCount).toBe(0);
  });

  test('with tracing, what a stuck handler waits for is said', async () => {
    const leaks = new Leaks();
    leaks.trace();
    try {
      await simulate(async () => {
        leaks.open('api/0', 'GET /slow', 0);
        // The test's own way round the guard: a module that kept the real function.
        realLookup('localhost', () => {});
      });
      expect(leaks.stuck()[0]?.waitsFor).toEqual(['a name look-up (dns)']);
    } finally {
      leaks.stopTracing();
    }
  });
});

describe('intervals', () => {
  test('that are begun again and again and never cleared are named, with tracing', async () => {
    const leaks = new Leaks();
    leaks.trace();
    try {
      await simulate(() => {
        let turns = 0;
        // One that stays may be meant to; those of a module belong to its node.
        const beat = setInterval(() => ++turns === 50 && clearInterval(beat), 30);
        loading(() => [1, 2].map(() => setInterval(() => {}, 70)));
        for (let i = 0; i < 3; i++) setInterval(() => {}, 10).unref();
        for (let i = 0; i < 3; i++) clearInterval(setInterval(() => {}, 20));
      }).catch(() => {
        // It never comes to rest: that is the point.
      });
      expect(leaks.uncleared()).toEqual([
        'api/0: setInterval of 10ms begun and never cleared, 3 times',
      ]);
      leaks.forget('api/0');
      expect(leaks.uncleared()).toEqual([]);
    } finally {
      leaks.stopTracing();
    }
  });
});

describe('install and uninstall', () => {
  test('put back every property they touched', async () => {
    await inMacrotask(() => {
      uninstall();
      const watched: readonly object[] = [
        globalThis,
        Math,
        process,
        timers,
        timersPromises,
        crypto,
        zlib,
        fs,
        fs.promises,
        net,
        http,
        os,
        console,
        Date,
        Date.prototype,
        AbortSignal,
        Object.getPrototypeOf(performance) as object,
        Object.getPrototypeOf(crypto.webcrypto) as object,
        Object.getPrototypeOf(crypto.webcrypto.subtle) as object,
        Intl.DateTimeFormat.prototype,
        AsyncLocalStorage.prototype,
      ];
      const snapshot = () => watched.map((object) => Object.getOwnPropertyDescriptors(object));
      const before = snapshot();
      install();
      install();
      expect(snapshot()).not.toEqual(before);
      uninstall();
      const after = snapshot();
      for (const [index, descriptors] of before.entries()) {
        expect(Reflect.ownKeys(after[index]!)).toEqual(Reflect.ownKeys(descriptors));
        for (const key of Reflect.ownKeys(descriptors)) {
          expect(sameProperty(descriptors, after[index]!, key), `${index}: ${String(key)}`).toBe(
            true,
          );
        }
      }
      install();
    });
  });
});

function sameProperty(before: object, after: object, key: PropertyKey): boolean {
  const one = Reflect.get(before, key) as PropertyDescriptor;
  const other = Reflect.get(after, key) as PropertyDescriptor;
  return Object.is(one.value, other.value) && one.get === other.get && one.set === other.set;
}
