import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c, Stretches } from './crc32c.ts';

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

test('checksums of stretches are those of their bytes, in whatever order they are asked for', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 2_000, size: 'max' }),
      fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { minLength: 1, maxLength: 20 }),
      fc.nat(),
      (bytes, stretches, from) => {
        const first = from % bytes.length;
        const checksums = new Stretches(bytes, first);
        for (const [a, b, before] of stretches) {
          const start = first + (a % (bytes.length - first + 1));
          const end = start + (b % (bytes.length - start + 1));
          expect(checksums.crc32c(before, start, end)).toBe(crc32c(bytes, before, start, end));
        }
      },
    ),
  );
});

test('a stretch of megabytes is no exception', () => {
  const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 7_919) >>> 5);
  const checksums = new Stretches(bytes, 5);
  for (const [start, end] of [
    [5, 3_000_000],
    [77, 2_345_678],
    [1_000_000, 1_065_536],
  ] as const) {
    expect(checksums.crc32c(1, start, end)).toBe(crc32c(bytes, 1, start, end));
  }
});
