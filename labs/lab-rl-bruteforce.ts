/** Guessing promo codes: what a limit for each address leaves to who has one, and to who has many. */
import { estimate, lab, lines, table, whole, within } from 'loadpath/lab';
import { seeded } from 'loadpath/parts/balance';
import { Gcra } from 'loadpath/parts/limit/gcra';
import { KeyedLimiter } from 'loadpath/parts/limit/keyed';

const minute = 60_000_000;
const codeCount = 1_000_000;
const validCount = 500;
const guessesPerSec = 200;
const addresses = [1, 10, 100, 1_000];

/** Codes found in an hour by guessing in order of a random start, over so many addresses. */
function found(limitPerMin: number | undefined, addressCount: number, seed: number, hours: number) {
  const random = seeded(seed).fork('guesser');
  const valid = new Set<number>();
  while (valid.size < validCount) valid.add(random.below(codeCount));
  const limiter =
    limitPerMin === undefined
      ? undefined
      : new KeyedLimiter(
          new Gcra({ rate: { count: limitPerMin, periodUs: minute }, burst: limitPerMin }),
          {
            keysMax: 10_000,
          },
        );
  const gapUs = 1_000_000 / guessesPerSec;
  let hits = 0;
  let next = random.below(codeCount);
  const guesses = Math.floor((hours * 60 * minute) / gapUs);
  for (let i = 0; i < guesses; i++) {
    const waitUs = limiter?.take(`address ${i % addressCount}`, Math.floor(i * gapUs)) ?? 0;
    if (waitUs > 0) continue;
    if (valid.has(next)) hits++;
    next = (next + 1) % codeCount;
  }
  return hits / hours;
}

export default lab({
  id: 'lab-rl-bruteforce',
  claims: ['lab-rl-bruteforce'],
  title: 'A limit stops one guesser, not a thousand addresses',
  claim: 'Rate limits protect promo codes from being guessed.',
  question:
    'One code in 2,000 is valid. How many does somebody find in an hour without a limit, with 10 guesses a minute for each address, and when he has many addresses?',
  method:
    'A million codes, 500 of them valid, guessed one after the other from a random one on at 200 a second, spread over 1 to 1,000 addresses. Limits of 10 and of 1 a minute for each address, and one of 60 a minute over all guesses that fail, whoever makes them.',
  advice:
    'Limit by address to stop the simple script, and by what the attacker cannot multiply: failed guesses in all, accounts, codes themselves. And make codes long: with ten characters more of them than guesses, no limit is needed.',
  expected: 'conditional',
  seeds: { full: 8, small: 2 },
  measure: ({ seeds, pick }) =>
    addresses.map((count) => {
      const hours = pick(1, 0.5);
      const by = (limit: number | undefined, keys = count) =>
        estimate(seeds.map((seed) => found(limit, keys, seed, hours)));
      return { count, none: by(undefined), ten: by(10), one: by(1), all: by(60, 1) };
    }),
  verdict(measured) {
    const [alone, ...rest] = measured;
    const many = rest.at(-1)!;
    const stops = alone!.ten.mean < alone!.none.mean / 50;
    const bypassed = many.ten.mean > many.none.mean / 2;
    return {
      verdict: stops && bypassed ? 'conditional' : stops ? 'true' : 'false',
      why: `Without a limit ${within(alone!.none, whole)} valid codes are found in an hour; with 10 guesses a minute for each address ${within(alone!.ten)} by one address, but ${within(many.ten, whole)} by ${whole(many.count)} addresses, as if there were none. A limit of 60 failed guesses a minute over all leaves ${within(many.all)}.`,
    };
  },
  figures: (measured) => [
    lines({
      title: 'Valid codes found in an hour',
      x: { label: 'addresses', scale: 'log' },
      y: { label: 'codes an hour' },
      series: [
        { name: 'no limit', points: measured.map((one) => [one.count, one.none.mean]) },
        {
          name: '10 a minute an address',
          points: measured.map((one) => [one.count, one.ten.mean]),
        },
        { name: '1 a minute an address', points: measured.map((one) => [one.count, one.one.mean]) },
        { name: '60 a minute over all', points: measured.map((one) => [one.count, one.all.mean]) },
      ],
    }),
    table({
      title: 'Codes an hour, with 95 % intervals',
      head: [
        'addresses',
        'no limit',
        '10 a minute each',
        '1 a minute each',
        '60 a minute over all',
      ],
      rows: measured.map(({ count, none, ten, one, all }) => [
        count,
        within(none),
        within(ten),
        within(one),
        within(all),
      ]),
    }),
  ],
});
