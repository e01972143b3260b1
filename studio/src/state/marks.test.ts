import type { Report } from 'loadpath/studio';
import { describe, expect, test } from 'vitest';
import { frame, frames } from './fixture.ts';
import {
  activeFaults,
  eventMarks,
  marksOf,
  nextMark,
  objectiveMarks,
  previousMark,
} from './marks.ts';

const kill = 'kill links/1 at 2s, restart after 1s';
const events = [
  { type: 'boot', at: -1_000, node: 'links/1', life: 1 },
  { type: 'fault', at: 2_000_000, text: kill, began: true },
  { type: 'crash', at: 2_000_000, node: 'links/1', why: 'killed' },
  { type: 'fault', at: 3_000_000, text: kill, began: false },
  { type: 'boot', at: 3_000_000, node: 'links/1', life: 2 },
  { type: 'note', at: 3_100_000, node: 'links/1', text: 'recovered 12 keys' },
] as const;

describe('marks', () => {
  test('a fault lasts until it ends, or until now', () => {
    const [fault] = eventMarks(events, 9_000_000);
    expect(fault).toMatchObject({ type: 'fault', atUs: 2_000_000, untilUs: 3_000_000 });
    const [open] = eventMarks(events.slice(0, 3), 9_000_000);
    expect(open!.untilUs).toBe(9_000_000);
  });

  test('faults that read the same end each at its own end', () => {
    const fault = (id: number, seconds: number, began: boolean) =>
      ({ type: 'fault', at: seconds * 1e6, text: 'kill links/1', began, id }) as const;
    const spans = (film: readonly ReturnType<typeof fault>[]) =>
      eventMarks(film, 20e6).map(({ atUs, untilUs }) => [atUs / 1e6, untilUs! / 1e6]);
    const both = [fault(1, 13, true), fault(2, 13.5, true)];
    expect(spans([...both, fault(1, 15, false)])).toEqual([
      [13, 15],
      [13.5, 20],
    ]);
    expect(spans([...both, fault(2, 15.5, false)])).toEqual([
      [13, 20],
      [13.5, 15.5],
    ]);
  });

  test('a broken invariant stands where its evidence says, among the others', () => {
    const evidence = { at: 22_617_500 };
    const invariants = [
      { name: 'linearizable(links)', verdict: 'violated', detail: '', evidence },
      { name: 'noOverload', verdict: 'violated', detail: '' },
      { name: 'recovers', verdict: 'holds', detail: '', evidence },
    ] as const;
    const film = frames(300);
    const report = { invariants } as unknown as Report;
    const marks = marksOf([], film, { p99: '1ms' }, report, 30e6);
    expect(marks.map(({ type, atUs }) => [type, atUs])).toEqual([
      ['objective', 0],
      ['invariant', evidence.at],
      ['invariant', 30e6],
    ]);
    expect(nextMark(marks, 1e6)!.atUs).toBe(evidence.at);
    // Judged after the load, it may have broken beyond what there are frames of.
    expect(marksOf([], film, {}, report, 10e6).map(({ atUs }) => atUs)).toEqual([10e6, 10e6]);
  });

  test('everybody’s first boot is no news, a second one is', () => {
    const texts = eventMarks(events, 9_000_000).map((mark) => mark.text);
    expect(texts).toEqual([
      kill,
      'links/1 crashed: killed',
      'links/1 is up again',
      'links/1: recovered 12 keys',
    ]);
  });

  test('an objective is marked where it begins to be missed, and again after it was kept', () => {
    const slow = { latencyUs: 80_000 };
    const film = [
      ...frames(20),
      ...Array.from({ length: 20 }, (_, i) => frame(20 + i, slow)),
      ...Array.from({ length: 10 }, (_, i) => frame(40 + i)),
      ...Array.from({ length: 10 }, (_, i) => frame(50 + i, slow)),
    ];
    const marks = objectiveMarks(film, { p99: '50ms' });
    expect(marks.map(({ atUs, text }) => [atUs, text])).toEqual([
      [2_000_000, 'p99 goes above 50ms'],
      [5_000_000, 'p99 goes above 50ms'],
    ]);
  });

  test('availability is judged by the second too', () => {
    const film = [
      ...frames(10),
      ...Array.from({ length: 10 }, (_, i) => frame(10 + i, { failed: 5 })),
    ];
    const [mark] = objectiveMarks(film, { availability: 0.999 });
    expect(mark).toMatchObject({ atUs: 1_000_000, text: 'availability falls below 99.9 %' });
  });

  test('jumping finds the next and the previous one', () => {
    const marks = eventMarks(events, 9_000_000);
    expect(nextMark(marks, 2_000_000)!.atUs).toBe(3_000_000);
    expect(previousMark(marks, 3_000_000)!.atUs).toBe(2_000_000);
    expect(previousMark(marks, 2_000_000)).toBeUndefined();
  });
});

test('active are the faults that began and have not ended', () => {
  expect(activeFaults(events, 1_000_000)).toEqual([]);
  expect(activeFaults(events, 2_500_000)).toEqual([kill]);
  expect(activeFaults(events, 3_500_000)).toEqual([]);
});
