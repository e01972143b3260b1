import { describe, expect, test } from 'vitest';
import { EventLog } from './event-log.ts';

interface Told {
  frame: number;
  event: string;
  progress: number;
}

function logged() {
  return new EventLog<Told>({ frame: { last: 3 }, event: { first: 2 }, progress: 'latest' });
}

describe('a log', () => {
  test('keeps the last frames, the first events and the latest progress', () => {
    const log = logged();
    for (let at = 1; at <= 5; at++) {
      log.add('frame', at);
      log.add('event', `event ${at}`);
      log.add('progress', at);
    }
    expect(log.all('frame')).toEqual([3, 4, 5]);
    expect(log.all('event')).toEqual(['event 1', 'event 2']);
    expect(log.all('progress')).toEqual([5]);
  });

  test('is read from anywhere, in order, also where something was forgotten', () => {
    const log = logged();
    for (let at = 1; at <= 5; at++) log.add('frame', at);
    const seen: string[] = [];
    for (let next = log.after(0); next; next = log.after(next.id)) seen.push(next.data);
    expect(seen).toEqual(['3', '4', '5']);
    expect(log.after(4)?.data).toBe('5');
    expect(log.after(5)).toBeUndefined();
  });

  test('tells listeners of what is new, and nothing after its end', () => {
    const log = logged();
    let calls = 0;
    log.onAdded(() => calls++);
    log.add('frame', 1);
    log.end();
    log.add('frame', 2);
    expect([calls, log.ended, log.all('frame')]).toEqual([2, true, [1]]);
  });
});
