/** What the journal promises, on a disk small enough to be crashed at every byte. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Disk, DiskOutcome } from '../host/host.ts';
import { Journal, type Replacement } from './journal.ts';

/** Files as byte arrays; syncs wait until the test lets them end. */
class Bench implements Disk {
  readonly files = new Map<string, Uint8Array>();
  readonly syncs: (() => void)[] = [];
  /** What a crash brings back: a replacement was shown, and failed before it was durable. */
  former: Uint8Array | undefined;
  /** How much of the one file a crash cannot take. */
  durableBytes = 0;
  full = false;
  failing = false;

  list(): readonly string[] {
    return [...this.files.keys()].sort();
  }
  read(name: string): Uint8Array | undefined {
    return this.files.get(name)?.slice();
  }
  append(name: string, bytes: Uint8Array): boolean {
    if (this.full) return false;
    const old = this.files.get(name) ?? new Uint8Array(0);
    const grown = new Uint8Array(old.length + bytes.length);
    grown.set(old);
    grown.set(bytes, old.length);
    this.files.set(name, grown);
    return true;
  }
  sync(name: string, done: (outcome: DiskOutcome) => void): void {
    const covered = this.files.get(name)?.length ?? 0;
    this.syncs.push(() => {
      if (this.failing) return done('failed');
      this.durableBytes = covered;
      done('ok');
    });
  }
  replace(name: string, bytes: Uint8Array, done: (outcome: DiskOutcome) => void): void {
    const copy = bytes.slice();
    this.syncs.push(() => {
      if (this.full) return done('full');
      if (this.failing) this.former ??= this.files.get(name);
      this.files.set(name, copy);
      if (this.failing) return done('failed');
      this.former = undefined;
      this.durableBytes = copy.length;
      done('ok');
    });
  }
  remove(name: string): void {
    this.files.delete(name);
  }
  truncate(name: string, length: number): void {
    const bytes = this.files.get(name);
    if (bytes) this.files.set(name, bytes.slice(0, length));
    this.durableBytes = Math.min(this.durableBytes, length);
  }
  freeBytes(): number {
    return this.full ? 0 : Number.POSITIVE_INFINITY;
  }
  /** What the next boot finds: everything durable and some beginning of the rest. */
  crash(keepRatio: number): Bench {
    const bytes = this.former ?? this.read('log') ?? new Uint8Array(0);
    const kept = this.durableBytes + Math.floor((bytes.length - this.durableBytes) * keepRatio);
    const after = new Bench();
    if (bytes.length > 0) after.append('log', bytes.slice(0, kept));
    after.durableBytes = kept;
    return after;
  }
  /** Ends syncs and whatever they start, `limit` at most. */
  settle(limit = Number.POSITIVE_INFINITY): void {
    for (let i = 0; i < limit; i++) {
      const sync = this.syncs.shift();
      if (!sync) return;
      sync();
    }
  }
}

const written = (disk: Disk): unknown[] => Journal.open(disk, 'log').entries;

describe('appending', () => {
  test('an entry is acknowledged only after its sync, and is there after reopening', () => {
    const disk = new Bench();
    const { journal, entries } = Journal.open<string>(disk, 'log');
    expect(entries).toEqual([]);
    const outcomes: string[] = [];
    journal.append('a', (outcome) => outcomes.push(outcome));
    expect(outcomes).toEqual([]);
    disk.settle();
    expect(outcomes).toEqual(['ok']);
    expect(written(disk)).toEqual(['a']);
  });

  test('entries that come during a sync share the next one', () => {
    const disk = new Bench();
    const { journal } = Journal.open<number>(disk, 'log');
    let done = 0;
    for (let i = 0; i < 100; i++) journal.append(i, () => done++);
    expect(disk.syncs.length).toBe(1);
    disk.settle(1);
    expect(done).toBe(1);
    disk.settle(1);
    expect(done).toBe(100);
    expect(disk.syncs.length).toBe(0);
    expect(written(disk)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  test('a journal is idle from the last answer on, unless that brings more', () => {
    const disk = new Bench();
    const { journal } = Journal.open<string>(disk, 'log');
    const idle: boolean[] = [];
    journal.append('a', () => idle.push(journal.idle));
    journal.append('b', () => idle.push(journal.idle));
    journal.append('c', () => {
      idle.push(journal.idle);
      journal.append('d', () => idle.push(journal.idle));
      idle.push(journal.idle);
    });
    disk.settle();
    expect(idle).toEqual([false, false, true, false, true]);
    expect(journal.idle).toBe(true);
  });

  test('a full disk refuses the batch and leaves the file as it was', () => {
    const disk = new Bench();
    const { journal } = Journal.open<string>(disk, 'log');
    journal.append('a', () => {});
    disk.settle();
    const outcomes: string[] = [];
    disk.full = true;
    journal.append('b', (outcome) => outcomes.push(outcome));
    disk.settle();
    disk.full = false;
    journal.append('c', (outcome) => outcomes.push(outcome));
    disk.settle();
    expect(outcomes).toEqual(['full', 'ok']);
    expect(written(disk)).toEqual(['a', 'c']);
  });

  test('a failed sync takes the whole batch back', () => {
    const disk = new Bench();
    const { journal } = Journal.open<string>(disk, 'log');
    const outcomes: string[] = [];
    disk.failing = true;
    journal.append('a', (outcome) => outcomes.push(outcome));
    disk.settle();
    expect(journal.sizeBytes).toBe(0);
    disk.failing = false;
    journal.append('b', (outcome) => outcomes.push(outcome));
    disk.settle();
    expect(outcomes).toEqual(['failed', 'ok']);
    expect(written(disk)).toEqual(['b']);
  });
});

describe('recovery', () => {
  test('a crash at any byte of the last batch loses that batch and nothing else', () => {
    const disk = new Bench();
    const { journal } = Journal.open<string>(disk, 'log');
    journal.append('first', () => {});
    disk.settle();
    const durable = journal.sizeBytes;
    journal.append('second', () => {});
    const whole = disk.read('log')!;
    for (let length = durable; length < whole.length; length++) {
      const after = new Bench();
      after.append('log', whole.slice(0, length));
      const { journal: reopened, entries, tornBytes } = Journal.open<string>(after, 'log');
      expect(entries).toEqual(['first']);
      expect(tornBytes).toBe(length - durable);
      reopened.append('third', () => {});
      after.settle();
      expect(written(after)).toEqual(['first', 'third']);
    }
  });

  test('a torn last write, whatever it left behind, is cut off', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), (garbage) => {
        const disk = new Bench();
        const { journal } = Journal.open<string>(disk, 'log');
        journal.append('kept', () => {});
        disk.settle();
        disk.append('log', garbage);
        expect(written(disk)).toEqual(['kept']);
        expect(disk.read('log')!.length).toBe(journal.sizeBytes);
      }),
    );
  });

  test('a large torn entry full of what could be lengths of frames is cut off, in linear time', () => {
    const disk = new Bench();
    const { journal } = Journal.open<Uint8Array | string>(disk, 'log');
    journal.append('kept', () => {});
    disk.settle();
    const durable = journal.sizeBytes;
    const numbers = Uint32Array.from({ length: 300_000 }, (_, i) => (i * 7_919) % 20_000);
    journal.append(new Uint8Array(numbers.buffer), () => {});
    const whole = disk.read('log')!;
    disk.files.set('log', whole.slice(0, -100));
    // In quadratic time it would be minutes.
    const { entries, tornBytes } = Journal.open<Uint8Array | string>(disk, 'log');
    expect(entries).toEqual(['kept']);
    expect(tornBytes).toBe(whole.length - 100 - durable);
  });

  test('damage before acknowledged entries is refused, naming file and byte', () => {
    const disk = new Bench();
    const { journal } = Journal.open<string>(disk, 'log');
    for (const entry of ['a', 'b', 'c']) {
      journal.append(entry, () => {});
      disk.settle();
    }
    const whole = disk.read('log')!;
    const lastFrame = whole.length - 14;
    for (let at = 0; at < lastFrame; at++) {
      const bytes = whole.slice();
      bytes[at]! ^= 0x10;
      disk.files.set('log', bytes);
      expect(() => written(disk), `byte ${at}`).toThrow(/log is damaged at byte \d+/);
    }
  });

  test('what is refused ends with what its writer advises', () => {
    const disk = new Bench();
    const { journal } = Journal.open<string>(disk, 'log');
    journal.replaceWith(['a'], () => {});
    disk.settle();
    disk.files.get('log')![20]! ^= 1;
    expect(() => Journal.open(disk, 'log', 'Ask the author.')).toThrow(
      /acknowledged\. Ask the author\.$/,
    );
    expect(Journal.read(disk, 'log', 'Ask her.').damage?.message).toMatch(
      /acknowledged\. Ask her\.$/,
    );
  });

  test('damage anywhere in a compacted file is refused, its last entry included', () => {
    const disk = new Bench();
    const { journal } = Journal.open<string>(disk, 'log');
    journal.replaceWith(['a', 'b'], () => {});
    disk.settle();
    const whole = disk.read('log')!;
    for (let at = 16; at < whole.length; at++) {
      const bytes = whole.slice();
      bytes[at]! ^= 0x01;
      disk.files.set('log', bytes);
      expect(() => written(disk), `byte ${at}`).toThrow(/damaged/);
    }
  });
});

describe('compaction', () => {
  test('what was under way when it was asked for is carried over', () => {
    const disk = new Bench();
    const { journal } = Journal.open<string>(disk, 'log');
    const outcomes: string[] = [];
    journal.append('old', () => {});
    disk.settle();
    journal.append('syncing', (outcome) => outcomes.push(`syncing ${outcome}`));
    journal.append('pending', (outcome) => outcomes.push(`pending ${outcome}`));
    journal.replaceWith(['snapshot'], (outcome) => outcomes.push(`replaced ${outcome}`));
    journal.append('after', (outcome) => outcomes.push(`after ${outcome}`));
    disk.settle();
    expect(outcomes).toEqual(['syncing ok', 'replaced ok', 'pending ok', 'after ok']);
    expect(written(disk)).toEqual(['snapshot', 'syncing', 'pending', 'after']);
    expect(journal.entryCount).toBe(4);
  });

  test('asked for by an entry of a batch, it keeps the rest of that batch', () => {
    const disk = new Bench();
    const { journal } = Journal.open<number>(disk, 'log');
    const told: number[] = [];
    for (let i = 0; i < 5; i++) {
      journal.append(i, () => {
        told.push(i);
        if (i === 2) journal.replaceWith([...told], () => {});
      });
    }
    disk.settle();
    expect(written(disk)).toEqual([0, 1, 2, 3, 4]);
  });

  test('given in steps, it keeps what became durable in between, and ends as if given at once', () => {
    const disk = new Bench();
    const { journal } = Journal.open<string>(disk, 'log');
    journal.append('old', () => {});
    disk.settle();
    const replacement = journal.beginReplacement();
    replacement.add('snapshot 1');
    journal.append('between', () => {});
    disk.settle();
    expect(written(disk)).toEqual(['old', 'between']);
    expect(journal.idle).toBe(true);
    replacement.add('snapshot 2');
    replacement.finish(() => {});
    disk.settle();
    expect(written(disk)).toEqual(['snapshot 1', 'snapshot 2', 'between']);
    expect(journal.sizeBytes).toBe(disk.read('log')!.length);
    expect(replacement.sizeBytes).toBeGreaterThan(16);
  });

  test('one that is abandoned leaves the log as it is, and another may begin', () => {
    const disk = new Bench();
    const { journal } = Journal.open<string>(disk, 'log');
    const replacement = journal.beginReplacement();
    replacement.add('snapshot');
    journal.append('a', () => {});
    disk.settle();
    replacement.abandon();
    expect(written(disk)).toEqual(['a']);
    journal.replaceWith(['b'], () => {});
    disk.settle();
    expect(written(disk)).toEqual(['b']);
  });

  test('one that failed half way takes nothing with it that was acknowledged later', () => {
    const disk = new Bench();
    const { journal } = Journal.open<string>(disk, 'log');
    journal.append('old', () => {});
    disk.settle();
    disk.failing = true;
    const outcomes: string[] = [];
    journal.replaceWith(['old'], (outcome) => outcomes.push(outcome));
    disk.settle();
    journal.append('in vain', (outcome) => outcomes.push(outcome));
    disk.settle();
    disk.failing = false;
    journal.append('new', (outcome) => outcomes.push(outcome));
    disk.settle();
    expect(outcomes).toEqual(['failed', 'full', 'ok']);
    expect(written(disk.crash(0))).toEqual(['old', 'new']);
  });

  test('a compaction that finds no room leaves the log as it was, and it goes on', () => {
    const disk = new Bench();
    const { journal } = Journal.open<string>(disk, 'log');
    journal.append('a', () => {});
    disk.settle();
    disk.full = true;
    const outcomes: string[] = [];
    journal.replaceWith(['snapshot'], (outcome) => outcomes.push(outcome));
    disk.settle();
    disk.full = false;
    journal.append('b', (outcome) => outcomes.push(outcome));
    disk.settle();
    expect(outcomes).toEqual(['full', 'ok']);
    expect(written(disk)).toEqual(['a', 'b']);
  });
});

test('for any mix of appends, compactions and crashes, what was acknowledged is there in order', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('append' as const) }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('begin to compact' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('crash' as const),
        keepRatio: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let disk = new Bench();
      let { journal } = Journal.open<number>(disk, 'log');
      let next = 0;
      let acknowledged: number[] = [];
      let compacting = false;
      let begun: { readonly replacement: Replacement<number>; readonly rest: number[] } | undefined;
      for (const s of steps) {
        if (s.do === 'append') {
          const entry = next++;
          journal.append(entry, () => acknowledged.push(entry));
        } else if (s.do === 'settle') {
          disk.settle(1);
        } else if (s.do === 'begin to compact' && !compacting) {
          compacting = true;
          begun = { replacement: journal.beginReplacement(), rest: [...acknowledged] };
          const half = Math.floor(acknowledged.length / 2);
          for (const entry of begun.rest.splice(0, half)) begun.replacement.add(entry);
        } else if (s.do === 'compact' && begun) {
          for (const entry of begun.rest) begun.replacement.add(entry);
          begun.replacement.finish(() => {
            compacting = false;
          });
          begun = undefined;
        } else if (s.do === 'compact' && !compacting) {
          compacting = true;
          journal.replaceWith([...acknowledged], () => {
            compacting = false;
          });
        } else if (s.do === 'crash') {
          disk = disk.crash(s.keepRatio);
          const opened = Journal.open<number>(disk, 'log');
          expect(opened.entries.slice(0, acknowledged.length)).toEqual(acknowledged);
          acknowledged = opened.entries;
          journal = opened.journal;
          compacting = false;
          begun = undefined;
        }
      }
    }),
    { numRuns: 300 },
  );
});
