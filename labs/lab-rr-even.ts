/** Round robin counts evenly, and one can tell whose turn is next. */
import { bars, lab, table } from 'loadpath/lab';
import { Balancer, type Balancing, seeded } from 'loadpath/parts/balance';

const counts = [2, 3, 5, 8];
const rounds = 1_000;

function run(by: Balancing, count: number, seed: number) {
  const balancer = new Balancer<{ readonly index: number; open: number; avoidUntil: number }>(
    by,
    seeded(seed),
  );
  const targets = Array.from({ length: count }, (_, index) => ({ index, open: 0, avoidUntil: 0 }));
  const picked = Array.from({ length: count * rounds }, () => balancer.pick(targets, 0)!.index);
  const shares = targets.map(({ index }) => picked.filter((one) => one === index).length);
  const foretold = picked.filter((one, at) => one === (picked[0]! + at) % count).length;
  return { shares, foretold: foretold / picked.length, first: picked[0]! };
}

export default lab({
  id: 'lab-rr-even',
  claims: ['lab-rr-even'],
  title: 'Round robin: even counts, and no surprise',
  claim: 'Round robin gives every server the same share, and the next target is predictable.',
  question:
    'After 1,000 rounds over 2 to 8 servers, how far apart are their counts, and how often is the next target the one that the turn foretells? Beside it the same for random choice.',
  method:
    'The balancer of parts/balance picks 1,000 times as often as there are servers. The turn begins at a random server, so that many callers do not march in step; from the first pick on each next one is foretold.',
  advice:
    'Even counts are not even load: that needs requests of like cost and servers of like speed (see the labs on both). That the next target is known is a convenience for tests, and a help for who wants to hit one server.',
  expected: 'true',
  seeds: { full: 20, small: 4 },
  measure: ({ seeds }) =>
    counts.map((count) => {
      const turns = seeds.map((seed) => run('round-robin', count, seed));
      const lots = seeds.map((seed) => run('random', count, seed));
      const spread = (runs: readonly { readonly shares: readonly number[] }[]) =>
        Math.max(...runs.map(({ shares }) => Math.max(...shares) - Math.min(...shares)));
      return {
        count,
        spread: spread(turns),
        foretold: Math.min(...turns.map(({ foretold }) => foretold)),
        starts: new Set(turns.map(({ first }) => first)).size,
        randomSpread: spread(lots),
        randomForetold: Math.max(...lots.map(({ foretold }) => foretold)),
      };
    }),
  verdict(measured) {
    const even = measured.every(({ spread, foretold }) => spread === 0 && foretold === 1);
    const three = measured.find(({ count }) => count === 3)!;
    return {
      verdict: even ? 'true' : 'false',
      why: `Over 1,000 rounds each of 2 to 8 servers got exactly 1,000 requests (difference ${Math.max(...measured.map(({ spread }) => spread))}) and every target was foretold; random choice among three differs by up to ${three.randomSpread} and is foretold ${Math.round(100 * three.randomForetold)} % of the time.`,
    };
  },
  figures: (measured) => [
    bars({
      title: 'Largest difference between two servers, of 1,000 requests each',
      x: { label: 'requests' },
      groups: measured.map(({ count }) => `${count} servers`),
      series: [
        { name: 'round robin', values: measured.map(({ spread }) => spread) },
        { name: 'random', values: measured.map(({ randomSpread }) => randomSpread) },
      ],
    }),
    table({
      title: 'In numbers',
      head: ['servers', 'difference', 'foretold', 'random: difference', 'random: foretold'],
      rows: measured.map(({ count, spread, foretold, randomSpread, randomForetold }) => [
        count,
        spread,
        `${100 * foretold} %`,
        randomSpread,
        `${Math.round(100 * randomForetold)} %`,
      ]),
    }),
  ],
});
