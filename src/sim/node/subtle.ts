/**
 * `crypto.subtle` from Node's synchronous forms. Imports and plain exports never leave the thread
 * and stay the platform's own; what draws entropy for its result (ECDSA and PSS signatures, OAEP,
 * key pairs) cannot be repeated and is refused by name.
 */
import crypto from 'node:crypto';
import { fill, offThread, unseeded } from './chance.ts';
import { disguised, type Patches } from './patches.ts';
import { current } from './scope.ts';

type CryptoKey = crypto.webcrypto.CryptoKey;
type AnyFunction = (...given: never[]) => unknown;
type Bytes = ArrayBuffer | ArrayBufferView;

/** The parameters of all algorithms in one: each reads its own. */
interface Algorithm {
  readonly name: string;
  readonly hash?: string | { readonly name: string };
  readonly iv?: Bytes;
  readonly additionalData?: Bytes;
  readonly tagLength?: number;
  readonly counter?: Bytes;
  readonly length?: number;
  readonly salt?: Bytes;
  readonly info?: Bytes;
  readonly iterations?: number;
  readonly label?: Bytes;
  readonly saltLength?: number;
  readonly public?: CryptoKey;
}

const hashes: Readonly<Record<string, string>> = {
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

const realSubtle = crypto.webcrypto.subtle;

export function patchSubtle(patches: Patches): void {
  const methods = Object.getPrototypeOf(realSubtle) as Record<string, AnyFunction>;
  for (const [name, virtual] of Object.entries(synchronous)) {
    const real = methods[name]!;
    const standIn = function (this: unknown, ...given: never[]): unknown {
      if (current === undefined) return real.apply(this, given);
      // A promise also for what is refused at once, as the standard has it.
      return new Promise((resolve) => resolve((virtual as AnyFunction)(...given)));
    };
    patches.value(methods, name, disguised(standIn, real));
  }
}

const real = {
  importKey: realSubtle.importKey.bind(realSubtle) as (...given: unknown[]) => Promise<CryptoKey>,
  exportKey: realSubtle.exportKey.bind(realSubtle) as (...given: unknown[]) => Promise<unknown>,
};

const synchronous = {
  digest(algorithm: string | Algorithm, bytes: Bytes): ArrayBuffer {
    return bufferOf(crypto.createHash(hashName(algorithm)).update(view(bytes)).digest());
  },

  sign(algorithm: string | Algorithm, key: CryptoKey, bytes: Bytes): ArrayBuffer {
    const { name, hash } = signing(algorithm, key, 'sign');
    if (name === 'HMAC') return bufferOf(hmac(key, bytes));
    if (name === 'ECDSA' || name === 'RSA-PSS') {
      throw unseeded(
        `crypto.subtle.sign with ${name}`,
        'Ed25519, RSASSA-PKCS1-v1_5 and HMAC do not',
      );
    }
    return bufferOf(crypto.sign(hash ?? undefined, view(bytes), crypto.KeyObject.from(key)));
  },

  verify(algorithm: string | Algorithm, key: CryptoKey, signature: Bytes, bytes: Bytes): boolean {
    const { name, hash } = signing(algorithm, key, 'verify');
    const given = view(signature);
    if (name === 'HMAC') {
      const wanted = hmac(key, bytes);
      return wanted.length === given.length && crypto.timingSafeEqual(wanted, given);
    }
    const options: crypto.VerifyKeyObjectInput = { key: crypto.KeyObject.from(key) };
    if (name === 'ECDSA') options.dsaEncoding = 'ieee-p1363';
    if (name === 'RSA-PSS') {
      options.padding = crypto.constants.RSA_PKCS1_PSS_PADDING;
      options.saltLength = normal(algorithm).saltLength ?? 0;
    }
    return crypto.verify(hash ?? undefined, view(bytes), options, given);
  },

  encrypt(algorithm: Algorithm, key: CryptoKey, bytes: Bytes): ArrayBuffer {
    allowed(key, algorithm.name, 'encrypt');
    if (algorithm.name === 'RSA-OAEP') {
      throw unseeded('crypto.subtle.encrypt with RSA-OAEP', 'Use AES-GCM with a key of its own');
    }
    const gcm = isGcm(algorithm);
    const cipher = crypto.createCipheriv(
      cipherName(algorithm, key) as crypto.CipherGCMTypes,
      crypto.KeyObject.from(key),
      view(gcm || !isCtr(algorithm) ? algorithm.iv! : algorithm.counter!),
      gcm ? { authTagLength: (algorithm.tagLength ?? 128) / 8 } : undefined,
    ) as crypto.CipherGCM;
    if (gcm && algorithm.additionalData) cipher.setAAD(view(algorithm.additionalData));
    const parts = [cipher.update(view(bytes)), cipher.final()];
    if (gcm) parts.push(cipher.getAuthTag());
    return bufferOf(Buffer.concat(parts));
  },

  decrypt(algorithm: Algorithm, key: CryptoKey, bytes: Bytes): ArrayBuffer {
    allowed(key, algorithm.name, 'decrypt');
    try {
      return bufferOf(decrypted(algorithm, key, view(bytes)));
    } catch (cause) {
      throw new DOMException('The operation failed for an operation-specific reason', {
        name: 'OperationError',
        cause,
      });
    }
  },

  deriveBits(algorithm: Algorithm, key: CryptoKey, lengthBits: number): ArrayBuffer {
    allowed(key, algorithm.name, 'deriveBits');
    return bufferOf(derived(algorithm, key, lengthBits));
  },

  deriveKey(
    algorithm: Algorithm,
    key: CryptoKey,
    wanted: Algorithm,
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKey> {
    allowed(key, algorithm.name, 'deriveKey');
    const bits = wanted.length ?? (hashName(wanted.hash!) === 'sha512' ? 1_024 : 512);
    return real.importKey('raw', derived(algorithm, key, bits), wanted, extractable, usages);
  },

  generateKey(
    algorithm: Algorithm,
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKey> {
    if (algorithm.name !== 'HMAC' && !algorithm.name.startsWith('AES-')) {
      throw unseeded(`crypto.subtle.generateKey with ${algorithm.name}`, 'Import a fixed key');
    }
    const bits = algorithm.length ?? (/384|512/.test(hashName(algorithm.hash!)) ? 1_024 : 512);
    const secret = new Uint8Array(bits / 8);
    fill(current!.random, secret);
    return real.importKey('raw', secret, algorithm, extractable, usages);
  },

  exportKey(format: string, key: CryptoKey): unknown {
    if (format === 'jwk' || key.type === 'secret') return real.exportKey(format, key);
    if (!key.extractable) throw new DOMException('key is not extractable', 'InvalidAccessError');
    const object = crypto.KeyObject.from(key);
    if (format === 'raw') {
      const { x, y } = object.export({ format: 'jwk' });
      const point = [Buffer.from(x!, 'base64url')];
      if (y !== undefined) point.unshift(Buffer.from([4]));
      if (y !== undefined) point.push(Buffer.from(y, 'base64url'));
      return bufferOf(Buffer.concat(point));
    }
    const type = format === 'spki' ? 'spki' : 'pkcs8';
    return bufferOf(object.export({ format: 'der', type } as never) as unknown as Buffer);
  },

  wrapKey(): never {
    throw offThread('crypto.subtle.wrapKey', 'Export the key and encrypt it with AES-GCM');
  },

  unwrapKey(): never {
    throw offThread('crypto.subtle.unwrapKey', 'Decrypt the key with AES-GCM and import it');
  },
};

function normal(algorithm: string | Algorithm): Algorithm {
  return typeof algorithm === 'string' ? { name: algorithm } : algorithm;
}

function hashName(hash: string | { readonly name: string }): string {
  const given = typeof hash === 'string' ? hash : hash.name;
  const name = hashes[given.toUpperCase()];
  if (!name) throw new DOMException(`Unrecognized algorithm name: ${given}`, 'NotSupportedError');
  return name;
}

/** The hash is the key's, except for ECDSA, where it comes with the call; Ed25519 has its own. */
function signing(
  algorithm: string | Algorithm,
  key: CryptoKey,
  use: 'sign' | 'verify',
): { readonly name: string; readonly hash: string | null } {
  const { name } = key.algorithm;
  const given = normal(algorithm);
  allowed(key, given.name, use);
  const hash = given.hash ?? (key.algorithm as { hash?: { name: string } }).hash;
  return { name, hash: hash === undefined ? null : hashName(hash) };
}

function allowed(key: CryptoKey, algorithmName: string, use: string): void {
  if (key.algorithm.name.toUpperCase() !== algorithmName.toUpperCase()) {
    throw new DOMException('Key algorithm mismatch', 'InvalidAccessError');
  }
  if (!key.usages.includes(use as never)) {
    throw new DOMException(`Unable to use this key to ${use}`, 'InvalidAccessError');
  }
}

function hmac(key: CryptoKey, bytes: Bytes): Buffer {
  const { hash } = key.algorithm as unknown as { readonly hash: { readonly name: string } };
  return crypto.createHmac(hashName(hash), crypto.KeyObject.from(key)).update(view(bytes)).digest();
}

function decrypted(algorithm: Algorithm, key: CryptoKey, bytes: Uint8Array): Buffer {
  const object = crypto.KeyObject.from(key);
  if (algorithm.name === 'RSA-OAEP') {
    const { hash } = key.algorithm as unknown as { readonly hash: { readonly name: string } };
    return crypto.privateDecrypt(
      {
        key: object,
        padding: crypto.constants.RSA_PKCS1_OAEP_PADDING,
        oaepHash: hashName(hash),
        ...(algorithm.label ? { oaepLabel: view(algorithm.label) } : {}),
      },
      bytes,
    );
  }
  const gcm = isGcm(algorithm);
  const tagBytes = gcm ? (algorithm.tagLength ?? 128) / 8 : 0;
  const cipher = crypto.createDecipheriv(
    cipherName(algorithm, key) as crypto.CipherGCMTypes,
    object,
    view(isCtr(algorithm) ? algorithm.counter! : algorithm.iv!),
    gcm ? { authTagLength: tagBytes } : undefined,
  ) as crypto.DecipherGCM;
  if (gcm) {
    cipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
    if (algorithm.additionalData) cipher.setAAD(view(algorithm.additionalData));
  }
  const text = bytes.subarray(0, bytes.length - tagBytes);
  return Buffer.concat([cipher.update(text), cipher.final()]);
}

function derived(algorithm: Algorithm, key: CryptoKey, lengthBits: number): Buffer {
  const bytes = lengthBits / 8;
  const secret = crypto.KeyObject.from(key);
  switch (algorithm.name.toUpperCase()) {
    case 'PBKDF2':
      return crypto.pbkdf2Sync(
        new Uint8Array(secret.export()),
        view(algorithm.salt!),
        algorithm.iterations!,
        bytes,
        hashName(algorithm.hash!),
      );
    case 'HKDF':
      return Buffer.from(
        crypto.hkdfSync(
          hashName(algorithm.hash!),
          secret,
          view(algorithm.salt!),
          view(algorithm.info!),
          bytes,
        ),
      );
    default:
      return crypto
        .diffieHellman({ privateKey: secret, publicKey: crypto.KeyObject.from(algorithm.public!) })
        .subarray(0, bytes);
  }
}

function isGcm(algorithm: Algorithm): boolean {
  return algorithm.name.toUpperCase() === 'AES-GCM';
}

function isCtr(algorithm: Algorithm): boolean {
  return algorithm.name.toUpperCase() === 'AES-CTR';
}

function cipherName(algorithm: Algorithm, key: CryptoKey): string {
  const { length } = key.algorithm as unknown as { readonly length: number };
  return `aes-${length}-${algorithm.name.slice(4).toLowerCase()}`;
}

function view(bytes: Bytes): Uint8Array {
  return ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
