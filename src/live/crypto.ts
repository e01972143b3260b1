/**
 * `host.crypto` of the live world. Digests are done at once, since handing them to another thread
 * costs more than they do; signatures and compression run on Node's thread pool.
 */
import crypto from 'node:crypto';
import zlib from 'node:zlib';
import {
  type Compression,
  type Crypto,
  type HashName,
  hashes,
  isStrong,
  type PublicKey,
  type SeedKey,
  type SignatureName,
  schemes,
  seedPrefix,
} from '../host/crypto.ts';

const keys = new WeakMap<PublicKey, crypto.KeyObject | null>();

export class LiveCrypto implements Crypto {
  /** Into the node's turn, now that the outside has answered. */
  readonly #enter: (fire: () => void) => void;
  /** Into the node's next round. */
  readonly #later: (fire: () => void) => void;

  constructor(enter: (fire: () => void) => void, later: (fire: () => void) => void) {
    this.#enter = enter;
    this.#later = later;
  }

  digest(hash: HashName, bytes: Uint8Array, done: (digest: Uint8Array) => void): void {
    // In one call: an object of its own for each digest costs as much as the digest.
    const digest = plain(crypto.hash(hashes[hash], bytes, 'buffer'));
    this.#later(() => done(digest));
  }

  hmac(hash: HashName, key: Uint8Array, bytes: Uint8Array, done: (code: Uint8Array) => void): void {
    const code = plain(crypto.createHmac(hashes[hash], key).update(bytes).digest());
    this.#later(() => done(code));
  }

  verify(
    name: SignatureName,
    key: PublicKey,
    bytes: Uint8Array,
    signature: Uint8Array,
    done: (isGood: boolean) => void,
  ): void {
    const read = keyOf(key);
    const { type, hash } = schemes[name];
    if (!read || read.asymmetricKeyType !== type || !isStrong(read)) {
      this.#later(() => done(false));
      return;
    }
    const by = { key: read, dsaEncoding: 'ieee-p1363' } as const;
    crypto.verify(hash, bytes, by, signature, (error, isGood) =>
      this.#enter(() => done(!error && isGood)),
    );
  }

  sign(seed: Uint8Array, bytes: Uint8Array, done: (signature: Uint8Array) => void): void {
    crypto.sign(null, bytes, privateKey(seed), (error, signature) => {
      if (error) throw error;
      this.#enter(() => done(plain(signature)));
    });
  }

  publicKey(seed: Uint8Array, done: (key: SeedKey) => void): void {
    const { x = '' } = crypto.createPublicKey(privateKey(seed)).export({ format: 'jwk' });
    this.#later(() => done({ kty: 'OKP', crv: 'Ed25519', x }));
  }

  secret(count: number): Uint8Array {
    return plain(crypto.randomBytes(count));
  }

  compress(method: Compression, bytes: Uint8Array, done: (bytes: Uint8Array) => void): void {
    const squeezed = (error: Error | null, result: Buffer) => {
      if (error) throw error;
      this.#enter(() => done(plain(result)));
    };
    if (method === 'gzip') zlib.gzip(bytes, squeezed);
    else {
      const params = { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 };
      zlib.brotliCompress(bytes, { params }, squeezed);
    }
  }
}

function privateKey(seed: Uint8Array): crypto.KeyObject {
  const key = Buffer.concat([seedPrefix, seed]);
  return crypto.createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

function keyOf(key: PublicKey): crypto.KeyObject | null {
  const known = keys.get(key);
  if (known !== undefined) return known;
  let read: crypto.KeyObject | null;
  try {
    read = crypto.createPublicKey({ key: key as crypto.JsonWebKey, format: 'jwk' });
  } catch {
    read = null; // What somebody serves as a key and is none.
  }
  keys.set(key, read);
  return read;
}

/** A buffer may be a piece of a pool, and is no value. */
function plain(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes);
}
