import { describe, expect, test } from 'vitest';
import { frame, frames, layout, runWith } from './fixture.ts';
import { endUs, eventsMax, framesMax, newRun, type RunMessage, withMessages } from './run.ts';

const streamed = (indices: readonly number[]): RunMessage[] =>
  indices.map((index) => ({ name: 'frame', data: frame(index) }));

describe('a run grows', () => {
  test('a frame that comes again takes its own place', () => {
    const run = withMessages(newRun('r', null, 1), [
      { name: 'layout', data: layout },
      ...streamed([0, 1, 2, 0, 1, 2, 3]),
    ]);
    expect(run.frames.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(endUs(run)).toBe(400_000);
  });

  test('a run without end forgets its beginning', () => {
    const indices = Array.from({ length: framesMax + 50 }, (_, index) => index);
    const run = withMessages(newRun('r', null, 1), [
      { name: 'layout', data: layout },
      ...streamed(indices),
    ]);
    expect(run.frames.length).toBe(framesMax);
    expect(run.frames[0]!.index).toBe(50);
  });

  test('another layout begins anew: columns would mean other nodes', () => {
    const other = { ...layout, nodes: [{ id: 'api/1', block: 'api', zone: 'b' }, ...layout.nodes] };
    expect(withMessages(runWith(), [{ name: 'layout', data: other }]).frames).toEqual([]);
    expect(withMessages(runWith(), [{ name: 'layout', data: layout }]).frames.length).toBe(20);
  });

  test('nodes that come later stand behind the others, and were not there before', () => {
    const come = { id: 'api/9', block: 'api', zone: 'b' };
    const wider = { ...layout, nodes: [...layout.nodes, come] };
    const run = withMessages(runWith(), [{ name: 'layout', data: wider }]);
    expect(run.frames.length).toBe(20);
    expect(run.frames.every(({ nodes }) => nodes.state.endsWith('n'))).toBe(true);
    expect(run.frames.every(({ nodes }) => nodes.busy.length === wider.nodes.length)).toBe(true);
    // The stream is read again, from its first layout on.
    const again = withMessages(run, [{ name: 'layout', data: layout }, ...streamed([0])]);
    expect(again.layout).toBe(wider);
    expect(again.frames[0]!.nodes.state).toHaveLength(wider.nodes.length);
  });

  test('what did not change keeps its identity', () => {
    const run = runWith();
    const after = withMessages(run, [{ name: 'end', data: { state: 'done' } }]);
    expect(after.frames).toBe(run.frames);
    expect(after.events).toBe(run.events);
    expect(after.state).toBe('done');
  });

  test('too many lines of logs go, faults and crashes stay', () => {
    const crash = { type: 'crash', at: 1, node: 'api/0', why: 'killed' } as const;
    const logs = Array.from({ length: eventsMax + 10 }, (_, at) => ({
      name: 'event' as const,
      data: { type: 'log', at, node: 'api/0', level: 'log', text: 'hello' } as const,
    }));
    const run = withMessages(newRun('r', null, 1), [{ name: 'event', data: crash }, ...logs]);
    expect(run.events.length).toBe(eventsMax);
    expect(run.events[0]).toEqual(crash);
    expect(run.eventsLeftOut).toBe(11);
  });
});

describe('a run that repeats another', () => {
  const fault = { type: 'fault', at: 500_000, text: 'kill api/0', began: true } as const;
  const lender = { run: runWith({ events: [fault] }), untilUs: 1_000_000 };

  test('is lent what comes before the difference', () => {
    const run = newRun('r2', lender.run.request, 1, lender);
    expect(endUs(run)).toBe(1_000_000);
    expect(run.events).toEqual([fault]);
  });

  test('keeps it while its own stream catches up, and has each event once', () => {
    const run = withMessages(newRun('r2', lender.run.request, 1, lender), [
      { name: 'layout', data: layout },
      ...streamed([0, 1]),
      { name: 'event', data: fault },
    ]);
    expect(run.frames.length).toBe(10);
    expect(run.events).toEqual([fault]);
    const further = withMessages(run, streamed([2, 3, 4, 5, 6, 7, 8, 9, 10]));
    expect(further.frames.map(({ index }) => index)).toEqual(frames(11).map(({ index }) => index));
  });
});
