import { expect, test } from 'vitest';
import { crc32c } from './crc32c.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

test('the checksums of RFC 3720, appendix B.4', () => {
  expect(crc32c(text('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
});

test('a checksum can go on from an earlier one', () => {
  expect(crc32c(text('6789'), crc32c(text('12345')))).toBe(crc32c(text('123456789')));
  expect(crc32c(text('..123456789..'), 0, 2, 11)).toBe(0xe3069283);
});
