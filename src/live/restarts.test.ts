import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../kit/errors.ts';
import { nextTryMs } from './restarts.ts';

/** How long it waits each time, and whether it is given up in the end. */
function course(code: ErrorCode | undefined, isStarting: boolean): string {
  const waits: number[] = [];
  for (let failures = 1; failures <= 50; failures++) {
    const waitMs = nextTryMs({ failures, code, isStarting });
    if (waitMs === undefined) return [...waits, 'given up'].join(' ');
    waits.push(waitMs);
  }
  return `${waits.slice(0, 8).join(' ')} …`;
}

const patient = '100 200 400 800 1600 3200 5000 5000 …';

describe('a node that fails', () => {
  test('by itself is given up after some tries, sooner while the system starts', () => {
    expect(course(undefined, false)).toBe('100 200 400 800 1600 given up');
    expect(course(undefined, true)).toBe('100 200 given up');
  });

  test.each(['disk-full', 'port-taken', 'data-locked'] as const)(
    'for %s is tried for as long as it takes, once the system is up',
    (code) => {
      expect(course(code, false)).toBe(patient);
      expect(course(code, true)).toBe('given up');
    },
  );

  test('because the machine refused a file or a process is tried for as long as it takes', () => {
    expect(course('node-failed', false)).toBe(patient);
    expect(course('node-failed', true)).toBe('100 200 given up');
  });

  test('for what another try does not mend is given up at once', () => {
    expect(course('data-corrupt', false)).toBe('given up');
    expect(course('design-failed', true)).toBe('given up');
  });
});
