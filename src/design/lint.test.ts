import { describe, expect, test } from 'vitest';
import { explain } from './explain.ts';
import { lint } from './lint.ts';
import type { BlockView, CallView, StructuralView } from './structure.ts';

function block(name: string, zones: string, more: Partial<BlockView> = {}): BlockView {
  const nodes = [...zones].map((zone, index) => ({ id: `${name}/${index}`, zone }));
  return { name, kind: 'service', purpose: 'serves', config: {}, nodes, ...more };
}

function call(from: string, to: string, more: Partial<CallView> = {}): CallView {
  const safe = { attempts: 2, budgetRatio: 0.2, methods: ['GET', 'PUT'] };
  return { from, to, as: to, deadlineUs: 1_000_000, timeoutUs: 250_000, retry: safe, ...more };
}

const zones = ['a', 'b', 'c'].map((name) => ({ name, region: 'home' }));

const sound: StructuralView = {
  design: 'shop',
  zones,
  blocks: [
    block('users', 'a', { outside: true }),
    block('edge', 'ab'),
    block('api', 'abc'),
    block('links', 'abc', {
      quorum: { copies: 3, read: 2, write: 2 },
      queues: { hints: 10_000 },
    }),
  ],
  calls: [
    call('users', 'edge', { deadlineUs: 10_000_000, retry: { attempts: 1 } }),
    call('edge', 'api'),
    call('api', 'links', { deadlineUs: 500_000 }),
  ],
};

function rulesFor(change: Partial<StructuralView>): string[] {
  return lint({ ...sound, ...change }).map(({ rule, block: name }) => `${rule}: ${name}`);
}

function withBlock(changed: BlockView): Partial<StructuralView> {
  return { blocks: sound.blocks.map((one) => (one.name === changed.name ? changed : one)) };
}

function withCall(changed: CallView): Partial<StructuralView> {
  const same = (one: CallView) => one.from === changed.from && one.to === changed.to;
  return { calls: sound.calls.map((one) => (same(one) ? changed : one)) };
}

describe('lint', () => {
  test('names two blocks that would listen on one port', () => {
    const ports = (node: string, port: number) => ({ ports: [{ node, port }] });
    const both = (port: number) => ({
      blocks: [
        ...sound.blocks.filter(({ name }) => name !== 'edge' && name !== 'api'),
        block('edge', 'ab', ports('edge/0', 8081)),
        block('api', 'abc', ports('api/0', port)),
      ],
    });
    expect(rulesFor(both(8082))).toEqual([]);
    expect(rulesFor(both(8081))).toEqual(['port-taken-twice: api']);
  });

  test('has nothing to say about a sound design', () => {
    expect(lint(sound)).toEqual([]);
  });

  test('finds a block on one node, but not the users', () => {
    expect(rulesFor(withBlock(block('api', 'a')))).toEqual(['single-node: api']);
  });

  test('does not take nodes that share out what they hold for stand-ins of one another', () => {
    const found = (nodes: string, lossOfNode: 'share' | 'nothing') =>
      lint({ ...sound, ...withBlock(block('api', nodes, { lossOfNode })) }).map(
        ({ rule, severity }) => `${severity} ${rule}`,
      );
    expect(found('abc', 'share')).toEqual(['notice no-copies']);
    expect(found('a', 'share')).toEqual(['warning single-node']);
    expect(found('a', 'nothing')).toEqual(['notice single-node']);
    expect(found('abc', 'nothing')).toEqual([]);
  });

  test('knows that a registry alone loses no call, that a fleet replaces, and that operators stand beside', () => {
    const severities = (more: Partial<BlockView>) =>
      lint({ ...sound, ...withBlock(block('api', 'a', more)) }).map(({ severity }) => severity);
    expect(severities({})).toEqual(['warning']);
    expect(severities({ beside: 'directory' })).toEqual(['notice']);
    expect(severities({ beside: 'operator' })).toEqual([]);
    expect(severities({ kept: { by: 'keeper', min: 2, startUs: 2_000_000 } })).toEqual(['notice']);
    expect(severities({ kept: { by: 'keeper', min: 1, startUs: 2_000_000 } })).toEqual(['warning']);
  });

  test('finds a block in one zone, and a design in one', () => {
    expect(rulesFor(withBlock(block('api', 'bb')))).toEqual(['single-zone: api']);
    const one = sound.blocks.map(({ name, outside }) =>
      block(name, 'aa', outside ? { outside } : {}),
    );
    expect(rulesFor({ zones: [zones[0]!], blocks: one })).toEqual(['single-zone: shop']);
  });

  test('finds a zone whose loss takes the quorum', () => {
    const two = block('links', 'aab', { quorum: { copies: 3, read: 2, write: 2 } });
    expect(rulesFor(withBlock(two))).toEqual(['zone-quorum: links']);
  });

  test('finds a call without a timeout', () => {
    const changed = call('api', 'links', { deadlineUs: undefined, timeoutUs: undefined });
    expect(lint({ ...sound, ...withCall(changed) })[0]).toMatchObject({
      rule: 'no-timeout',
      severity: 'error',
      block: 'api',
      option: 'links.timeout',
    });
  });

  test('finds a callee that waits longer than its caller', () => {
    const changed = call('api', 'links', { deadlineUs: 2_000_000 });
    expect(rulesFor(withCall(changed))).toEqual(['timeout-order: api']);
  });

  test('finds attempts that do not fit into the deadline', () => {
    const changed = call('api', 'links', { deadlineUs: 400_000 });
    expect(rulesFor(withCall(changed))).toEqual(['attempts-do-not-fit: api']);
  });

  test('finds retries of what may happen twice', () => {
    const retry = { attempts: 2, budgetRatio: 0.1 };
    expect(rulesFor(withCall(call('edge', 'api', { retry })))).toEqual(['unsafe-retry: edge']);
    const post = { ...retry, methods: ['GET', 'POST'] };
    expect(rulesFor(withCall(call('edge', 'api', { retry: post })))).toEqual([
      'unsafe-retry: edge',
    ]);
  });

  test('multiplies retries along a path, and a budget bounds them', () => {
    const eager = { retry: { attempts: 3, methods: ['GET'] } };
    const calls = [
      call('edge', 'api', { ...eager, timeoutUs: 100_000 }),
      call('api', 'links', { ...eager, deadlineUs: 500_000, timeoutUs: 100_000 }),
    ];
    const finding = lint({ ...sound, calls }).find((one) => one.rule === 'retry-amplification');
    expect(finding?.what).toBe('may get 9 attempts for one request: edge ×3 → api ×3 → links');
    const budgeted = calls.map((one) => ({ ...one, retry: { ...one.retry!, budgetRatio: 0.2 } }));
    expect(rulesFor({ calls: budgeted })).toEqual([]);
  });

  test('does not walk in circles', () => {
    const circle = [call('edge', 'api'), call('api', 'links'), call('links', 'api')];
    expect(() => lint({ ...sound, calls: circle })).not.toThrow();
  });

  test('finds quorums that do not overlap, or can never be', () => {
    const weak = block('links', 'abc', { quorum: { copies: 3, read: 1, write: 2 } });
    expect(rulesFor(withBlock(weak))).toEqual(['quorum-overlap: links']);
    const large = block('links', 'abc', { quorum: { copies: 3, read: 4, write: 2 } });
    expect(rulesFor(withBlock(large))).toContain('quorum-too-large: links');
  });

  test('finds a queue without a bound', () => {
    expect(rulesFor(withBlock(block('api', 'abc', { queues: { waiting: null } })))).toEqual([
      'unbounded-queue: api',
    ]);
  });
});

describe('explain', () => {
  test('tells each path in the order that a call meets its stages', () => {
    const { paths } = explain(sound);
    expect(paths[1]).toEqual({
      from: 'edge',
      to: 'api',
      as: 'api',
      stages: [
        'deadline: 1s in all, passed on to what it calls',
        'retry: up to 2 attempts, only where repeating is safe, retries at most 20% of calls',
        'attempt timeout: 250ms',
      ],
      waitMaxUs: 1_000_000,
      amplification: 1.2,
    });
  });

  test('says where the nodes stand', () => {
    expect(explain(sound).blocks.map(({ nodes }) => nodes)).toEqual([
      '1 node in zone a',
      '2 nodes in zones a, b',
      '3 nodes in zones a, b, c',
      '3 nodes in zones a, b, c',
    ]);
  });
});
