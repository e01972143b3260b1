/** Copies against failures: independent ones, and ones that share a rack. */
import { bars, estimate, lab, lines, percent, table } from 'loadpath/lab';
import { seeded } from 'loadpath/parts/balance';

const availability = 0.99;
const copies = [1, 2, 3, 4];
/** Share of each copy's downtime that it owes to what it shares with the others. */
const shares = [0, 0.01, 0.1, 0.5];

/** Looks at random instants: is any copy up? */
function upAt(copyCount: number, shared: number, seed: number, samples: number): number {
  const random = seeded(seed).fork(`${copyCount} ${shared}`);
  const down = 1 - availability;
  // Down for a shared reason, or for one of its own: together as often as before.
  const sharedDown = down * shared;
  const ownDown = 1 - (1 - down) / (1 - sharedDown);
  let up = 0;
  for (let i = 0; i < samples; i++) {
    if (random.next() < sharedDown) continue;
    let isUp = false;
    for (let copy = 0; copy < copyCount; copy++) if (random.next() >= ownDown) isUp = true;
    if (isUp) up++;
  }
  return up / samples;
}

const minutesAYear = (ratio: number) => (1 - ratio) * 365 * 24 * 60;

export default lab({
  id: 'lab-redundancy-math',
  claims: ['lab-redundancy-math'],
  title: 'Two nines twice are four nines, if they fail apart',
  claim: 'Redundancy raises availability: two copies of 99 % make 99.99 %.',
  question:
    'What do one to four copies of 99 % give when they fail independently, and what is left of it when a part of their failures is common (a rack, power, a bad release)?',
  method:
    'Each copy is down 1 % of the time. A share of that (0 to 50 %) is common to all copies, the rest its own. A million random instants a seed are looked at: is any copy up? Beside it stands 1 − (1 − a)ⁿ.',
  advice:
    'Count what copies share before you count copies. With a tenth of the failures in common, the second copy gains one nine and the third nothing. Different racks, power, releases and people are what makes the formula true; each costs money.',
  expected: 'conditional',
  seeds: { full: 10, small: 2 },
  measure: ({ seeds, pick }) =>
    shares.map((shared) => ({
      shared,
      byCopies: copies.map((count) => ({
        count,
        formula: 1 - (1 - availability) ** count,
        up: estimate(seeds.map((seed) => upAt(count, shared, seed, pick(400_000, 100_000)))),
      })),
    })),
  verdict(found) {
    const at = (shared: number, count: number) =>
      found.find((one) => one.shared === shared)!.byCopies.find((one) => one.count === count)!.up
        .mean;
    const holds = Math.abs(at(0, 2) - 0.9999) < 0.0001;
    const shrinks = 1 - at(0.1, 2) > 5 * (1 - at(0, 2));
    return {
      verdict: holds && shrinks ? 'conditional' : holds ? 'true' : 'false',
      why: `Two independent copies of 99 % are up ${percent(at(0, 2))} of the time, as the formula says; with a tenth of their failures in common ${percent(at(0.1, 2))}, with half ${percent(at(0.5, 2))}. A third copy brings the shared tenth to ${percent(at(0.1, 3))} only.`,
    };
  },
  figures: (found) => [
    lines({
      title: 'Minutes without any copy, a year',
      x: { label: 'copies', min: 1, max: 4 },
      y: { label: 'minutes a year', scale: 'log' },
      series: found.map(({ shared, byCopies }) => ({
        name: shared === 0 ? 'independent' : `${percent(shared)} in common`,
        // What was never seen down has no place on such an axis.
        points: byCopies
          .filter(({ up }) => up.mean < 1)
          .map(({ count, up }) => [count, minutesAYear(up.mean)] as const),
      })),
    }),
    bars({
      title: 'Two copies, by what they share',
      x: { label: 'minutes without any, a year' },
      groups: found.map(({ shared }) => (shared === 0 ? 'nothing' : percent(shared))),
      series: [
        {
          name: 'two copies',
          values: found.map(({ byCopies }) => minutesAYear(byCopies[1]!.up.mean)),
        },
      ],
    }),
    table({
      title: 'Share of time in which any copy is up',
      head: ['copies', 'formula', ...found.map(({ shared }) => `${percent(shared)} in common`)],
      rows: copies.map((count, index) => [
        count,
        percent(1 - (1 - availability) ** count),
        ...found.map(({ byCopies }) => percent(byCopies[index]!.up.mean)),
      ]),
    }),
  ],
});
