/** Two balancers and one address, under load by clients outside of everything: what they see when the active one is killed, and when it is stopped. */
import { get } from 'node:http';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root } from '../checkout.ts';
import {
  killNodes,
  loadpath,
  type Node,
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

interface Asked {
  /** In the order of asking and of ends, over all of them. */
  readonly began: number;
  ended: number;
  failure: string | undefined;
}

const clients = 4;

/** Each on its own connection, so that every request asks who has the address. */
class Crowd {
  readonly asked: Asked[] = [];
  #step = 0;
  #isOver = false;
  readonly #loops: readonly Promise<void>[];

  constructor(url: string) {
    this.#loops = Array.from({ length: clients }, async () => {
      while (!this.#isOver) await this.#ask(url);
    });
  }

  /** Now, as it is counted. */
  mark(): number {
    return this.#step++;
  }

  since(mark: number): readonly Asked[] {
    return this.asked.filter(({ ended }) => ended > mark);
  }

  async answered(count: number): Promise<void> {
    const mark = this.mark();
    const isGood = ({ began, failure }: Asked): boolean => began > mark && failure === undefined;
    while (this.since(mark).filter(isGood).length < count) await pause(20);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
  }

  async #ask(url: string): Promise<void> {
    const began = this.mark();
    const failure = await new Promise<string | undefined>((resolve) => {
      const request = get(url, { agent: false, timeout: 10_000 }, (reply) => {
        reply.resume();
        reply.on('end', () => resolve(reply.statusCode === 200 ? undefined : 'not served'));
        reply.on('error', (error) => resolve(error.message));
      });
      request.on('error', (error) => resolve(error.message));
      request.on('timeout', () => request.destroy(new Error('not answered')));
    });
    this.asked.push({ began, ended: this.mark(), failure });
    if (failure !== undefined) await pause(20);
  }
}

test('the address moves from who is killed, and from who is stopped without a request lost', async () => {
  const design = join(root, 'test/live/designs/pair.ts');
  const running = loadpath(['run', design, '--port', '0', '--data', tempFolder()]);
  const crowd = new Crowd(await running.url());
  const lb = async (index: number): Promise<Node> =>
    (await nodesOf(running)).find(({ id }) => id === `lb/${index}`)!;
  await crowd.answered(10);

  // Nothing fails before; what was under way on it does, and what comes until the other one has noticed.
  const killedAt = crowd.mark();
  await killNodes(running, ({ id }) => id === 'lb/0');
  await crowd.answered(20);
  const failures = crowd.asked.filter(({ failure }) => failure !== undefined);
  const movedAt = Math.min(
    ...crowd
      .since(killedAt)
      .filter(({ began, failure }) => began > killedAt && failure === undefined)
      // Those that the killed one still answered began before anything failed.
      .filter(({ began }) => failures.some(({ ended }) => ended < began))
      .map(({ began }) => began),
  );
  expect(failures.filter(({ ended }) => ended < killedAt)).toEqual([]);
  expect(failures.filter(({ began }) => began > movedAt)).toEqual([]);
  // Broken off, and not left hanging.
  expect(failures.map(({ failure }) => failure)).not.toContain('not answered');
  const underWay = failures.filter(({ began }) => began < killedAt);
  expect(underWay.length).toBeLessThanOrEqual(clients);

  // A SIGTERM lets it hand the address over, finish what it has, and start again.
  const stoppedAt = crowd.mark();
  const { pid, life } = await lb(1);
  process.kill(pid, 'SIGTERM');
  while ((await lb(1)).life === life || (await lb(1)).state !== 'up') await pause(50);
  await crowd.answered(20);
  await crowd.stop();
  expect(crowd.since(stoppedAt).filter(({ failure }) => failure !== undefined)).toEqual([]);

  running.interrupt();
  expect(await running.ended).toMatchObject({ code: 0 });
  await nothingLeft(running);
}, 120_000);
