/** What `host.crypto` of the simulator computes with: Node's own, at once. */
import crypto from 'node:crypto';
import zlib from 'node:zlib';
import {
  type Arithmetic,
  hashes,
  isStrong,
  type PublicKey,
  type SeedKey,
  schemes,
  seedPrefix,
} from '../../host/crypto.ts';

// Taken before any patch: a run replaces some of them for the code of its users.
const { createHash, createHmac, createPrivateKey, createPublicKey, sign, verify } = crypto;
const { gzipSync, brotliCompressSync, constants } = zlib;

const keys = new WeakMap<PublicKey, crypto.KeyObject | null>();

export const arithmetic: Arithmetic = {
  digest: (hash, bytes) => plain(createHash(hashes[hash]).update(bytes).digest()),

  hmac: (hash, key, bytes) => plain(createHmac(hashes[hash], key).update(bytes).digest()),

  verify(name, key, bytes, signature) {
    const read = keyOf(key);
    const { type, hash } = schemes[name];
    if (!read || read.asymmetricKeyType !== type || !isStrong(read)) return false;
    return verify(hash, bytes, { key: read, dsaEncoding: 'ieee-p1363' }, signature);
  },

  sign: (seed, bytes) => plain(sign(null, bytes, privateKey(seed))),

  publicKey(seed) {
    const { x = '' } = createPublicKey(privateKey(seed)).export({ format: 'jwk' });
    return { kty: 'OKP', crv: 'Ed25519', x } satisfies SeedKey;
  },

  compress: (method, bytes) =>
    plain(
      method === 'gzip'
        ? gzipSync(bytes)
        : brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
    ),
};

function privateKey(seed: Uint8Array): crypto.KeyObject {
  const key = Buffer.concat([seedPrefix, seed]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

function keyOf(key: PublicKey): crypto.KeyObject | null {
  const known = keys.get(key);
  if (known !== undefined) return known;
  let read: crypto.KeyObject | null;
  try {
    read = createPublicKey({ key: key as crypto.JsonWebKey, format: 'jwk' });
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
