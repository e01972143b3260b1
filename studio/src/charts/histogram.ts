/**
 * How often users waited how long: counts in steps of equal ratio, since latencies span several
 * powers of ten. From the exact buckets of a histogram, each given to the step its middle lies in.
 */
import { type Histogram, middleOf } from 'loadpath/studio';
import { durationText } from '../parts/format.ts';
import { type Axis, logAxis, placeOn } from '../parts/plot/axis.ts';

export interface Bar {
  readonly fromUs: number;
  readonly toUs: number;
  readonly count: number;
}

export interface LatencyBars {
  readonly axis: Axis;
  readonly bars: readonly Bar[];
  readonly count: number;
  readonly greatest: number;
  /** p50, p90, p99, p99.9, in this order. */
  readonly percentiles: readonly { readonly name: string; readonly us: number }[];
}

/** Steps in a power of ten: fine enough to show two humps, coarse enough for a narrow panel. */
const stepsPerPower = 16;

export function latencyBars(histogram: Histogram): LatencyBars | undefined {
  if (histogram.count === 0) return undefined;
  const axis = logAxis(Math.max(1, histogram.min), Math.max(2, histogram.max));
  const stepCount = Math.round(Math.log10(axis.max / axis.min) * stepsPerPower);
  const edge = (step: number) => axis.min * 10 ** (step / stepsPerPower);
  const counts = new Array<number>(stepCount).fill(0);
  const { bits, buckets } = histogram.toJSON();
  for (let i = 0; i + 1 < buckets.length; i += 2) {
    const us = Math.min(histogram.max, Math.max(histogram.min, middleOf(buckets[i]!, bits)));
    const step = Math.min(
      stepCount - 1,
      Math.max(0, Math.floor(placeOn(axis, Math.max(us, axis.min)) * stepCount)),
    );
    counts[step]! += buckets[i + 1]!;
  }
  return {
    axis,
    bars: counts.map((count, step) => ({ fromUs: edge(step), toUs: edge(step + 1), count })),
    count: histogram.count,
    greatest: Math.max(...counts),
    percentiles: [
      ['p50', 50],
      ['p90', 90],
      ['p99', 99],
      ['p99.9', 99.9],
    ].map(([name, percent]) => ({
      name: String(name),
      us: histogram.percentile(Number(percent)),
    })),
  };
}

/** What the bars show, for who does not see them. */
export function barsInWords({ count, percentiles }: LatencyBars): string {
  const told = percentiles.map(({ name, us }) => `${name} ${durationText(us)}`).join(', ');
  return `${count} completed requests: ${told}`;
}
