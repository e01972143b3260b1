/**
 * Values as bytes, for frames between live nodes and for logs on disk. The form is MessagePack:
 * compact, self-describing, and a pure function of the value, so that fingerprints and golden
 * bytes hold. Bigints of any size travel as an extension, which plain MessagePack lacks.
 *
 * Kept by hand rather than taken from a library because the promise is narrow and must be exact:
 * bytes come back as `Uint8Array` and own their memory, undefined properties vanish, every
 * number keeps its bits, and what arrives damaged is refused instead of half read.
 */

import type { Value } from '../host/host.ts';
import { BrokenInvariant } from '../kit/assert.ts';
import { LoadpathError } from '../kit/errors.ts';

/** Deeper than any message; shallow enough that hostile input cannot exhaust the stack. */
const depthMax = 512;
const bigintExtension = 0x42;
const shortBytes = 32;
const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder('utf-8', { ignoreBOM: true });

let spare: ValueWriter | undefined;

/** The bytes of `value`, in memory of their own. Throws `BrokenInvariant` for what is not a Value. */
export function encode(value: Value): Uint8Array {
  return written(value, (writer) => writer.copy());
}

/** How many bytes `encode` would make of it, without the memory for them. */
export function encodedSize(value: Value): number {
  return written(value, (writer) => writer.length);
}

function written<T>(value: Value, take: (writer: ValueWriter) => T): T {
  const writer = spare ?? new ValueWriter();
  // Taken while in use: an encode inside a getter would otherwise write into the middle of this one.
  spare = undefined;
  writer.length = 0;
  writer.value(value);
  const taken = take(writer);
  if (writer.bytes.length <= 4_194_304) spare = writer;
  return taken;
}

/** The value in `bytes`. Throws `LoadpathError('data-corrupt')` when they are not exactly one value. */
export function decode(bytes: Uint8Array): Value {
  const reader = new ValueReader(bytes);
  const value = reader.value();
  if (!reader.atEnd) throw damaged(`${reader.end - reader.at} bytes follow the value`);
  return value;
}

/** Appends values and small numbers to a buffer that grows. For frames, where a copy each would cost. */
export class ValueWriter {
  bytes: Uint8Array;
  length = 0;
  #view: DataView;
  #depth = 0;

  constructor(capacity = 8_192) {
    this.bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.bytes.buffer);
  }

  copy(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  u8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  u32(value: number): void {
    this.reserve(4);
    this.#view.setUint32(this.length, value);
    this.length += 4;
  }

  /** Overwrites four bytes written before: a length known only afterwards. */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value);
  }

  value(value: Value): void {
    if (typeof value === 'string') this.text(value);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'boolean') this.u8(value ? 0xc3 : 0xc2);
    else if (value === null) this.u8(0xc0);
    else if (typeof value === 'bigint') this.#bigint(value);
    else if (typeof value === 'object') this.#object(value);
    else throw new BrokenInvariant(`a ${typeof value} is not a Value`);
  }

  text(text: string): void {
    const size = text.length;
    this.reserve(size * 3 + 5);
    const bytes = this.bytes;
    const head = this.length;
    // One byte a character is the common case: write it so, and go back if it is not.
    const headSize = size < 32 ? 1 : size < 256 ? 2 : size < 65_536 ? 3 : 5;
    let at = head + headSize;
    if (size < 48) {
      let i = 0;
      for (; i < size; i++) {
        const code = text.charCodeAt(i);
        if (code > 127) break;
        bytes[at++] = code;
      }
      if (i === size) {
        this.#textHead(head, size, headSize);
        this.length = at;
        return;
      }
      at = head + headSize;
    }
    const written = utf8Encoder.encodeInto(text, bytes.subarray(at)).written;
    const fits = written < 32 ? 1 : written < 256 ? 2 : written < 65_536 ? 3 : 5;
    if (fits !== headSize) bytes.copyWithin(head + fits, at, at + written);
    this.#textHead(head, written, fits);
    this.length = head + fits + written;
  }

  #textHead(at: number, size: number, headSize: number): void {
    if (headSize === 1) this.bytes[at] = 0xa0 | size;
    else if (headSize === 2) {
      this.bytes[at] = 0xd9;
      this.bytes[at + 1] = size;
    } else if (headSize === 3) {
      this.bytes[at] = 0xda;
      this.#view.setUint16(at + 1, size);
    } else {
      this.bytes[at] = 0xdb;
      this.#view.setUint32(at + 1, size);
    }
  }

  #number(value: number): void {
    this.reserve(9);
    const bytes = this.bytes;
    // Minus zero is not the integer zero: its bits go as a float.
    if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
      if (value >= 0) {
        if (value < 128) bytes[this.length++] = value;
        else if (value < 256) {
          bytes[this.length++] = 0xcc;
          bytes[this.length++] = value;
        } else if (value < 65_536) {
          bytes[this.length++] = 0xcd;
          bytes[this.length++] = value >> 8;
          bytes[this.length++] = value;
        } else {
          bytes[this.length] = 0xce;
          this.#view.setUint32(this.length + 1, value);
          this.length += 5;
        }
      } else if (value >= -32) bytes[this.length++] = value;
      else if (value >= -128) {
        bytes[this.length++] = 0xd0;
        bytes[this.length++] = value;
      } else if (value >= -32_768) {
        bytes[this.length++] = 0xd1;
        bytes[this.length++] = value >> 8;
        bytes[this.length++] = value;
      } else {
        bytes[this.length] = 0xd2;
        this.#view.setInt32(this.length + 1, value);
        this.length += 5;
      }
    } else if (value >>> 0 === value && value !== 0) {
      bytes[this.length] = 0xce;
      this.#view.setUint32(this.length + 1, value);
      this.length += 5;
    } else {
      bytes[this.length] = 0xcb;
      this.#view.setFloat64(this.length + 1, value);
      this.length += 9;
    }
  }

  /** Sign, then magnitude: the same form at every size, so that no bound hides in it. */
  #bigint(value: bigint): void {
    let hex = (value < 0n ? -value : value).toString(16);
    if (hex.length % 2) hex = `0${hex}`;
    const size = hex.length / 2 + 1;
    this.reserve(size + 6);
    this.bytes[this.length] = 0xc9;
    this.#view.setUint32(this.length + 1, size);
    this.bytes[this.length + 5] = bigintExtension;
    this.length += 6;
    this.bytes[this.length++] = value < 0n ? 1 : 0;
    for (let i = 0; i < hex.length; i += 2) {
      this.bytes[this.length++] = Number.parseInt(hex.slice(i, i + 2), 16);
    }
  }

  #object(value: Exclude<Value, null | boolean | number | string | bigint>): void {
    if (++this.#depth > depthMax)
      throw new BrokenInvariant(`a Value nests at most ${depthMax} deep`);
    if (Array.isArray(value)) this.#array(value);
    else if (value instanceof Uint8Array) this.#raw(value);
    else this.#map(value as Readonly<Record<string, Value | undefined>>);
    this.#depth--;
  }

  #raw(raw: Uint8Array): void {
    const size = raw.length;
    this.reserve(size + 5);
    if (size < 256) {
      this.bytes[this.length++] = 0xc4;
      this.bytes[this.length++] = size;
    } else if (size < 65_536) {
      this.bytes[this.length] = 0xc5;
      this.#view.setUint16(this.length + 1, size);
      this.length += 3;
    } else {
      this.bytes[this.length] = 0xc6;
      this.#view.setUint32(this.length + 1, size);
      this.length += 5;
    }
    // The few bytes of a usual value are moved sooner than a call into the engine begins.
    if (size > shortBytes) this.bytes.set(raw, this.length);
    else for (let i = 0; i < size; i++) this.bytes[this.length + i] = raw[i]!;
    this.length += size;
  }

  #array(items: readonly Value[]): void {
    const size = items.length;
    this.#head(size, 0x90, 0xdc);
    for (let i = 0; i < size; i++) this.value(items[i] as Value);
  }

  #map(record: Readonly<Record<string, Value | undefined>>): void {
    const head = this.length;
    this.u8(0x80);
    let size = 0;
    // Not a list of names first: that would cost a tenth of the whole.
    for (const name in record) {
      const value = record[name];
      if (value === undefined) continue;
      this.text(name);
      this.value(value);
      size++;
    }
    if (size < 16) {
      this.bytes[head] = 0x80 | size;
      return;
    }
    // The head is longer than was thought.
    const extra = size < 65_536 ? 2 : 4;
    const { length } = this;
    this.reserve(extra);
    this.bytes.copyWithin(head + 1 + extra, head + 1, length);
    this.length = head;
    this.#head(size, 0x80, 0xde);
    this.length = length + extra;
  }

  #head(size: number, small: number, large: number): void {
    this.reserve(5);
    if (size < 16) this.bytes[this.length++] = small | size;
    else if (size < 65_536) {
      this.bytes[this.length] = large;
      this.#view.setUint16(this.length + 1, size);
      this.length += 3;
    } else {
      this.bytes[this.length] = large + 1;
      this.#view.setUint32(this.length + 1, size);
      this.length += 5;
    }
  }
}

/** Reads what `ValueWriter` wrote, from `at` up to `end`. Every read past the end is refused. */
export class ValueReader {
  readonly bytes: Uint8Array;
  /** Made when a number needs it: most values hold none that does, and a view costs as much as they do. */
  #viewOfBytes: DataView | undefined;
  at: number;
  end: number;
  #depth = 0;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    // A plain view, because Node's Buffer shares memory where Uint8Array copies.
    this.bytes =
      bytes.constructor === Uint8Array
        ? bytes
        : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
    this.end = end;
  }

  get #view(): DataView {
    const { buffer, byteOffset, byteLength } = this.bytes;
    this.#viewOfBytes ??= new DataView(buffer, byteOffset, byteLength);
    return this.#viewOfBytes;
  }

  get atEnd(): boolean {
    return this.at === this.end;
  }

  u8(): number {
    return this.bytes[this.#skip(1)]!;
  }

  u32(): number {
    return this.#view.getUint32(this.#skip(4));
  }

  value(): Value {
    const token = this.u8();
    if (token < 0x80) return token;
    if (token < 0x90) return this.#map(token & 0x0f);
    if (token < 0xa0) return this.#array(token & 0x0f);
    if (token < 0xc0) return this.#text(token & 0x1f);
    if (token >= 0xe0) return token - 0x100;
    switch (token) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#raw(this.u8());
      case 0xc5:
        return this.#raw(this.#u16());
      case 0xc6:
        return this.#raw(this.u32());
      case 0xc9:
        return this.#bigint(this.u32());
      case 0xcb:
        return this.#view.getFloat64(this.#skip(8));
      case 0xcc:
        return this.u8();
      case 0xcd:
        return this.#u16();
      case 0xce:
        return this.u32();
      case 0xd0:
        return this.#view.getInt8(this.#skip(1));
      case 0xd1:
        return this.#view.getInt16(this.#skip(2));
      case 0xd2:
        return this.#view.getInt32(this.#skip(4));
      case 0xd9:
        return this.#text(this.u8());
      case 0xda:
        return this.#text(this.#u16());
      case 0xdb:
        return this.#text(this.u32());
      case 0xdc:
        return this.#array(this.#u16());
      case 0xdd:
        return this.#array(this.u32());
      case 0xde:
        return this.#map(this.#u16());
      case 0xdf:
        return this.#map(this.u32());
      default:
        throw damaged(`unknown token 0x${token.toString(16)}`);
    }
  }

  #skip(count: number): number {
    const at = this.at;
    if (at + count > this.end) throw damaged('the bytes end inside a value');
    this.at = at + count;
    return at;
  }

  #u16(): number {
    return this.#view.getUint16(this.#skip(2));
  }

  #raw(size: number): Uint8Array {
    const at = this.#skip(size);
    return this.bytes.slice(at, at + size);
  }

  #bigint(size: number): bigint {
    const extension = this.u8();
    if (extension !== bigintExtension || size < 2) throw damaged(`unknown extension ${extension}`);
    const at = this.#skip(size);
    let hex = '0x';
    for (let i = at + 1; i < at + size; i++) hex += this.bytes[i]!.toString(16).padStart(2, '0');
    const magnitude = BigInt(hex);
    return this.bytes[at] === 1 ? -magnitude : magnitude;
  }

  #array(size: number): Value[] {
    // An item takes a byte at least, so a claim beyond the bytes is a lie worth no allocation.
    if (size > this.end - this.at) throw damaged('an array is longer than the bytes');
    if (++this.#depth > depthMax) throw damaged('nested too deep');
    const items: Value[] = [];
    for (let i = 0; i < size; i++) items.push(this.value());
    this.#depth--;
    return items;
  }

  #map(size: number): Value {
    if (size * 2 > this.end - this.at) throw damaged('a map is longer than the bytes');
    if (++this.#depth > depthMax) throw damaged('nested too deep');
    const record: Record<string, Value> = {};
    for (let i = 0; i < size; i++) {
      const name = this.#name();
      const value = this.value();
      if (name === '__proto__') {
        Object.defineProperty(record, name, {
          value,
          enumerable: true,
          configurable: true,
          writable: true,
        });
      } else record[name] = value;
    }
    this.#depth--;
    return record;
  }

  /** Property names repeat endlessly: the few that are in use are kept, and compared byte by byte. */
  #name(): string {
    const token = this.u8();
    if (token >= 0xa0 && token < 0xc0) {
      const size = token & 0x1f;
      const at = this.#skip(size);
      if (size === 0) return '';
      const bytes = this.bytes;
      const slot =
        (size * 37 + bytes[at]! * 7 + bytes[at + (size >> 1)]! * 131 + bytes[at + size - 1]! * 17) &
        (nameSlots - 1);
      const known = names[slot];
      if (known !== undefined && known.length === size) {
        let i = 0;
        while (i < size && known.charCodeAt(i) === bytes[at + i]) i++;
        if (i === size) return known;
      }
      const name = this.#textAt(at, size);
      // Only one byte a character, or the comparison above would be wrong.
      if (name.length === size) names[slot] = name;
      return name;
    }
    if (token === 0xd9) return this.#text(this.u8());
    if (token === 0xda) return this.#text(this.#u16());
    if (token === 0xdb) return this.#text(this.u32());
    throw damaged(`a property name starts with 0x${token.toString(16)}`);
  }

  #text(size: number): string {
    return this.#textAt(this.#skip(size), size);
  }

  #textAt(start: number, size: number): string {
    if (size > 40) return utf8Decoder.decode(this.bytes.subarray(start, start + size));
    const bytes = this.bytes;
    const end = start + size;
    for (let i = start; i < end; i++) {
      if (bytes[i]! > 127) return utf8Decoder.decode(bytes.subarray(start, end));
    }
    let text = '';
    let at = start;
    for (; at + 8 <= end; at += 8) {
      text += String.fromCharCode(
        bytes[at]!,
        bytes[at + 1]!,
        bytes[at + 2]!,
        bytes[at + 3]!,
        bytes[at + 4]!,
        bytes[at + 5]!,
        bytes[at + 6]!,
        bytes[at + 7]!,
      );
    }
    if (at + 4 <= end) {
      text += String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
      at += 4;
    }
    if (at + 2 <= end) {
      text += String.fromCharCode(bytes[at]!, bytes[at + 1]!);
      at += 2;
    }
    if (at < end) text += String.fromCharCode(bytes[at]!);
    return text;
  }
}

const nameSlots = 1_024;
const names: (string | undefined)[] = new Array(nameSlots).fill(undefined);

function damaged(what: string): LoadpathError {
  return new LoadpathError('data-corrupt', `these bytes are not a value: ${what}`);
}

/**
 * The first thing in `value` that is not a Value, as `path: reason`, or undefined when all of it
 * is. What handles check before they take something from user code: an engine or a report in
 * JSON would quietly turn these into something else.
 */
export function illegal(value: unknown): string | undefined {
  const fault = firstIllegal(value, 0, undefined);
  return fault === undefined ? undefined : `${fault.path || 'the value'}: ${fault.reason}`;
}

/**
 * Why `text` can be no value, key or name: written as UTF-8, texts that differ in such halves only
 * would be one, and two keys with them.
 */
export function illegalText(text: string): string | undefined {
  return surrogate.test(text) && hasLoneSurrogate(text)
    ? 'half of a surrogate pair cannot be written as UTF-8'
    : undefined;
}

interface Illegal {
  readonly path: string;
  readonly reason: string;
}

interface Chain {
  readonly value: object;
  readonly outer: Chain | undefined;
}

function firstIllegal(
  value: unknown,
  depth: number,
  outer: Chain | undefined,
): Illegal | undefined {
  switch (typeof value) {
    case 'string': {
      const reason = illegalText(value);
      return reason === undefined ? undefined : { path: '', reason };
    }
    case 'boolean':
    case 'bigint':
      return undefined;
    case 'number':
      if (Number.isFinite(value) && !Object.is(value, -0)) return undefined;
      return { path: '', reason: `${Object.is(value, -0) ? '-0' : value} does not survive JSON` };
    case 'undefined':
      return { path: '', reason: 'undefined is not a value; use null' };
    case 'object':
      break;
    default:
      return { path: '', reason: `a ${typeof value} is not a value` };
  }
  if (value === null || value instanceof Uint8Array) return undefined;
  if (depth >= depthMax) return { path: '', reason: `nested more than ${depthMax} deep` };
  for (let link = outer; link; link = link.outer) {
    if (link.value === value) return { path: '', reason: 'it contains itself' };
  }
  const chain: Chain = { value, outer };
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const fault = firstIllegal(value[i], depth + 1, chain);
      if (fault) return { path: `[${i}]${join(fault.path)}`, reason: fault.reason };
    }
    return undefined;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  // An object of another realm has a prototype of its own, which in turn has none.
  if (
    prototype !== Object.prototype &&
    prototype !== null &&
    Object.getPrototypeOf(prototype) !== null
  ) {
    return { path: '', reason: `a ${className(value)} is not a value` };
  }
  // Not `entries`: a pair for each field would cost more than the look at it.
  for (const name in value) {
    const inner: unknown = (value as Readonly<Record<string, unknown>>)[name];
    if (inner === undefined || !Object.hasOwn(value, name)) continue;
    const reason = illegalText(name);
    if (reason !== undefined) return { path: name, reason };
    const fault = firstIllegal(inner, depth + 1, chain);
    if (fault) return { path: `${name}${join(fault.path)}`, reason: fault.reason };
  }
  return Object.getOwnPropertySymbols(value).length > 0
    ? { path: '', reason: 'a symbol cannot name a property' }
    : undefined;
}

function join(path: string): string {
  return path === '' || path.startsWith('[') ? path : `.${path}`;
}

function className(value: object): string {
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== '' ? name : 'class instance';
}

/** Cheap first look: almost no text has any. */
const surrogate = /[\ud800-\udfff]/;

function hasLoneSurrogate(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0xd800 || code > 0xdfff) continue;
    const next = text.charCodeAt(i + 1);
    if (code > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return true;
    i++;
  }
  return false;
}
