import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode, encode } from '../../../parts/codec.ts';
import type { Version } from '../../../parts/hlc.ts';
import { type LogRecord, type PackedRecord, pack, unpack } from './log.ts';
import { Table } from './table.ts';

const version = (at: number): Version => ({ at, count: 0, by: 'api/0#1' });
const key = fc.constantFrom('a', 'b');
const owner = fc.constantFrom('links/1', 'links/2');
const at = fc.integer({ min: 1, max: 5 }).map(version);
/** One value a version, as in life: a fifth of them tombstones. */
const entry = at.map((made) => ({
  version: made,
  value: made.at === 5 ? null : new Uint8Array([made.at]),
}));
const record: fc.Arbitrary<LogRecord> = fc.oneof(
  fc.record({ do: fc.constant('store' as const), key, entry }),
  fc.record({ do: fc.constant('hint' as const), owner, key, entry, since: fc.constant(7) }),
  fc.record({ do: fc.constant('unhint' as const), owner, key, version: at }),
  fc.record({ do: fc.constant('collect' as const), key, version: fc.constant(version(5)) }),
);

const filling = fc.constantFrom({ do: 'unfilled' } as const, { do: 'filled' } as const);

test('a record says in its log what it said', () => {
  const floor = fc.record({ do: fc.constant('floor' as const), version: at });
  fc.assert(
    fc.property(fc.oneof(record, floor, filling), (each) => {
      expect(unpack(decode(encode(pack(each))) as unknown as PackedRecord)).toEqual(each);
    }),
  );
});

function tableOf(records: readonly LogRecord[]): Table {
  const table = new Table();
  for (const each of records) table.apply(each);
  return table;
}

function seen(table: Table): unknown {
  return {
    entries: ['a', 'b'].map((name) => table.get(name)),
    tombstones: [...table.tombstones].sort(),
    hints: [...table.hints].map(([node, kept]) => [node, [...kept].sort()]).sort(),
    hintCount: table.hintCount,
    keyCount: table.keyCount,
    bytes: table.bytes,
    floor: table.floor,
    isFilled: table.isFilled,
  };
}

describe('a table', () => {
  test('is the same after a snapshot as after the whole log', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(record, filling), { maxLength: 30 }), (records) => {
        const table = tableOf(records);
        expect(seen(tableOf([...table.records()]))).toEqual(seen(table));
      }),
    );
  });

  test('is the same when records were taken while it changed, with what changed behind them', () => {
    const twice = fc.tuple(
      fc.array(record, { maxLength: 20 }),
      fc.array(record, { maxLength: 20 }),
    );
    fc.assert(
      fc.property(twice, ([before, meanwhile]) => {
        const table = tableOf(before);
        const written: LogRecord[] = [];
        const records = table.records();
        for (const each of meanwhile) {
          const next = records.next();
          if (!next.done) written.push(next.value);
          table.apply(each);
        }
        written.push(...records);
        expect(seen(tableOf([...written, ...meanwhile]))).toEqual(seen(table));
      }),
    );
  });

  test('takes stores in any order, any number of times: the newest stays', () => {
    const store = fc.record({ do: fc.constant('store' as const), key, entry });
    fc.assert(
      fc.property(fc.array(store, { maxLength: 12 }), (records) => {
        const table = tableOf(records);
        expect(seen(tableOf([...records].reverse()))).toEqual(seen(table));
        expect(seen(tableOf([...records, ...records]))).toEqual(seen(table));
      }),
    );
  });

  test('counts what it holds', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 30 }), (records) => {
        const table = tableOf(records);
        let hints = 0;
        for (const kept of table.hints.values()) hints += kept.size;
        expect(table.hintCount).toBe(hints);
        for (const name of table.tombstones) expect(table.get(name)!.value).toBeNull();
      }),
    );
  });

  test('forgets a hint only when that very version was handed over', () => {
    const hint = (made: number): LogRecord => ({
      do: 'hint',
      owner: 'links/1',
      key: 'a',
      entry: { version: version(made), value: new Uint8Array([made]) },
      since: 0,
    });
    const handedOver: LogRecord = { do: 'unhint', owner: 'links/1', key: 'a', version: version(1) };
    expect(tableOf([hint(1), handedOver]).hintCount).toBe(0);
    expect(tableOf([hint(1), hint(2), handedOver]).hintCount).toBe(1);
  });

  test('is clear of a tombstone when nothing older is here or can be made here', () => {
    const value = new Uint8Array([1]);
    const stand = (records: LogRecord[], isOwner = true) =>
      tableOf(records).standing('a', version(3), isOwner);
    expect(stand([])).toBe('behind');
    expect(stand([], false)).toBe('clear');
    expect(stand([{ do: 'floor', version: version(3) }])).toBe('clear');
    expect(stand([{ do: 'store', key: 'a', entry: { version: version(2), value } }])).toBe(
      'behind',
    );
    expect(stand([{ do: 'store', key: 'a', entry: { version: version(3), value: null } }])).toBe(
      'clear',
    );
    expect(stand([{ do: 'store', key: 'a', entry: { version: version(4), value } }])).toBe('busy');
    const hint: LogRecord = {
      do: 'hint',
      owner: 'links/1',
      key: 'a',
      entry: { version: version(1), value },
      since: 0,
    };
    expect(stand([hint], false)).toBe('busy');
  });
});

test('keys that somebody made to collide cost no more than others', () => {
  // Whichever of a pair comes, FNV-1a has the same hash after it.
  const pairs =
    'MlDAW f5aAf, 5sBAb UUBBQ, a8KA6 ABCBA, A9KAA aCCB6, DAmAV o8xAg, egDAY x8aAh, aKMA6 AmABA, A9KAA aCCB6, DAmAV o8xAg, egDAY x8aAh, aKMA6 AmABA, A9KAA aCCB6, DAmAV o8xAg, egDAY x8aAh'
      .split(', ')
      .map((pair) => pair.split(' '));
  const count = 2 ** pairs.length;
  const made = (i: number) => pairs.map((pair, bit) => pair[(i >> bit) & 1]).join('');
  const plain = (i: number) => `an ordinary key, as long as theirs, of whom it is ${i}`;
  const timeOf = (keyOf: (i: number) => string) => {
    const keys = Array.from({ length: count }, (_, i) => keyOf(i));
    const table = new Table();
    const { user } = process.cpuUsage();
    for (const name of keys) table.store(name, { version: version(1), value: null });
    return process.cpuUsage().user - user;
  };
  timeOf(plain);
  expect(timeOf(made) / timeOf(plain)).toBeLessThan(30);
});
