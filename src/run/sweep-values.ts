/**
 * The values of a sweep as people write them: `1..8`, `100/s..1000/s step 100/s`, `10ms..640ms x2`,
 * `eventual, atomic`. Parts stand between commas, in any mix.
 */
import { parseBytes, parseDuration, parseRate, ratePerSec } from '../kit/units.ts';

export interface SweepValue {
  readonly text: string;
  /** For the axis: plain numbers as they are, rates a second, durations in milliseconds, else the place in the list. */
  readonly x: number;
}

export const sweepValuesMax = 200;

export const sweepValuesForm =
  "values such as '1..8', '100/s..1000/s step 100/s', '10ms..640ms x2' or 'eventual, atomic'";

/** In their order, each once; undefined when the text is none, or comes to too many. */
export function parseValues(text: string): readonly SweepValue[] | undefined {
  const parts = text.split(',').map((part) => part.trim());
  const texts: string[] = [];
  for (const part of parts) {
    const range = part.includes('..') ? rangeOf(part) : part === '' ? undefined : [part];
    if (!range || texts.length + range.length > sweepValuesMax) return undefined;
    texts.push(...range);
  }
  const values = [...new Set(texts)];
  const numbers = values.map(numberOf);
  const isAxis = numbers.every((number) => number !== undefined);
  return values.map((value, index) => ({ text: value, x: isAxis ? numbers[index]! : index }));
}

const number = '(\\d+(?:\\.\\d+)?)';
const unit = '([a-zA-Z/%]*)';
const range = new RegExp(
  `^${number}\\s*${unit}\\s*\\.\\.\\s*${number}\\s*${unit}(?:\\s+step\\s+${number}\\s*${unit}|\\s+[x×]\\s*${number})?$`,
);

/** From, to and step are of one unit, which the first may leave out: `100..500/s`. */
function rangeOf(text: string): readonly string[] | undefined {
  const match = range.exec(text);
  if (!match) return undefined;
  const [, from, fromUnit, to, toUnit = '', step, stepUnit, factor] = match;
  const units = [fromUnit, stepUnit].filter((one) => one !== undefined && one !== '');
  if (units.some((one) => one !== toUnit)) return undefined;
  const [first, last] = [Number(from), Number(to)];
  // Without a step: by one, or by tenths of the way where that would be too coarse or too much.
  const isCount = toUnit === '' && Number.isInteger(first) && Number.isInteger(last);
  const by = step === undefined ? (isCount ? 1 : (last - first) / 10) : Number(step);
  const times = factor === undefined ? undefined : Number(factor);
  if (last < first || (times === undefined ? by <= 0 : times <= 1 || first <= 0)) {
    return first === last ? [`${first}${toUnit}`] : undefined;
  }
  const found: string[] = [];
  // Half a step of slack, for what fractions lose on the way.
  const end = times === undefined ? last + by * 1e-6 : last * (1 + 1e-9);
  for (let index = 0; found.length <= sweepValuesMax; index++) {
    const value = times === undefined ? first + index * by : first * times ** index;
    if (value > end) return found;
    found.push(`${Number(value.toPrecision(12))}${toUnit}`);
  }
  return undefined;
}

function numberOf(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  if (/^\d+(\.\d+)?%$/.test(text)) return Number(text.slice(0, -1));
  const rate = parseRate(text);
  if (rate) return ratePerSec(rate);
  const us = parseDuration(text);
  return us === undefined ? parseBytes(text) : us / 1_000;
}
