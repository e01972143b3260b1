import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../host/history.ts';
import type { Value } from '../host/host.ts';
import { onFormerData } from './former.ts';
import { linearizable, noLoss, uniqueIds } from './index.ts';

let op = 0;
function done(
  block: string,
  f: string,
  key: string,
  at: number,
  asked: Value | undefined,
  got: Value | undefined,
): HistoryEvent[] {
  const event = { block, f, key, op: op++, node: 'api/0', life: 3 };
  return [
    { ...event, phase: 'invoke', at, value: asked },
    { ...event, phase: 'ok', at: at + 1, value: got },
  ];
}

describe('a run on the data of earlier ones', () => {
  const links = linearizable({ name: 'links' });
  const clicks = noLoss({ name: 'clicks' });

  it('may find values that it did not write', () => {
    const history = [
      ...done('links', 'get', 'a', 10, undefined, 'old'),
      ...done('links', 'put', 'a', 20, 'new', undefined),
    ];
    expect(links.check(history).verdict).toBe('violated');
    expect(links.check(onFormerData(history)).verdict).toBe('holds');
  });

  it('may not find them again once it has overwritten them, nor two of them', () => {
    const again = [
      ...done('links', 'get', 'a', 10, undefined, 'old'),
      ...done('links', 'put', 'a', 20, 'new', undefined),
      ...done('links', 'get', 'a', 30, undefined, 'old'),
    ];
    expect(links.check(onFormerData(again)).verdict).toBe('violated');
    const two = [
      ...done('links', 'get', 'a', 10, undefined, 'old'),
      ...done('links', 'get', 'a', 20, undefined, 'older'),
    ];
    expect(links.check(onFormerData(two)).verdict).toBe('violated');
  });

  it('may be given messages that an earlier run published, and must not lose its own', () => {
    const delivered = (id: string, at: number) =>
      done('clicks', 'deliver', 'k', at, undefined, {
        group: 'counter',
        id,
        partition: 0,
        offset: at,
      });
    const own = done(
      'clicks',
      'publish',
      'k',
      5,
      { id: 'mine' },
      { id: 'mine', partition: 0, offset: 9 },
    );
    const history = [...own, ...delivered('old', 10), ...delivered('mine', 20)];
    expect(clicks.check(history).verdict).toBe('violated');
    expect(clicks.check(onFormerData(history)).verdict).toBe('holds');
    expect(clicks.check(onFormerData([...own, ...delivered('old', 10)])).verdict).toBe('violated');
  });

  it('may be refused names that an earlier run gave away, and may not be given them', () => {
    const codes = uniqueIds({ name: 'codes' });
    const claim = (at: number, owner: Value | undefined, isGranted: boolean) =>
      done('codes', 'claim', 'cats', at, owner, isGranted);
    const refused = claim(10, 'bob', false);
    expect(codes.check(refused).verdict).toBe('violated');
    expect(codes.check(onFormerData(refused)).verdict).toBe('holds');
    // Its owner of then may ask again; nobody else gets it once somebody was refused.
    const again = [...refused, ...claim(20, 'ann', true)];
    expect(codes.check(onFormerData(again)).verdict).toBe('holds');
    expect(codes.check(onFormerData([...again, ...claim(30, 'eve', true)])).verdict).toBe(
      'violated',
    );
    expect(codes.check(onFormerData([...refused, ...claim(20, undefined, true)])).verdict).toBe(
      'violated',
    );
  });
});
