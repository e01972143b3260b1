import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lockDirectory } from './lock.ts';
import { built, removeBuilt, tempFolder } from './testdata/harness.ts';

let folder: string;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What somebody wrote who ended long ago: no process has this id. */
const dead = (token: string) => JSON.stringify({ pid: 2 ** 30, started: 'long ago', token });

const rivals = 3;
const rounds = 40;

/** How many got each directory, whose lock was `left` behind. */
async function contest(left: string | undefined): Promise<readonly number[]> {
  const directories = Array.from({ length: rounds }, (_, round) => join(folder, String(round)));
  for (const directory of directories) {
    mkdirSync(directory);
    if (left !== undefined) writeFileSync(join(directory, 'lock'), left);
  }
  const entry = await built('contender');
  const arrived = new Int32Array(new SharedArrayBuffer(4));
  const workerData = { directories, rivals, arrived };
  const threads = Array.from({ length: rivals }, () => new Worker(entry, { workerData }));
  try {
    const outcomes = await Promise.all(
      threads.map(
        (thread) =>
          new Promise<readonly boolean[]>((resolve, reject) => {
            thread.once('message', resolve);
            thread.once('error', reject);
          }),
      ),
    );
    return directories.map((_, round) => outcomes.filter((won) => won[round]).length);
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
    removeBuilt(entry);
  }
}

describe('of many who want a directory at one instant exactly one gets it,', () => {
  const onceEach = Array.from({ length: rounds }, () => 1);

  test.each([
    ['when there is no lock', undefined],
    ['when its lock is that of a dead process', dead('a-token')],
    ['when a power cut left nothing of its lock', ''],
  ])('%s', async (_name, left) => {
    expect(await contest(left)).toEqual(onceEach);
    const names = new Set(readdirSync(folder).flatMap((name) => readdirSync(join(folder, name))));
    expect([...names]).toEqual(['lock']);
  });
});

test("who died while taking a lock over is in nobody's way", () => {
  writeFileSync(join(folder, 'lock'), dead('11111111-1'));
  writeFileSync(join(folder, 'lock.11111111'), dead('22222222-2'));
  const lock = lockDirectory(folder);
  expect(() => lockDirectory(folder)).toThrow(String(process.pid));
  lock.release();
  expect(readdirSync(folder)).toEqual([]);
});
