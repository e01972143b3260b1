/** Figures as people read them: three digits, a unit, thin spaces, no surprises at zero. */
import { formatDuration, type Micros } from 'loadpath/studio';

/** A space that does not break and takes little room, between a figure and its unit. */
const thin = '\u202f';

/** `412us` → `412 µs`, `3.27 ms`, `1.5 min`. */
export function durationText(us: Micros): string {
  const text = formatDuration(Math.round(us));
  const [, figure = text, unit = ''] = /^(-?[\d.e+]+)([a-z]+)$/.exec(text) ?? [];
  return `${figure}${thin}${unit === 'us' ? 'µs' : unit}`;
}

export function msText(ms: number): string {
  return durationText(ms * 1_000);
}

/** Where one is in a run: `0:12.3`, `1:02:03`; tenths as long as they say something. */
export function clockText(us: Micros, tenths = true): string {
  const total = Math.max(0, us) / 1e6;
  const whole = Math.floor(total);
  const hours = Math.floor(whole / 3_600);
  const minutes = Math.floor((whole % 3_600) / 60);
  const seconds = String(whole % 60).padStart(2, '0');
  const rest = tenths && hours === 0 ? `.${Math.floor((total - whole) * 10 + 1e-6)}` : '';
  return hours > 0
    ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}`
    : `${minutes}:${seconds}${rest}`;
}

/** `502`, `1,204`, `12.3k`, `4.56M`. */
export function countText(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude < 10_000)
    return grouped(magnitude < 100 ? Number(value.toPrecision(3)) : Math.round(value));
  if (magnitude < 1e6) return `${three(value / 1e3)}k`;
  if (magnitude < 1e9) return `${three(value / 1e6)}M`;
  return `${three(value / 1e9)}G`;
}

/** Every digit: `1,204,311`. */
export function wholeText(value: number): string {
  return grouped(Math.round(value));
}

export function rateText(perSec: number): string {
  return `${countText(perSec)}/s`;
}

/** `99.97 %`. Never rounded to what it is not: only all is 100 %, only none is 0 %. */
export function shareText(ratio: number): string {
  const percent = ratio * 100;
  if (ratio >= 1) return `100${thin}%`;
  if (ratio <= 0) return `0${thin}%`;
  if (percent < 0.01) return `<${thin}0.01${thin}%`;
  // As many nines as it takes to be told from all of them.
  const digits =
    percent > 99 ? Math.min(6, Math.ceil(-Math.log10(1 - ratio))) : percent < 10 ? 2 : 1;
  return `${Number(percent.toFixed(digits))}${thin}%`;
}

/** The same with fewer and fewer decimals, for where there is little room: `1.14 ms`, `1.1 ms`, `1 ms`. */
export function shorterTexts(figure: string): readonly string[] {
  const [, whole = '0', decimals = '', rest = ''] = /^(\d+)\.(\d+)(.*)$/.exec(figure) ?? [];
  // Without its decimals a half would be one, or nothing.
  if (whole === '0') return [figure];
  const shorter = Array.from({ length: decimals.length }, (_, index) =>
    Number(`${whole}.${decimals}`).toFixed(decimals.length - 1 - index),
  );
  return [figure, ...shorter.map((digits) => `${digits}${rest}`)];
}

/** `1 fault`, `3 faults`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${wholeText(count)} ${count === 1 ? one : many}`;
}

function three(value: number): string {
  return String(Number(value.toPrecision(3)));
}

// Made once: `toLocaleString` makes one a call, which a graph of many figures would feel.
const grouping = new Intl.NumberFormat('en-US', { maximumFractionDigits: 3 });

function grouped(value: number): string {
  return grouping.format(value);
}
