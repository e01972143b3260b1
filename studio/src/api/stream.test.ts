import { afterEach, expect, test, vi } from 'vitest';
import { openStream, retryAfterMs, type StreamState } from './stream.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

test('what keeps failing is tried again, less and less often', () => {
  expect(retryAfterMs(0, false)).toBeNull();
  const waits = Array.from({ length: 12 }, (_, index) => retryAfterMs(index + 1, false)!);
  for (const [index, wait] of waits.slice(1).entries()) {
    expect(wait).toBeGreaterThanOrEqual(waits[index]!);
  }
  expect(waits.at(-1)!).toBeGreaterThan(4 * waits[0]!);
  expect(retryAfterMs(0, true)).toBeGreaterThan(0);
});

test('the browser tries a broken stream once by itself; one that is refused is told apart', () => {
  const sources: Source[] = [];
  class Source {
    static readonly CLOSED = 2;
    readyState = 0;
    onopen = () => {};
    onerror = () => {};
    addEventListener = () => {};
    constructor() {
      sources.push(this);
    }
    close() {
      this.readyState = 2;
    }
  }
  vi.stubGlobal('EventSource', Source);
  const states: StreamState[] = [];
  const listener = { onMessages: () => {}, onState: (state: StreamState) => states.push(state) };
  const stream = openStream('/api/watch', ['design'], listener);
  const [source] = sources;
  source!.onopen();
  source!.onerror();
  expect(source!.readyState).toBe(0);
  source!.onerror();
  expect(source!.readyState).toBe(2);
  source!.onerror();
  stream.close();
  expect(states).toEqual(['opening', 'open', 'lost', 'lost', 'refused', 'closed']);
});
