import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Address, Message } from '../host/host.ts';
import type { StreamClose } from '../host/stream.ts';
import type { WebCancel, WebReply, WebRequest } from '../host/web.ts';
import { Intake, splice } from '../parts/stream.ts';
import { startAdmin } from './admin.ts';
import { Edge, type EdgeOptions } from './edge.ts';
import { spokenFor } from './edge-addresses.ts';
import { Streams } from './streams.ts';
import { type Trial, trial } from './testdata/harness.ts';
import { nodePlan, planOf } from './testdata/programs.ts';

const nowhere = new URL('file:///nowhere.mjs');

describe('an edge', () => {
  const edges: Edge[] = [];
  afterEach(() => {
    for (const edge of edges.splice(0)) edge.destroy();
  });

  async function listening(
    more: Partial<EdgeOptions> = {},
  ): Promise<{ edge: Edge; url: string; got: (WebRequest | WebCancel)[]; ends: StreamClose[] }> {
    const got: (WebRequest | WebCancel)[] = [];
    const ends: StreamClose[] = [];
    const streams = new Streams({
      self: 'edge/0',
      life: 3,
      later: (run) => setImmediate(run),
      send() {},
      take(from, port, opening, stream) {
        if (port === 'http') return edge.flow(opening as WebReply, stream);
        // The program sends every body back as it comes.
        const intake = new Intake(stream);
        const message = { ...(opening as WebRequest), inlet: intake };
        got.push(message);
        echo(message, from);
        return intake.events;
      },
    });
    const echo = ({ id, inlet }: WebRequest, from: Address): void => {
      splice(
        inlet!,
        (events) =>
          streams.connectHere(from, 'http', events, {
            type: 'reply',
            id,
            status: 200,
            headers: [],
            body: null,
          } as Message),
        (how) => ends.push(how),
      );
    };
    const edge: Edge = new Edge({
      port: 0,
      life: 3,
      connect: (request, events) =>
        streams.connectHere({ node: 'edge/0', port: 'http' }, 'web', events, request),
      deliver: (message) => {
        got.push(message);
        if (message.type !== 'request' || message.url.endsWith('/slow')) return;
        edge.reply({
          type: 'reply',
          id: message.id,
          status: message.url.endsWith('/empty') ? 204 : 200,
          headers: ['x-a', '1', 'connection', 'close', 'content-length', '999'],
          body: message.body === null ? 'hello' : message.body,
        });
      },
      ...more,
    });
    edges.push(edge);
    const port = await edge.listen();
    return { edge, url: `http://127.0.0.1:${port}`, got, ends };
  }

  async function until(holds: () => boolean): Promise<void> {
    for (let i = 0; i < 1_000 && !holds(); i++) await new Promise((go) => setTimeout(go, 2));
  }

  async function raw(url: string, text: string): Promise<string> {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    let answer = '';
    socket.on('data', (part) => {
      answer += part.toString();
    });
    socket.on('error', () => {});
    socket.write(text);
    await once(socket, 'close');
    return answer;
  }

  test('turns a request into a message and the reply into HTTP', async () => {
    const { url, got } = await listening();
    const response = await fetch(`${url}/links?x=1`, { method: 'POST', body: 'a body' });
    expect(response.status).toBe(200);
    expect(response.headers.get('x-a')).toBe('1');
    expect(await response.text()).toBe('a body');
    expect(got[0]).toMatchObject({ method: 'POST', url: `${url}/links?x=1`, ip: '127.0.0.1' });
    expect((got[0] as WebRequest).id).toBeGreaterThanOrEqual(3 * 2 ** 32);
    expect((got[0] as WebRequest).body?.constructor).toBe(Uint8Array);
    const names = (got[0] as WebRequest).headers.filter((_, i) => i % 2 === 0);
    expect(names).toContain('content-type');
    expect(names).not.toContain('connection');
  });

  test('says that it has no tunnels, and what it has, to who asks for one', async () => {
    const { url, got } = await listening();
    const answer = await raw(url, 'CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 405 [\s\S]*allow: GET, HEAD, /i);
    expect(got).toEqual([]);
  });

  test('tunnels only to a name and a port, whatever else is asked for', async () => {
    const { url, got } = await listening({ tunnels: true });
    for (const to of ['a.test', 'a.test:', ':443', 'a.test:65536', 'u@a.test:443', 'a/b:443']) {
      const answer = await raw(url, `CONNECT ${to} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      expect(answer, to).toMatch(/^HTTP\/1\.1 400 /);
    }
    expect(got).toEqual([]);
  });

  test('gives back every byte of a body as it was, whether it goes out in one piece or not', async () => {
    const { url } = await listening();
    for (const length of [1, 256, 16_384, 16_385]) {
      const body = Uint8Array.from({ length }, (_, i) => 255 - (i % 256));
      const response = await fetch(url, { method: 'POST', body });
      expect(response.headers.get('content-length')).toBe(`${length}`);
      expect(new Uint8Array(await response.arrayBuffer())).toEqual(body);
    }
  });

  test('believes a host no more the second time than the first, however many there are', async () => {
    const { url, got } = await listening();
    const ask = (host: string): Promise<string> =>
      raw(url, `GET /a HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    for (let round = 0; round < 2; round++) {
      for (const bad of ['a/b', 'a@b', '1.2.3.4.5', 'a:99999', 'xn--', '[::1']) {
        expect(await ask(bad), bad).toMatch(/^HTTP\/1\.1 400 /);
      }
      expect(got).toHaveLength(round * 302);
      for (let i = 0; i < 300; i++) await ask(`name-${i}.example`);
      expect(await ask('[::1]:8080')).toMatch(/^HTTP\/1\.1 200 /);
      expect(await ask('Name.Example')).toMatch(/^HTTP\/1\.1 200 /);
    }
  });

  test('lets bodies flow both ways as they come, of any length', async () => {
    const { url, ends } = await listening();
    const parts = Array.from({ length: 60 }, (_, i) => new Uint8Array(100_000).fill(i));
    let next = 0;
    const answered: (() => void)[] = [];
    const body = new ReadableStream({
      async pull(controller) {
        // The second part waits until the first came back.
        if (next === 1) await new Promise<void>((resolve) => answered.push(resolve));
        if (next === parts.length) controller.close();
        else controller.enqueue(parts[next++]);
      },
    });
    const response = await fetch(url, { method: 'POST', body, duplex: 'half' } as RequestInit);
    const bytes: Uint8Array[] = [];
    let length = 0;
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
      bytes.push(part);
      length += part.length;
      if (length >= 100_000) for (const go of answered.splice(0)) go();
    }
    expect(Buffer.concat(bytes).equals(Buffer.concat(parts))).toBe(true);
    await until(() => ends.length > 0);
    expect(ends).toEqual(['done']);
  });

  test('tells whoever answers that the client of a body is gone', async () => {
    const { url, got, ends } = await listening();
    const aborter = new AbortController();
    const body = new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        controller.enqueue(new Uint8Array(1_000));
      },
    });
    const init = { method: 'POST', body, duplex: 'half', signal: aborter.signal };
    const response = await fetch(url, init as RequestInit);
    const reader = response.body!.getReader();
    await reader.read();
    aborter.abort();
    await until(() => ends.length > 0);
    expect(ends).toEqual(['reset']);
    expect(got).toHaveLength(1);
  });

  test('answers HEAD and 204 without a body', async () => {
    const { url } = await listening();
    const head = await fetch(url, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe('5');
    expect(await head.text()).toBe('');
    expect((await fetch(`${url}/empty`)).status).toBe(204);
  });

  test('says to HEAD how long the page is where that is known, and nothing where it is not', async () => {
    /** As a program answers that spares itself the body. */
    const answered = async (headers: readonly string[], body: string | null) => {
      const one = await listening({
        deliver(message) {
          if (message.type !== 'request') return;
          one.edge.reply({ type: 'reply', id: message.id, status: 200, headers, body });
        },
      });
      const lengths: (string | undefined)[] = [];
      // Read by hand, and by Node's server.
      for (const more of ['', 'te: trailers\r\n']) {
        const socket = connect({ host: '127.0.0.1', port: Number(new URL(one.url).port) });
        let text = '';
        socket.on('data', (part) => {
          text += part.toString();
        });
        const asked = `HEAD / HTTP/1.1\r\nhost: a\r\n${more}\r\n`;
        socket.write(asked);
        await until(() => text.endsWith('\r\n\r\n'));
        // Whatever length it was: nothing came behind it, and the next answer is the next.
        text = '';
        socket.write(asked);
        await until(() => text.endsWith('\r\n\r\n'));
        expect(text).toMatch(/^HTTP\/1\.1 200 /);
        lengths.push(/content-length: (.*)\r\n/i.exec(text)?.[1]);
        socket.destroy();
      }
      return lengths;
    };
    expect(await answered(['content-length', '500'], null)).toEqual(['500', '500']);
    expect(await answered(['content-length', '500'], 'hello')).toEqual(['5', '5']);
    expect(await answered([], null)).toEqual([undefined, undefined]);
  });

  test('lets this machine speak for somebody else', async () => {
    const { url, got } = await listening();
    await fetch(url, {
      headers: {
        'x-forwarded-for': '203.0.113.9, 10.0.0.1',
        'x-loadpath-session': 'u1',
        'x-loadpath-timeout-us': '5000',
      },
    });
    expect(got[0]).toMatchObject({ ip: '203.0.113.9', session: 'u1', timeoutUs: 5_000 });
  });

  test('lets nobody else do so', () => {
    const headers = [
      'x-forwarded-for',
      '1.2.3.4',
      'x-loadpath-session',
      'u1',
      'x-loadpath-edge',
      'a',
      'b',
      'c',
    ];
    const heard = spokenFor(headers, '203.0.113.9');
    expect(heard).toMatchObject({ ip: '203.0.113.9', session: undefined, timeoutUs: undefined });
    expect(heard.headers).toEqual(['x-forwarded-for', '1.2.3.4', 'b', 'c']);
  });

  test('refuses what is not HTTP, too large or too slow, and goes on serving', async () => {
    const { url, got, edge } = await listening({
      bodyMaxBytes: 100,
      headersMaxBytes: 2_000,
      headersTimeoutMs: 200,
      requestTimeoutMs: 400,
      headersMax: 20,
      urlMaxBytes: 200,
    });
    const long = 'x'.repeat(5_000);
    expect(await raw(url, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await raw(url, `GET / HTTP/1.1\r\nhost: a\r\nx: ${long}\r\n\r\n`)).toMatch(/ 431 /);
    expect(await raw(url, 'GET / HTTP/1.1\r\nhost: [\r\n\r\n')).toMatch(/ 400 /);
    expect((await fetch(url, { method: 'POST', body: long })).status).toBe(413);
    const chunked = `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1388\r\n${long}\r\n0\r\n\r\n`;
    expect(await raw(url, chunked)).toMatch(/ 413 /);
    expect(await raw(url, 'GET / HTTP/1.1\r\nhost: a\r\nx-half')).toMatch(/ 408 /);
    const many = Array.from({ length: 20 }, (_, i) => `x${i}: 1\r\n`).join('');
    expect(await raw(url, `GET / HTTP/1.1\r\nhost: a\r\n${many}\r\n`)).toMatch(/ 431 /);
    expect(await raw(url, `GET /${'x'.repeat(200)} HTTP/1.1\r\nhost: a\r\n\r\n`)).toMatch(/ 414 /);
    // But for the body that nobody said the length of: it was under way when it became too long.
    expect(got.filter((one) => one.type === 'request' && !one.inlet)).toEqual([]);
    expect(edge.counts.refused).toBe(8);
    expect((await fetch(url)).status).toBe(200);
  }, 20_000);

  test('calls for a body that waits for it, but not where the head is refused', async () => {
    const { url, got } = await listening({ bodyMaxBytes: 100 });
    const head = (length: number): string =>
      `POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\nconnection: close\r\ncontent-length: ${length}\r\n\r\n`;
    expect(await raw(url, head(101))).toMatch(/^HTTP\/1\.1 413 /);
    expect(got).toEqual([]);
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    let answer = '';
    socket.on('data', (part) => {
      answer += part.toString();
      if (answer === 'HTTP/1.1 100 Continue\r\n\r\n') socket.write('body');
    });
    socket.write(head(4));
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 [\s\S]*body$/);
    // It was between the client and this server.
    expect((got[0] as WebRequest).headers).not.toContain('expect');
  });

  test('takes no body in a transfer coding that it would have to undo', async () => {
    const { url, got } = await listening();
    const post = (coding: string): string =>
      `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: ${coding}\r\nconnection: close\r\n\r\n4\r\nbody\r\n0\r\n\r\n`;
    const refused = async (text: string): Promise<string[]> =>
      (await raw(url, text)).match(/HTTP\/1\.1 \d+/g) ?? [];
    for (const coding of ['gzip, chunked', 'gzip\r\ntransfer-encoding: chunked', 'x, Chunked']) {
      expect(await refused(post(coding)), coding).toEqual(['HTTP/1.1 501']);
      // Once, whatever else is wrong with it.
      const bad = post(coding).replace('4\r\nbody', 'nonsense');
      expect(await refused(bad), coding).toEqual(['HTTP/1.1 501']);
    }
    for (const coding of ['gzip', 'chunked, gzip']) {
      expect(await refused(post(coding)), coding).toEqual(['HTTP/1.1 400']);
    }
    expect(got).toEqual([]);
    expect(await raw(url, post('Chunked'))).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('who sends a byte at a time holds a connection no longer than the limits say', async () => {
    const { url, got } = await listening({ headersTimeoutMs: 300, requestTimeoutMs: 600 });
    const head = 'POST /slow HTTP/1.1\r\nhost: a\r\ncontent-length: 10000\r\n';
    /** What is answered to a client who goes on and on, from `text` on. */
    const dribble = async (text: string, more: string): Promise<string> => {
      const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
      let answer = '';
      socket.on('data', (part) => {
        answer += part.toString();
      });
      socket.on('error', () => {});
      socket.write(text);
      const timer = setInterval(() => socket.write(more), 20);
      await new Promise((resolve) => socket.on('close', resolve));
      clearInterval(timer);
      return answer;
    };
    const answers = await Promise.all([
      dribble(head, 'x'),
      dribble(`${head}\r\n`, 'x'),
      dribble('POST /slow HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\nx\r\n'),
    ]);
    const [headers = '', body = '', echoed = ''] = answers;
    for (const answer of [headers, body]) expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    // An answer that has begun is broken off, and no other is put into it.
    expect(echoed).toMatch(/^HTTP\/1\.1 200 /);
    expect(echoed).not.toContain('408');
    expect(echoed.endsWith('0\r\n\r\n')).toBe(false);
    // What flows has begun when its sender is found out, and is broken off.
    expect(got.filter((one) => one.type === 'request' && !one.inlet)).toEqual([]);
    expect((await fetch(url)).status).toBe(200);
  }, 20_000);

  test('reads a request as whoever comes after it will', async () => {
    const { url, got } = await listening();
    const asked = async (text: string) => (await raw(url, text)).slice(9, 12);
    const close = 'connection: close, x-hop\r\n';
    expect(await asked(`GET / HTTP/1.1\r\nhost: a\r\nx-hop: 1\r\nx-end: 2\r\n${close}\r\n`)).toBe(
      '200',
    );
    expect(got.at(-1)).toMatchObject({ headers: ['host', 'a', 'x-end', '2'] });
    // What stands in the request line holds, whatever the header says.
    expect(await asked(`GET http://b/x HTTP/1.1\r\nhost: a\r\n${close}\r\n`)).toBe('200');
    expect(got.at(-1)).toMatchObject({ url: 'http://b/x', headers: ['host', 'b'] });
    for (const host of ['a/b', 'u@a', '', 'a\r\nhost: a']) {
      expect(await asked(`GET / HTTP/1.1\r\nhost: ${host}\r\n\r\n`), host).toBe('400');
    }
    expect(await asked('GET /\r\nhost: a\r\n\r\n')).toBe('400');
  });

  test('answers what comes over one connection in order, ordinary or not', async () => {
    const { url, got } = await listening();
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    let answers = '';
    socket.on('data', (part) => {
      answers += part.toString();
    });
    const say = async (text: string, more = ''): Promise<void> => {
      const before = answers.split('HTTP/1.1 200').length;
      socket.write(text);
      // In a piece of its own, while what came before is under way.
      if (more !== '') setTimeout(() => socket.write(more), 5);
      await until(() => answers.split('HTTP/1.1 200').length > before && answers.includes('hello'));
    };
    const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nhost: a\r\n${headers}\r\n`;
    const post = (path: string, body: string) =>
      `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    await say(get('/1'));
    await say(post('/2', 'two'), get('/3'));
    await until(() => got.length === 3);
    socket.write(get('/4') + post('/5', 'five') + get('/6'));
    await until(() => got.length === 6);
    socket.write(get('/7', 'connection: close\r\n'));
    await once(socket, 'close');
    expect(got.map((one) => (one as WebRequest).url).toSorted()).toEqual(
      [1, 2, 3, 4, 5, 6, 7].map((number) => `http://a/${number}`),
    );
    const bodies = answers.split(/HTTP\/1\.1 200 OK\r\n/).map((one) => one.split('\r\n\r\n')[1]);
    expect(bodies).toEqual([undefined, 'hello', 'two', 'hello', 'hello', 'five', 'hello', 'hello']);
  });

  test('ends connections that say nothing, before a request and after one', async () => {
    const silent = await listening({ headersTimeoutMs: 100 });
    expect(await raw(silent.url, '')).toMatch(/^HTTP\/1\.1 408 /);
    const { url } = await listening({ keepAliveMs: 100 });
    const kept = await raw(url, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    expect(kept).toMatch(/^HTTP\/1\.1 200 [\s\S]*hello$/);
  });

  test('holds so many requests of one connection, and lets nobody send on and on', async () => {
    const { url, got } = await listening({ pipelineMax: 3 });
    const slow = 'GET /slow HTTP/1.1\r\nhost: a\r\n\r\n';
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    socket.on('error', () => {});
    socket.write(slow.repeat(50));
    while (got.length < 3) await new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(got.filter(({ type }) => type === 'request')).toHaveLength(3);
    socket.destroy();
  });

  test('takes a client that sends no more for one that has gone: the two look the same', async () => {
    const { url, got } = await listening();
    // Read by hand, and by Node's server.
    for (const more of ['', 'te: trailers\r\n']) {
      const socket = connect({
        host: '127.0.0.1',
        port: Number(new URL(url).port),
        allowHalfOpen: true,
      });
      socket.on('error', () => {});
      socket.resume();
      const before = got.length;
      socket.write(`GET /slow HTTP/1.1\r\nhost: a\r\n${more}\r\n`);
      await until(() => got.length > before);
      socket.end();
      await until(() => got.length > before + 1);
      expect(got.at(-1)).toEqual({ type: 'cancel', id: (got[before] as WebRequest).id });
      socket.destroy();
    }
  });

  test('tells the program when a client has gone', async () => {
    const { url, got } = await listening();
    const leave = new AbortController();
    const leaving = fetch(`${url}/slow`, { signal: leave.signal }).catch(() => 'left');
    while (got.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    leave.abort();
    expect(await leaving).toBe('left');
    while (got.length === 1) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(got[1]).toEqual({ type: 'cancel', id: (got[0] as WebRequest).id });
  });

  test('a port that is taken is named', async () => {
    const { edge } = await listening();
    await expect(listening({ port: edge.port })).rejects.toMatchObject({
      code: 'port-taken',
      message: expect.stringContaining(String(edge.port)),
    });
  });

  test('closing lets open requests finish', async () => {
    const { edge, url, got } = await listening();
    const slow = fetch(`${url}/slow`);
    while (got.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const closed = edge.close(5_000_000);
    await expect(fetch(url)).rejects.toThrow();
    edge.reply({
      type: 'reply',
      id: (got[0] as WebRequest).id,
      status: 200,
      headers: [],
      body: 'x',
    });
    expect(await (await slow).text()).toBe('x');
    await closed;
  });
});

describe('from a load node through the edge', () => {
  const web = nodePlan('w/0', 'web', { port: 'web', edge: { listen: 8080 } });
  const fetcher = nodePlan('u/0', 'fetcher');
  const client = {
    ...fetcher,
    programs: [{ ...fetcher.programs[0]!, port: 'main' }],
  };
  let t: Trial;
  beforeEach(async () => {
    t = trial(nowhere, planOf(client, web), { here: true });
    await t.system.ready;
  });
  afterEach(() => t.end());

  const ask = (more: Record<string, unknown>) =>
    t.system.tell({ node: 'u/0' }, {
      type: 'fetch',
      id: 1,
      node: 'w/0',
      url: 'http://shop.example/x?y=1',
      ...more,
    } as { type: string });

  test('a web request is real HTTP, and nobody can tell', async () => {
    ask({ session: 'u7', body: 'text', timeoutUs: 1_000_000 });
    const came = await t.hear('came');
    expect(came).toMatchObject({ from: 'w/0', what: 'reply', id: 1, status: 200 });
    expect(JSON.parse(new TextDecoder().decode(came.body as Uint8Array))).toEqual({
      method: 'POST',
      path: '/x',
      host: 'shop.example',
      ip: '203.0.113.9',
      session: 'u7',
      text: 'text',
    });
    const { edges } = t.system;
    expect(edges).toEqual([
      { node: 'w/0', port: 'web', url: expect.stringContaining('127.0.0.1') },
    ]);
    const direct = await fetch(edges[0]!.url);
    expect(direct.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await direct.json()).toMatchObject({ ip: '127.0.0.1' });
  });

  test('a reply that is no HTTP becomes a 502', async () => {
    ask({ url: 'http://shop.example/bad' });
    expect(await t.hear('came')).toMatchObject({ what: 'reply', status: 502 });
  });

  test('a caller who gives up cancels at the other side', async () => {
    ask({ id: 5, url: 'http://shop.example/slow' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    t.system.tell({ node: 'u/0' }, { type: 'cancel', id: 5, node: 'w/0' } as { type: string });
    await t.hear('cancelled', 'w/0');
  });

  test('an edge that dies loses what it had, and refuses what comes next', async () => {
    ask({ id: 6, url: 'http://shop.example/slow' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    t.system.inject({ do: 'kill', atUs: 0, target: { node: 'w/0' } });
    expect(await t.hear('came')).toMatchObject({ what: 'lost', id: 6 });
    ask({ id: 7 });
    expect(await t.hear('refused')).toMatchObject({ node: 'w/0', was: 'request' });
    const { url } = t.system.edges[0]!;
    await t.system.heal();
    // At the address that people know.
    expect(t.system.edges[0]!.url).toBe(url);
    expect((await fetch(url)).status).toBe(200);
  });

  test('a cut-off edge answers nobody, and that is noticed by time', async () => {
    const both = { from: { node: 'u/0' }, to: { node: 'w/0' } } as const;
    t.system.inject({ do: 'cut', atUs: 0, oneWay: false, ...both });
    ask({ id: 8 });
    expect(await t.hear('came')).toMatchObject({ what: 'lost', id: 8 });
  });

  test('the outside world is fetched for real, refused or lost', async () => {
    const { url } = t.system.edges[0]!;
    ask({ id: 9, node: 'external:w', url: `${url}/out` });
    expect(await t.hear('came')).toMatchObject({ from: 'external:w', what: 'reply', status: 200 });
    ask({ id: 10, node: 'external:w', url: `${url}/slow`, timeoutUs: 50_000 });
    expect(await t.hear('came')).toMatchObject({ from: 'external:w', what: 'lost', id: 10 });
    ask({ id: 11, node: 'external:w', url: 'http://127.0.0.1:1/' });
    expect(await t.hear('refused')).toMatchObject({ node: 'external:w' });
  });

  test('somebody else’s node is not started; requests to it go to its URL', async () => {
    const { url } = t.system.edges[0]!;
    const stranger = { ...nodePlan('pay/0', 'web', { port: 'web' }), outside: `${url}/v1/` };
    const other = trial(nowhere, planOf(client, stranger), { here: true });
    try {
      await other.system.ready;
      expect(other.system.status().map((node) => node.id)).toEqual(['u/0']);
      const message = { type: 'fetch', id: 1, node: 'pay/0', url: 'http://pay/charge?x=1' };
      other.system.tell({ node: 'u/0' }, message);
      const came = await other.hear('came');
      expect(came).toMatchObject({ from: 'pay/0', what: 'reply', status: 200 });
      const body = JSON.parse(new TextDecoder().decode(came.body as Uint8Array));
      expect(body).toMatchObject({ path: '/v1/charge' });
      other.system.inject({ do: 'kill', atUs: 0, target: { node: 'pay/0' } });
      const note = await other.see((event) => event.type === 'note');
      expect(note).toMatchObject({ node: 'pay/0' });
    } finally {
      await other.end();
    }
  });

  test('operators see figures, health and status on a port of their own', async () => {
    const admin = await startAdmin(t.system);
    try {
      const metrics = await (await fetch(`${admin.url}/metrics`)).text();
      expect(metrics).toContain('# TYPE loadpath_up gauge');
      expect(metrics).toContain('loadpath_up{node="w/0",block="w"} 1');
      expect((await fetch(`${admin.url}/healthz`)).status).toBe(200);
      const status = (await (await fetch(`${admin.url}/status`)).json()) as { nodes: unknown };
      expect(status.nodes).toMatchObject([{ id: 'u/0', state: 'up', life: 1 }, { id: 'w/0' }]);
      t.system.inject({ do: 'kill', atUs: 0, target: { node: 'w/0' } });
      await t.see((event) => event.type === 'crash');
      const ill = await fetch(`${admin.url}/healthz`);
      expect(ill.status).toBe(503);
      expect(await ill.text()).toBe('w/0 is down\n');
      expect((await fetch(`${admin.url}/nothing`)).status).toBe(404);
      expect((await fetch(`${admin.url}/metrics`, { method: 'POST' })).status).toBe(405);
      await expect(startAdmin(t.system, { port: admin.port })).rejects.toMatchObject({
        code: 'port-taken',
      });
    } finally {
      await admin.close();
    }
  });
});
