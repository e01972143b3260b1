/** Between virtual time and the width of the track. */
import type { Micros } from 'loadpath/studio';

export interface Scale {
  readonly fromUs: Micros;
  readonly untilUs: Micros;
  readonly width: number;
}

export function xOf(scale: Scale, us: Micros): number {
  const length = scale.untilUs - scale.fromUs;
  return length <= 0 ? 0 : ((us - scale.fromUs) / length) * scale.width;
}

export function usOf(scale: Scale, x: number): Micros {
  const share = scale.width <= 0 ? 0 : Math.max(0, Math.min(1, x / scale.width));
  return Math.round(scale.fromUs + share * (scale.untilUs - scale.fromUs));
}

/**
 * An instant in steps of a pixel of the screen, counted from `soughtUs`: where a playhead was sent
 * it stands exactly, however much time a pixel holds.
 */
export function wholePixels(scale: Scale, soughtUs: Micros, us: Micros, dpr: number): Micros {
  const length = scale.untilUs - scale.fromUs;
  if (length <= 0 || scale.width <= 0) return us;
  const pixelUs = length / (scale.width * dpr);
  return Math.round(soughtUs + Math.floor((us - soughtUs) / pixelUs) * pixelUs);
}

const stepsUs: readonly number[] = [
  1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1e6, 2e6, 5e6, 10e6, 15e6,
  30e6, 60e6, 120e6, 300e6, 600e6, 900e6, 1_800e6, 3_600e6, 7_200e6, 21_600e6, 86_400e6,
];

/** Round instants, at least `leastPx` apart. */
export function ticksOf(scale: Scale, leastPx = 70): readonly Micros[] {
  const length = scale.untilUs - scale.fromUs;
  if (length <= 0 || scale.width <= 0) return [];
  const leastUs = (length / scale.width) * leastPx;
  const stepUs = stepsUs.find((step) => step >= leastUs) ?? stepsUs.at(-1)!;
  const ticks: Micros[] = [];
  for (let us = Math.ceil(scale.fromUs / stepUs) * stepUs; us <= scale.untilUs; us += stepUs) {
    ticks.push(us);
  }
  return ticks;
}
