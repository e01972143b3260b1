import { expect, test } from 'vitest';
import type { Timer } from '../host/host.ts';
import type { Chunk, Inlet, StreamEvents } from '../host/stream.ts';
import { peek, readWhole } from './peek.ts';

/** A body that is sent by hand, and what its stream was told. */
function body() {
  const told: string[] = [];
  let reader: StreamEvents | undefined;
  const inlet: Inlet = {
    stream: {
      peer: { node: 'a', port: 'b' },
      waitingBytes: 0,
      write: () => true,
      end: () => void told.push('end'),
      reset: () => void told.push('reset'),
      took: (chunk) => void told.push(`took ${textOf(chunk)}`),
    },
    attach: (events) => {
      reader = events;
    },
  };
  return { inlet, told, send: (chunk: Chunk) => reader!.data(chunk), events: () => reader! };
}

function textOf(chunk: Chunk): string {
  return typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk);
}

/** What a reader gets of it. */
function readBy(inlet: Inlet): string[] {
  const got: string[] = [];
  inlet.attach({
    data: (chunk) => {
      got.push(textOf(chunk));
      inlet.stream.took(chunk);
    },
    ended: () => got.push('ended'),
    closed: (how) => got.push(how),
  });
  return got;
}

/** Patience that ends when it is told to. */
function patience() {
  let fire = (): void => {};
  let isCancelled = false;
  const wait = (fires: () => void): Timer => {
    fire = fires;
    return {
      cancel: () => {
        isCancelled = true;
      },
    };
  };
  return { wait, end: () => fire(), isCancelled: () => isCancelled };
}

test('a peek shows how a body begins, and its reader gets all of it once', () => {
  const { inlet, told, send, events } = body();
  let seen: string | undefined;
  const flow = peek(inlet, 4, (first) => {
    seen = textOf(first);
  });
  send('ab');
  expect(seen).toBeUndefined();
  send('cdef');
  expect(seen).toBe('abcdef');
  const got = readBy(flow);
  send('gh');
  events().ended?.(undefined);
  expect(got).toEqual(['abcdef', 'gh', 'ended']);
  expect(told).toEqual(['took ab', 'took cdef', 'took gh']);
});

test('a body that comes soon is gathered whole', () => {
  const { inlet, told, send, events } = body();
  const { wait, isCancelled } = patience();
  const done: (string | undefined)[] = [];
  readWhole(inlet, 6, wait, (whole) => done.push(whole && textOf(whole)));
  send('abc');
  send('def');
  expect(done).toEqual([]);
  events().ended?.(undefined);
  events().closed('done');
  expect(done).toEqual(['abcdef']);
  expect(isCancelled()).toBe(true);
  expect(told).toContain('end');
});

test('one that takes long, is long, or breaks off flows on from its beginning', () => {
  for (const why of ['takes long', 'is long', 'breaks off']) {
    const { inlet, send, events } = body();
    const { wait, end } = patience();
    let got: string[] | undefined;
    readWhole(inlet, 6, wait, (whole, flow) => {
      expect(whole).toBeUndefined();
      got = readBy(flow);
    });
    send('abc');
    if (why === 'takes long') end();
    else if (why === 'is long') send('defg');
    else events().closed('reset');
    if (why !== 'breaks off') {
      send('h');
      events().ended?.(undefined);
    }
    const expected = {
      'takes long': ['abc', 'h', 'ended'],
      'is long': ['abcdefg', 'h', 'ended'],
      'breaks off': ['abc', 'reset'],
    };
    expect(got, why).toEqual(expected[why as keyof typeof expected]);
  }
});

test('one that is given up is reset, and nobody hears of it any more', () => {
  const { inlet, told, send, events } = body();
  const { wait, isCancelled } = patience();
  const done: unknown[] = [];
  const giveUp = readWhole(inlet, 6, wait, (whole) => done.push(whole));
  send('abc');
  giveUp();
  events().closed('reset');
  expect(done).toEqual([]);
  expect(told.filter((one) => one === 'reset')).toHaveLength(1);
  expect(isCancelled()).toBe(true);
});
