/** The true result, after the time that it would take: on a core, behind what else waits for one. */
import {
  type Arithmetic,
  type Compression,
  type Crypto,
  cryptoCostUs,
  type HashName,
  type PublicKey,
  type SeedKey,
  type SignatureName,
} from '../host/crypto.ts';
import type { Cpu } from '../host/host.ts';
import { assert } from '../kit/assert.ts';
import type { Random } from '../kit/random.ts';

export class SimCrypto implements Crypto {
  readonly #cpu: Cpu;
  readonly #random: Random;
  #secretCount = 0;
  readonly #given: Arithmetic | undefined;

  constructor(cpu: Cpu, random: Random, arithmetic: Arithmetic | undefined) {
    this.#cpu = cpu;
    this.#random = random;
    this.#given = arithmetic;
  }

  digest(hash: HashName, bytes: Uint8Array, done: (digest: Uint8Array) => void): void {
    const digest = this.#arithmetic.digest(hash, bytes);
    this.#cpu.charge(cryptoCostUs('digest', bytes.length), () => done(digest));
  }

  hmac(hash: HashName, key: Uint8Array, bytes: Uint8Array, done: (code: Uint8Array) => void): void {
    const code = this.#arithmetic.hmac(hash, key, bytes);
    this.#cpu.charge(cryptoCostUs('hmac', bytes.length), () => done(code));
  }

  verify(
    name: SignatureName,
    key: PublicKey,
    bytes: Uint8Array,
    signature: Uint8Array,
    done: (isGood: boolean) => void,
  ): void {
    const isGood = this.#arithmetic.verify(name, key, bytes, signature);
    this.#cpu.charge(cryptoCostUs(name, bytes.length), () => done(isGood));
  }

  sign(seed: Uint8Array, bytes: Uint8Array, done: (signature: Uint8Array) => void): void {
    const signature = this.#arithmetic.sign(seed, bytes);
    this.#cpu.charge(cryptoCostUs('sign', bytes.length), () => done(signature));
  }

  publicKey(seed: Uint8Array, done: (key: SeedKey) => void): void {
    const key = this.#arithmetic.publicKey(seed);
    this.#cpu.charge(cryptoCostUs('sign', 0), () => done(key));
  }

  secret(count: number): Uint8Array {
    const random = this.#random.fork(`secret ${this.#secretCount++}`);
    return Uint8Array.from({ length: count }, () => random.below(256));
  }

  compress(method: Compression, bytes: Uint8Array, done: (bytes: Uint8Array) => void): void {
    const compressed = this.#arithmetic.compress(method, bytes);
    this.#cpu.charge(cryptoCostUs(method, bytes.length), () => done(compressed));
  }

  get #arithmetic(): Arithmetic {
    assert(this.#given, 'a world whose programs use host.crypto is given its arithmetic');
    return this.#given;
  }
}
