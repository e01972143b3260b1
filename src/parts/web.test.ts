import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Native } from './web/native.ts';
import {
  abort,
  fromWebRequest,
  Headers,
  type ReplyParts,
  Request,
  Response,
  requestParts,
  signalOf,
  toNativeRequest,
  toReplyParts,
  toResponse,
} from './web.ts';

type BodyInit = NonNullable<ConstructorParameters<typeof globalThis.Response>[0]>;
type Make = typeof globalThis.Response & typeof Response;

/** What happened, in a form in which two implementations can be compared. */
function outcome<T>(act: () => T): T | string {
  try {
    return act();
  } catch (error) {
    return `throws ${(error as Error).name}`;
  }
}

async function outcomeLater<T>(act: () => Promise<T>): Promise<T | string> {
  try {
    return await act();
  } catch (error) {
    return `throws ${(error as Error).name}`;
  }
}

const headerNames = fc.constantFrom(
  'Content-Type',
  'content-type',
  'X-A',
  'x-a',
  'Set-Cookie',
  'set-cookie',
  'Cookie',
  'a',
  'Z',
  'bad name',
  '',
  'é',
);
const headerValues = fc.oneof(
  fc.constantFrom(
    '1',
    'a, b',
    ' padded\t',
    '',
    'caf\u00e9',
    'bad\nline',
    'snow ☃',
    'nul\0',
    'x; y=1',
  ),
  fc.string({ maxLength: 6 }),
);
const headerSteps = fc.array(
  fc.tuple(
    fc.constantFrom('append', 'set', 'delete', 'get', 'has', 'getSetCookie', 'list'),
    headerNames,
    headerValues,
  ),
  { maxLength: 15 },
);
const headerInits = fc.oneof(
  fc.constant(undefined),
  fc.array(fc.tuple(headerNames, headerValues), { maxLength: 5 }),
  fc.dictionary(headerNames, headerValues, { maxKeys: 4 }),
);

function play(
  make: typeof globalThis.Headers,
  init: [string, string][] | Record<string, string> | undefined,
  steps: readonly (readonly [string, string, string])[],
): unknown[] {
  const seen: unknown[] = [];
  const headers = outcome(() => new make(init));
  if (typeof headers === 'string') return [headers];
  for (const [step, name, value] of steps) {
    seen.push(
      outcome(() => {
        if (step === 'append' || step === 'set') return headers[step](name, value);
        if (step === 'delete' || step === 'get' || step === 'has') return headers[step](name);
        if (step === 'getSetCookie') return headers.getSetCookie();
        return [[...headers], [...headers.keys()], [...headers.values()]];
      }),
    );
  }
  // A copy is normalised once more by the platform, which shows on combined empty values only.
  seen.push([...new make(headers)].map(([name, value]) => [name, value.trim()]));
  return seen;
}

describe('Headers', () => {
  test('do as the platform’s under any sequence of calls', () => {
    fc.assert(
      fc.property(headerInits, headerSteps, (init, steps) => {
        expect(play(Headers, init, steps)).toEqual(play(Native.Headers, init, steps));
      }),
      { numRuns: 500 },
    );
  });

  test.each([null, 1, 'text', [['a']], [['a', 'b', 'c']], [null], { [Symbol('a')]: 'b' }])(
    'refuse %o as the platform does',
    (init) => {
      const given = init as unknown as Record<string, string>;
      expect(typeof outcome(() => new Headers(given))).toBe(
        typeof outcome(() => new Native.Headers(given)),
      );
      expect(() => new Headers(given)).toThrow(TypeError);
    },
  );

  test('changes made during an iteration are seen by it', () => {
    const walk = (make: typeof globalThis.Headers) => {
      const headers = new make({ b: '1', d: '2' });
      const seen: string[] = [];
      for (const [name] of headers) {
        seen.push(name);
        if (name === 'b') headers.set('c', '3');
      }
      return seen;
    };
    expect(walk(Headers)).toEqual(walk(Native.Headers));
  });

  test('forEach gives value, name and the headers themselves', () => {
    const headers = new Headers({ B: '2', a: '1' });
    const seen: unknown[] = [];
    headers.forEach((value, name, self) => {
      seen.push(value, name, self === headers);
    });
    expect(seen).toEqual(['1', 'a', true, '2', 'b', true]);
    expect(Object.prototype.toString.call(headers)).toBe('[object Headers]');
  });
});

const bodies = fc.oneof(
  fc.constant(null),
  fc.constant(undefined),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', '\ufeffmarked', '{"a":[1,"é"]}', '\ud800 lone'),
  fc.uint8Array({ maxLength: 20 }),
  fc.constantFrom<BodyInit>(
    new ArrayBuffer(3),
    new Uint16Array([1, 2]),
    new URLSearchParams({ a: 'b c', d: 'é' }),
    new Blob(['blob'], { type: 'text/x' }),
    new Blob(['plain']),
  ),
);
const readers = fc.constantFrom(
  'text',
  'json',
  'arrayBuffer',
  'blob',
  'formData',
  'clone',
  'body',
  'reader',
  'cancel',
);
type Message = globalThis.Response | globalThis.Request;

async function read(message: Message, how: string): Promise<unknown> {
  return outcomeLater(async () => {
    switch (how) {
      case 'text':
        return message.text();
      case 'json':
        return message.json();
      case 'arrayBuffer':
        return new Uint8Array(await message.arrayBuffer());
      case 'blob': {
        const blob = await message.blob();
        return [blob.type, blob.size, await blob.text()];
      }
      case 'formData':
        return [...(await message.formData())];
      case 'clone':
        return message.clone().text();
      case 'body': {
        const chunks: number[] = [];
        if (message.body === null) return null;
        for await (const chunk of message.body) chunks.push(...(chunk as Uint8Array));
        return chunks;
      }
      case 'reader':
        message.body?.getReader();
        return message.bodyUsed;
      default:
        await message.body?.cancel();
        return message.bodyUsed;
    }
  });
}

const responseInits = fc.option(
  fc.record(
    {
      status: fc.constantFrom(200, 201, 204, 304, 404, 599, 600, 100, 0),
      statusText: fc.constantFrom('', 'OK', 'bad\n', 'caf\u00e9'),
      headers: headerInits.filter((init) => init !== undefined),
    },
    { requiredKeys: [] },
  ),
  { nil: undefined },
);

describe('Response', () => {
  test('does as the platform’s for any body, status, headers and way of reading', async () => {
    await fc.assert(
      fc.asyncProperty(
        bodies,
        responseInits,
        fc.array(readers, { maxLength: 3 }),
        async (body, init, hows) => {
          const tell = async (make: typeof globalThis.Response) => {
            const response = outcome(() => new make(body as BodyInit, init as ResponseInit));
            // Of two mistakes either may be named.
            if (typeof response === 'string') return ['refused'];
            const { status, statusText, ok, type, url, redirected, bodyUsed } = response;
            const seen: unknown[] = [status, statusText, ok, type, url, redirected, bodyUsed];
            seen.push([...response.headers], response.body === null);
            for (const how of hows) seen.push(await read(response, how), response.bodyUsed);
            return seen;
          };
          expect(await tell(Response)).toEqual(await tell(Native.Response));
        },
      ),
      { numRuns: 400 },
    );
  });

  test('statics do as the platform’s', async () => {
    const acts: ((make: Make) => globalThis.Response)[] = [
      (make) => make.json({ a: 1 }),
      (make) => make.json([1], { status: 201, headers: { 'content-type': 'x/y', b: 'c' } }),
      (make) => make.json(undefined),
      (make) => make.json({}, { status: 204 }),
      (make) => make.redirect('http://a/b c'),
      (make) => make.redirect('http://a/', 307),
      (make) => make.redirect('/relative'),
      (make) => make.redirect('http://a/', 200),
      (make) => make.error(),
    ];
    for (const act of acts) {
      const tell = async (make: unknown) => {
        const response = outcome(() => act(make as Make));
        if (typeof response === 'string') return response;
        const frozen = outcome(() => response.headers.set('x', 'y'));
        return [
          response.status,
          response.type,
          [...response.headers],
          frozen,
          await response.text(),
        ];
      };
      expect(await tell(Response)).toEqual(await tell(Native.Response));
    }
  });

  test('a body taken over by another response stays light and is shared', async () => {
    const first = new Response('text');
    const second = new Response(first.body, { status: 201 });
    expect(toReplyParts(second)).toEqual({ status: 201, headers: [], body: 'text' });
    expect(first.bodyUsed).toBe(true);
  });

  test('its stream works wherever the platform takes one', async () => {
    const body = () => new Response('hello').body as ReadableStream<Uint8Array>;
    const collect = async (chunks: AsyncIterable<unknown>) => {
      const parts: Uint8Array[] = [];
      for await (const chunk of chunks) parts.push(chunk as Uint8Array);
      return Buffer.concat(parts).toString();
    };
    expect(body()).toBeInstanceOf(ReadableStream);
    expect(await new Native.Response(body()).text()).toBe('hello');
    expect(await collect(body())).toBe('hello');
    expect(await collect(Readable.fromWeb(body() as never))).toBe('hello');
    const [one, two] = body().tee();
    expect([await collect(one), await collect(two)]).toEqual(['hello', 'hello']);
    const upper = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, out) => out.enqueue(Buffer.from(String(Buffer.from(chunk)).toUpperCase())),
    });
    expect(await collect(body().pipeThrough(upper))).toBe('HELLO');
    const stream = body();
    const reader = stream.getReader({ mode: 'byob' });
    expect(stream.locked).toBe(true);
    expect((await reader.read(new Uint8Array(8))).value).toEqual(new TextEncoder().encode('hello'));
  });

  test('becomes a reply at once for text and bytes, later for streams', async () => {
    expect(toReplyParts(new Response('a'))).toEqual({
      status: 200,
      headers: ['content-type', 'text/plain;charset=UTF-8'],
      body: 'a',
    });
    expect(toReplyParts(new Response(new Uint8Array([1])))).toEqual({
      status: 200,
      headers: [],
      body: new Uint8Array([1]),
    });
    const streamed = toReplyParts(new Response(new Blob(['b']).stream()));
    // It comes as it is read, so that it may be without end.
    const { inlet, body } = streamed as ReplyParts;
    expect(body).toBeNull();
    expect(await toResponse({ status: 200, headers: [], body: null, inlet }).text()).toBe('b');
  });

  test('the platform’s own is accepted, anything else is refused', async () => {
    const native = new Native.Response('n', { status: 202, headers: { a: 'b' } });
    expect(await toReplyParts(native)).toEqual({
      status: 202,
      headers: ['a', 'b', 'content-type', 'text/plain;charset=UTF-8'],
      body: new TextEncoder().encode('n'),
    });
    for (const wrong of [undefined, null, 'text', {}]) {
      expect(() => toReplyParts(wrong as unknown as Response)).toThrow(/must return a Response/);
    }
  });

  test('a reply reads like what fetch gives', async () => {
    const parts = { status: 404, headers: ['a', 'b'], body: '{"c":1}' };
    const reply = toResponse(parts, 'http://x/y');
    expect([reply.status, reply.ok, reply.url, reply.headers.get('A')]).toEqual([
      404,
      false,
      'http://x/y',
      'b',
    ]);
    expect(() => reply.headers.set('a', 'c')).toThrow(TypeError);
    expect(await reply.json()).toEqual({ c: 1 });
    await expect(reply.text()).rejects.toThrow(TypeError);
  });
});

const urls = fc.oneof(
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc.constantFrom(
    'http://a',
    'http://A/b',
    'http://a:80/b',
    'https://a:443/',
    'http://a:8080/b?c=d%20e#f',
    'http://a/../b/./c',
    'http://a/b c',
    'http://a/%2e%2e/b',
    "http://a/b?c='d'",
    'http://u:p@a/',
    '/relative',
    'nonsense',
    'http://1/',
    'http://xn--a/',
    'http://a/é',
    'http://a:00080/',
    'http://a:99999/',
    'data:text/plain,x',
  ),
  fc
    .tuple(
      fc.constantFrom('http://', 'https://'),
      fc.stringMatching(/^[a-z0-9.:-]{1,8}\/[a-z0-9./%?=&'"<>|^`{}~-]{0,12}$/),
    )
    .map((parts) => parts.join('')),
);
const requestInits = fc.option(
  fc.record(
    {
      method: fc.constantFrom(
        'GET',
        'get',
        'post',
        'POST',
        'patch',
        'PATCH',
        'HEAD',
        'delete',
        'CONNECT',
        'odd',
        'b d',
        '',
      ),
      headers: headerInits.filter((init) => init !== undefined),
      body: bodies,
      redirect: fc.constantFrom('follow', 'manual', 'wrong'),
      cache: fc.constantFrom('no-store', 'default'),
      keepalive: fc.boolean(),
    },
    { requiredKeys: [] },
  ),
  { nil: undefined },
);

describe('Request', () => {
  test('does as the platform’s for any URL, method, headers and body', async () => {
    await fc.assert(
      fc.asyncProperty(urls, requestInits, readers, async (url, init, how) => {
        const tell = async (make: typeof globalThis.Request) => {
          const request = outcome(() => new make(url, init as RequestInit));
          if (typeof request === 'string') return [request];
          const { method, mode, redirect, cache, credentials, keepalive, bodyUsed } = request;
          const seen: unknown[] = [
            request.url,
            method,
            mode,
            redirect,
            cache,
            credentials,
            keepalive,
            bodyUsed,
          ];
          seen.push([...request.headers], request.body === null);
          const copy = outcome(() => new make(request, { headers: { changed: 'yes' } }));
          if (typeof copy === 'string') return [...seen, copy];
          seen.push(copy.method, copy.url, [...copy.headers], request.bodyUsed);
          seen.push(await read(copy, how), copy.bodyUsed);
          return seen;
        };
        expect(await tell(Request)).toEqual(await tell(Native.Request));
      }),
      { numRuns: 600 },
    );
  });

  test('from a message shares the message and never changes it', async () => {
    const message = Object.freeze({
      method: 'POST',
      url: 'http://a/b?c=d',
      headers: Object.freeze(['x', '1']) as readonly string[],
      body: '{"e":1}',
    });
    const request = fromWebRequest(message);
    expect([request.method, request.url, request.headers.get('X')]).toEqual([
      'POST',
      'http://a/b?c=d',
      '1',
    ]);
    request.headers.append('x', '2');
    expect(request.headers.get('x')).toBe('1, 2');
    expect(message.headers).toEqual(['x', '1']);
    expect(await request.json()).toEqual({ e: 1 });
    expect(request.bodyUsed).toBe(true);
  });

  test('its signal follows the given one, and an abort by the caller, also a late look', () => {
    const aborter = new AbortController();
    const request = new Request('http://a/', { signal: aborter.signal });
    const copy = new Request(request);
    aborter.abort('why');
    expect([request.signal.aborted, copy.signal.reason]).toEqual([true, 'why']);
    const served = fromWebRequest({ method: 'GET', url: 'http://a/', headers: [], body: null });
    abort(served, 'gone');
    expect(served.signal.reason).toBe('gone');
    expect(signalOf('http://a/', { signal: aborter.signal })).toBe(aborter.signal);
    expect(signalOf('http://a/')).toBeUndefined();
  });

  test('becomes a message: parts of what fetch was given', async () => {
    expect(requestParts('/b?c', { method: 'put', body: 'text' }, 'http://svc')).toEqual({
      method: 'PUT',
      url: 'http://svc/b?c',
      headers: ['content-type', 'text/plain;charset=UTF-8'],
      body: 'text',
    });
    expect(requestParts(new URL('http://a/b#c'))).toEqual({
      method: 'GET',
      url: 'http://a/b',
      headers: [],
      body: null,
    });
    const native = new Native.Request('http://a/', {
      method: 'POST',
      body: 'n',
      headers: { d: 'e' },
    });
    expect(await requestParts(native)).toEqual({
      method: 'POST',
      url: 'http://a/',
      headers: ['content-type', 'text/plain;charset=UTF-8', 'd', 'e'],
      body: new TextEncoder().encode('n'),
    });
    expect(() => requestParts('/relative')).toThrow(TypeError);
    const back = await toNativeRequest(new Request('http://a/b', { method: 'POST', body: 'x' }));
    expect([back.constructor, back.url, await back.text()]).toEqual([
      Native.Request,
      'http://a/b',
      'x',
    ]);
  });

  test('a form is the same bytes each time, and reads back whole', async () => {
    const form = () => {
      const made = new FormData();
      made.append('na"me', 'line\nbreak');
      made.append('file', new File(['cont', 'ent'], 'a "b".txt', { type: 'text/x' }));
      return new Request('http://a/', { method: 'POST', body: made });
    };
    expect(await form().text()).toBe(await form().text());
    const back = await form().formData();
    expect(back.get('na"me')).toBe('line\r\nbreak');
    const file = back.get('file') as File;
    expect([file.name, file.type, await file.text()]).toEqual(['a "b".txt', 'text/x', 'content']);
  });
});

describe('instanceof', () => {
  test('holds between light and platform objects, and not between kinds', () => {
    expect(new Response()).toBeInstanceOf(Native.Response);
    expect(new Native.Response()).toBeInstanceOf(Response);
    expect(new Request('http://a/')).toBeInstanceOf(Native.Request);
    expect(new Headers()).toBeInstanceOf(Native.Headers);
    expect(new Response() instanceof Request).toBe(false);
    expect(new Native.Response() instanceof Request).toBe(false);
    expect((null as unknown) instanceof Response).toBe(false);
    class Special extends Response {}
    expect(new Special('x')).toBeInstanceOf(Special);
    expect(new Response() instanceof Special).toBe(false);
    expect(new Special('x') instanceof Response).toBe(true);
  });
});
