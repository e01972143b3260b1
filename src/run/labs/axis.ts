/** Where values stand on an axis, and which of them get a tick. */
import type { Axis } from './figure.ts';
import { digits } from './words.ts';

export interface Scale {
  /** From `from` to `to`, in the picture's units. */
  place(value: number): number;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
}

const decadesMin = 1.2;

export function scaleOf(
  axis: Axis,
  values: readonly number[],
  [from, to]: readonly [number, number],
  ticksMax = 7,
): Scale {
  const finite = values.filter(Number.isFinite);
  return axis.scale === 'log'
    ? logarithmic(axis, finite, from, to, ticksMax)
    : linear(axis, finite, from, to, ticksMax);
}

function linear(
  axis: Axis,
  values: readonly number[],
  from: number,
  to: number,
  ticksMax: number,
): Scale {
  // From zero on unless the lab says otherwise: differences look larger than they are without it.
  let low = axis.min ?? Math.min(0, ...values);
  let high = axis.max ?? Math.max(0, ...values);
  if (high <= low) high = low + 1;
  const step = niceStep((high - low) / ticksMax);
  low = axis.min ?? Math.floor(low / step) * step;
  high = axis.max ?? Math.ceil(high / step - 1e-9) * step;
  const ticks: number[] = [];
  for (let turn = Math.ceil(low / step - 1e-9); turn * step <= high + step * 1e-9; turn++) {
    ticks.push(turn * step);
  }
  return {
    place: (value) => from + ((value - low) / (high - low)) * (to - from),
    ticks: ticks.map((at) => ({ at, text: digits(Math.abs(at) < step * 1e-9 ? 0 : at) })),
  };
}

/** 1, 2 or 5 times a power of ten, not below `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least - 1e-12)!;
}

function logarithmic(
  axis: Axis,
  values: readonly number[],
  from: number,
  to: number,
  ticksMax: number,
): Scale {
  const positive = values.filter((value) => value > 0);
  const low = Math.log10(axis.min ?? Math.min(...positive, 1e9));
  let high = Math.log10(axis.max ?? Math.max(...positive, 1e-9));
  if (high <= low) high = low + 1;
  const place = (value: number) =>
    from + ((Math.log10(Math.max(value, 10 ** low)) - low) / (high - low)) * (to - from);
  const factors = high - low < decadesMin ? [1, 2, 3, 5, 7] : high - low < 3 ? [1, 2, 5] : [1];
  let ticks: number[] = [];
  for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
    for (const factor of factors) {
      const at = factor * 10 ** power;
      if (Math.log10(at) >= low - 1e-9 && Math.log10(at) <= high + 1e-9) ticks.push(at);
    }
  }
  while (ticks.length > ticksMax) ticks = ticks.filter((_, index) => index % 2 === 0);
  return { place, ticks: ticks.map((at) => ({ at, text: digits(at) })) };
}
