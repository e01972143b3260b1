import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Value } from '../host/host.ts';
import { BrokenInvariant } from '../kit/assert.ts';
import { decode, encode, illegal } from './codec.ts';

const values = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0 || 0),
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme', maxLength: 80 }),
    fc.bigInt(),
    fc.bigInt({ min: -(2n ** 400n), max: 2n ** 400n }),
    fc.uint8Array({ maxLength: 400 }).map((bytes) => Uint8Array.from(bytes)),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 40 }), tie('value'), {
      maxKeys: 20,
      noNullPrototype: true,
    }),
  ),
})).value;

describe('the codec', () => {
  test('every value survives, and its bytes are its own', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = encode(value);
        expect(illegal(value)).toBeUndefined();
        expect(decode(bytes)).toStrictEqual(value);
        expect(encode(decode(bytes))).toStrictEqual(bytes);
        expect(decode(Buffer.from(bytes))).toStrictEqual(value);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    [0, '00'],
    [127, '7f'],
    [128, 'cc80'],
    [65_535, 'cdffff'],
    [2 ** 31, 'ce80000000'],
    [2 ** 32, 'cb41f0000000000000'],
    [-32, 'e0'],
    [-33, 'd0df'],
    [-129, 'd1ff7f'],
    [-32_769, 'd2ffff7fff'],
    [0.5, 'cb3fe0000000000000'],
    [{ a: undefined, b: [true, null] }, '81a16292c3c0'],
    [-1n, 'c900000002420101'],
  ])('%s is written as MessagePack has it', (value, hex) => {
    expect(Buffer.from(encode(value)).toString('hex')).toBe(hex);
  });

  test('numbers keep their bits, the odd ones too', () => {
    for (const odd of [-0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324])
      expect(decode(encode(odd))).toBe(odd);
  });

  test('undefined properties leave no trace, however many there are', () => {
    const sparse: Record<string, Value | undefined> = { kept: 1 };
    for (let i = 0; i < 40; i++) sparse[`gone${i}`] = undefined;
    expect(encode(sparse)).toStrictEqual(encode({ kept: 1 }));
  });

  test('bytes come back as Uint8Array with memory of their own', () => {
    const source = Buffer.from(encode({ body: Buffer.from('abc') }));
    const { body } = decode(source) as { body: Uint8Array };
    source.fill(0);
    expect(body.constructor).toBe(Uint8Array);
    expect(Buffer.from(body).toString()).toBe('abc');
  });

  test('a property called __proto__ is only a property', () => {
    const value = JSON.parse('{"__proto__":{"admin":true},"a":1}') as Value;
    const back = decode(encode(value)) as { admin?: boolean };
    expect(back.admin).toBeUndefined();
    expect(JSON.stringify(back)).toBe('{"__proto__":{"admin":true},"a":1}');
  });

  test('damaged bytes are refused, never half read and never a crash', () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.integer({ min: 0, max: 255 }), (value, where, byte) => {
        const bytes = encode(value);
        const cut = bytes.slice(0, where % bytes.length);
        expect(() => decode(cut)).toThrow(/not a value/);
        bytes[where % bytes.length] = byte;
        try {
          decode(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: 'data-corrupt' });
        }
      }),
    );
    expect(() => decode(new Uint8Array(100_000).fill(0x91))).toThrow(/deep/);
    expect(() => decode(Uint8Array.from([0xdd, 255, 255, 255, 255]))).toThrow(/longer/);
    expect(() => decode(Uint8Array.from([1, 2]))).toThrow(/1 bytes follow/);
  });

  test('what is not a value is not encoded', () => {
    expect(() => encode((() => 1) as unknown as Value)).toThrow(BrokenInvariant);
    expect(() => encode([undefined] as unknown as Value)).toThrow(BrokenInvariant);
    // The writer is usable afterwards.
    expect(decode(encode('still fine'))).toBe('still fine');
  });
});

describe('illegal', () => {
  const loop: { self?: unknown } = {};
  loop.self = loop;
  test.each([
    [{ user: { born: new Date(0) } }, 'user.born: a Date is not a value'],
    [{ tags: [new Map()] }, 'tags[0]: a Map is not a value'],
    [[1, undefined], '[1]: undefined is not a value; use null'],
    [undefined, 'the value: undefined is not a value; use null'],
    [{ price: Number.NaN }, 'price: NaN does not survive JSON'],
    [{ price: -0 }, 'price: -0 does not survive JSON'],
    [{ f: () => 1 }, 'f: a function is not a value'],
    [{ s: Symbol('x') }, 's: a symbol is not a value'],
    [{ [Symbol('x')]: 1 }, 'the value: a symbol cannot name a property'],
    ['\ud800', 'the value: half of a surrogate pair cannot be written as UTF-8'],
    [{ '\ud800': 1 }, '\ud800: half of a surrogate pair cannot be written as UTF-8'],
    [{ a: [{ b: loop }] }, 'a[0].b.self: it contains itself'],
    [{ e: new Error('x') }, 'e: a Error is not a value'],
  ])('names the place and the reason %#', (value, words) => {
    expect(illegal(value)).toBe(words);
  });

  test('what is legal passes, an absent property and an object without prototype too', () => {
    const bare: unknown = Object.assign(Object.create(null), { a: 1 });
    expect(illegal({ a: undefined, b: [bare, 1n, '🎉', new Uint8Array(1)] })).toBeUndefined();
  });
});
