/**
 * CRC-32C (Castagnoli), reflected, as in iSCSI, ext4 and Btrfs: what tells a torn or rotten record
 * from a whole one. Finds every burst of up to 32 bits; no defence against people.
 */

const table = new Uint32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  table[byte] = crc >>> 0;
}

/**
 * The checksum of `bytes[start, end)`, an unsigned 32-bit number. Pass an earlier checksum as
 * `before` to go on from it: `crc32c(b, crc32c(a))` is the checksum of `a` followed by `b`.
 */
export function crc32c(bytes: Uint8Array, before = 0, start = 0, end = bytes.length): number {
  let crc = ~before;
  for (let i = start; i < end; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}
