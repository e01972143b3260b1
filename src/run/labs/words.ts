/** Numbers as sentences and axes have them: three digits, and a unit that fits. */
import type { Estimate } from '../summary.ts';

/** `12,346`, `1.23`, `0.0456`: three digits at least, all those before the point. */
export function digits(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '∞';
  if (Math.abs(value) >= 1_000) return whole(value);
  return String(Number(value.toPrecision(3)));
}

export function whole(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** From milliseconds: `0.42 ms`, `85 ms`, `3.2 s`, `5 min`. */
export function ms(value: number): string {
  if (value >= 120_000) return `${digits(value / 60_000)} min`;
  return value >= 10_000 ? `${digits(value / 1_000)} s` : `${digits(value)} ms`;
}

/** From a ratio. What is not quite all or nothing never reads so. */
export function percent(ratio: number): string {
  const value = ratio * 100;
  const text = value > 99 && value < 100 ? Number(value.toFixed(3)) : Number(value.toPrecision(3));
  if (text === 100 && value < 100) return '> 99.999 %';
  return `${text} %`;
}

/** `1.23 ± 0.04`; without an interval the mean alone. */
export function within({ mean, plusMinus }: Estimate, show: (value: number) => string = digits) {
  return plusMinus === null || plusMinus === 0 ? show(mean) : `${show(mean)} ± ${show(plusMinus)}`;
}

/** `a, b and c`. */
export function listed(texts: readonly string[]): string {
  if (texts.length < 2) return texts.join('');
  return `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`;
}
