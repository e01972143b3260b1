/** The example that `npm start` runs, live: what it says, what it answers, how it ends. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, expect, test } from 'vitest';
import { root } from '../checkout.ts';
import { loadpath, nothingLeft, pause, removeFolders, sweepAll, tempFolder } from './process.ts';

const shortener = join(root, 'examples/shortener');
const run = ['run', shortener, '--load', '--port', '0'];
const shell = promisify(execFile);

afterEach(sweepAll);
afterAll(removeFolders);

test('a copy of the links dies under load and comes back; what it says to try works; Ctrl-C ends it with a report in which every invariant holds', async () => {
  const fault = 'kill links/1 at 2s, restart after 2s';
  // It ends by Ctrl-C, however slow the machine is.
  const flags = ['--rps', '40', '--for', '10m', '--fault', fault, '--data', tempFolder()];
  const running = loadpath([...run, ...flags]);
  const url = await running.url();
  await running.hear(/Try .*\n(.*\n)*.*Meters/);
  const commands = [...running.said.matchAll(/^Try +(.*)$/gm)].map((match) => match[1]!);
  expect(commands).toHaveLength(3);
  expect(commands.every((command) => command.includes(url))).toBe(true);
  const answers = [
    /"code":"hello"|hello is taken/,
    /HTTP\/1.1 302[\s\S]*location: https:\/\/example\.com\//,
    /"top":/,
  ];
  for (const [index, command] of commands.entries()) {
    // Right after the start, on a busy machine, a first answer may come too late.
    const ask = async () => (await shell('/bin/sh', ['-c', `${command} --silent`])).stdout;
    await expect.poll(ask, { interval: 500 }).toMatch(answers[index]!);
  }

  await running.hear(/links\/1 \| stopped: killed/);
  await running.hear(/links\/1 \| started again/);
  // Off a terminal the status is a line every few seconds.
  await running.hear(/live · .*requests · .*p99/);
  await pause(500);
  running.interrupt();
  const { code, out } = await running.ended;
  await nothingLeft(running);
  // Objectives are about speed, which a busy machine may not have; the invariants are not.
  expect([0, 1]).toContain(code);
  for (const part of ['shortener live', 'Objectives', 'Invariants', 'Latency', 'Blocks']) {
    expect(out).toContain(part);
  }
  const [, invariants] = /^Invariants\n((?: .*\n)+)/m.exec(out)!;
  expect(invariants!.match(/^ {2}holds /gm)!.length, invariants).toBeGreaterThanOrEqual(4);
  expect(invariants).not.toMatch(/VIOLATED|unknown/);
  expect(Number(/= ([\d,]+) completed/.exec(out)![1]!.replaceAll(',', ''))).toBeGreaterThan(50);
});
