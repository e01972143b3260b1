/** Ten a minute and a hundred an hour at once: a steady caller, and callers of every kind. */
import { estimate, lab, lines, percent, table, whole } from 'loadpath/lab';
import { seeded } from 'loadpath/parts/balance';
import { JointLimiter } from 'loadpath/parts/limit/joint';
import { take } from 'loadpath/parts/limit/limiter';
import { SlidingLog } from 'loadpath/parts/limit/sliding-log';

const second = 1_000_000;
const minute = 60 * second;
const hour = 60 * minute;

const both = () =>
  new JointLimiter([
    new SlidingLog({ limit: 10, windowUs: minute }),
    new SlidingLog({ limit: 100, windowUs: hour }),
  ]);

/** The most in any span as long as `spanUs`. */
function mostWithin(instants: readonly number[], spanUs: number): number {
  let most = 0;
  for (let first = 0, last = 0; last < instants.length; last++) {
    while (instants[last]! - instants[first]! >= spanUs) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** Two hours of somebody who now rushes, now rests. */
function capricious(seed: number) {
  const random = seeded(seed).fork('caller');
  const limiter = both();
  const admitted: number[] = [];
  let asked = 0;
  for (let now = 0; now < 2 * hour; ) {
    now += random.chance(0.05)
      ? random.between(minute, 15 * minute)
      : random.between(1, 8 * second);
    asked++;
    if (take(limiter, now) === 0) admitted.push(now);
  }
  return {
    inMinute: mostWithin(admitted, minute),
    inHour: mostWithin(admitted, hour),
    passed: admitted.length / asked,
  };
}

export default lab({
  id: 'lab-multi-limit',
  claims: ['lab-multi-limit'],
  title: 'Ten a minute and a hundred an hour',
  claim: 'Several limits hold together: 10 a minute and 100 an hour.',
  question:
    'What does a caller who asks exactly ten times a minute get from both limits, and do both hold for any caller?',
  method:
    'Both limits are sliding logs behind a joint limiter, which spends from both or from none. One caller asks every 6 s for two hours. Others rush and rest at random; of each the most in any minute and in any hour is counted.',
  advice:
    'The short limit stops bursts, the long one stops patience: give both. Who uses the short one fully is out after ten minutes, so tell clients about both (the RateLimit fields can), or they will think that ten a minute is what they have.',
  expected: 'true',
  seeds: { full: 100, small: 20 },
  measure({ seeds }) {
    const limiter = both();
    const admitted: number[] = [];
    const waits: number[] = [];
    for (let now = 0; now < 2 * hour; now += 6 * second) {
      const waitUs = take(limiter, now);
      if (waitUs === 0) admitted.push(now);
      else waits.push(waitUs);
    }
    const runs = seeds.map(capricious);
    return {
      curve: Array.from({ length: 121 }, (_, at) => [
        at,
        admitted.filter((one) => one <= at * minute).length,
      ]) as [number, number][],
      stoppedAtMin: (admitted[99]! + 6 * second) / minute,
      firstHour: admitted.filter((at) => at < hour).length,
      waitMin: waits[0]! / minute,
      inMinute: Math.max(...runs.map((run) => run.inMinute)),
      inHour: Math.max(...runs.map((run) => run.inHour)),
      passed: estimate(runs.map((run) => run.passed)),
      callers: runs.length,
    };
  },
  verdict({ stoppedAtMin, firstHour, waitMin, inMinute, inHour, callers }) {
    return {
      verdict: firstHour === 100 && inMinute <= 10 && inHour <= 100 ? 'true' : 'false',
      why: `Asking ten times a minute, a caller is stopped after ${whole(stoppedAtMin)} minutes with ${firstHour} requests and told to wait ${whole(waitMin)} minutes. Of ${callers} capricious callers none got more than ${inMinute} into any minute or ${inHour} into any hour.`,
    };
  },
  figures: ({ curve, inMinute, inHour, passed }) => [
    lines({
      title: 'A caller who asks exactly ten times a minute',
      x: { label: 'time', unit: 'min' },
      y: { label: 'requests admitted so far' },
      series: [
        { name: 'both limits', points: curve, isStepped: true },
        {
          name: '10 a minute alone',
          points: [
            [0, 0],
            [20, 200],
          ],
        },
      ],
      level: { at: 100, name: '100 an hour' },
    }),
    table({
      title: 'Capricious callers over two hours',
      head: ['limit', 'most seen', 'allowed'],
      rows: [
        ['in any minute', inMinute, 10],
        ['in any hour', inHour, 100],
      ],
      note: `Of what they asked for ${percent(passed.mean)} passed.`,
    }),
  ],
});
