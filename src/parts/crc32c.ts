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
