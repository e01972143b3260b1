/** Ten at the end of a minute and ten at the start of the next, against every limiter of ten a minute. */
import { bars, lab, listed, marks, table } from 'loadpath/lab';
import { FixedWindow } from 'loadpath/parts/limit/fixed-window';
import { Gcra } from 'loadpath/parts/limit/gcra';
import { type Limiter, take } from 'loadpath/parts/limit/limiter';
import { SlidingBuckets } from 'loadpath/parts/limit/sliding-buckets';
import { SlidingLog } from 'loadpath/parts/limit/sliding-log';
import { SlidingWindow } from 'loadpath/parts/limit/sliding-window';

const limit = 10;
const windowUs = 60_000_000;
const second = 1_000_000;

const limiters: readonly (readonly [name: string, make: () => Limiter])[] = [
  ['fixed window', () => new FixedWindow({ limit, windowUs })],
  ['sliding log', () => new SlidingLog({ limit, windowUs })],
  ['sliding buckets, 60 parts', () => new SlidingBuckets({ limit, windowUs, parts: 60 })],
  ['sliding window, two counts', () => new SlidingWindow({ limit, windowUs })],
  [
    'token bucket, burst 10',
    () => new Gcra({ rate: { count: limit, periodUs: windowUs }, burst: limit }),
  ],
  [
    'token bucket, burst 1',
    () => new Gcra({ rate: { count: limit, periodUs: windowUs }, burst: 1 }),
  ],
];

/** Instants, in microseconds, of what a limiter lets through. */
function admitted(limiter: Limiter, asked: readonly number[]): number[] {
  return asked.filter((at) => take(limiter, at) === 0);
}

/** The most that falls into any span as long as the window. */
function mostInAnyWindow(instants: readonly number[]): number {
  let most = 0;
  for (let first = 0, last = 0; last < instants.length; last++) {
    while (instants[last]! - instants[first]! >= windowUs) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** Ten from 59 s on, ten from 60 s on, a tenth of a second apart. */
const around = [59, 60].flatMap((from) =>
  Array.from({ length: limit }, (_, index) => from * second + index * 50_000),
);

/** Quiet until `from`, then asking ten times a second for three minutes. */
const greedy = (from: number) =>
  Array.from({ length: 1_800 }, (_, index) => from + index * 100_000);

export default lab({
  id: 'lab-fixed-boundary',
  claims: ['lab-fixed-boundary'],
  title: 'Twenty around the edge of a fixed window',
  claim: 'A fixed window of 10 a minute lets 20 through around its boundary.',
  question:
    'A limit of 10 a minute is kept by counting from each full minute on. How many requests pass within a second or two when ten come just before the edge and ten just after, and what do other limiters of the same rate let through?',
  method:
    'Ten requests from 59 s on and ten from 60 s on, 50 ms apart, go to each limiter. Then a caller who was quiet until some instant, tried at each second of two minutes, asks ten times a second for three minutes: the most that was admitted in any span of 60 s counts.',
  advice:
    'Where ten must mean ten in any minute, take the sliding log, or the sliding buckets when the limit is large. The two-count sliding window stops the double burst for two numbers a caller, but a patient caller still gets more than the limit into a minute. A token bucket promises its burst on top of its rate: set the burst to what you can bear at once, not to the limit.',
  expected: 'true',
  measure: () =>
    limiters.map(([name, make]) => {
      const passed = admitted(make(), around);
      let most = 0;
      for (let from = 0; from < 120; from++) {
        most = Math.max(most, mostInAnyWindow(admitted(make(), greedy(from * second))));
      }
      return {
        name,
        good: passed.map((at) => at / second),
        bad: around.filter((at) => !passed.includes(at)).map((at) => at / second),
        passed: passed.length,
        most,
      };
    }),
  verdict(measured) {
    const [fixed, ...others] = measured;
    const strict = others.filter(({ most }) => most <= limit).map(({ name }) => name);
    const doubled = fixed!.passed === 2 * limit;
    return {
      verdict: doubled && others.every(({ passed }) => passed <= limit + 1) ? 'true' : 'false',
      why: `Of 20 requests within 1.5 s the fixed window admits ${fixed!.passed}; the others admit ${listed(others.map(({ name, passed }) => `${passed} (${name})`))}. Never more than ${limit} in any minute, whatever the caller does, holds for ${listed(strict)} alone.`,
    };
  },
  figures: (measured) => [
    marks({
      title: 'Which of 20 requests around the minute pass',
      x: { label: 'time', unit: 's', min: 58.8, max: 60.8 },
      goodName: 'admitted',
      badName: 'refused',
      rows: measured.map(({ name, good, bad }) => ({ name, good, bad })),
    }),
    bars({
      title: 'The most that a greedy caller gets into any minute',
      x: { label: 'requests admitted within 60 s' },
      groups: measured.map(({ name }) => name),
      series: [{ name: 'most in any minute', values: measured.map(({ most }) => most) }],
      level: { at: limit, name: 'the limit' },
    }),
    table({
      title: 'In numbers',
      head: ['limiter', 'of 20 around the edge', 'most in any minute'],
      rows: measured.map(({ name, passed, most }) => [name, passed, most]),
    }),
  ],
});
