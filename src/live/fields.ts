/**
 * Header lines of HTTP/1.1 (RFC 9110, 5; RFC 9112, 5): what may stand in them, and what stands in those that came.
 * By loops and by what was seen before, since this is done for each line of each message, four times on its way.
 */

const namesMax = 1_024;
const name = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Names as they came, and in lower case: the same text each time. */
const lower = new Map<string, string>();
const good = new Set<string>();

/** Of a text that is a name. */
export function lowerName(text: string): string {
  let known = lower.get(text);
  if (known === undefined) {
    known = text.toLowerCase();
    // Names may be invented: what is remembered of them has an end.
    if (lower.size >= namesMax) lower.clear();
    lower.set(text, known);
  }
  return known;
}

export function isName(text: string): boolean {
  if (good.has(text)) return true;
  if (!name.test(text)) return false;
  if (good.size >= namesMax) good.clear();
  good.add(text);
  return true;
}

/** Nothing that ends a line or a text; beyond ASCII a letter is a byte. */
export function isValue(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 32 ? code !== 9 : code === 127 || code > 255) return false;
  }
  return true;
}

/** From `begin` to `end` without the blanks around it. */
export function cutValue(text: string, begin: number, end: number): string {
  let from = begin;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
