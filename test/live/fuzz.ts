/**
 * Malformed requests against a real edge with a real backend behind it. Each case is bytes and what is
 * known of them: how many requests they are, or that they are none. What is ambiguous hides another
 * request in what one reader takes for a body: if that is ever seen, it was smuggled.
 *
 *   bytes ──TCP──▶ edge ──messages──▶ client ──HTTP──▶ backend
 *                   └ what it read ──────── the same ──────┘
 *
 * Cases follow from their number: the same seed sends the same bytes.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Stream } from '../../src/host/stream.ts';
import type { WebCancel, WebRequest } from '../../src/host/web.ts';
import { type Random, seeded } from '../../src/kit/random.ts';
import { Edge } from '../../src/live/edge.ts';
import { WebClient } from '../../src/live/web-client.ts';

interface Case {
  readonly what: string;
  readonly bytes: Buffer;
  /** Requests that must be read in it; `none`: it must be refused; `any`: nobody knows. */
  readonly expected: number | 'none' | 'any';
}

export interface FuzzReport {
  readonly cases: number;
  /** Requests that the edge read, and that the backend got. */
  readonly read: number;
  readonly served: number;
  /** Answers of the edge by status; 0: the connection was closed without one. */
  readonly statuses: Readonly<Record<number, number>>;
  /** What must not be, at most a few. */
  readonly wrong: readonly string[];
  readonly seconds: number;
}

const smuggled = 'GET /smuggled HTTP/1.1\r\nhost: edge\r\n\r\n';
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

type Make = (random: Random, path: string) => { text: string; expected: Case['expected'] };

const post = (path: string, headers: string, body: string) =>
  `POST ${path} HTTP/1.1\r\nhost: edge\r\n${headers}\r\n${body}`;
const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nhost: edge\r\n${headers}\r\n`;

function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random.next() * list.length)]!;
}

/** Kinds of trouble, each known to have got past some proxy. */
const kinds: Readonly<Record<string, Make>> = {
  plain: (random, path) => {
    const body = 'x'.repeat(Math.floor(random.next() * 50));
    return { text: post(path, `content-length: ${body.length}\r\n`, body), expected: 1 };
  },
  chunked: (random, path) => {
    const parts = Array.from({ length: 1 + Math.floor(random.next() * 4) }, () => chunk('abc'));
    return {
      text: post(path, 'transfer-encoding: chunked\r\n', `${parts.join('')}0\r\n\r\n`),
      expected: 1,
    };
  },
  pipelined: (random, path) => {
    const count = 2 + Math.floor(random.next() * 4);
    return { text: get(path).repeat(count), expected: count };
  },
  'length and chunks': (random, path) => {
    const te = pick(random, ['chunked', 'Chunked', ' chunked', 'chunked ', '\tchunked']);
    const length = pick(random, ['0', '4', String(smuggled.length + 5)]);
    const fields = [`content-length: ${length}\r\n`, `transfer-encoding: ${te}\r\n`];
    if (random.next() < 0.5) fields.reverse();
    return { text: post(path, fields.join(''), `0\r\n\r\n${smuggled}`), expected: 'none' };
  },
  'two lengths': (random, path) => {
    const [one, other] = pick(random, [
      ['0', String(smuggled.length)],
      [String(smuggled.length), '0'],
      ['5', '6'],
    ]);
    const fields = pick(random, [
      `content-length: ${one}\r\ncontent-length: ${other}\r\n`,
      `content-length: ${one}, ${other}\r\n`,
    ]);
    return { text: post(path, fields, smuggled), expected: 'none' };
  },
  'a length that is none': (random, path) => {
    const length = pick(random, [
      '+5',
      '-1',
      '0x5',
      '5 5',
      '1e1',
      '5,',
      '٥',
      '5;',
      '',
      '99999999999999999999',
    ]);
    return { text: post(path, `content-length: ${length}\r\n`, smuggled), expected: 'none' };
  },
  'another coding': (random, path) => {
    const te = pick(random, [
      'xchunked',
      'chunked, identity',
      'identity',
      'gzip',
      'chunked;q=1',
      '\x0bchunked',
      '"chunked"',
      'cow',
    ]);
    return {
      text: post(path, `transfer-encoding: ${te}\r\n`, `0\r\n\r\n${smuggled}`),
      expected: 'none',
    };
  },
  'a space before the colon': (random, path) => {
    const name = pick(random, [
      'transfer-encoding ',
      'content-length\t',
      ' transfer-encoding',
      'x y',
    ]);
    return { text: post(path, `${name}: chunked\r\n`, `0\r\n\r\n${smuggled}`), expected: 'none' };
  },
  'a folded line': (random, path) => {
    const folded = pick(random, [
      'transfer-encoding:\r\n chunked\r\n',
      'x: a\r\n\ttransfer-encoding: chunked\r\n',
    ]);
    return {
      text: post(path, `${folded}content-length: 0\r\n`, `0\r\n\r\n${smuggled}`),
      expected: 'any',
    };
  },
  'a bad chunk': (random, path) => {
    const size = pick(random, [
      'g',
      '-1',
      '0x3',
      '3 3',
      '+3',
      '',
      'fffffffffffffffff',
      '3\n',
      '3\r',
    ]);
    return {
      text: post(path, 'transfer-encoding: chunked\r\n', `${size}\r\nabc\r\n0\r\n\r\n${smuggled}`),
      expected: 'none',
    };
  },
  'a chunk that is longer than it says': (random, path) => {
    const body = `${pick(random, ['2', '1'])}\r\nabcdef\r\n0\r\n\r\n${smuggled}`;
    return { text: post(path, 'transfer-encoding: chunked\r\n', body), expected: 'none' };
  },
  'a bare line end': (random, path) => {
    const text = post(
      path,
      'content-length: 0\r\nx: a\ntransfer-encoding: chunked\r\n',
      `0\r\n\r\n${smuggled}`,
    );
    return {
      text: random.next() < 0.5 ? text : text.replace('x: a\n', 'x: a\r'),
      expected: 'none',
    };
  },
  'a zero byte': (random, path) => {
    const where = pick(random, ['x: a\0b\r\n', 'x\0: a\r\n', 'transfer-encoding\0: chunked\r\n']);
    return { text: post(path, `${where}content-length: 0\r\n`, ''), expected: 'none' };
  },
  'two hosts': (random, path) => {
    const hosts = pick(random, ['host: other\r\n', 'host: edge\r\n', 'Host : x\r\n']);
    return { text: get(path, hosts), expected: 'none' };
  },
  'a host that is none': (random, path) => {
    const host = pick(random, [
      'a/b',
      'a@b',
      'a b',
      'a?b',
      'a#b',
      'a\\b',
      '',
      'a:b',
      'a:1:2',
      '[::1',
      'a,b',
    ]);
    return { text: `GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`, expected: 'none' };
  },
  'no host': (_random, path) => ({ text: `GET ${path} HTTP/1.1\r\n\r\n`, expected: 'none' }),
  'a target that is none': (random, path) => {
    const target = pick(random, [
      '*',
      'edge',
      'ftp://edge/',
      'http://',
      'http://a@edge/',
      'javascript:1',
      '\\\\edge',
      `${path} x`,
      '//',
    ]);
    return { text: get(target), expected: target === '//' ? 'any' : 'none' };
  },
  'a line that is none': (random, path) => {
    const line = pick(random, [
      `GET ${path}`,
      `GET ${path} HTTP/9.9`,
      `get\x00 ${path} HTTP/1.1`,
      `G@T ${path} HTTP/1.1`,
      `GET\t${path}\tHTTP/1.1`,
      `${path}`,
      'GET  HTTP/1.1',
      `GET ${path} HTTQ/1.1`,
      '\x16\x03\x01\x02',
    ]);
    return { text: `${line}\r\nhost: edge\r\n\r\n`, expected: 'none' };
  },
  'headers without end': (random, path) => {
    const many = Array.from({ length: 1_200 }, (_, i) => `x-${i}: ${'y'.repeat(12)}\r\n`).join('');
    return {
      text: get(path, random.next() < 0.5 ? many : `x: ${'y'.repeat(17_000)}\r\n`),
      expected: 'none',
    };
  },
  'a trailer': (random, path) => {
    const trailer = pick(random, [
      'content-length: 5',
      'transfer-encoding: chunked',
      'host: other',
      'x: y',
    ]);
    const body = `${chunk('abc')}0\r\n${trailer}\r\n\r\n`;
    return { text: post(path, 'transfer-encoding: chunked\r\n', body), expected: 'any' };
  },
  'a changed byte': (random, path) => {
    const text =
      random.next() < 0.5
        ? post(path, 'content-length: 3\r\n', 'abc')
        : post(path, 'transfer-encoding: chunked\r\n', `${chunk('abc')}0\r\n\r\n`);
    const bytes = Buffer.from(text, 'latin1');
    for (let i = 0; i <= Math.floor(random.next() * 3); i++) {
      bytes[Math.floor(random.next() * bytes.length)] = Math.floor(random.next() * 256);
    }
    return { text: bytes.toString('latin1'), expected: 'any' };
  },
  'cut off': (random, path) => {
    const text = post(path, 'content-length: 30\r\n', 'x'.repeat(30));
    return {
      text: text.slice(0, 1 + Math.floor(random.next() * (text.length - 1))),
      expected: 'none',
    };
  },
};

/** With a check behind the number: a changed byte must not make it another's. */
function markOf(index: number): string {
  return `${index}-${(index * 7_919) % 9_973}`;
}

function caseOf(seed: number, index: number): Case {
  const random = seeded(seed).fork('case').nth(index);
  const names = Object.keys(kinds);
  const what = names[index % names.length]!;
  const { text, expected } = kinds[what]!(random, `/case/${markOf(index)}`);
  return { what, bytes: Buffer.from(text, 'latin1'), expected };
}

/** A stream that nobody reads as it comes. */
function gathered(done: (body: Uint8Array) => void): Stream {
  const parts: Uint8Array[] = [];
  return {
    peer: { node: '', port: '' },
    waitingBytes: 0,
    write: (chunk) => parts.push(Buffer.from(chunk as Uint8Array)) > 0,
    end: () => done(Uint8Array.from(Buffer.concat(parts))),
    reset() {},
    took() {},
  };
}

/** A request as either side saw it. */
type Seen = { readonly method: string; readonly path: string; readonly size: number };

const said = ({ method, path, size }: Seen) => `${method} ${path} ${size}`;

export async function fuzz(seed: number, cases: number, side = 50): Promise<FuzzReport> {
  const startedAt = performance.now();
  const wrong: string[] = [];
  const tell = (text: string): void => {
    if (wrong.length < 10) wrong.push(text);
  };
  const served: string[] = [];
  const backend = await listening(async (request) => {
    let size = 0;
    for await (const part of request) size += (part as Buffer).length;
    served.push(said({ method: request.method!, path: request.url!, size }));
  });
  const { port } = backend.address() as AddressInfo;
  const client = new WebClient((delayUs, fire) => {
    const timer = setTimeout(fire, delayUs / 1_000);
    return { cancel: () => clearTimeout(timer) };
  });
  const read = new Map<string, number>();
  const seen: string[] = [];
  const deliver = (message: WebRequest | WebCancel): void => {
    if (message.type === 'cancel') return client.cancel('fuzz', message.id);
    const { pathname, search } = new URL(message.url);
    const size = message.body === null ? 0 : Buffer.from(message.body as string).length;
    const one = said({ method: message.method, path: pathname + search, size });
    seen.push(one);
    const mark = /^\/case\/(\d+-\d+)/.exec(pathname)?.[1] ?? pathname;
    read.set(mark, (read.get(mark) ?? 0) + 1);
    client.send('fuzz', `http://127.0.0.1:${port}`, message, {
      reply: (reply) =>
        edge.reply(
          reply.type === 'reply'
            ? { ...reply, id: message.id }
            : { type: 'reply', id: message.id, status: 502, headers: [], body: null },
        ),
      refused: () =>
        edge.reply({ type: 'reply', id: message.id, status: 503, headers: [], body: null }),
      flow: (reply) => gathered((body) => edge.reply({ ...reply, id: message.id, body })),
    });
  };
  const edge: Edge = new Edge({
    port: 0,
    life: 1,
    deliver,
    // What came slowly is looked at when it is whole.
    connect: (request) => gathered((body) => deliver({ ...request, body })),
  });
  const door = await edge.listen();
  const statuses: Record<number, number> = {};
  let next = 0;

  async function worker(): Promise<void> {
    while (next < cases) {
      const index = next++;
      const { what, bytes, expected } = caseOf(seed, index);
      const answers = statusesOf(await exchange(door, bytes, expected));
      for (const status of answers.length > 0 ? answers : [0]) {
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
      const mark = markOf(index);
      const count = read.get(mark) ?? 0;
      read.delete(mark);
      const name = `case ${index} of seed ${seed}, ${what}`;
      if (expected === 'none' && count > 0) tell(`${name}: it was read as a request`);
      if (typeof expected === 'number' && count !== expected) {
        tell(`${name}: ${expected} requests were read as ${count}`);
      }
      if (
        expected === 'none' &&
        what !== 'cut off' &&
        answers.some((one) => one < 400 || one > 499)
      ) {
        tell(`${name}: answered ${answers.join(', ')}`);
      }
      if (answers.some((one) => one >= 500)) tell(`${name}: answered ${answers.join(', ')}`);
    }
  }
  await Promise.all(Array.from({ length: side }, worker));

  if (read.has('/smuggled')) tell('a request was smuggled past the edge');
  if (served.some((one) => one.includes('smuggled'))) tell('a request was smuggled to the backend');
  const [ours, theirs] = [seen, served].map((list) => list.toSorted());
  // What a client gave up may have reached the backend or not; nothing that it had not sent may.
  const known = new Set(ours);
  const extra = theirs!.filter((one) => !known.has(one));
  if (extra.length > 0)
    tell(`the backend got what the edge did not read: ${extra.slice(0, 3).join('; ')}`);
  if (theirs!.length > ours!.length) tell(`${ours!.length} requests became ${theirs!.length}`);
  const alive = statusesOf(await exchange(door, Buffer.from(get('/alive')), 1));
  if (alive[0] !== 200) tell(`afterwards a good request got ${alive.join() || 'no answer'}`);
  edge.destroy();
  client.close();
  backend.closeAllConnections();
  backend.close();
  return {
    cases,
    read: seen.length,
    served: served.length,
    statuses,
    wrong,
    seconds: (performance.now() - startedAt) / 1_000,
  };
}

async function listening(take: (request: IncomingMessage) => Promise<void>): Promise<Server> {
  const server = createServer((request, response) => {
    take(request).then(
      () => response.end('ok'),
      () => response.destroy(),
    );
  });
  server.listen({ host: '127.0.0.1', port: 0, backlog: 1_024 });
  await once(server, 'listening');
  return server;
}

/** Sends the bytes and half closes: what is answered until the other side closes too. */
async function exchange(port: number, bytes: Buffer, expected: Case['expected']): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  let answer = '';
  socket.on('data', (part: Buffer) => {
    answer += part.toString('latin1');
    // A good connection stays open: what was asked for has come.
    if (typeof expected === 'number' && statusesOf(answer).length === expected) socket.end();
  });
  socket.on('error', () => {});
  socket.write(bytes);
  if (typeof expected !== 'number') socket.end();
  // Longer than anything takes that is answered at all: a case that hangs says so by its missing answers.
  socket.setTimeout(60_000, () => socket.destroy());
  if (!socket.closed) await once(socket, 'close');
  return answer;
}

function statusesOf(answer: string): readonly number[] {
  return [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
}
