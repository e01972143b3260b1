import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { seeded } from '../kit/random.ts';
import { type Act, Lists, readKind, writeKind } from './models.ts';
import { Search } from './search.ts';
import { judgeUnique } from './unique.ts';
import { Allowance } from './verdict.ts';

/** A register with values of their own under `clients` at once; `lies` of its reads are moved. */
function randomActs(seed: number, count: number, clients: number, lies: number): Act[] {
  const random = seeded(seed);
  const spans = Array.from({ length: count }, (_, i) => {
    const call = i + random.next();
    const end = call + random.next() * clients;
    return { call, end, at: call + random.next() * (end - call), writes: random.chance(0.4) };
  });
  const events = spans.flatMap((span, i) => [
    { at: span.call, i, end: false },
    { at: span.end, i, end: true },
  ]);
  events.sort((a, b) => a.at - b.at);
  const calls = spans.map(() => 0);
  const ends = spans.map(() => 0);
  for (const [rank, event] of events.entries()) {
    if (event.end) ends[event.i] = (rank + 1) * 2;
    else calls[event.i] = (rank + 1) * 2;
  }
  const seen = spans.map(() => 0);
  let state = 0;
  for (const i of [...spans.keys()].sort((a, b) => spans[a]!.at - spans[b]!.at)) {
    if (spans[i]!.writes) state = i + 1;
    else seen[i] = state;
  }
  for (let lie = 0; lie < lies; lie++) seen[random.below(count)] = random.pick(seen);
  return spans.map((span, i) => ({
    kind: span.writes ? writeKind : readKind,
    a: span.writes ? 0 : seen[i]!,
    b: span.writes ? i + 1 : 0,
    call: calls[i]!,
    end: ends[i]!,
    index: i,
  }));
}

it('decides as the search does, without one', () => {
  const search = new Search();
  let wrong = 0;
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 0, max: 2 }),
      (seed, count, clients, lies) => {
        const acts = randomActs(seed, count, clients, lies);
        acts.sort((a, b) => a.call - b.call);
        const decided = judgeUnique(acts, 0);
        const found = search.run(acts, 0, new Lists(), new Allowance());
        if (found.linearizable === undefined) return;
        if (!found.linearizable) wrong++;
        expect(decided).toBe(found.linearizable);
        if (lies === 0) expect(decided).toBe(true);
      },
    ),
    { numRuns: 3_000 },
  );
  expect(wrong).toBeGreaterThan(300);
});
