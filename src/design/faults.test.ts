import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fault, Target } from '../host/fault.ts';
import { LoadpathError } from '../kit/errors.ts';
import {
  type FaultNames,
  faultExamples,
  formatFault,
  parseFault,
  parseFaultNow,
  parseFaults,
} from './faults.ts';

const names: FaultNames = {
  nodes: ['api/0', 'api/1', 'links/0', 'links/1', 'links/2', 'clicks/0', 'hot/0'],
  blocks: ['api', 'links', 'clicks', 'hot', 'zone', 'everything'],
  zones: ['a', 'b', 'c'],
  regions: ['eu', 'us'],
  releases: { api: ['v1', 'v2'] },
};

function mistake(sentence: string): string {
  try {
    parseFault(sentence, names);
  } catch (error) {
    if (error instanceof LoadpathError) return error.message;
    throw error;
  }
  throw new Error(`'${sentence}' was understood`);
}

describe('a fault is a sentence', () => {
  test('killing a node, and when it comes back, can be said in two ways', () => {
    const fault = { do: 'kill', target: { node: 'links/1' }, atUs: 30_000_000, forUs: 5_000_000 };
    expect(parseFault('kill links/1 at 30s, restart after 5s', names)).toEqual(fault);
    expect(parseFault('kill links/1 at 30s for 5s', names)).toEqual(fault);
    expect(parseFault('kill links/1 at 30s and restart after 5s', names)).toEqual(fault);
  });

  test('what is to happen now needs no time, and may have one', () => {
    for (const sentence of faultExamples) {
      const timeless = sentence.replace(/ at \w+/, '');
      const fault = { ...parseFault(sentence, names), atUs: 0 };
      expect(parseFaultNow(timeless, names), timeless).toEqual(fault);
      expect(parseFaultNow(sentence, names)).toEqual(parseFault(sentence, names));
    }
    expect(() => parseFaultNow('kill nobody for 5s', names)).toThrow(/nobody/);
  });

  test('without an end it lasts until the heal', () => {
    expect(parseFault('kill links at 1500ms', names)).toEqual({
      do: 'kill',
      target: { block: 'links' },
      atUs: 1_500_000,
    });
  });

  test('a cut names two sides and may be one way', () => {
    expect(parseFault('cut zone a from zone b at 60s for 20s', names)).toEqual({
      do: 'cut',
      from: { zone: 'a' },
      to: { zone: 'b' },
      oneWay: false,
      atUs: 60_000_000,
      forUs: 20_000_000,
    });
    expect(parseFault('cut api/0 from links one way at 5s', names)).toMatchObject({
      from: { node: 'api/0' },
      to: { block: 'links' },
      oneWay: true,
    });
  });

  test('a clock may go back and drift', () => {
    expect(parseFault('skew links/0 by -2s drift 200ppm at 1s for 1s', names)).toMatchObject({
      byUs: -2_000_000,
      driftPpm: 200,
    });
  });

  test('a shift carries the shares', () => {
    expect(parseFault('shift api to v1=50 v2=50 at 30s', names)).toEqual({
      do: 'shift',
      service: 'api',
      traffic: { v1: 50, v2: 50 },
      atUs: 30_000_000,
    });
  });

  test('a start names a block that can grow, and then its nodes may be named', () => {
    const growing = { ...names, growing: ['api'] };
    const start = { do: 'start', block: 'api', atUs: 5_000_000 };
    expect(parseFault('start an api instance at 5s', growing)).toEqual({ ...start, count: 1 });
    expect(parseFault('start 3 api instances at 5s', growing)).toEqual({ ...start, count: 3 });
    expect(() => parseFault('start links at 5s', growing)).toThrow(/expected a service \(api\)/);
    const kill = 'kill api/7 at 6s';
    expect(() => parseFaults([kill], growing)).toThrow(/api\/7/);
    expect(parseFaults(['start api at 5s', kill], growing)).toHaveLength(2);
    expect(() => parseFault('stop api/1 at 5s for 1s', names)).toThrow(/end of the sentence/);
  });

  test('every example in the help is understood', () => {
    for (const sentence of faultExamples) {
      expect(formatFault(parseFault(sentence, names))).toContain(sentence.split(' ')[0]);
    }
  });

  test('there is an example of every fault', () => {
    const kinds = new Set(faultExamples.map((sentence) => parseFault(sentence, names).do));
    expect(kinds.size).toBe(19);
  });
});

describe('a mistake names the place', () => {
  test.each([
    ['', 'expected a fault: kill, power off'],
    ['kil links/1 at 30s', "got 'kil'; did you mean 'kill'?"],
    ['kill linsk/1 at 30s', "understood 'kill', then expected a node"],
    ['kill linsk/1 at 30s', "did you mean 'links/1'?"],
    ['kill links/1', "understood 'kill links/1', then expected 'at'"],
    ['kill links/1', 'but the sentence ends'],
    ['kill links/1 at noon', "expected a time such as '30s' or '1500ms', got 'noon'"],
    ['kill links/1 at 30s, restrat after 5s', "did you mean 'restart'?"],
    ['kill links/1 at 30s for 5s twice', "expected the end of the sentence, got 'twice'"],
    ['cut zone d from zone a at 1s', "expected a zone (a, b, c), got 'd'"],
    ['pause api/0 at 1s, restart after 5s', "expected 'for' and how long"],
    ['restart api/0 at 1s for 5s', "expected the end of the sentence, got 'for'"],
    ['slow hot by 10 at 1s', "expected a factor such as '3x', got '10'"],
    ['lose 120% between api and links at 1s', 'at most 100%'],
    ['lose 5 between api and links at 1s', "expected a share such as '5%', got '5'"],
    ['shift api to v3=100 at 1s', "did you mean 'v1'?"],
    ['shift api to v1=0 at 1s', 'at least one share above zero'],
    ['pause links at 1s for 0s', 'longer than nothing'],
  ])('%j: %s', (sentence, part) => {
    expect(mistake(sentence)).toContain(part);
  });

  test('several bad sentences are refused together', () => {
    const parse = () => parseFaults(['kill nobody at 1s', 'surge 3x at 1s', 'burn api'], names);
    expect(parse).toThrow(/2 mistakes[\s\S]*nobody[\s\S]*burn/);
  });
});

describe('formatting and parsing are inverse', () => {
  const target: fc.Arbitrary<Target> = fc.oneof(
    fc.constantFrom(...names.nodes).map((node) => ({ node })),
    fc.constantFrom(...names.blocks).map((block) => ({ block })),
    fc.constantFrom(...names.zones).map((zone) => ({ zone })),
    fc.constantFrom(...names.regions).map((region) => ({ region })),
    fc.constant({ all: true } as const),
  );
  const us = fc.oneof(
    fc.integer({ min: 1, max: 10_000 }),
    fc.integer({ min: 1, max: 100_000 }).map((ms) => ms * 1_000),
    fc.integer({ min: 1, max: 10_000 }).map((s) => s * 1_000_000),
  );
  const ratio = fc.integer({ min: 0, max: 10_000 }).map((n) => n / 10_000);
  const factor = fc.integer({ min: 1, max: 1_000 }).map((n) => n / 10);
  const sides = { from: target, to: target };
  const action = fc.oneof(
    fc.record({ do: fc.constantFrom('kill', 'power-off', 'pause'), target }),
    fc.record({ do: fc.constantFrom('fill-disk', 'fail-disk'), target }),
    fc.record({ do: fc.constant('slow'), target, factor }),
    fc.record({ do: fc.constant('cut'), ...sides, oneWay: fc.boolean() }),
    fc.record({ do: fc.constantFrom('lose', 'duplicate'), ...sides, ratio }),
    fc.record({ do: fc.constant('delay'), ...sides, byUs: us }),
    fc.record({
      do: fc.constant('skew'),
      target,
      byUs: fc.oneof(
        us,
        us.map((value) => -value),
        fc.constant(0),
      ),
      driftPpm: fc.integer({ min: -500, max: 500 }),
    }),
    fc.record({ do: fc.constant('surge'), factor }),
    fc.record({
      do: fc.constant('fail-calls'),
      service: fc.constant('api'),
      ratio,
      status: fc.integer({ min: 200, max: 599 }),
    }),
    fc.record({ do: fc.constant('slow-calls'), service: fc.constant('api'), ratio, byUs: us }),
    fc.record({
      do: fc.constant('shift'),
      service: fc.constant('api'),
      traffic: fc.record({ v1: fc.integer({ min: 1, max: 100 }), v2: fc.nat(100) }),
    }),
  );
  const instant = fc.oneof(us, fc.constant(0));
  const lasting = fc
    .tuple(action, instant, fc.option(us, { nil: undefined }))
    .map(([what, atUs, forUs]) => ({ ...what, atUs, ...(forUs && { forUs }) }) as Fault);
  const momentary = fc
    .tuple(
      fc.oneof(
        fc.record({ do: fc.constant('restart'), target }),
        fc.record({ do: fc.constant('rot'), target, bits: fc.integer({ min: 1, max: 64 }) }),
      ),
      instant,
    )
    .map(([what, atUs]) => ({ ...what, atUs }) as Fault);

  test('for every fault there is', () => {
    fc.assert(
      fc.property(fc.oneof(lasting, momentary), (fault) => {
        expect(parseFault(formatFault(fault), names)).toEqual(fault);
      }),
      { numRuns: 2_000 },
    );
  });

  test('no text makes the parser fail in any way but its own', () => {
    const word = fc.constantFrom(
      ...faultExamples.flatMap((sentence) => sentence.split(' ')),
      'constructor',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        try {
          parseFault(words.join(' '), names);
        } catch (error) {
          expect(error).toBeInstanceOf(LoadpathError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
