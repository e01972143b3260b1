/** From values to places, and the round numbers written beside them. */

export interface Axis {
  readonly min: number;
  readonly max: number;
  readonly log: boolean;
  readonly ticks: readonly number[];
}

/** From zero to a little above the greatest value, in 3 to `tickCount` round steps. */
export function linearAxis(greatest: number, tickCount = 5): Axis {
  const step = roundStep((greatest > 0 ? greatest : 1) / tickCount);
  const max = Math.max(step, Math.ceil(greatest / step - 1e-6) * step);
  const ticks: number[] = [];
  for (let i = 0; i * step <= max * 1.0001; i++) ticks.push(tidy(i * step));
  return { min: 0, max, log: false, ticks };
}

/** Between two values as they are, with round numbers inside: for time, and for what is swept. */
export function spanAxis(min: number, max: number, tickCount = 6): Axis {
  const end = max > min ? max : min + 1;
  const step = roundStep((end - min) / tickCount);
  const ticks: number[] = [];
  for (let i = Math.ceil(min / step - 1e-9); i * step <= end * (1 + 1e-9); i++) {
    ticks.push(tidy(i * step));
  }
  return { min, max: end, log: false, ticks };
}

/** Whole powers of ten around the values; with few of them also their doubles and fives. */
export function logAxis(least: number, greatest: number): Axis {
  const low = Math.floor(Math.log10(Math.max(least, 1e-9)) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(greatest, least, 1e-9)) - 1e-9));
  const parts = high - low <= 2 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = low; power <= high; power++) {
    for (const part of parts) {
      const tick = tidy(part * 10 ** power);
      if (tick <= 10 ** high * 1.0001) ticks.push(tick);
    }
  }
  return { min: 10 ** low, max: 10 ** high, log: true, ticks };
}

/** Where a value lies, 0 at the axis' beginning and 1 at its end. */
export function placeOn(axis: Axis, value: number): number {
  if (!axis.log) return (value - axis.min) / (axis.max - axis.min);
  const low = Math.log(axis.min);
  return (Math.log(Math.max(value, axis.min)) - low) / (Math.log(axis.max) - low);
}

/** The next of 1, 2, 5, 10, 20, 50 …: steps that people count in. */
export function roundStep(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(atLeast));
  const part = [1, 2, 5].find((candidate) => candidate * power >= atLeast * 0.9999) ?? 10;
  return tidy(part * power);
}

/** 0.30000000000000004 is 0.3. */
function tidy(value: number): number {
  return Number(value.toPrecision(12));
}
