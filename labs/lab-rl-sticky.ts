/** Counting each user in one region alone: no race, but the load and the loss follow the users. */
import { bars, digits, estimate, lab, percent, table, whole, within } from 'loadpath/lab';
import { seeded } from 'loadpath/parts/balance';
import { Ring } from 'loadpath/parts/ring';
import { limit, regions, type VisitSeen, visits } from './regions.ts';

const base = { mode: 'sticky', before: 0, rate: '60/s', users: 60 } as const;
const options = { ...base, gapMs: (random: number) => 400 * random };
const regionCount = 3;

/** Load of the fullest region over the mean when users of Zipf's popularity stick, and when they don't. */
function skew(seed: number, requests: number) {
  const random = seeded(seed).fork('users');
  const ring = new Ring(
    Array.from({ length: regionCount }, (_, index) => ({ id: `region/${index}`, zone: '' })),
  );
  const people = 1_000;
  const weights = Array.from({ length: people }, (_, rank) => 1 / (rank + 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const sticky = new Map<string, number>();
  const turn = new Map<string, number>();
  const add = (counts: Map<string, number>, id: string) =>
    counts.set(id, (counts.get(id) ?? 0) + 1);
  for (let i = 0; i < requests; i++) {
    let left = random.next() * total;
    let rank = 0;
    while (rank < people - 1 && left >= weights[rank]!) left -= weights[rank++]!;
    add(sticky, ring.owners(`${seed} user ${rank}`, 1)[0]!);
    add(turn, `region/${i % regionCount}`);
  }
  const fullest = (counts: Map<string, number>) =>
    Math.max(...counts.values()) / (requests / regionCount);
  return { sticky: fullest(sticky), turn: fullest(turn) };
}

function outcome(seen: readonly VisitSeen[]) {
  const byUser = new Map<string, number>();
  let byPolicy = 0;
  let total = 0;
  for (const { user, takes } of seen) {
    for (const { allowed, by } of takes) {
      total++;
      if (by === 'policy') byPolicy++;
      if (allowed && by === 'limiter') byUser.set(user, (byUser.get(user) ?? 0) + 1);
    }
  }
  const counts = [...byUser.values()];
  return {
    most: Math.max(...counts),
    over: counts.filter((count) => count > limit).length / Math.max(1, counts.length),
    undecided: byPolicy / total,
  };
}

export default lab({
  id: 'lab-rl-sticky',
  claims: ['lab-rl-sticky'],
  title: 'Sticky counts: no race, uneven load, and a region to lose',
  claim:
    'Routing a user to one region always fixes the race, but hurts balance and fault tolerance.',
  question:
    'Does anybody get more than the limit when each user is counted in one region? How uneven does that make the regions, and what happens to users whose region dies?',
  method:
    'Sixty users ask as fast as they can for less than the window in two regions with a limit of 5 a minute. Then the same with a region killed after 6 s, which is back at the very end and has forgotten what it counted: once refusing whom it counted, once moving them to the other region. Apart from that, requests of 1,000 users with Zipf popularity are spread over three regions, by user and by turn.',
  advice:
    'Sticky is the cheapest remedy that keeps the limit, where a user’s requests arrive at his region anyway. Decide beforehand what a dead region means: refuse its users, or give them their limit once more. And leave room: the region of the busiest users carries more than its share.',
  expected: 'true',
  seeds: { full: 5, small: 1 },
  design: regions(options).design,
  async measure({ seeds, pick }) {
    const forText = pick('30s', '12s');
    const faults = ['kill limits/0 at 6s'];
    const cases = [
      { name: 'all regions up', own: {}, faults: [] },
      { name: 'a region dies, its users are refused', own: {}, faults },
      { name: 'a region dies, its users move', own: { whenLost: 'move' }, faults },
    ] as const;
    const found = [];
    for (const { name, own, faults: bad } of cases) {
      const runs = [];
      for (const seed of seeds) {
        runs.push(
          outcome(await visits({ ...options, ...own }, { seed, for: forText, faults: bad })),
        );
      }
      found.push({
        name,
        most: Math.max(...runs.map(({ most }) => most)),
        over: estimate(runs.map(({ over }) => over)),
        undecided: estimate(runs.map(({ undecided }) => undecided)),
      });
    }
    const skews = pick([...seeds, 6, 7, 8, 9, 10], seeds).map((seed) =>
      skew(seed, pick(50_000, 5_000)),
    );
    return {
      found,
      sticky: estimate(skews.map(({ sticky }) => sticky)),
      stickyMost: Math.max(...skews.map(({ sticky }) => sticky)),
      turn: estimate(skews.map(({ turn }) => turn)),
    };
  },
  verdict({ found, sticky, stickyMost, turn }) {
    const [calm, refused, moved] = found;
    const fixes = calm!.most === limit;
    const hurts = refused!.undecided.mean > 0.1 && moved!.most > limit && sticky.mean > turn.mean;
    return {
      verdict: fixes && hurts ? 'true' : fixes || hurts ? 'partly' : 'false',
      why: `With all regions up nobody got more than ${calm!.most} of ${limit}. When a region died, ${percent(refused!.undecided.mean)} of all questions had no limiter to answer them, or, moved to the other region, users got up to ${moved!.most}. The fullest of three regions carried ${within(sticky)} times its share (up to ${digits(stickyMost)}), by turn ${digits(turn.mean)}.`,
    };
  },
  figures: ({ found, sticky, turn }) => [
    bars({
      title: 'The most that any user got of five',
      x: { label: 'requests admitted' },
      groups: found.map(({ name }) => name),
      series: [{ name: 'most admitted', values: found.map(({ most }) => most) }],
      level: { at: limit, name: 'the limit' },
    }),
    bars({
      title: 'Load of the fullest of three regions, over its share',
      x: { label: 'times the mean' },
      groups: ['by user (sticky)', 'by turn'],
      series: [
        {
          name: 'fullest',
          values: [sticky.mean, turn.mean],
          plusMinus: [sticky.plusMinus, turn.plusMinus],
        },
      ],
      level: { at: 1, name: 'even' },
    }),
    table({
      title: 'In numbers',
      head: ['', 'most admitted of 5', 'users above it', 'questions without a limiter'],
      rows: found.map(({ name, most, over, undecided }) => [
        name,
        whole(most),
        percent(over.mean),
        percent(undecided.mean),
      ]),
    }),
  ],
});
