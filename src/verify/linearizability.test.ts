import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryEvent, Phase } from '../host/history.ts';
import type { Value } from '../host/host.ts';
import { seeded } from '../kit/random.ts';
import { linearizability } from './linearizability.ts';
import type { ModelName } from './models.ts';
import { describeOperation, printCounterexample } from './print.ts';

/** One operation of a small history: positions of its call and return among all events. */
interface Op {
  f: string;
  input: Value;
  output: Value;
  outcome: 'ok' | 'info';
  call: number;
  end: number;
}

const never = 1e9;

/** The dumb twin: every order, one after another. */
function bruteForce(model: ModelName, ops: readonly Op[]): boolean {
  const definite = ops.filter((op) => op.outcome === 'ok').length;
  const used = ops.map(() => false);
  const place = (state: string, placed: number): boolean => {
    if (placed === definite) return true;
    const endMin = Math.min(
      ...ops.filter((op, i) => !used[i] && op.outcome === 'ok').map((op) => op.end),
    );
    for (let i = 0; i < ops.length; i++) {
      const op = ops[i]!;
      if (used[i] || op.call > endMin) continue;
      const next = apply(model, op, state);
      if (next === undefined) continue;
      used[i] = true;
      if (place(next, placed + (op.outcome === 'ok' ? 1 : 0))) return true;
      used[i] = false;
    }
    return false;
  };
  return place(model === 'append' ? '[]' : 'null', 0);
}

function apply(model: ModelName, op: Op, state: string): string | undefined {
  const known = op.outcome === 'ok';
  switch (op.f) {
    case 'read':
    case 'get':
      if (!known) return state;
      if (model === 'append' && op.output === null) return state === '[]' ? state : undefined;
      return JSON.stringify(op.output) === state ? state : undefined;
    case 'write':
    case 'put':
      return JSON.stringify(op.input);
    case 'delete':
      return 'null';
    case 'cas': {
      const [from, to] = op.input as [Value, Value];
      if (known && op.output === false) return JSON.stringify(from) === state ? undefined : state;
      return JSON.stringify(from) === state ? JSON.stringify(to) : undefined;
    }
    case 'append':
      return JSON.stringify([...(JSON.parse(state) as Value[]), op.input]);
    default:
      return undefined;
  }
}

function historyOf(ops: readonly Op[]): HistoryEvent[] {
  const events: (HistoryEvent & { position: number })[] = [];
  ops.forEach((op, i) => {
    const of = (phase: Phase, value: Value, position: number): void => {
      events.push({
        block: 'b',
        phase,
        op: i,
        f: op.f,
        key: 'k',
        value,
        node: `n${i}`,
        life: 1,
        at: position,
        position,
      });
    };
    of('invoke', op.input, op.call);
    if (op.end < never) of(op.outcome, op.output, op.end);
  });
  return events.sort((a, b) => a.position - b.position);
}

const values = [1, 2, 3] as const;

/** Random operations of random overlap, their answers drawn from a real object or at will. */
function randomOps(
  seed: number,
  model: ModelName,
  count: number,
  honest: boolean,
  unique: boolean,
): Op[] {
  const random = seeded(seed);
  const ops: Op[] = [];
  const positions: { at: number; op: number; end: boolean }[] = [];
  const width = random.between(1, 5);
  for (let i = 0; i < count; i++) {
    const call = i * 2 + random.next();
    const end = call + 0.1 + random.next() * 2 * width;
    positions.push({ at: call, op: i, end: false }, { at: end, op: i, end: true });
    const value = unique ? 10 + i : random.pick(values);
    const fs =
      model === 'append'
        ? ['append', 'read']
        : model === 'register'
          ? ['write', 'read']
          : model === 'kv'
            ? ['put', 'get', 'delete', 'get', 'put']
            : ['write', 'read', 'cas'];
    const f = random.pick(fs);
    const input =
      f === 'cas'
        ? [random.pick(values), value]
        : f === 'write' || f === 'put' || f === 'append'
          ? value
          : null;
    ops.push({ f, input, output: null, outcome: random.chance(0.15) ? 'info' : 'ok', call, end });
  }
  positions.sort((a, b) => a.at - b.at);
  positions.forEach((position, order) => {
    const op = ops[position.op]!;
    if (position.end) op.end = order;
    else op.call = order;
  });
  // Each takes effect at one instant between its call and its return, in an honest history.
  const order = ops.map((op, i) => ({ i, at: op.call + random.next() * (op.end - op.call) }));
  order.sort((a, b) => a.at - b.at);
  let state = model === 'append' ? '[]' : 'null';
  for (const { i } of order) {
    const op = ops[i]!;
    if (op.outcome === 'info' && random.chance(0.5)) continue;
    if (op.f === 'read' || op.f === 'get') op.output = JSON.parse(state) as Value;
    else if (op.f === 'cas') {
      const next = apply(model, { ...op, outcome: 'info' }, state);
      if (next === undefined) op.output = false;
      else {
        op.output = op.input;
        state = next;
      }
    } else state = apply(model, op, state)!;
  }
  if (!honest) {
    for (const op of ops) {
      if (op.outcome === 'ok' && (op.f === 'read' || op.f === 'get') && random.chance(0.3)) {
        op.output = ops[random.below(ops.length)]!.output;
      }
      if (op.f === 'cas' && op.outcome === 'ok' && random.chance(0.2)) op.output = op.input;
    }
  }
  for (const op of ops) if (op.outcome === 'info' && random.chance(0.5)) op.end = never;
  return ops;
}

const modelsTried: ModelName[] = ['register', 'cas-register', 'kv', 'append'];

describe('linearizability', () => {
  for (const model of modelsTried) {
    it(`agrees with trying every order: ${model}`, () => {
      let wrong = 0;
      fc.assert(
        fc.property(
          fc.integer(),
          fc.boolean(),
          fc.integer({ min: 1, max: 7 }),
          (seed, unique, count) => {
            const ops = randomOps(seed, model, count, false, unique);
            const expected = bruteForce(model, ops);
            if (!expected) wrong++;
            const found = linearizability(historyOf(ops), { model });
            if (ops.every((op) => op.outcome === 'info') && found.verdict === 'unknown') return;
            expect(found.verdict).toBe(expected ? 'holds' : 'violated');
          },
        ),
        { numRuns: 3_000 },
      );
      expect(wrong).toBeGreaterThan(100);
    });

    it(`accepts what a real object answered, however long: ${model}`, () => {
      fc.assert(
        fc.property(fc.integer(), fc.boolean(), (seed, unique) => {
          const ops = randomOps(seed, model, 120, true, unique);
          expect(linearizability(historyOf(ops), { model }).verdict).not.toBe('violated');
        }),
        { numRuns: 300 },
      );
    });

    it(`gives a counterexample that is one by itself: ${model}`, () => {
      fc.assert(
        fc.property(fc.integer(), fc.boolean(), (seed, unique) => {
          const ops = randomOps(seed, model, 7, false, unique);
          const found = linearizability(historyOf(ops), { model });
          if (found.verdict !== 'violated') return;
          const shown = found.counterexample!.operations;
          const again = shown.map((op) => {
            const end = op.endedAt !== undefined && op.outcome === 'ok' ? op.endedAt : never;
            return {
              ...op,
              outcome: op.outcome === 'ok' ? ('ok' as const) : ('info' as const),
              call: op.invokedAt,
              end,
            };
          });
          expect(bruteForce(model, again)).toBe(false);
          // And minimal: without the culprit there is an order.
          const rest = again.filter((_, i) => i !== found.counterexample!.culprit);
          expect(bruteForce(model, rest)).toBe(true);
        }),
        { numRuns: 2_000 },
      );
    });
  }
});

describe('of a long history the few operations that matter', () => {
  type Step = readonly [f: string, input: Value, output: Value];
  const inTurn = (steps: readonly Step[]): Op[] =>
    steps.map(([f, input, output], i) => ({
      f,
      input,
      output,
      outcome: 'ok',
      call: 2 * i,
      end: 2 * i + 1,
    }));
  const whatIsShown = (model: ModelName, steps: readonly Step[]) => {
    // Few steps: looking for what matters must not take longer than finding that something is wrong.
    const budget = { stepsMax: 2_000_000 };
    const { counterexample } = linearizability(historyOf(inTurn(steps)), { model, budget });
    const { operations, order, reason } = counterexample!;
    const texts = operations.map(describeOperation);
    return { texts, order: order.map((i) => texts[i]), reason };
  };
  const numbers = Array.from({ length: 5_000 }, (_, i) => i);
  const appends = numbers.map((i): Step => ['append', i, null]);

  it('are an append that is missing and the read', () => {
    const list = numbers.filter((i) => i !== 70);
    const { texts, order, reason } = whatIsShown('append', [...appends, ['read', null, list]]);
    expect(texts).toEqual(['append 70', expect.stringMatching(/^read = \[0,1,2/)]);
    expect(order).toEqual(['append 70']);
    expect(reason).toMatch(/returned \[0,1,.*…, without what append 70 by n70 had added before it/);
  });

  it('are a read of what nobody appended', () => {
    const list = [...numbers, 7_777];
    expect(whatIsShown('append', [...appends, ['read', null, list]]).texts).toHaveLength(1);
  });

  it('are two appends that stand the wrong way round', () => {
    const list = [1, 0, ...numbers.slice(2)];
    const { texts, order, reason } = whatIsShown('append', [...appends, ['read', null, list]]);
    expect(texts.slice(0, 2)).toEqual(['append 0', 'append 1']);
    expect(texts).toHaveLength(3);
    expect(order).toEqual(['append 0', 'append 1']);
    expect(reason).toContain('though append 1 by n1 was begun after append 0 by n0 had returned');
  });

  it('are the write before a compare-and-set that found it and said otherwise', () => {
    const writes = numbers.map((i): Step => ['write', i, null]);
    expect(whatIsShown('cas-register', [...writes, ['cas', [4_999, 1], false]]).texts).toEqual([
      'write 4999',
      'cas 4999 → 1 = false',
    ]);
  });

  it('are as many as fit on a screen where there are many', () => {
    // Neither of the two reads is wrong without the other.
    const two = [...numbers.slice(0, -2), 4_999, 4_998];
    const overlapping = inTurn([...appends, ['read', null, numbers], ['read', null, two]]).map(
      (op, i) => (i >= 4_998 ? { ...op, call: 9_996 + (i - 4_998), end: 10_000 + i } : op),
    );
    const found = linearizability(historyOf(overlapping), { model: 'append' });
    const lines = printCounterexample(found.counterexample!).split('\n');
    expect(found.verdict).toBe('violated');
    expect(lines.length).toBeLessThan(70);
    expect(lines.at(-1)).toMatch(/^ {2}[\d,]+ more operations not shown\.$/);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(300);
  });
});
