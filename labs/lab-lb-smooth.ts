/** Fifty requests at once into a leaky bucket that drips one a second and holds five. */
import { digits, lab, lines, marks } from 'loadpath/lab';
import { LeakyQueue } from 'loadpath/parts/limit/leaky-queue';

const second = 1_000_000;

function burstInto(queueMax: number, asked: number) {
  const queue = new LeakyQueue({ rate: { count: 1, periodUs: second }, queueMax, burst: 1 });
  const delays = Array.from({ length: asked }, () => queue.enter(0) / second);
  const leaves = delays.filter(Number.isFinite).sort((a, b) => a - b);
  return { leaves, dropped: delays.length - leaves.length, waiting: queue.waiting(0) };
}

export default lab({
  id: 'lab-lb-smooth',
  claims: ['lab-lb-smooth'],
  title: 'A leaky bucket trades drops for delay',
  claim: 'A leaky bucket lets one request out each second, at most N wait, and the rest overflows.',
  question:
    'Fifty requests come at once to a bucket that drips one a second and in which five may wait. What comes out when, how many are dropped, and what does waiting cost?',
  method:
    'The queue of parts/limit is asked fifty times at the same instant, for queues of 0 to 40. One request leaves at once, as it would from an idle server; a convention that makes it wait as well would drop the same number and delay everybody by a second.',
  advice:
    'The queue is a delay that you choose: its length times the interval. Make it no longer than a caller waits; beyond that it holds requests that nobody wants any more. Where a late answer is worthless, refuse at once with a meter (GCRA) instead.',
  expected: 'true',
  measure: () => ({
    five: burstInto(5, 50),
    sweep: [0, 1, 2, 5, 10, 20, 40].map((queueMax) => {
      const { leaves, dropped } = burstInto(queueMax, 50);
      return { queueMax, dropped, longestS: leaves.at(-1)! };
    }),
  }),
  verdict({ five }) {
    const gaps = five.leaves.slice(1).map((at, index) => at - five.leaves[index]!);
    const steady = gaps.every((gap) => gap === 1);
    return {
      verdict: steady && five.waiting === 5 && five.dropped === 44 ? 'true' : 'false',
      why: `Of 50 requests at once ${five.leaves.length} get through, ${five.waiting} of them after waiting, one every ${digits(gaps[0]!)} s; ${five.dropped} overflow, and the last one waits ${digits(five.leaves.at(-1)!)} s.`,
    };
  },
  figures: ({ five, sweep }) => [
    marks({
      title: 'When the requests of one burst leave a bucket in which five may wait',
      x: { label: 'seconds after the burst', min: -0.5, max: 6 },
      goodName: 'leaves',
      badName: 'dropped',
      rows: [
        { name: 'requests', good: [], bad: Array.from({ length: five.dropped }, () => 0) },
        { name: 'out of the bucket', good: five.leaves, bad: [] },
      ],
      note: `At 0 s all fifty arrive; the cross stands for the ${five.dropped} that find no room.`,
    }),
    lines({
      title: 'A longer queue drops less and delays more',
      x: { label: 'requests that may wait' },
      y: { label: 'of 50: dropped; seconds that the last one waits' },
      series: [
        { name: 'dropped', points: sweep.map(({ queueMax, dropped }) => [queueMax, dropped]) },
        {
          name: 'longest wait (s)',
          points: sweep.map(({ queueMax, longestS }) => [queueMax, longestS]),
        },
      ],
    }),
  ],
});
