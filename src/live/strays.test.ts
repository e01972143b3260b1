import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunEvent } from '../host/events.ts';
import { built, removeBuilt, tempFolder } from './testdata/harness.ts';

let single: URL;
let folder: string;
beforeAll(async () => {
  single = await built('single');
  folder = tempFolder();
});
afterAll(() => {
  removeBuilt(single);
  rmSync(folder, { recursive: true, force: true });
});

/** A process of its own, since the test runner wants to know of all that falls out here. */
function run(type: string): Promise<{ code: number; events: readonly RunEvent[]; err: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [fileURLToPath(single), type, folder],
      (_error, out, err) => {
        const lines = out.split('\n').filter((line) => line !== '');
        const events = lines.map((line): RunEvent => JSON.parse(line));
        resolve({ code: child.exitCode ?? -1, events, err });
      },
    );
  });
}

describe('with all nodes in one process', () => {
  test.each([
    ['a promise that nobody awaits', 'reject', 'unheard of'],
    ['one that another node made it leave', 'pass on', 'unheard of'],
    ['a throw that nobody catches', 'throw later', 'too late'],
    ['a program that throws', 'crash', 'told to crash'],
  ])('%s ends the node whose it is, which comes back', async (_what, type, why) => {
    const { code, events, err } = await run(type);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const [log, crash, ...more] = events;
    expect(more).toEqual([]);
    expect(crash).toMatchObject({ type: 'crash', node: 'b/0', why });
    const text = expect.stringMatching(new RegExp(`Error: ${why}\\n +at `));
    expect(log).toMatchObject({ type: 'log', node: 'b/0', level: 'error', text });
  });

  test('what is of no node ends the process, as ever', async () => {
    const { code, events, err } = await run('nobody');
    expect({ code, events }).toEqual({ code: 1, events: [] });
    expect(err).toContain("Error: nobody's");
  });
});
