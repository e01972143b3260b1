/** From meters to figures: sums over nodes, complaints to a verdict. */
import { describe, expect, test } from 'vitest';
import { pathMeter } from '../host/path.ts';
import { Meters } from '../kit/meters.ts';
import { figuresOf } from './measure.ts';
import { member, planWith } from './testdata/plan.ts';

const plan = planWith([member('api/0', 'a'), member('api/1', 'b'), member('users/0', 'a')]);

/** Two seconds of load. */
function observed() {
  const meters = new Meters();
  const users = meters.meter('users/0', 'users', () => {});
  const apis = ['api/0', 'api/1'].map((node) => meters.meter(node, 'api', () => {}));
  for (const second of [1, 2]) {
    for (const meter of apis) {
      meter.counter('requests').add(10 * second);
      meter.counter('hits').add(1);
      meter.gauge('queue').set(7 * second);
      meter.gauge('queue').set(0);
      meter.histogram('latency').record(5_000);
    }
    users.counter('generated').add(20 * second);
    users.counter('completed').add(18 * second);
    users.counter('failed').add(second);
    users.counter('rejected').add(second);
    users.counter('reason: timeout').add(second);
    users.histogram('latency').record(1_000 * second);
  }
  // What the half of a block on another node counts is the block's, not the caller's.
  meters
    .meter('users/0', 'api', () => {})
    .counter('hits')
    .add(5);
  return {
    plan,
    loadUs: 2_000_000,
    totals: meters.snapshot(),
    busyUs: (node: string) => (node === 'api/0' ? 2_000_000 : 0),
    boots: () => 1,
  };
}

describe('figures of a run', () => {
  const figures = figuresOf(observed());

  test('count what users saw', () => {
    expect(figures.counts).toEqual({
      generated: 60,
      completed: 54,
      rejected: 3,
      failed: 3,
      inFlight: 0,
    });
    expect(figures.errors).toEqual({ timeout: 3 });
    expect(figures.latencies.count).toBe(2);
  });

  test('sum a block over its nodes, and keep each node', () => {
    expect(Object.keys(figures.blocks)).toEqual(['api']);
    expect(figures.blocks.api).toMatchObject({
      requestsPerSec: 30,
      queueMax: 14,
      utilisation: 0.25,
      meters: { hits: 4 + 5 },
    });
    expect(figures.blocks.api!.nodes.map(({ id, utilisation }) => [id, utilisation])).toEqual([
      ['api/0', 0.5],
      ['api/1', 0],
    ]);
  });

  test('call busy what is scarcer, cores or what else work is done in', () => {
    const meters = new Meters();
    for (const node of ['api/0', 'api/1']) {
      const meter = meters.meter(node, 'api', () => {});
      meter.counter('occupied').add(500_000);
    }
    const { blocks } = figuresOf({ ...observed(), totals: meters.snapshot() });
    expect(blocks.api!.nodes.map(({ utilisation }) => utilisation)).toEqual([0.5, 0.25]);
    expect(blocks.api!.meters).not.toHaveProperty('occupied');
  });

  test('keep how far a group of consumers was behind, though by the end it has caught up', () => {
    const meters = new Meters();
    for (const [node, lag] of [
      ['api/0', 300],
      ['api/1', 120],
    ] as const) {
      const gauge = meters.meter(node, 'api', () => {}).gauge('lag mailer');
      gauge.set(lag);
      gauge.set(0);
    }
    const { blocks } = figuresOf({ ...observed(), totals: meters.snapshot() });
    expect(blocks.api!.meters).toMatchObject({ 'lag mailer': 0, 'largest lag mailer': 420 });
    expect(blocks.api!.nodes[1]!.meters).toMatchObject({ 'largest lag mailer': 120 });
  });

  test('tell of somebody else’s service what its callers had of it', () => {
    const meters = new Meters();
    for (const node of ['api/0', 'api/1']) {
      const path = pathMeter(
        meters.meter(node, 'web', () => {}),
        'payments',
      );
      path.calls.add(10);
      path.errors.add(4);
      path.latency.record(40_000);
    }
    const payments = member('payments/0', 'a', { outside: 'https://payments.example' });
    const { blocks } = figuresOf({
      ...observed(),
      plan: { ...plan, nodes: [...plan.nodes, payments] },
      totals: meters.snapshot(),
    });
    expect(blocks.payments).toMatchObject({ requestsPerSec: 10, errors: 8, nodeHours: 0 });
    expect(blocks.payments!.p99Ms).toBeGreaterThan(0);
  });

  test('hold until somebody complains', () => {
    expect(figures.complaints.verdict).toBe('holds');
    const meters = new Meters();
    meters
      .meter('users/0', 'users', () => {})
      .counter('complaint: gone')
      .add(3);
    const complained = figuresOf({ ...observed(), totals: meters.snapshot() });
    expect(complained.complaints).toMatchObject({ verdict: 'violated', detail: 'gone (3)' });
  });
});
