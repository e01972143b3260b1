/** A token bucket of ten a second: what passes after a pause, and in the long run. */
import { digits, lab, lines, table, whole } from 'loadpath/lab';
import { Gcra } from 'loadpath/parts/limit/gcra';
import { take } from 'loadpath/parts/limit/limiter';

const second = 1_000_000;
const perSec = 10;
const burst = 20;

const bucket = () => new Gcra({ rate: { count: perSec, periodUs: second }, burst });

/** Asks every millisecond from `from` to `until`: whoever does gets all that there is. */
function greedy(from: number, until: number): number[] {
  const limiter = bucket();
  const admitted: number[] = [];
  for (let at = from; at < until; at += 1_000) if (take(limiter, at) === 0) admitted.push(at);
  return admitted;
}

function mostWithin(instants: readonly number[], spanUs: number): number {
  let most = 0;
  for (let first = 0, last = 0; last < instants.length; last++) {
    while (instants[last]! - instants[first]! > spanUs) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

const spans = [0, 0.1, 0.5, 1, 2, 5, 10, 20, 30, 60];

export default lab({
  id: 'lab-tb-rate',
  claims: ['lab-tb-rate'],
  title: 'A token bucket is exact in the long run only',
  claim:
    'Ten requests a second are one token every 100 ms: a precise rate, bursts up to the capacity, and tokens beyond it are lost.',
  question:
    'A bucket of 20 tokens is filled at 10 a second. What passes at once after a minute of silence, what afterwards, and how far from ten a second may any span of time be?',
  method:
    'After 60 s of silence a caller asks every millisecond for ten minutes, so that nothing which could pass is missed. Counted are the requests that pass at the first instant, the gaps between the later ones, and the most in any span of each length.',
  advice:
    'Size what stands behind a token bucket for burst + rate × time, not for the rate: in the first second this one lets three times its rate through. Where no second may exceed ten, set the burst to 1, or take a sliding log.',
  expected: 'true',
  measure() {
    const admitted = greedy(60 * second, 660 * second);
    const atOnce = admitted.filter((at) => at === admitted[0]).length;
    // The caller asks once a millisecond: the burst is what passes before the first gap of 100 ms.
    let inBurst = 1;
    while (admitted[inBurst]! - admitted[inBurst - 1]! < 50_000) inBurst++;
    const gaps = admitted.slice(inBurst + 1).map((at, i) => at - admitted[inBurst + i]!);
    const limiter = bucket();
    let together = 0;
    for (let i = 0; i < 100; i++) if (take(limiter, 60 * second) === 0) together++;
    return {
      atOnce,
      together,
      gapMinMs: Math.min(...gaps) / 1_000,
      gapMaxMs: Math.max(...gaps) / 1_000,
      longRun: admitted.length / 600,
      spans: spans.map((span) => ({ span, most: mostWithin(admitted, span * second) })),
    };
  },
  verdict({ together, gapMinMs, gapMaxMs, longRun, spans: most }) {
    const lawful = most.every((one) => one.most <= burst + perSec * one.span);
    const exact = together === burst && gapMinMs === 100 && gapMaxMs === 100 && lawful;
    const oneSecond = most.find(({ span }) => span === 1)!.most;
    return {
      verdict: exact ? 'true' : 'false',
      why: `After a minute of silence ${together} of 100 pass at once, then one every ${gapMinMs === gapMaxMs ? gapMinMs : `${gapMinMs} to ${gapMaxMs}`} ms; over ten minutes that is ${digits(longRun)} a second. No span exceeds ${burst} + ${perSec} × its seconds, but within one second ${oneSecond} pass: the rate is precise in the long run only.`,
    };
  },
  figures: ({ spans: most }) => [
    lines({
      title: 'The most that passes within any span of time',
      x: { label: 'length of the span', unit: 's' },
      y: { label: 'requests' },
      series: [
        { name: 'measured', points: most.map(({ span, most: count }) => [span, count]) },
        { name: 'law: 20 + 10 × t', points: spans.map((span) => [span, burst + perSec * span]) },
        { name: 'the rate alone: 10 × t', points: spans.map((span) => [span, perSec * span]) },
      ],
    }),
    table({
      title: 'In numbers',
      head: ['span', 'most admitted', 'law', 'rate alone'],
      rows: most.map(({ span, most: count }) => [
        `${span} s`,
        whole(count),
        whole(burst + perSec * span),
        whole(perSec * span),
      ]),
    }),
  ],
});
