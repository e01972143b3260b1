/** Figures as the terminal shows them: three digits are enough to compare, and fit a column. */

export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

export function perSec(value: number): string {
  return `${value < 100 ? digits(value) : count(value)}/s`;
}

export function ms(value: number): string {
  if (value === 0) return '0ms';
  if (value >= 10_000) return `${digits(value / 1_000)}s`;
  return value >= 0.1 ? `${digits(value)}ms` : `${digits(value * 1_000)}us`;
}

/** Enough decimals that 99.95 % and 100 % stay apart. */
export function percent(ratio: number): string {
  const value = ratio * 100;
  if (value === 100 || value === 0) return `${value}%`;
  const decimals = value > 99 ? 3 : value >= 10 ? 1 : 2;
  const text = value.toFixed(decimals);
  // Rounding must not claim that everything succeeded, or nothing.
  if (Number(text) === 100) return '> 99.999%';
  return Number(text) === 0 ? '< 0.01%' : `${Number(text)}%`;
}

/** `75` seconds are `1:15`. */
export function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

export function seconds(value: number): string {
  if (value < 1) return `${digits(value * 1_000)}ms`;
  return value < 120 ? `${digits(value)}s` : clock(value);
}

export function digits(value: number): string {
  if (Math.abs(value) >= 1_000) return count(value);
  return String(Number(value.toPrecision(3)));
}
