/** How even a ring is, by the number of places that each server has on it. */
import { estimate, lab, lines, percent, table, within } from 'loadpath/lab';
import { Ring } from 'loadpath/parts/ring';

const tokenCounts = [1, 4, 10, 40, 100, 256, 1_000];
const servers = 10;

/** Fullest over mean, and the share of keys that the neighbour of a lost server takes over. */
function measured(tokens: number, seed: number, keys: number) {
  const ring = new Ring(
    Array.from({ length: servers }, (_, index) => ({ id: `s${seed}/${index}`, zone: '' })),
    { tokens },
  );
  const counts = new Map<string, number>();
  const heirs = new Map<string, number>();
  let lost = 0;
  for (let i = 0; i < keys; i++) {
    const [owner, next] = ring.owners(`user ${i}`, 2) as [string, string];
    counts.set(owner, (counts.get(owner) ?? 0) + 1);
    if (!owner.endsWith('/0')) continue;
    lost++;
    heirs.set(next, (heirs.get(next) ?? 0) + 1);
  }
  return {
    fullest: Math.max(...counts.values()) / (keys / servers),
    emptiest:
      Math.min(...[...counts.values(), counts.size < servers ? 0 : keys]) / (keys / servers),
    heir: lost === 0 ? 1 : Math.max(...heirs.values()) / lost,
  };
}

export default lab({
  id: 'lab-ring-spread',
  claims: ['lab-ring-spread'],
  title: 'A ring is even with many places a server, and only then',
  claim:
    'Consistent hashing spreads keys evenly; or it does not suit databases; or it is what they use.',
  question:
    'All three are said. How much more than its share does the fullest of ten servers hold with 1 to 1,000 places a server, and who takes over what a lost server had?',
  method:
    '100,000 keys on a ring of ten servers, repeated with other server names for each seed. Fullest is the largest count over the mean. The heir is the server that gets the largest part of what the first server held.',
  advice:
    'With one place a server a ring is as uneven as its critics say, and a loss doubles one neighbour. With 100 to 256 places it is within some 20 % of even and a loss is shared by all: that is what stores do. Where even that is too much, bound the load (parts/balance/hashed) or place partitions by hand.',
  expected: 'conditional',
  seeds: { full: 40, small: 8 },
  measure: ({ seeds, pick }) =>
    tokenCounts.map((tokens) => {
      const runs = seeds.map((seed) => measured(tokens, seed, pick(100_000, 20_000)));
      return {
        tokens,
        fullest: estimate(runs.map(({ fullest }) => fullest)),
        emptiest: estimate(runs.map(({ emptiest }) => emptiest)),
        heir: estimate(runs.map(({ heir }) => heir)),
      };
    }),
  verdict(found) {
    const at = (tokens: number) => found.find((one) => one.tokens === tokens)!;
    const [one, many] = [at(1), at(256)];
    const depends = one.fullest.mean > 1.8 && many.fullest.mean < 1.25;
    return {
      verdict: depends ? 'conditional' : one.fullest.mean < 1.25 ? 'true' : 'false',
      why: `The fullest of ten servers holds ${within(one.fullest)} times its share with one place a server, ${within(at(10).fullest)} with 10, ${within(at(100).fullest)} with 100 and ${within(many.fullest)} with 256; of what a lost server held, one neighbour gets ${percent(one.heir.mean)} with one place and ${percent(many.heir.mean)} with 256.`,
    };
  },
  figures: (found) => [
    lines({
      title: 'How full the fullest and the emptiest of ten servers are',
      x: { label: 'places a server', scale: 'log' },
      y: { label: 'keys over the mean' },
      series: [
        {
          name: 'fullest',
          points: found.map(({ tokens, fullest }) => [tokens, fullest.mean]),
          plusMinus: found.map(({ fullest }) => fullest.plusMinus),
        },
        {
          name: 'emptiest',
          points: found.map(({ tokens, emptiest }) => [tokens, emptiest.mean]),
          plusMinus: found.map(({ emptiest }) => emptiest.plusMinus),
        },
      ],
      level: { at: 1, name: 'even' },
    }),
    lines({
      title: 'How much of a lost server goes to one neighbour',
      x: { label: 'places a server', scale: 'log' },
      y: { label: 'share of its keys', unit: '%' },
      series: [
        {
          name: 'largest heir',
          points: found.map(({ tokens, heir }) => [tokens, 100 * heir.mean]),
          plusMinus: found.map(({ heir }) => 100 * (heir.plusMinus ?? 0)),
        },
      ],
    }),
    table({
      title: 'In numbers, over the seeds with 95 % intervals',
      head: ['places', 'fullest', 'emptiest', 'largest heir'],
      rows: found.map(({ tokens, fullest, emptiest, heir }) => [
        tokens,
        within(fullest),
        within(emptiest),
        percent(heir.mean),
      ]),
    }),
  ],
});
