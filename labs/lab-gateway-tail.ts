/** Asking n services at once: how the slowest and the failing one of them decide. */
import { estimate, lab, lines, ms, percent, table } from 'loadpath/lab';
import { seeded } from 'loadpath/parts/balance';

const counts = [1, 2, 3, 5, 7, 10, 20];
const own = 0.999;
const deadlineMs = 60;

/** Lognormal with a median of 10 ms, whose p99 is 50 ms. */
function service(random: ReturnType<typeof seeded>): number {
  const normal =
    Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return 10 * Math.exp((Math.log(5) / 2.326) * normal);
}

function asked(count: number, seed: number, requests: number) {
  const random = seeded(seed).fork(`${count} services`);
  const waits: number[] = [];
  let [all, parts] = [0, 0];
  for (let i = 0; i < requests; i++) {
    let slowest = 0;
    let good = 0;
    let inTime = 0;
    for (let one = 0; one < count; one++) {
      const took = service(random);
      const works = random.next() < own;
      slowest = Math.max(slowest, took);
      if (works) good++;
      if (works && took <= deadlineMs) inTime++;
    }
    waits.push(slowest);
    if (good === count) all++;
    parts += inTime / count;
  }
  waits.sort((a, b) => a - b);
  return {
    p50: waits[Math.floor(0.5 * requests)]!,
    p99: waits[Math.floor(0.99 * requests)]!,
    all: all / requests,
    parts: parts / requests,
  };
}

export default lab({
  id: 'lab-gateway-tail',
  claims: ['lab-gateway-tail'],
  title: 'A fan-out lives in the tail',
  claim: 'Asking seven services at once raises tail latency and the odds of failure.',
  question:
    'Each service answers in 10 ms at the median, 50 ms at p99, and fails once in a thousand. What are median, p99 and success of a page that needs 1 to 20 of them, and what of one that shows what is there after 60 ms?',
  method:
    'Independent services with lognormal answers. A page that needs all waits for the slowest and fails with any. One that takes parts waits 60 ms at most and shows what came: counted is the share of parts on such a page.',
  advice:
    'Let parts be optional, with a deadline for the page: nearly every part is there, and nobody waits for the slowest of many. Where all are needed, make the tail of each shorter (hedged requests do that) rather than its median.',
  expected: 'true',
  seeds: { full: 10, small: 2 },
  measure: ({ seeds, pick }) =>
    counts.map((count) => {
      const runs = seeds.map((seed) => asked(count, seed, pick(20_000, 8_000)));
      return {
        count,
        p50: estimate(runs.map(({ p50 }) => p50)),
        p99: estimate(runs.map(({ p99 }) => p99)),
        all: estimate(runs.map(({ all }) => all)),
        parts: estimate(runs.map(({ parts }) => parts)),
      };
    }),
  verdict(found) {
    const of = (count: number) => found.find((one) => one.count === count)!;
    const [one, seven] = [of(1), of(7)];
    const raises =
      seven.p99.mean > 1.3 * one.p99.mean && Math.abs(seven.all.mean - own ** 7) < 0.002;
    return {
      verdict: raises ? 'true' : 'false',
      why: `With seven services in place of one the median goes from ${ms(one.p50.mean)} to ${ms(seven.p50.mean)} and p99 from ${ms(one.p99.mean)} to ${ms(seven.p99.mean)}; ${percent(seven.all.mean)} of pages succeed where 0.999⁷ is ${percent(own ** 7)}. A page that shows what is there after ${deadlineMs} ms has ${percent(seven.parts.mean)} of its parts.`,
    };
  },
  figures: (found) => [
    lines({
      title: 'What a page waits that needs all of them',
      x: { label: 'services asked at once' },
      y: { label: 'time', unit: 'ms' },
      series: [
        { name: 'median', points: found.map(({ count, p50 }) => [count, p50.mean]) },
        {
          name: 'p99',
          points: found.map(({ count, p99 }) => [count, p99.mean]),
          plusMinus: found.map(({ p99 }) => p99.plusMinus),
        },
      ],
      level: { at: deadlineMs, name: 'deadline of the page that takes parts' },
    }),
    table({
      title: 'In numbers',
      head: ['services', 'median', 'p99', 'all succeed', '0.999ⁿ', 'parts there after 60 ms'],
      rows: found.map(({ count, p50, p99, all, parts }) => [
        count,
        ms(p50.mean),
        ms(p99.mean),
        percent(all.mean),
        percent(own ** count),
        percent(parts.mean),
      ]),
    }),
  ],
});
