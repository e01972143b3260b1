/**
 * Values with units, as people write them (`'250ms'`, `'10/min'`, `'64MB'`), and as the
 * code keeps them: whole microseconds, a count a period, whole bytes.
 */
import type { Micros } from '../host/host.ts';

export type DurationText = `${number}${'us' | 'ms' | 's' | 'm' | 'min' | 'h' | 'd'}`;
export type RateText = `${number}/${'s' | 'min' | 'm' | 'h' | 'd' | 'ms'}`;
export type BytesText =
  `${number}${'B' | 'kB' | 'KB' | 'MB' | 'GB' | 'TB' | 'KiB' | 'MiB' | 'GiB'}`;

/** `count` events every `periodUs` microseconds. Kept apart, so that no fraction is lost. */
export type Rate = {
  readonly count: number;
  readonly periodUs: Micros;
};

const durationUs: Readonly<Record<string, number>> = {
  us: 1,
  ms: 1_000,
  s: 1_000_000,
  m: 60_000_000,
  min: 60_000_000,
  h: 3_600_000_000,
  d: 86_400_000_000,
};

const byteSizes: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

const numberThenUnit = /^(\d+(?:\.\d+)?)\s*([a-zA-Z]+)$/;

/** Whole microseconds, or undefined when the text is not a duration. `'0.4ms'` is 400. */
export function parseDuration(text: string): Micros | undefined {
  const match = numberThenUnit.exec(text.trim());
  if (!match) return undefined;
  const unit = durationUs[match[2]!];
  return unit === undefined ? undefined : Math.round(Number(match[1]) * unit);
}

/** `'100/s'`, `'10/min'`; fractions are widened to whole counts: `'0.5/s'` is 5 every 10 s. */
export function parseRate(text: string): Rate | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*\/\s*([a-z]+)$/.exec(text.trim());
  if (!match) return undefined;
  const unit = durationUs[match[2]!];
  if (unit === undefined) return undefined;
  let count = Number(match[1]);
  let periodUs = unit;
  for (let tries = 0; !Number.isInteger(count) && tries < 6; tries++) {
    count = Number((count * 10).toFixed(6));
    periodUs *= 10;
  }
  return { count: Math.round(count), periodUs };
}

export function parseBytes(text: string): number | undefined {
  const match = numberThenUnit.exec(text.trim());
  if (!match) return undefined;
  const unit = byteSizes[match[2]!];
  return unit === undefined ? undefined : Math.round(Number(match[1]) * unit);
}

export function ratePerSec(rate: Rate): number {
  return (rate.count * 1e6) / rate.periodUs;
}

/** `1_234_567` is `1234.567ms`: `parseDuration` gives back the same, to the microsecond. */
export function durationText(us: Micros): DurationText {
  if (us < 1_000) return `${us}us`;
  return us >= 1_000_000 && us % 1_000 === 0 ? `${us / 1_000_000}s` : `${us / 1_000}ms`;
}

/** `1_500` is `1.5ms`. Three significant digits: for people, not for parsing back. */
export function formatDuration(us: Micros): string {
  const magnitude = Math.abs(us);
  if (magnitude < 1_000) return `${short(us)}us`;
  if (magnitude < 1_000_000) return `${short(us / 1_000)}ms`;
  if (magnitude < 60_000_000) return `${short(us / 1_000_000)}s`;
  if (magnitude < 3_600_000_000) return `${short(us / 60_000_000)}min`;
  if (magnitude < 86_400_000_000) return `${short(us / 3_600_000_000)}h`;
  return `${short(us / 86_400_000_000)}d`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1e3) return `${bytes}B`;
  if (bytes < 1e6) return `${short(bytes / 1e3)}kB`;
  if (bytes < 1e9) return `${short(bytes / 1e6)}MB`;
  if (bytes < 1e12) return `${short(bytes / 1e9)}GB`;
  return `${short(bytes / 1e12)}TB`;
}

export function formatRate(rate: Rate): string {
  const units = ['ms', 's', 'min', 'h', 'd'];
  const unit = units.find((name) => durationUs[name] === rate.periodUs);
  return unit ? `${rate.count}/${unit}` : `${short(ratePerSec(rate))}/s`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
