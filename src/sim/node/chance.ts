/** Math.random and the randomness of crypto, drawn from the current node's stream. */
import crypto from 'node:crypto';
import { LoadpathError } from '../../kit/errors.ts';
import type { Random } from '../../kit/random.ts';
import { disguised, type Patches } from './patches.ts';
import { current } from './scope.ts';

type AnyFunction = (...given: never[]) => unknown;
type Done = (error: Error | null, drawn?: unknown) => void;

export function fill(random: Random, view: ArrayBufferView, from = 0, count?: number): void {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const end = count === undefined ? bytes.length : from + count;
  for (let i = from; i < end; ) {
    let word = random.word();
    for (let part = 0; part < 4 && i < end; part++) {
      bytes[i++] = word & 0xff;
      word >>>= 8;
    }
  }
}

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
/** Two bytes. */
function pair(word: number): string {
  return hex[(word >>> 8) & 0xff]! + hex[word & 0xff]!;
}

/** Version 4, variant 1. */
function uuid(random: Random): string {
  const a = random.word();
  const b = (random.word() & 0xffff0fff) | 0x4000;
  const c = (random.word() & 0x3fffffff) | 0x80000000;
  const d = random.word();
  return `${pair(a >>> 16)}${pair(a)}-${pair(b >>> 16)}-${pair(b)}-${pair(c >>> 16)}-${pair(c)}${pair(d >>> 16)}${pair(d)}`;
}

export function patchChance(patches: Patches): void {
  const realRandom = Math.random;
  patches.value(
    Math,
    'random',
    disguised(() => (current === undefined ? realRandom() : current.random.next()), realRandom),
  );

  const web = crypto.webcrypto;
  const methods = Object.getPrototypeOf(web) as typeof web;
  const realGetValues = methods.getRandomValues as AnyFunction;
  const getRandomValues = function (this: unknown, view: ArrayBufferView): unknown {
    // The platform refuses floats and too many bytes; it does so before it draws.
    if (current === undefined || isOddForDrawing(view)) {
      return realGetValues.call(this === undefined ? web : this, view as never);
    }
    fill(current.random, view);
    return view;
  };
  patches.value(methods, 'getRandomValues', disguised(getRandomValues, realGetValues));
  const realWebUuid = methods.randomUUID;
  const webUuid = function (this: unknown) {
    return current === undefined
      ? realWebUuid.call(this === undefined ? web : (this as typeof web))
      : uuid(current.random);
  };
  patches.value(methods, 'randomUUID', disguised(webUuid, realWebUuid));

  patchNodeCrypto(patches);
}

function isOddForDrawing(view: ArrayBufferView): boolean {
  if (!ArrayBuffer.isView(view) || view.byteLength > 65_536) return true;
  return view instanceof Float32Array || view instanceof Float64Array || view instanceof DataView;
}

function patchNodeCrypto(patches: Patches): void {
  const when = (name: string, virtual: (random: Random, given: readonly unknown[]) => unknown) => {
    const real = (crypto as unknown as Record<string, AnyFunction>)[name]!;
    const standIn = (...given: never[]) =>
      current === undefined ? real.apply(crypto, given) : virtual(current.random, given);
    patches.value(crypto, name, disguised(standIn, real));
  };

  const bytes = (random: Random, given: readonly unknown[]) => {
    const [size, done] = given as [number, Done | undefined];
    if (!(Number.isInteger(size) && size >= 0)) {
      throw new RangeError(`randomBytes: the size must be a whole number, not ${size}`);
    }
    const drawn = Buffer.alloc(size);
    fill(random, drawn);
    return answer(drawn, done);
  };
  when('randomBytes', bytes);
  when('pseudoRandomBytes', bytes);
  when('prng', bytes);
  when('rng', bytes);
  when('randomUUID', uuid);
  when('randomInt', (random, given) => {
    const done = given.find((one) => typeof one === 'function') as Done | undefined;
    const bounds = given.filter((one) => typeof one === 'number') as number[];
    const [min, max] = bounds.length > 1 ? [bounds[0]!, bounds[1]!] : [0, bounds[0]!];
    if (!(Number.isSafeInteger(min) && Number.isSafeInteger(max) && max > min)) {
      throw new RangeError(`randomInt: there is no whole number from ${min} up to ${max}`);
    }
    return answer(min + random.below(max - min), done);
  });
  const fillPart = (random: Random, given: readonly unknown[]) => {
    const [target, from, count] = given as [ArrayBufferView | ArrayBuffer, unknown, unknown];
    const view = ArrayBuffer.isView(target) ? target : new Uint8Array(target);
    const start = typeof from === 'number' ? from : 0;
    fill(random, view, start, typeof count === 'number' ? count : view.byteLength - start);
    return target;
  };
  when('randomFillSync', fillPart);
  when('randomFill', (random, given) => {
    const done = given.find((one) => typeof one === 'function') as Done;
    return answer(fillPart(random, given), done);
  });
  when('getRandomValues', (random, given) => {
    fill(random, given[0] as ArrayBufferView);
    return given[0];
  });

  // Keys and primes come out of OpenSSL's own generator, which no seed reaches.
  for (const name of [
    'generateKeyPair',
    'generateKeyPairSync',
    'generatePrime',
    'generatePrimeSync',
  ]) {
    when(name, () => {
      throw unseeded(`crypto.${name}`, 'Use a fixed key in the simulated world');
    });
  }
  when('generateKey', (random, given) => {
    const done = given.find((one) => typeof one === 'function') as Done;
    return answer(secret(random, given), done);
  });
  when('generateKeySync', secret);
  patchAgreement(patches);
}

/** A pair that is drawn; what is computed from a given secret needs no chance. */
function patchAgreement(patches: Patches): void {
  const refuseDrawn = (
    holder: { generateKeys(...given: never[]): unknown },
    name: string,
    hasSecret: (pair: never) => boolean,
  ) => {
    const real = holder.generateKeys;
    const standIn = function (this: never, ...given: never[]): unknown {
      if (current !== undefined && !hasSecret(this)) {
        throw unseeded(`${name}.generateKeys`, 'Give it a fixed secret, by setPrivateKey');
      }
      return real.apply(this, given);
    };
    patches.value(holder, 'generateKeys', disguised(standIn, real));
  };
  const hasPrivateKey = (pair: crypto.DiffieHellman): boolean => {
    try {
      return pair.getPrivateKey().length > 0;
    } catch {
      // That is how the platform says that there is none.
      return false;
    }
  };
  const { DiffieHellman, DiffieHellmanGroup, ECDH } = crypto;
  refuseDrawn(DiffieHellman.prototype, 'DiffieHellman', hasPrivateKey);
  refuseDrawn(DiffieHellmanGroup.prototype, 'DiffieHellmanGroup', hasPrivateKey);
  refuseDrawn(ECDH.prototype, 'ECDH', () => false);

  const realMake = crypto.createDiffieHellman as AnyFunction;
  const make = (...given: never[]): unknown => {
    if (current !== undefined && typeof given[0] === 'number') {
      throw unseeded('crypto.createDiffieHellman of a length', 'Give it a prime, or take a group');
    }
    return realMake(...given);
  };
  patches.value(crypto, 'createDiffieHellman', disguised(make, realMake));
}

function secret(random: Random, given: readonly unknown[]): crypto.KeyObject {
  const { length } = given[1] as { readonly length: number };
  const bytes = Buffer.alloc(Math.ceil(length / 8));
  fill(random, bytes);
  return crypto.createSecretKey(bytes);
}

export function unseeded(name: string, instead: string): LoadpathError {
  const node = current?.node ?? '';
  current?.reached(name);
  return new LoadpathError(
    'real-io',
    `${node}: ${name} draws real entropy, so that no run could be repeated. ${instead}.`,
  );
}

/** What only another thread could do, and no synchronous form exists for. */
export function offThread(name: string, instead: string): LoadpathError {
  const node = current?.node ?? '';
  current?.reached(name);
  return new LoadpathError(
    'real-io',
    `${node}: ${name} works on another thread, which cannot answer while a simulation runs. ${instead}.`,
  );
}

/** To a callback as the platform would, later; without one by returning it. */
function answer<T>(drawn: T, done: Done | undefined): T | undefined {
  if (typeof done !== 'function') return drawn;
  process.nextTick(done, null, drawn);
  return undefined;
}
