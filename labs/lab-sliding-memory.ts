/** What a sliding log keeps, what counting by second keeps, and what that admits less. */
import { bars, estimate, lab, lines, percent, table, whole } from 'loadpath/lab';
import { seeded } from 'loadpath/parts/balance';
import { take } from 'loadpath/parts/limit/limiter';
import { SlidingBuckets } from 'loadpath/parts/limit/sliding-buckets';
import { SlidingLog } from 'loadpath/parts/limit/sliding-log';

const second = 1_000_000;
const windowUs = 60 * second;
const parts = 60;

/** Callers who ask for a fifth more than they may, at random, for so many minutes. */
function compared(limit: number, seed: number, minutes: number) {
  const random = seeded(seed).fork(`limit ${limit}`);
  const log = new SlidingLog({ limit, windowUs });
  const buckets = new SlidingBuckets({ limit, windowUs, parts });
  const inLog: number[] = [];
  let oldest = 0;
  let entriesMax = 0;
  let bucketsOver = 0;
  const inBuckets: number[] = [];
  const meanGapUs = windowUs / (1.2 * limit);
  for (let now = 0; now < minutes * windowUs; ) {
    now += Math.max(1, Math.round(-Math.log(1 - random.next()) * meanGapUs));
    const byLog = take(log, now) === 0;
    const byBuckets = take(buckets, now) === 0;
    if (byLog) inLog.push(now);
    while (inLog[oldest]! <= now - windowUs) oldest++;
    entriesMax = Math.max(entriesMax, inLog.length - oldest);
    if (!byBuckets) continue;
    inBuckets.push(now);
    const before = inBuckets[inBuckets.length - 1 - limit];
    if (before !== undefined && before > now - windowUs) bucketsOver++;
  }
  const admittedRatio = inBuckets.length / inLog.length;
  return { entriesMax, admittedRatio, bucketsOver };
}

export default lab({
  id: 'lab-sliding-memory',
  claims: ['lab-sliding-memory'],
  title: 'A sliding log is exact, and pays by the request',
  claim:
    'A sliding log is exact but uses more memory; a counter that merges what came in the same second needs at most 60 entries.',
  question:
    'How much does each keep for one caller at 10, 1,000 and 10,000 requests a minute, and what does merging by second cost in accuracy?',
  method:
    'A caller asks at random for 20 % more than the limit. The log keeps an instant for each request in the window (8 bytes), the counter a number for each of 60 seconds and the one that is partly over (4 bytes each). Both see the same requests; compared are how much each admits, and whether the counter ever lets more than the limit into any minute.',
  advice:
    'Up to some hundred requests a window the log is cheap and exact. Beyond, count by parts: it never admits more than the limit, and the price is that a request is forgiven up to one part too late, a second here.',
  expected: 'true',
  seeds: { full: 10, small: 2 },
  measure: ({ seeds, pick }) =>
    [10, 100, 1_000, 10_000].map((limit) => {
      const minutes = pick(limit > 1_000 ? 5 : 30, limit > 1_000 ? 2 : 5);
      const runs = seeds.map((seed) => compared(limit, seed, minutes));
      return {
        limit,
        entries: Math.max(...runs.map(({ entriesMax }) => entriesMax)),
        buckets: parts + 1,
        admitted: estimate(runs.map(({ admittedRatio }) => admittedRatio)),
        over: runs.reduce((sum, { bucketsOver }) => sum + bucketsOver, 0),
      };
    }),
  verdict(measured) {
    const grows = measured.every(({ limit, entries }) => entries >= 0.9 * limit);
    const strict = measured.every(({ over }) => over === 0);
    const [least, most] = [measured[0]!, measured.at(-1)!];
    const worst = Math.min(...measured.map(({ admitted }) => admitted.mean));
    return {
      verdict: grows && strict ? 'true' : 'partly',
      why: `The log keeps ${whole(least.entries)} entries at ${least.limit} a minute and ${whole(most.entries)} at ${whole(most.limit)}; the counter keeps ${most.buckets} at every rate. By merging what came in the same second it admits ${percent(worst)} of what the log admits, or more, and never lets more than the limit into a minute (${measured.reduce((sum, { over }) => sum + over, 0)} times).`,
    };
  },
  figures: (measured) => [
    lines({
      title: 'What one caller costs',
      x: { label: 'limit', unit: 'a minute', scale: 'log' },
      y: { label: 'bytes a caller', scale: 'log' },
      series: [
        { name: 'sliding log', points: measured.map(({ limit, entries }) => [limit, 8 * entries]) },
        {
          name: 'counts by second',
          points: measured.map(({ limit, buckets }) => [limit, 4 * buckets]),
        },
      ],
    }),
    bars({
      title: 'What counting by second admits, of what the exact log admits',
      x: { label: 'share', unit: '%', min: 90, max: 100 },
      groups: measured.map(({ limit }) => `${whole(limit)} a minute`),
      series: [
        {
          name: 'admitted',
          values: measured.map(({ admitted }) => 100 * admitted.mean),
          plusMinus: measured.map(({ admitted }) => 100 * (admitted.plusMinus ?? 0)),
        },
      ],
    }),
    table({
      title: 'In numbers',
      head: [
        'limit a minute',
        'entries in the log',
        'counts by second',
        'admitted, of what the log admits',
      ],
      rows: measured.map(({ limit, entries, buckets, admitted }) => [
        whole(limit),
        whole(entries),
        buckets,
        percent(admitted.mean),
      ]),
    }),
  ],
});
