/**
 * Reading header fields of HTTP (RFC 9110, 5): a list of name, value, name, value …, names in lower
 * case, as `host/web.ts` has them. Whatever is malformed counts as the careful reading of it.
 */
import type { Micros } from '../../host/host.ts';

export type Fields = readonly string[];

/** All values of a name as one, joined as RFC 9110, 5.3 says; undefined when there is none. */
export function field(fields: Fields, name: string): string | undefined {
  let found: string | undefined;
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (fields[i] !== name) continue;
    found = found === undefined ? fields[i + 1] : `${found}, ${fields[i + 1]}`;
  }
  return found;
}

export function without(fields: Fields, names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (!names.has(fields[i]!)) kept.push(fields[i]!, fields[i + 1]!);
  }
  return kept;
}

/** Directives by name in lower case, '' where there is no argument. The first of two counts (RFC 9111, 4.2.1). */
export type Directives = ReadonlyMap<string, string>;

const none: Directives = new Map();
const directive = /([^\s,;="]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;]*)))?\s*(?:,|;[^,]*,?|$)/g;

/** `Cache-Control` and the like. Parameters after `;`, as RFC 9213 has them, are passed over. */
export function directivesOf(text: string | undefined): Directives {
  if (text === undefined) return none;
  const found = new Map<string, string>();
  for (const [, name, quoted, plain] of text.matchAll(directive)) {
    const key = name!.toLowerCase();
    if (!found.has(key)) found.set(key, quoted ?? plain ?? '');
  }
  return found;
}

/** RFC 9111, 1.2.2: what is larger than a cache can count is taken as 2³¹ seconds. */
const secondsMax = 2 ** 31;

/** Whole seconds as microseconds. What is no number counts as 0: stale at once. */
export function secondsOf(directives: Directives, name: string): Micros | undefined {
  const text = directives.get(name);
  if (text === undefined) return undefined;
  return secondsIn(text) ?? 0;
}

export function secondsIn(text: string): Micros | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  return Math.min(Number(text), secondsMax) * 1_000_000;
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** `Sun, 06 Nov 1994 08:49:37 GMT`, the only form that may be sent. */
const fixed = /^\w{3}, (\d{2}) (\w{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/i;
/** `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`, which must still be read. */
const rfc850 = /^\w{6,9}, (\d{2})-(\w{3})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT$/i;
const asctime = /^\w{3} (\w{3}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/i;

/** Microseconds since 1970 of an HTTP date (RFC 9110, 5.6.7); undefined for anything else. */
export function dateOf(text: string | undefined): Micros | undefined {
  if (text === undefined) return undefined;
  const today = fixed.exec(text);
  if (today) return at(today[3]!, today[2]!, today[1]!, today[4]!, today[5]!, today[6]!);
  const old = rfc850.exec(text);
  if (old) {
    // Two digits: those that have not come yet belong to the last century.
    const year = String(Number(old[3]) + (Number(old[3]) < 70 ? 2_000 : 1_900));
    return at(year, old[2]!, old[1]!, old[4]!, old[5]!, old[6]!);
  }
  const oldest = asctime.exec(text);
  if (!oldest) return undefined;
  return at(oldest[6]!, oldest[1]!, oldest[2]!, oldest[3]!, oldest[4]!, oldest[5]!);
}

function at(
  year: string,
  month: string,
  day: string,
  hour: string,
  minute: string,
  second: string,
): Micros | undefined {
  const index = months.indexOf(month.toLowerCase());
  if (index < 0) return undefined;
  const ms = Date.UTC(
    Number(year),
    index,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  return Number.isNaN(ms) ? undefined : ms * 1_000;
}

/** Tags to purge by: `Surrogate-Key` (spaces between) and `Cache-Tag` (commas between). */
export function tagsOf(fields: Fields): readonly string[] {
  const spaced = field(fields, 'surrogate-key')?.split(/[\s,]+/) ?? [];
  const listed = field(fields, 'cache-tag')?.split(',') ?? [];
  const tags = [...spaced, ...listed].map((tag) => tag.trim()).filter((tag) => tag !== '');
  return [...new Set(tags)];
}

/** Whether a list of entity tags names `etag`, compared weakly (RFC 9110, 13.1.2). */
export function isTagListed(list: string, etag: string): boolean {
  if (list.trim() === '*') return true;
  const wanted = etag.replace(/^W\//, '');
  return [...list.matchAll(/(?:W\/)?("[^"]*")/g)].some(([, opaque]) => opaque === wanted);
}
