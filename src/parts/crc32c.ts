/**
 * CRC-32C (Castagnoli), reflected, as in iSCSI, ext4 and Btrfs: what tells a torn or rotten record
 * from a whole one. Finds every burst of up to 32 bits; no defence against people.
 */

/** By byte, and how far it is from the end of its word: four bytes go in one step ("slicing by four"). */
const [table, table1, table2, table3] = tables();

function tables(): readonly [Int32Array, Int32Array, Int32Array, Int32Array] {
  const first = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    first[byte] = crc;
  }
  const after = (table: Int32Array): Int32Array =>
    table.map((crc) => (crc >>> 8) ^ first[crc & 0xff]!);
  const second = after(first);
  const third = after(second);
  return [first, second, third, after(third)];
}

/**
 * The checksum of `bytes[start, end)`, an unsigned 32-bit number. Pass an earlier checksum as
 * `before` to go on from it: `crc32c(b, crc32c(a))` is the checksum of `a` followed by `b`.
 */
export function crc32c(bytes: Uint8Array, before = 0, start = 0, end = bytes.length): number {
  let crc = ~before;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      table3[crc & 0xff]! ^
      table2[(crc >>> 8) & 0xff]! ^
      table1[(crc >>> 16) & 0xff]! ^
      table[crc >>> 24]!;
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}

/** A state is kept for every so many bytes. */
const strideBytes = 256;

/**
 * Checksums of many stretches of the same bytes, that may lie over each other: the bytes are walked
 * over once, as far as is asked for, and each stretch then costs the same, however long it is. A
 * checksum is a remainder of polynomials, so that of a stretch is that of all up to its end, without
 * that of all before it times x to the power of the bits between ("crc32_combine" in zlib).
 */
export class Stretches {
  readonly #bytes: Uint8Array;
  readonly #from: number;
  /** Of `bytes[from, from + index * strideBytes)`, begun with zero. */
  readonly #states: Int32Array;
  #known = 0;

  /** None is to begin before `from`. */
  constructor(bytes: Uint8Array, from: number) {
    this.#bytes = bytes;
    this.#from = from;
    this.#states = new Int32Array(Math.floor((bytes.length - from) / strideBytes) + 1);
  }

  /** What `crc32c(bytes, before, start, end)` is. */
  crc32c(before: number, start: number, end: number): number {
    const until = this.#stateAt(start) ^ ~before;
    return ~(this.#stateAt(end) ^ times(until, powerOf(end - start))) >>> 0;
  }

  #stateAt(end: number): number {
    const index = Math.floor((end - this.#from) / strideBytes);
    for (; this.#known < index; this.#known++) {
      const start = this.#from + this.#known * strideBytes;
      const state = this.#states[this.#known]!;
      this.#states[this.#known + 1] = walk(this.#bytes, state, start, start + strideBytes);
    }
    const start = this.#from + index * strideBytes;
    return walk(this.#bytes, this.#states[index]!, start, end);
  }
}

function walk(bytes: Uint8Array, state: number, start: number, end: number): number {
  return ~crc32c(bytes, ~state, start, end);
}

/** 1 and x, as polynomials are written here: the highest bit is the lowest power. */
const one = 0x80000000 | 0;
const x = 0x40000000;

/** The product of two polynomials, less the multiples of the checksum's. */
function times(a: number, b: number): number {
  let product = 0;
  for (let factor = a, shifted = b; factor !== 0; factor <<= 1) {
    if (factor < 0) product ^= shifted;
    shifted = shifted & 1 ? (shifted >>> 1) ^ 0x82f63b78 : shifted >>> 1;
  }
  return product;
}

/** By the place of a byte in a count of bytes, and by its value: x to the power of so many bytes' bits. */
let powers: readonly Int32Array[] | undefined;

function powerOf(byteCount: number): number {
  powers ??= powersOf();
  let product = powers[0]![byteCount & 0xff]!;
  for (let place = 1, rest = byteCount >>> 8; rest > 0; place++, rest >>>= 8) {
    product = times(product, powers[place]![rest & 0xff]!);
  }
  return product;
}

function powersOf(): readonly Int32Array[] {
  let step = x;
  for (let i = 0; i < 3; i++) step = times(step, step);
  return Array.from({ length: 4 }, () => {
    const row = new Int32Array(256);
    row[0] = one;
    for (let value = 1; value < 256; value++) row[value] = times(row[value - 1]!, step);
    step = times(row[255]!, step);
    return row;
  });
}
