/**
 * Arithmetic that programs leave to their host: digests, signatures, compression. It calls back,
 * because live the long ones run beside the program; in the simulator the result is the true one and
 * comes after a modelled cost of processor time.
 *
 * Of signatures only those are made that need no entropy (Ed25519, RFC 8032): others could not be repeated.
 */
import type { Micros } from './host.ts';

export type HashName = 'SHA-256' | 'SHA-384' | 'SHA-512';

/** Of RFC 7518 and RFC 8037. EdDSA is Ed25519. */
export type SignatureName = 'RS256' | 'ES256' | 'EdDSA';

/** The public half of a key pair, as RFC 7517 writes it. What else stands in it is not looked at. */
export interface PublicKey {
  readonly kty?: unknown;
  readonly crv?: unknown;
  readonly n?: unknown;
  readonly e?: unknown;
  readonly x?: unknown;
  readonly y?: unknown;
}

export type Compression = 'gzip' | 'br';

/** No callback comes before the call returns, and none after a crash. What is handed over must not change until then. */
export interface Crypto {
  digest(hash: HashName, bytes: Uint8Array, done: (digest: Uint8Array) => void): void;
  hmac(hash: HashName, key: Uint8Array, bytes: Uint8Array, done: (code: Uint8Array) => void): void;
  /**
   * Whether `signature` is of `bytes` by the other half of `key`. False as well for a key that is
   * none, of another algorithm, or an RSA key below 2048 bits. `key` is kept while it lives: hand over
   * the same object again, and it is read once.
   */
  verify(
    name: SignatureName,
    key: PublicKey,
    bytes: Uint8Array,
    signature: Uint8Array,
    done: (isGood: boolean) => void,
  ): void;
  /** By the key that `seed` is: 32 bytes, kept secret. An EdDSA signature, of 64 bytes. */
  sign(seed: Uint8Array, bytes: Uint8Array, done: (signature: Uint8Array) => void): void;
  /** The public half of that key, for `verify`. */
  publicKey(seed: Uint8Array, done: (key: SeedKey) => void): void;
  /**
   * Bytes that nobody can guess: drawn by the operating system live, and in the simulator from this
   * program's own chance, so that a run repeats.
   */
  secret(count: number): Uint8Array;
  compress(method: Compression, bytes: Uint8Array, done: (bytes: Uint8Array) => void): void;
}

/** An Ed25519 key as a plain value. */
export type SeedKey = { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string };

/** The same at once: what a world's machine can do. */
export interface Arithmetic {
  digest(hash: HashName, bytes: Uint8Array): Uint8Array;
  hmac(hash: HashName, key: Uint8Array, bytes: Uint8Array): Uint8Array;
  verify(name: SignatureName, key: PublicKey, bytes: Uint8Array, signature: Uint8Array): boolean;
  sign(seed: Uint8Array, bytes: Uint8Array): Uint8Array;
  publicKey(seed: Uint8Array): SeedKey;
  compress(method: Compression, bytes: Uint8Array): Uint8Array;
}

/** What stands before 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410). */
export const seedPrefix: Uint8Array = Uint8Array.of(
  ...[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06],
  ...[0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20],
);

/** As OpenSSL calls them. */
export const hashes = { 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' } as const;

/** The key that a signature needs, and what it is a signature of: Ed25519 hashes by itself. */
export const schemes = {
  RS256: { type: 'rsa', hash: 'sha256' },
  ES256: { type: 'ec', hash: 'sha256' },
  EdDSA: { type: 'ed25519', hash: null },
} as const;

/** What Node tells of a key. */
interface KeyFacts {
  readonly asymmetricKeyType?: string | undefined;
  readonly asymmetricKeyDetails?:
    | { readonly modulusLength?: number | undefined; readonly namedCurve?: string | undefined }
    | undefined;
}

/** The same keys are good in both worlds: RSA from 2,048 bits (RFC 7518), P-256 and Ed25519. */
export function isStrong({ asymmetricKeyType, asymmetricKeyDetails }: KeyFacts): boolean {
  const { modulusLength = 0, namedCurve } = asymmetricKeyDetails ?? {};
  if (asymmetricKeyType === 'rsa') return modulusLength >= 2_048;
  return asymmetricKeyType === 'ed25519' || namedCurve === 'prime256v1';
}

/** Processor time in the simulator, as measured on one core of a server of today: a part for the call, a part for each kilobyte. */
export const cryptoCosts: Readonly<
  Record<
    'digest' | 'hmac' | 'sign' | SignatureName | Compression,
    { readonly callUs: number; readonly kilobyteUs: number }
  >
> = {
  digest: { callUs: 2, kilobyteUs: 0.7 },
  hmac: { callUs: 4, kilobyteUs: 0.7 },
  RS256: { callUs: 30, kilobyteUs: 0.7 },
  ES256: { callUs: 90, kilobyteUs: 0.7 },
  EdDSA: { callUs: 110, kilobyteUs: 1.4 },
  sign: { callUs: 40, kilobyteUs: 1.4 },
  gzip: { callUs: 30, kilobyteUs: 20 },
  br: { callUs: 40, kilobyteUs: 25 },
};

export function cryptoCostUs(what: keyof typeof cryptoCosts, sizeBytes: number): Micros {
  const { callUs, kilobyteUs } = cryptoCosts[what];
  return Math.ceil(callUs + (kilobyteUs * sizeBytes) / 1_000);
}
