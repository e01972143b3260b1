import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Value } from '../host/host.ts';
import { decode, encode } from './codec.ts';
import { copyOf } from './copy.ts';

const values = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.string({ unit: 'grapheme', maxLength: 20 }),
    fc.bigInt(),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Uint8Array.from(bytes)),
    fc.array(tie('value'), { maxLength: 8 }),
    fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 10 }), tie('value'), {
      maxKeys: 8,
      noNullPrototype: true,
    }),
  ),
})).value;

test('a copy is what comes back from the codec, and shares nothing', () => {
  fc.assert(
    fc.property(values, (value) => {
      const copy = copyOf(value);
      expect(copy).toStrictEqual(decode(encode(value)));
      const parts = new Set(objectsIn(value));
      expect(objectsIn(copy).some((one) => parts.has(one))).toBe(false);
    }),
  );
});

test('a copy has no undefined fields, no memory of a buffer, and no other prototype', () => {
  const odd = { a: undefined, list: [{ b: undefined }], bytes: Buffer.from([1, 2]) };
  const copy = copyOf(odd) as typeof odd;
  odd.bytes[0] = 9;
  expect(copy).toStrictEqual({ list: [{}], bytes: Uint8Array.of(1, 2) });
  const named = JSON.parse('{"__proto__": {"x": 1}}') as Value;
  expect(JSON.stringify(copyOf(named))).toBe('{"__proto__":{"x":1}}');
});

function objectsIn(value: Value | undefined): object[] {
  if (typeof value !== 'object' || value === null) return [];
  if (value instanceof Uint8Array) return [value.buffer];
  return [value, ...Object.values(value).flatMap((field: Value | undefined) => objectsIn(field))];
}
