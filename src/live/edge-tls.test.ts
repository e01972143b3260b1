import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { afterAll, afterEach, expect, test } from 'vitest';
import type { TlsCosts, TlsPlan } from '../host/plan.ts';
import type { WebReply, WebRequest } from '../host/web.ts';
import { Intake, splice } from '../parts/stream.ts';
import { endingWith } from '../parts/web/flow.ts';
import { makeCertificate } from './certificate.ts';
import { Edge } from './edge.ts';
import { Streams } from './streams.ts';
import { tempFolder } from './testdata/harness.ts';
import { readTls } from './tls.ts';

const folder = tempFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const edges: Edge[] = [];
const sessions: ClientHttp2Session[] = [];
afterEach(() => {
  for (const session of sessions.splice(0)) session.destroy();
  for (const edge of edges.splice(0)) edge.destroy();
});

const root = { name: 'root', ...makeCertificate({ name: 'root', isAuthority: true }) };

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function identity(name: string, hosts: readonly string[]) {
  const made = makeCertificate({ name, hosts, issuer: root });
  return {
    ...made,
    files: { cert: file(`${name}.crt`, made.cert), key: file(`${name}.key`, made.key) },
  };
}

const server = identity('server', ['localhost']);
const shop = identity('shop', ['shop.example']);
const billing = identity('billing', []);
const plan: Omit<TlsPlan, keyof TlsCosts> = {
  ...server.files,
  names: { 'shop.example': shop.files },
  clientCa: '',
  clients: 'required',
};
const mutual: typeof plan = { ...plan, clientCa: file('root.crt', root.cert) };

/** An edge whose program answers with the path it was asked for, and tells what it was told. */
async function listening(tls: typeof plan) {
  const got: WebRequest[] = [];
  const edge: Edge = new Edge({
    port: 0,
    life: 1,
    tls: readTls(tls, join(folder, 'own')),
    connect: () => {
      throw new Error('nothing flows here');
    },
    deliver: (message) => {
      if (message.type !== 'request') return;
      got.push(message);
      edge.reply({
        type: 'reply',
        id: message.id,
        status: 200,
        headers: ['set-cookie', 'a=1', 'set-cookie', 'b=2', 'connection', 'close'],
        body: new URL(message.url).pathname,
      });
    },
  });
  edges.push(edge);
  return { edge, got, port: await edge.listen() };
}

function get(port: number, path: string, options: object = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = httpsRequest(
      { host: 'localhost', port, path, ca: root.cert, agent: false, ...options },
      async (response) => {
        let text = '';
        for await (const part of response) text += part;
        resolve(text);
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

test('ends TLS for HTTP/1.1, and says so to the program', async () => {
  const { edge, got, port } = await listening(plan);
  expect(await get(port, '/a')).toBe('/a');
  expect(got[0]).toMatchObject({
    url: `https://localhost:${port}/a`,
    ip: expect.stringMatching(/^(127\.|::1)/),
    tls: { version: 'TLSv1.3' },
  });
  expect(got[0]!.tls?.client).toBeUndefined();
  expect(edge.counts.handshakes).toBe(1);
});

test('speaks HTTP/2 to those who can, many requests on one connection', async () => {
  const { edge, got, port } = await listening(plan);
  const session = connect(`https://localhost:${port}`, { ca: root.cert });
  sessions.push(session);
  const ask = async (path: string) => {
    const stream = session.request({ ':path': path, 'x-a': '1' });
    let headers: IncomingHttpHeaders = {};
    stream.on('response', (received) => {
      headers = received;
    });
    let text = '';
    for await (const part of stream) text += String(part);
    return { text, headers };
  };
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(`/${i}`)));
  expect(answers.map(({ text }) => text)).toEqual(Array.from({ length: 20 }, (_, i) => `/${i}`));
  expect(answers[0]!.headers['set-cookie']).toEqual(['a=1', 'b=2']);
  expect(edge.counts.handshakes).toBe(1);
  expect(got[0]!.headers.join(' ')).toBe(`host localhost:${port} x-a 1`);
  expect(got[0]!.url).toBe(`https://localhost:${port}/0`);
});

test('calls for a body over HTTP/2 too, but not where the head is refused', async () => {
  const { port } = await listening(plan);
  const session = connect(`https://localhost:${port}`, { ca: root.cert });
  sessions.push(session);
  const ask = async (length: string, body: string) => {
    const headers = { ':method': 'POST', ':path': '/a', expect: '100-continue' };
    const stream = session.request({ ...headers, 'content-length': length });
    let isCalled = false;
    stream.on('continue', () => {
      isCalled = true;
      stream.end(body);
    });
    // What is refused is not read, and its stream may end as one that was not wanted.
    stream.on('error', () => {});
    const [received] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    stream.close();
    return { isCalled, status: received[':status'] };
  };
  expect(await ask('20000000', '')).toEqual({ isCalled: false, status: 413 });
  expect(await ask('4', 'body')).toEqual({ isCalled: true, status: 200 });
});

test('shows the certificate of the name that it is asked for', async () => {
  const { port } = await listening(plan);
  const named = async (servername: string) => {
    const socket = tlsConnect({ host: 'localhost', port, servername, ca: root.cert });
    await once(socket, 'secureConnect');
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return CN;
  };
  expect([await named('localhost'), await named('shop.example')]).toEqual(['server', 'shop']);
});

test('lets in only clients that somebody vouches for, and says who they are', async () => {
  const { edge, got, port } = await listening(mutual);
  await expect(get(port, '/', { maxVersion: 'TLSv1.2' })).rejects.toThrow();
  const stranger = makeCertificate({ name: 'billing' });
  await expect(get(port, '/', { ...stranger, maxVersion: 'TLSv1.2' })).rejects.toThrow();
  expect(got).toEqual([]);
  expect(edge.counts.handshakes).toBe(0);
  const { cert, key } = billing;
  expect(await get(port, '/in', { cert, key })).toBe('/in');
  expect(got[0]!.tls?.client).toMatchObject({ name: 'billing' });
  const session = connect(`https://localhost:${port}`, { ca: root.cert, cert, key });
  sessions.push(session);
  const stream = session.request({ ':path': '/' });
  stream.resume();
  await once(stream, 'end');
  expect(got[1]!.tls?.client).toEqual(got[0]!.tls?.client);
});

test('makes a certificate of its own once, and keeps it', async () => {
  const own: typeof plan = { ...plan, cert: '', key: '', names: {} };
  const { options } = readTls(own, join(folder, 'made'));
  expect(readTls(own, join(folder, 'made')).options.cert).toBe(options.cert);
  const { port } = await listening(own);
  const kept = readTls(own, join(folder, 'own')).options.cert;
  expect(await get(port, '/own', { ca: kept })).toBe('/own');
});

test('names the file that is not there', () => {
  expect(() => readTls({ ...plan, cert: 'nowhere.crt' }, folder)).toThrow(/nowhere\.crt/);
});

test('gRPC passes: bodies both ways as they come, trailers behind them, failures in one frame', async () => {
  const streams = new Streams({
    self: 'edge/0',
    life: 1,
    later: (run) => setImmediate(run),
    send() {},
    take(from, port, opening, stream) {
      if (port === 'http') return edge.flow(opening as WebReply, stream);
      // Every part of a call is answered as it comes, and the end of it with a status.
      const intake = new Intake(stream);
      const { id, url } = opening as WebRequest;
      const reply = { type: 'reply', id, status: 200, body: null } as const;
      const headers = ['content-type', 'application/grpc'];
      if (url.endsWith('/Fails')) {
        edge.reply({ ...reply, headers: [...headers, 'grpc-status', '14'] });
        return intake.events;
      }
      if (url.includes('/Breaks/')) {
        const kind = url.endsWith('plain') ? ['content-type', 'text/plain'] : headers;
        const far = splice(intake, (events) =>
          streams.connectHere(from, 'http', events, { ...reply, headers: kind } as WebReply),
        );
        return { ...intake.events, ended: () => far.reset() };
      }
      const last = { type: 'trailers', headers: ['grpc-status', '0', 'x-twice', 'a'] } as const;
      splice(
        endingWith(intake, () => last),
        (events) => streams.connectHere(from, 'http', events, { ...reply, headers } as WebReply),
      );
      return intake.events;
    },
  });
  const edge: Edge = new Edge({
    port: 0,
    life: 1,
    tls: readTls(plan, join(folder, 'own')),
    connect: (request, events) =>
      streams.connectHere({ node: 'edge/0', port: 'http' }, 'web', events, request),
    deliver: () => {},
  });
  edges.push(edge);
  const session = connect(`https://localhost:${await edge.listen()}`, { ca: root.cert });
  sessions.push(session);
  const begin = (path: string) => {
    const grpc = { 'content-type': 'application/grpc', te: 'trailers' };
    return session.request({ ':method': 'POST', ':path': path, ...grpc }, { endStream: false });
  };
  const both = begin('/Both');
  const trailers = once(both, 'trailers');
  for (const text of ['one', 'two']) {
    both.write(text);
    const [part] = await once(both, 'data');
    expect(String(part)).toBe(text);
  }
  both.end();
  expect((await trailers)[0]).toMatchObject({ 'grpc-status': '0', 'x-twice': 'a' });
  const broken = async (path: string): Promise<unknown> => {
    const stream = begin(path);
    stream.on('error', () => {});
    let status: unknown;
    stream.on('trailers', (headers) => {
      status = headers['grpc-status'];
    });
    stream.write('x');
    await once(stream, 'data');
    stream.end();
    await new Promise((resolve) => stream.on('close', resolve));
    return status ?? stream.rstCode;
  };
  expect(await broken('/Breaks/grpc')).toBe('14');
  expect(await broken('/Breaks/plain')).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  const failing = begin('/Fails');
  failing.end();
  const [headers, flags] = await once(failing, 'response');
  expect(headers).toMatchObject({ ':status': 200, 'grpc-status': '14' });
  expect(flags & constants.NGHTTP2_FLAG_END_STREAM).toBeTruthy();
});
