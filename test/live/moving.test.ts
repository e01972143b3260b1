/**
 * Instances that come and go under load, seen by a client outside of everything. What it is promised
 * (README of registry, mesh and fleet): whoever asks with a safe method, and asks the other gateway when
 * the one it spoke to dies or still starts, sees no error, whatever single thing is killed.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root } from '../checkout.ts';
import {
  killNodes,
  loadpath,
  nodesOf,
  nothingLeft,
  pause,
  removeFolders,
  sweepAll,
  tempFolder,
} from './process.ts';

afterAll(() => {
  sweepAll();
  removeFolders();
});

/** Asks without end, one gateway or the other; remembers which instances answered. */
class Visitor {
  readonly #urls: readonly string[];
  readonly errors: string[] = [];
  /** Marks of instances, in the order of their floors, by when they answered last. */
  readonly seen: readonly [Set<string>, Set<string>] = [new Set(), new Set()];
  answered = 0;
  #isOver = false;
  readonly #loops: readonly Promise<void>[];

  constructor(urls: readonly string[]) {
    this.#urls = urls;
    this.#loops = [0, 1, 2].map((index) => this.#loop(index));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
  }

  forget(): void {
    for (const marks of this.seen) marks.clear();
  }

  async #loop(index: number): Promise<void> {
    for (let turn = index; !this.#isOver; turn++) {
      const [first, second] = [this.#urls[turn % 2]!, this.#urls[(turn + 1) % 2]!];
      const reply = await this.#ask(first).catch(() => this.#ask(second).catch(String));
      if (typeof reply === 'string' || reply.status !== 200) {
        this.errors.push(typeof reply === 'string' ? reply : `${reply.status} ${reply.text}`);
      } else {
        this.answered++;
        for (const [floor, mark] of (JSON.parse(reply.text) as string[]).entries()) {
          this.seen[floor]?.add(mark);
        }
      }
      await pause(5);
    }
  }

  async #ask(url: string): Promise<{ readonly status: number; readonly text: string }> {
    const reply = await fetch(url, { signal: AbortSignal.timeout(20_000) });
    return { status: reply.status, text: await reply.text() };
  }
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 2_000; tries++) {
    if (await isSo()) return;
    await pause(50);
  }
  throw new Error(`it never came to this: ${what}`);
}

test('whatever is killed, started, paused or replaced: who asks again is answered', async () => {
  const design = join(root, 'test/live/designs/moving.ts');
  const running = loadpath(['run', design, '--port', '0', '--data', tempFolder()]);
  const studio = (await running.hear(/Studio +(http:\S+)/))[1]!;
  const urls = [...running.said.matchAll(/Open +(http:\S+)/g)].map((found) => found[1]!);
  const visitor = new Visitor(urls);
  const [fronts, apis] = visitor.seen;
  const tell = (...sentences: readonly string[]): string =>
    execFileSync(
      process.execPath,
      [join(root, 'dist/cli/main.js'), 'fault', studio, ...sentences],
      { encoding: 'utf8' },
    );
  const stateOf = async (id: string) =>
    (await nodesOf(running)).find((node) => node.id === id)?.state;

  // By hand, and by the fleet, which finds that there is too much to do for two.
  expect(tell('start 1 front')).toMatch(/^start 1 front at /);
  await until('two fronts and three apis answer', () => fronts.size === 2 && apis.size === 3);
  expect(await stateOf('front/1')).toBe('up');

  for (const ids of [['names/0', 'net/0'], ['api/1', 'keeper/0'], ['edge/0']]) {
    await killNodes(running, ({ id }) => ids.includes(id));
  }
  // What came back is asked again.
  visitor.forget();
  await until('everybody answers', () => fronts.size === 2 && apis.size === 3);

  tell('pause api/0', 'stop front/0');
  await until('another one stands in for who sleeps', async () => {
    const api = (await nodesOf(running)).filter(({ block }) => block === 'api');
    const gone = api.find(({ id }) => id === 'api/0');
    return gone?.state === 'gone' && api.filter(({ state }) => state === 'up').length === 3;
  });
  await until('front/0 is gone', async () => (await stateOf('front/0')) === 'gone');
  visitor.forget();
  await until('those who are left answer', () => fronts.size === 1 && apis.size === 3);

  await visitor.stop();
  expect(visitor.errors).toEqual([]);
  expect(visitor.answered).toBeGreaterThan(100);
  running.interrupt();
  expect(await running.ended).toMatchObject({ code: 0 });
  await nothingLeft(running);
}, 300_000);
