/**
 * What Node hands to other threads (compression, crypto.subtle, key derivation, WebAssembly) is
 * served from its synchronous form, since those threads could not report back while the
 * simulation drains. The results are the true ones.
 */
import crypto from 'node:crypto';
import { Transform } from 'node:stream';
import zlib from 'node:zlib';
import { disguised, type Patches } from './patches.ts';
import { current } from './scope.ts';
import { patchSubtle } from './subtle.ts';

type AnyFunction = (...given: unknown[]) => unknown;
type Squeeze = (bytes: Uint8Array, options?: unknown) => Uint8Array;

export function patchOffload(patches: Patches): void {
  const zlibSync = zlib as unknown as Record<string, Squeeze>;
  for (const name of [
    'gzip',
    'gunzip',
    'deflate',
    'inflate',
    'deflateRaw',
    'inflateRaw',
    'unzip',
    'brotliCompress',
    'brotliDecompress',
    'zstdCompress',
    'zstdDecompress',
  ]) {
    const sync = zlibSync[`${name}Sync`];
    // Some came with later versions of Node.
    if (!sync) continue;
    callback(patches, zlib, name, sync as AnyFunction);
    patchZlibStream(patches, `${name[0]!.toUpperCase()}${name.slice(1)}`, sync);
  }

  callback(patches, crypto, 'pbkdf2', crypto.pbkdf2Sync as AnyFunction);
  callback(patches, crypto, 'scrypt', crypto.scryptSync as AnyFunction);
  callback(patches, crypto, 'hkdf', crypto.hkdfSync as AnyFunction);
  callback(patches, crypto, 'checkPrime', crypto.checkPrimeSync as AnyFunction);
  // These are synchronous without a callback.
  callback(patches, crypto, 'sign', crypto.sign as AnyFunction);
  callback(patches, crypto, 'verify', crypto.verify as AnyFunction);
  patchSubtle(patches);
  patchCompressionStreams(patches);
  patchWebAssembly(patches);
}

/** `name(…, done)` becomes `sync(…)` and a call of `done` once the caller has returned. */
function callback(patches: Patches, holder: object, name: string, sync: AnyFunction): void {
  const real = (holder as Record<string, AnyFunction>)[name]!;
  const standIn = (...given: unknown[]): unknown => {
    const done = given.at(-1);
    if (current === undefined || typeof done !== 'function') return real.apply(holder, given);
    let outcome: unknown[];
    try {
      outcome = [null, sync.apply(holder, given.slice(0, -1))];
    } catch (failure) {
      // A mistake in the arguments is thrown at once, as the platform does.
      if ((failure as { code?: string }).code?.startsWith('ERR_INVALID_ARG')) throw failure;
      outcome = [failure];
    }
    process.nextTick(done as AnyFunction, ...outcome);
    return undefined;
  };
  patches.value(holder, name, disguised(standIn, real));
}

/** Gathers its input and converts it whole at the end: streams of a simulation fit in memory. */
function patchZlibStream(patches: Patches, kind: string, sync: Squeeze): void {
  const streams = zlib as unknown as Record<string, AnyFunction>;
  const realMake = streams[`create${kind}`]!;
  const make = (options?: unknown): unknown =>
    current === undefined ? realMake.call(zlib, options) : squeezing(sync, options);
  patches.value(zlib, `create${kind}`, disguised(make, realMake));

  const virtual = new Proxy(streams[kind]!, {
    apply: (target, self, given) =>
      current === undefined ? Reflect.apply(target, self, given) : squeezing(sync, given[0]),
    construct: (target, given, newTarget) =>
      current === undefined
        ? (Reflect.construct(target, given, newTarget) as object)
        : squeezing(sync, given[0]),
  });
  patches.value(zlib, kind, virtual);
}

function squeezing(sync: Squeeze, options: unknown): Transform {
  const chunks: Buffer[] = [];
  return new Transform({
    transform(chunk: Buffer | string, encoding, done) {
      chunks.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
      done();
    },
    flush(done) {
      try {
        done(null, sync(Buffer.concat(chunks), options));
      } catch (failure) {
        done(failure as Error);
      }
    },
  });
}

const formats: Readonly<Record<string, readonly [compress: Squeeze, decompress: Squeeze]>> = {
  gzip: [zlib.gzipSync, zlib.gunzipSync] as never,
  deflate: [zlib.deflateSync, zlib.inflateSync] as never,
  'deflate-raw': [zlib.deflateRawSync, zlib.inflateRawSync] as never,
};

function patchCompressionStreams(patches: Patches): void {
  for (const [index, name] of (['CompressionStream', 'DecompressionStream'] as const).entries()) {
    const Real = globalThis[name];
    const standIn = new Proxy(Real, {
      construct(target, given, newTarget) {
        const squeeze = formats[given[0] as string]?.[index];
        if (current === undefined || !squeeze) {
          return Reflect.construct(target, given, newTarget) as object;
        }
        const { readable, writable } = gathering(squeeze);
        const stream = Object.create(target.prototype) as object;
        Object.defineProperties(stream, {
          readable: { value: readable },
          writable: { value: writable },
        });
        return stream;
      },
    });
    patches.value(globalThis, name, standIn);
  }
}

function gathering(squeeze: Squeeze): TransformStream<Uint8Array, Uint8Array> {
  const chunks: Uint8Array[] = [];
  return new TransformStream({
    transform(chunk: Uint8Array | ArrayBuffer) {
      chunks.push(chunk instanceof Uint8Array ? chunk.slice() : new Uint8Array(chunk));
    },
    flush(controller) {
      let converted: Uint8Array;
      try {
        converted = squeeze(Buffer.concat(chunks));
      } catch (failure) {
        throw new TypeError((failure as Error).message, { cause: failure });
      }
      if (converted.length > 0) controller.enqueue(new Uint8Array(converted));
    },
  });
}

/** The part of WebAssembly that this file uses; the compiler's library has no types for it. */
interface Wasm {
  Module: new (bytes: unknown) => object;
  Instance: new (module: object, imports?: unknown) => object;
  compile(bytes: unknown): Promise<object>;
  instantiate(source: unknown, imports?: unknown): Promise<object>;
  compileStreaming(source: Streamed | Promise<Streamed>): Promise<object>;
  instantiateStreaming(source: Streamed | Promise<Streamed>, imports?: unknown): Promise<object>;
}

type Streamed = Pick<Response, 'arrayBuffer'>;

function patchWebAssembly(patches: Patches): void {
  const wasm = (globalThis as unknown as { readonly WebAssembly: Wasm }).WebAssembly;
  const { compile, instantiate, compileStreaming, instantiateStreaming } = wasm;
  patches.value(wasm, 'compile', (bytes: unknown) =>
    current === undefined ? compile(bytes) : attempt(() => new wasm.Module(bytes)),
  );
  patches.value(wasm, 'instantiate', (source: unknown, imports?: unknown) => {
    if (current === undefined) return instantiate(source, imports);
    return attempt(() => {
      if (source instanceof wasm.Module) return new wasm.Instance(source, imports);
      const module = new wasm.Module(source);
      return { module, instance: new wasm.Instance(module, imports) };
    });
  });
  patches.value(wasm, 'compileStreaming', async (source: Streamed | Promise<Streamed>) => {
    if (current === undefined) return compileStreaming(source);
    return wasm.compile(await (await source).arrayBuffer());
  });
  patches.value(
    wasm,
    'instantiateStreaming',
    async (source: Streamed | Promise<Streamed>, imports?: unknown) => {
      if (current === undefined) return instantiateStreaming(source, imports);
      return wasm.instantiate(await (await source).arrayBuffer(), imports);
    },
  );
}

function attempt<T>(make: () => T): Promise<T> {
  return new Promise((resolve) => resolve(make()));
}
