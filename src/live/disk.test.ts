import { spawn } from 'node:child_process';
import fs, {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Disk, DiskOutcome } from '../host/host.ts';
import { seeded } from '../kit/random.ts';
import { FileDisk, type LiveDisk } from './disk.ts';
import { readAll, writeAll } from './files.ts';
import { lockDirectory } from './lock.ts';
import { built, gone, removeBuilt, tempFolder } from './testdata/harness.ts';
import { UnsyncedDisk } from './unsynced-disk.ts';

let folder: string;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const enter = (fire: () => void) => fire();
const text = (disk: Disk, name: string) => {
  const bytes = disk.read(name);
  return bytes && new TextDecoder().decode(bytes);
};
const bytes = (words: string) => new TextEncoder().encode(words);
const synced = (disk: Disk, name: string) =>
  new Promise<DiskOutcome>((resolve) => disk.sync(name, resolve));
const replaced = (disk: Disk, name: string, words: string) =>
  new Promise<DiskOutcome>((resolve) => disk.replace(name, bytes(words), resolve));

test.runIf(process.platform === 'linux')(
  'a new folder is synced into the one above it, and that again, before anything in it is called durable',
  async () => {
    const synced: string[] = [];
    const { fsyncSync } = fs;
    fs.fsyncSync = (fd) => {
      fsyncSync(fd);
      const path = relative(folder, readlinkSync(`/proc/self/fd/${fd}`));
      synced.push(path === '' ? '.' : path);
    };
    syncBuiltinESMExports();
    try {
      const disk = new FileDisk({ directory: join(folder, 'nodes/a+0/files'), enter });
      expect(synced.splice(0)).toEqual(['nodes/a+0', 'nodes', '.']);
      disk.append('topic/p0/s0', bytes('one'));
      expect(synced.splice(0)).toEqual([
        'nodes/a+0/files/topic',
        'nodes/a+0/files',
        'nodes/a+0/files/topic/p0',
      ]);
      disk.append('topic/p0/s1', bytes('two'));
      expect(synced.splice(0)).toEqual(['nodes/a+0/files/topic/p0']);
      const done = replaced(disk, 'kv/log', 'three');
      expect(synced.splice(0)).toEqual(['nodes/a+0/files']);
      expect(await done).toBe('ok');
      disk.close();
    } finally {
      fs.fsyncSync = fsyncSync;
      syncBuiltinESMExports();
    }
  },
);

test('a file too large for one look is read and written in pieces', () => {
  const path = join(folder, 'log');
  const content = Uint8Array.from({ length: 1_000 }, (_, i) => i * 7);
  for (const pieceBytes of [1, 7, 999, 1_000, 5_000]) {
    const fd = openSync(path, 'w');
    writeAll(fd, content, pieceBytes);
    closeSync(fd);
    expect(readAll(path, pieceBytes)).toEqual(content);
  }
});

describe.each([
  ['files', (directory: string): LiveDisk => new FileDisk({ directory, enter })],
  [
    'sync-only',
    (directory: string): LiveDisk => new UnsyncedDisk(new FileDisk({ directory, enter }), enter),
  ],
])('a disk (%s)', (kind, make) => {
  test('shows at once what was appended, and keeps it when synced', async () => {
    const disk = make(folder);
    expect(disk.read('kv/log')).toBeUndefined();
    expect(disk.append('kv/log', bytes('one '))).toBe(true);
    const buffer = bytes('two');
    disk.append('kv/log', buffer);
    // Not kept by reference.
    buffer.fill(0);
    expect(text(disk, 'kv/log')).toBe('one two');
    expect(disk.list()).toEqual(['kv/log']);
    expect(await synced(disk, 'kv/log')).toBe('ok');
    disk.append('kv/log', bytes(' three'));
    disk.close();
    const again = make(folder);
    expect(text(again, 'kv/log')).toBe(kind === 'files' ? 'one two three' : 'one two');
    again.close();
  });

  test('replaces a file whole; what is appended meanwhile belongs to the new one', async () => {
    const disk = make(folder);
    disk.append('log', bytes('old'));
    await synced(disk, 'log');
    const done = replaced(disk, 'log', 'new');
    expect(text(disk, 'log')).toBe('new');
    disk.append('log', bytes('+more'));
    const both = synced(disk, 'log');
    expect(await done).toBe('ok');
    expect(await both).toBe('ok');
    expect(text(disk, 'log')).toBe('new+more');
    disk.close();
    const again = make(folder);
    expect(text(again, 'log')).toBe('new+more');
    expect(again.list()).toEqual(['log']);
    again.close();
  });

  test('a replacement overtaken by another ends with it', async () => {
    const disk = make(folder);
    const outcomes = await Promise.all([
      replaced(disk, 'log', 'first'),
      replaced(disk, 'log', 'second'),
    ]);
    expect(outcomes).toEqual(['ok', 'ok']);
    expect(text(disk, 'log')).toBe('second');
    disk.close();
    expect(readdirSync(folder)).toEqual(['log']);
  });

  test('truncates, removes, lists by prefix', async () => {
    const disk = make(folder);
    for (const name of ['b/2', 'a', 'b/1']) disk.append(name, bytes('12345'));
    expect(disk.list('b/')).toEqual(['b/1', 'b/2']);
    expect(disk.list('b/1')).toEqual(['b/1']);
    expect(disk.list('c/')).toEqual([]);
    disk.truncate('b/1', 2);
    disk.append('b/1', bytes('x'));
    expect(text(disk, 'b/1')).toBe('12x');
    await synced(disk, 'b/1');
    disk.append('b/1', bytes('yz'));
    disk.truncate('b/1', 4);
    expect(text(disk, 'b/1')).toBe('12xy');
    disk.truncate('b/1', 1);
    expect(text(disk, 'b/1')).toBe('1');
    disk.remove('b/1');
    expect(disk.read('b/1')).toBeUndefined();
    expect(disk.list()).toEqual(['a', 'b/2']);
    disk.append('b/1', bytes('again'));
    expect(text(disk, 'b/1')).toBe('again');
    disk.close();
  });

  test('a full disk takes nothing; a failing one says so', async () => {
    const disk = make(folder);
    disk.append('log', bytes('kept'));
    disk.fault = 'full';
    expect(disk.append('log', bytes('lost'))).toBe(false);
    expect(await replaced(disk, 'log', 'lost')).toBe('full');
    disk.fault = 'failing';
    expect(await synced(disk, 'log')).toBe('failed');
    expect(await replaced(disk, 'log', 'lost')).toBe('failed');
    disk.fault = 'none';
    expect(await synced(disk, 'log')).toBe('ok');
    expect(text(disk, 'log')).toBe('kept');
    disk.close();
  });

  test('rot flips as many bits as it is told', async () => {
    const disk = make(folder);
    disk.append('log', new Uint8Array(1_000));
    await synced(disk, 'log');
    disk.rot(3, seeded(1));
    const ones = disk
      .read('log')!
      .reduce((sum, byte) => sum + byte.toString(2).split('1').length - 1, 0);
    expect(ones).toBe(3);
    disk.close();
  });

  test('behaves as a list of bytes would, whatever is done to it', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('append' as const), words: fc.string({ maxLength: 9 }) }),
      fc.record({ do: fc.constant('truncate' as const), to: fc.nat(12) }),
      fc.record({ do: fc.constant('sync' as const) }),
      fc.record({ do: fc.constant('replace' as const), words: fc.string({ maxLength: 9 }) }),
      fc.record({ do: fc.constant('wait' as const) }),
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
        const directory = join(folder, String(run++));
        const disk = make(directory);
        let twin = Buffer.alloc(0);
        const waits: Promise<DiskOutcome>[] = [];
        disk.append('log', bytes(''));
        for (const each of steps) {
          if (each.do === 'append') {
            disk.append('log', bytes(each.words));
            twin = Buffer.concat([twin, bytes(each.words)]);
          } else if (each.do === 'truncate') {
            disk.truncate('log', each.to);
            twin = twin.subarray(0, each.to);
          } else if (each.do === 'sync') waits.push(synced(disk, 'log'));
          else if (each.do === 'replace') {
            waits.push(replaced(disk, 'log', each.words));
            twin = Buffer.from(each.words);
          } else await waits.at(-1);
          expect(Buffer.from(disk.read('log') ?? []).toString()).toBe(twin.toString());
        }
        waits.push(synced(disk, 'log'));
        expect(new Set(await Promise.all(waits))).toEqual(new Set(['ok']));
        disk.close();
        const again = make(directory);
        expect(Buffer.from(again.read('log') ?? []).toString()).toBe(twin.toString());
        again.close();
      }),
      { numRuns: 25 },
    );
  });
});

test('a replacement cut short by a crash leaves the old file, and no rubbish', () => {
  const disk = new FileDisk({ directory: folder, enter });
  disk.append('log', bytes('old'));
  disk.close();
  writeFileSync(join(folder, 'log.tmp~0'), 'half of the ne');
  const again = new FileDisk({ directory: folder, enter });
  expect(text(again, 'log')).toBe('old');
  expect(again.list()).toEqual(['log']);
  again.close();
  expect(readdirSync(folder)).toEqual(['log']);
});

test.each(['../x', 'a/../b', '/etc/passwd', 'A', '', 'a//b', '.'])(
  '%j is no name of a file',
  (name) => {
    const disk = new FileDisk({ directory: folder, enter });
    expect(() => disk.append(name, bytes('x'))).toThrow(/a file is not called/);
    disk.close();
  },
);

test.runIf(existsSync('/dev/full'))('a disk that is really full takes nothing', async () => {
  symlinkSync('/dev/full', join(folder, 'log'));
  const files = new FileDisk({ directory: folder, enter });
  expect(files.append('log', bytes('x'))).toBe(false);
  const unsynced = new UnsyncedDisk(files, enter);
  expect(unsynced.append('log', bytes('x'))).toBe(true);
  expect(await synced(unsynced, 'log')).toBe('full');
  unsynced.close();
});

describe.each([['files'], ['sync-only']])('a writer that is killed (%s)', (kind) => {
  test('loses nothing that was synced', async () => {
    const entry = await built('writer');
    const writer = spawn(process.execPath, [fileURLToPath(entry), folder, kind], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let acknowledged = -1;
    try {
      await new Promise<void>((resolve) => {
        createInterface(writer.stdout).on('line', (line) => {
          acknowledged = Number(line);
          if (acknowledged >= 300) resolve();
        });
      });
    } finally {
      writer.kill('SIGKILL');
      removeBuilt(entry);
    }
    await gone(writer.pid!);
    const disk = new FileDisk({ directory: folder, enter });
    const lines = text(disk, 'log')!.split('\n');
    disk.close();
    // The last may be torn; all before it are whole and in order.
    lines.pop();
    expect(lines).toEqual(lines.map((_, i) => String(i)));
    expect(lines.length).toBeGreaterThan(acknowledged);
  });
});

describe('the lock', () => {
  const path = () => join(folder, 'lock');

  test('keeps a second one out, names its owner, and opens again', () => {
    const lock = lockDirectory(folder);
    expect(() => lockDirectory(folder)).toThrow(
      expect.objectContaining({ code: 'data-locked', message: expect.stringContaining(folder) }),
    );
    lock.release();
    lock.release();
    lockDirectory(folder).release();
    expect(existsSync(path())).toBe(false);
  });

  test('of a dead process is taken over, and so is one that says nothing', async () => {
    const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' });
    const pid = child.pid!;
    await new Promise((resolve) => child.on('close', resolve));
    for (const content of [JSON.stringify({ pid, started: 'x' }), '', '{"pi']) {
      writeFileSync(path(), content);
      lockDirectory(folder).release();
    }
  });

  test.runIf(existsSync('/proc/self/stat'))(
    'of a process whose id now belongs to another is taken over',
    () => {
      // Our own id, but another start: the owner died and its number was given to us.
      writeFileSync(path(), JSON.stringify({ pid: process.pid, started: 'another boot 1' }));
      lockDirectory(folder).release();
    },
  );

  test('is not removed by an owner whom it was taken from', () => {
    const lock = lockDirectory(folder);
    rmSync(path());
    const next = lockDirectory(folder);
    lock.release();
    expect(existsSync(path())).toBe(true);
    next.release();
  });
});
