/** How much downtime each number of nines allows, and how far one year may be from its mean. */
import { digits, estimate, lab, lines, listed, percent, table, whole } from 'loadpath/lab';
import { seeded } from 'loadpath/parts/balance';

const yearS = 365 * 24 * 3_600;
const nines = [0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999];
/** As tables of nines have them, in seconds a year. */
const stated = [3_153_600, 315_360, 31_536, 3_153.6, 315.36, 31.536];
const repairS = 300;

/** A year of a machine that fails at random and is repaired in five minutes, on average. */
function downtimeS(ratio: number, seed: number, years: number): number[] {
  const random = seeded(seed).fork(`${ratio}`);
  const exponential = (mean: number) => -Math.log(1 - random.next()) * mean;
  const upS = (repairS * ratio) / (1 - ratio);
  return Array.from({ length: years }, () => {
    let down = 0;
    for (let now = exponential(upS); now < yearS; ) {
      const lasts = Math.min(exponential(repairS), yearS - now);
      down += lasts;
      now += lasts + exponential(upS);
    }
    return down;
  });
}

function shown(seconds: number): string {
  if (seconds >= 86_400) return `${digits(seconds / 86_400)} days`;
  if (seconds >= 3_600) return `${digits(seconds / 3_600)} h`;
  return seconds >= 60 ? `${digits(seconds / 60)} min` : `${digits(seconds)} s`;
}

export default lab({
  id: 'lab-nines',
  claims: ['lab-nines'],
  title: 'What each nine allows',
  claim: 'A table of nines: 99.9 % are 31,536 seconds without service a year, and so on.',
  question:
    'Are the seconds of such tables right, does a machine that fails and is repaired at random come to them, and how many single years stay within them?',
  method:
    'The seconds are (1 − a) × 31,536,000, a year without leap days. Then a machine fails at random and is repaired in five minutes on average, with the time between failures that makes its availability a, over many years.',
  advice:
    'The allowance is a mean over years. With few, long outages about every second year breaks it although the machine is as good as promised: promise less than you expect, or make repairs short and many.',
  expected: 'true',
  seeds: { full: 10, small: 2 },
  measure: ({ seeds, pick }) =>
    nines.map((ratio, index) => {
      const runs = seeds.map((seed) => downtimeS(ratio, seed, pick(200, 40)));
      const all = runs.flat();
      const allowedS = (1 - ratio) * yearS;
      return {
        ratio,
        stated: stated[index]!,
        allowedS,
        seen: estimate(runs.map((run) => run.reduce((sum, one) => sum + one, 0) / run.length)),
        within: all.filter((one) => one <= allowedS).length / all.length,
      };
    }),
  verdict(found) {
    const right = found.every((one) => Math.abs(one.stated / one.allowedS - 1) < 0.001);
    // Rare outages need more years than a lab has: where there are some thousand, the mean must agree.
    const often = found.filter(({ ratio }) => ratio <= 0.9999);
    const agrees = often.every(({ seen, allowedS }) => Math.abs(seen.mean / allowedS - 1) < 0.1);
    const three = found.find(({ ratio }) => ratio === 0.999)!;
    const five = found.find(({ ratio }) => ratio === 0.99999)!;
    return {
      verdict: right && agrees ? 'true' : right ? 'partly' : 'false',
      why: `The table is right to its rounding (99.9 % allow ${whole(three.allowedS)} s a year), and a machine that fails at random comes to ${whole(three.seen.mean)} s on average; yet single years stay within their allowance in ${percent(three.within)} of cases at 99.9 %, and in ${percent(five.within)} at 99.999 %.`,
    };
  },
  figures: (found) => [
    lines({
      title: 'Years that stay within their allowance',
      x: { label: 'nines', min: 1, max: 6 },
      y: { label: 'share of years', unit: '%', min: 0, max: 100 },
      series: [
        {
          name: 'repair in five minutes on average',
          points: found.map(({ within }, index) => [index + 1, 100 * within] as const),
        },
      ],
    }),
    table({
      title: 'Time without service',
      head: ['availability', 'a year', 'a month', 'a day', 'measured a year', 'years within'],
      rows: found.map(({ ratio, allowedS, seen, within }) => [
        percent(ratio),
        shown(allowedS),
        shown(allowedS / 12),
        shown(allowedS / 365),
        shown(seen.mean),
        percent(within),
      ]),
      note: `Of ${listed(['a year', 'a month', 'a day'])}: a month is a twelfth of a year.`,
    }),
  ],
});
