import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { arrivals, generateLoad, type LoadOptions, type LoadOutcome } from './load.ts';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

/** A server that answers as `answer` says, and its origin. */
async function serving(answer: (index: number, response: ServerResponse) => void): Promise<string> {
  let index = 0;
  const made = createServer((_request, response) => answer(index++, response));
  server = made;
  await new Promise<void>((resolve) => {
    made.listen(0, '127.0.0.1', () => resolve());
  });
  return `http://127.0.0.1:${(made.address() as AddressInfo).port}`;
}

const get = { method: 'GET', path: '/' };

function load(origin: string, ratePerSec: number, more: Partial<LoadOptions> = {}) {
  const { forUs = 1_000_000 } = more;
  return generateLoad({
    origin,
    requests: arrivals(ratePerSec, forUs, 'constant', get, 1),
    forUs,
    connectionsMax: 64,
    timeoutUs: 5_000_000,
    headers: {},
    ...more,
  });
}

function accounted(outcome: LoadOutcome): number {
  return outcome.completed + outcome.rejected + outcome.failed + outcome.inFlight;
}

describe('arrivals', () => {
  test('come at the rate that was asked for, in order', () => {
    for (const kind of ['constant', 'poisson'] as const) {
      const starts = [...arrivals(1_000, 60_000_000, kind, get, 1)].map(({ atUs }) => atUs);
      expect(starts.length / 60_000).toBeGreaterThan(0.98);
      expect(starts.length / 60_000).toBeLessThan(1.02);
      expect(starts).toEqual([...starts].sort((a, b) => a - b));
    }
  });

  test('are the same for the same seed', () => {
    const starts = (seed: number) => [...arrivals(100, 1_000_000, 'poisson', get, seed)];
    expect(starts(1)).toEqual(starts(1));
    expect(starts(1)).not.toEqual(starts(2));
  });
});

describe('load', () => {
  test('counts answers by what they are, and loses none', async () => {
    const statuses = [200, 404, 429, 503];
    const origin = await serving((index, response) => {
      response.statusCode = statuses[index % 4]!;
      response.end('body');
    });
    const outcome = await load(origin, 200);
    expect(outcome.generated).toBe(200);
    expect(accounted(outcome)).toBe(200);
    expect(outcome).toMatchObject({ completed: 100, rejected: 50, failed: 50, inFlight: 0 });
    expect(outcome.errors).toEqual({ 404: 50, 429: 50, 503: 50 });
    expect(outcome.goodCount).toBe(50);
  });

  test('says what is answered otherwise than it was recorded', async () => {
    const origin = await serving((index, response) => {
      response.statusCode = index % 2 === 0 ? 404 : 200;
      response.end();
    });
    const requests = arrivals(100, 1_000_000, 'constant', { ...get, recordedStatus: 204 }, 1);
    const { otherwise } = await load(origin, 100, { requests });
    expect(otherwise).toEqual({ count: 50, first: 'GET /, 404 instead of 204' });
  });

  test('sees a stall through the eyes of all who came during it', async () => {
    // The third answer takes 600 ms, and with one socket nobody is answered meanwhile. A generator
    // that waits for answers would count one slow request; here all who were due count.
    const origin = await serving((index, response) => {
      setTimeout(() => response.end('x'), index === 3 ? 600 : 0);
    });
    const outcome = await load(origin, 100, { connectionsMax: 1 });
    expect(outcome.completed).toBe(100);
    expect(outcome.latencies.percentile(50)).toBeGreaterThan(100_000);
  });

  test('tells what was answered while it lasted from what was waited for', async () => {
    const origin = await serving((_index, response) => {
      setTimeout(() => response.end('x'), 300);
    });
    const outcome = await load(origin, 100);
    expect(outcome.completed).toBe(100);
    expect(outcome.servedCount).toBeGreaterThan(0);
    expect(outcome.servedCount).toBeLessThan(100);
  });

  test('says that it could not send what was asked', async () => {
    const origin = await serving((_index, response) => {
      setTimeout(() => response.end('x'), 200);
    });
    const outcome = await load(origin, 100, { connectionsMax: 2, timeoutUs: 500_000 });
    expect(outcome.achievedPerSec).toBeLessThan(outcome.requestedPerSec * 0.98);
  });

  test('gives up on what takes too long, and reports it as a timeout', async () => {
    const origin = await serving(() => {});
    const outcome = await load(origin, 50, { timeoutUs: 200_000 });
    expect(outcome).toMatchObject({ generated: 50, completed: 0, failed: 50 });
    expect(outcome.errors).toEqual({ timeout: 50 });
  });

  test('reports a server that is not there', async () => {
    const origin = await serving((_index, response) => response.end());
    server?.close();
    server?.closeAllConnections();
    const outcome = await load(origin, 50);
    expect(outcome.failed).toBe(50);
    expect(Object.keys(outcome.errors)).toEqual(['connection refused']);
  });

  test('ends early when told to, and still accounts for everything', async () => {
    const origin = await serving((_index, response) => response.end('x'));
    const controller = new AbortController();
    const outcome = await load(origin, 100, {
      forUs: 60_000_000,
      signal: controller.signal,
      onSecond: () => controller.abort(),
    });
    expect(outcome.loadUs).toBeLessThan(60_000_000);
    expect(accounted(outcome)).toBe(outcome.generated);
  });
});
