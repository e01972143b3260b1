/**
 * A rolling 64-bit fingerprint of everything fed to it, in order: two runs that print the same one
 * did the same things. Two 32-bit lanes of multiply and rotate, because bigints are ten times as
 * slow. Finds accidents; not made against an adversary.
 */
import type { Value } from '../host/host.ts';

const scratch = new DataView(new ArrayBuffer(8));

export class Fingerprint {
  #low = 0x6a09e667;
  #high = 0xbb67ae85 | 0;

  /** A whole number of 32 bits: the fast path. */
  word(word: number): void {
    const low = Math.imul(this.#low ^ word, 0x9e3779b1);
    this.#low = (low << 13) | (low >>> 19);
    const high = Math.imul((this.#high + word) ^ low, 0x85ebca77);
    this.#high = (high << 17) | (high >>> 15);
  }

  /** Any double: -0 differs from 0. */
  number(value: number): void {
    if ((value | 0) === value && !Object.is(value, -0)) {
      this.word(value);
      return;
    }
    scratch.setFloat64(0, value);
    this.word(scratch.getInt32(0) ^ 0x5bd1e995);
    this.word(scratch.getInt32(4));
  }

  text(text: string): void {
    this.word(text.length);
    for (let i = 0; i < text.length; i++) this.word(text.charCodeAt(i));
  }

  bytes(bytes: Uint8Array): void {
    const { length } = bytes;
    this.word(length);
    let i = 0;
    for (; i + 4 <= length; i += 4) {
      this.word(bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
    }
    for (; i < length; i++) this.word(bytes[i]!);
  }

  /** By structure; the order of an object's names counts, and a name without a value does not. */
  value(value: Value | undefined): void {
    if (value === null || value === undefined) return this.word(1);
    switch (typeof value) {
      case 'boolean':
        return this.word(value ? 2 : 3);
      case 'number':
        this.word(4);
        return this.number(value);
      case 'string':
        this.word(5);
        return this.text(value);
      case 'bigint':
        this.word(6);
        return this.text(value.toString(36));
      case 'object':
        break;
    }
    if (value instanceof Uint8Array) {
      this.word(7);
      return this.bytes(value);
    }
    if (Array.isArray(value)) {
      this.word(8);
      this.word(value.length);
      for (const item of value as readonly Value[]) this.value(item);
      return;
    }
    this.word(9);
    const fields = value as { readonly [name: string]: Value | undefined };
    for (const name in fields) {
      const field = fields[name];
      if (field === undefined) continue;
      this.text(name);
      this.value(field);
    }
    this.word(10);
  }

  /** 32 bits of it, at the price of an addition. */
  short(): number {
    return (this.#low ^ this.#high) >>> 0;
  }

  /** 16 digits. Taking it changes nothing. */
  hex(): string {
    return text32(finish(this.#low ^ this.#high)) + text32(finish(this.#high));
  }
}

function finish(word: number): number {
  let h = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function text32(word: number): string {
  return word.toString(16).padStart(8, '0');
}
