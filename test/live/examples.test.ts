/** Two of the examples, live: all of their nodes in one process, which is quickly there, with real sockets and files. */
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root } from '../checkout.ts';
import { loadpath, nothingLeft, pause, removeFolders, sweepAll, tempFolder } from './process.ts';

afterAll(() => {
  sweepAll();
  removeFolders();
});

function start(example: string, ...more: readonly string[]) {
  const path = join(root, 'examples', example);
  return loadpath(['run', path, '--single', '--port', '0', '--data', tempFolder(), ...more]);
}

/** As customers do: again while a part of the shop is away. */
async function insist(url: string, init: RequestInit): Promise<Record<string, unknown>> {
  for (let tries = 0; tries < 50; tries++) {
    const reply = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) }).catch(
      () => {},
    );
    if (reply?.ok) return (await reply.json()) as Record<string, unknown>;
    if (reply && reply.status < 500) throw new Error(`${url} answers ${reply.status}`);
    await pause(50);
  }
  throw new Error(`${url} is not served`);
}

test.concurrent('a shop that loses a part of it under load keeps all its promises to who orders', async () => {
  const fault = 'kill stock/0 at 500ms, restart after 500ms';
  const load = ['--load', '--rps', '10', '--warm-up', '500ms', '--for', '3s', '--json'];
  const running = start('shop', ...load, '--fault', fault);
  const url = await running.url();
  const orders = ['customer-1', 'customer-2', 'customer-3'].map(async (name, index) => {
    const password = name.replace('customer', 'secret');
    const body = JSON.stringify({ name, password });
    const { token } = await insist(`${url}/login`, { method: 'POST', body });
    const headers = { authorization: `Bearer ${token}`, 'idempotency-key': `order-of-${name}` };
    const cart = { method: 'PUT', headers, body: JSON.stringify({ count: 1 }) };
    await insist(`${url}/cart/p-00${index + 1}`, cart);
    return insist(`${url}/checkout`, { method: 'POST', headers });
  });
  for (const { orders: made } of await Promise.all(orders)) expect(made).toHaveLength(1);
  const { out, err } = await running.ended;
  const { invariants, events, notes } = JSON.parse(out) as {
    readonly notes: readonly string[];
    readonly invariants: readonly { readonly name: string; readonly verdict: string }[];
    readonly events: readonly { readonly type: string; readonly node?: string }[];
  };
  const broken = invariants.filter(({ verdict }) => verdict !== 'holds');
  expect(broken, err).toEqual([]);
  expect(invariants.length).toBeGreaterThan(5);
  expect(events.some(({ type, node }) => type === 'crash' && node === 'stock/0')).toBe(true);
  expect(notes).toContainEqual(
    expect.stringMatching(/a warm-up of 500ms, whose \d+ requests do not count/),
  );
  await nothingLeft(running);
});

test.concurrent('a page that is corrected is gone from all edges once the editor hears that it is done', async () => {
  const running = start('cdn');
  await running.hear(/Meters/);
  const edges = [...running.said.matchAll(/Open +(http:\S+)/g)].map((found) => found[1]!);
  expect(edges).toHaveLength(3);
  const read = async (edge: string) => {
    const reply = await fetch(`${edge}/articles/7`);
    const { text } = (await reply.json()) as { readonly text: string };
    return { text, isKept: reply.headers.get('cache-status')?.includes('hit') ?? false };
  };
  const first = 'This is article 7.';
  let before = first;
  for (const [index, editor] of edges.entries()) {
    // An edge keeps what it fetched, once it hears of purges.
    for (const edge of edges) {
      let seen = await read(edge);
      while (!seen.isKept) seen = await read(edge);
      expect(seen.text).toBe(before);
    }
    before = `Corrected for the ${index + 1}. time.`;
    const body = JSON.stringify({ text: before });
    const done = await fetch(`${editor}/articles/7`, { method: 'PUT', body });
    expect(done.ok).toBe(true);
    const seen = await Promise.all(edges.map(read));
    expect(seen.map(({ text }) => text)).toEqual([before, before, before]);
  }
  running.interrupt();
  expect(await running.ended).toMatchObject({ code: 0 });
  await nothingLeft(running);
});
