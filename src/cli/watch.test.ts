/** What becomes of a run while its design is being written. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LoadpathError } from '../kit/errors.ts';
import { rerunOnSave, type Watched } from './watch.ts';

let folder: string;
let design: string;
let stop: AbortController;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'loadpath-watch-'));
  design = join(folder, 'design.ts');
  stop = new AbortController();
});
afterEach(() => {
  stop.abort();
  rmSync(folder, { recursive: true, force: true });
});

/** A design is what its file says; 'broken' is none. */
class Desk implements Watched {
  readonly design = design;
  readonly runs: string[] = [];
  readonly ended: string[] = [];
  readonly #checks: string[] = [];
  #look: () => void = () => {};

  async sources(): Promise<readonly string[]> {
    this.#read();
    return [design];
  }

  async check(): Promise<void> {
    this.#checks.push(readFileSync(design, 'utf8'));
    this.#look();
    this.#read();
  }

  /** Runs until it is told to end. */
  readonly once = async (signal: AbortSignal): Promise<void> => {
    const text = this.#read();
    this.runs.push(text);
    this.#look();
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.ended.push(text);
    this.#look();
  };

  /** Saves, and waits until the save was seen. */
  async save(text: string): Promise<void> {
    const before = this.#checks.length;
    writeFileSync(design, text);
    await this.until(() => this.#checks.length > before && this.#checks.at(-1) === text);
  }

  until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#look = () => isSo() && resolve();
      this.#look();
    });
  }

  #read(): string {
    const text = readFileSync(design, 'utf8');
    if (text === 'broken') throw new LoadpathError('design-failed', 'a syntax error');
    return text;
  }
}

test('what runs goes on through a save with a mistake, and ends with one that can be run', async () => {
  writeFileSync(design, 'one');
  const desk = new Desk();
  const watching = rerunOnSave(desk, stop.signal, desk.once);
  await desk.until(() => desk.runs.length === 1);
  await desk.save('broken');
  expect(desk).toMatchObject({ runs: ['one'], ended: [] });
  await desk.save('two');
  await desk.until(() => desk.runs.length === 2);
  expect(desk).toMatchObject({ runs: ['one', 'two'], ended: ['one'] });
  stop.abort();
  await watching;
  expect(desk.ended).toEqual(['one', 'two']);
});

test('a design that is broken from the beginning runs once it is mended', async () => {
  writeFileSync(design, 'broken');
  const desk = new Desk();
  const watching = rerunOnSave(desk, stop.signal, desk.once);
  // It watches the file although nobody could tell what that imports.
  const saving = setInterval(() => writeFileSync(design, 'mended'), 300);
  await desk.until(() => desk.runs.length > 0).finally(() => clearInterval(saving));
  expect(desk.runs[0]).toBe('mended');
  stop.abort();
  await watching;
});
