/** Headers as messages carry them: name, value, name, value …, names in lower case. */

/** The first of this name. */
export function headerOf(headers: readonly string[], name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return headers[i + 1];
  return undefined;
}

/** Those whose name is not among `names`. The same list when there is none to leave out. */
export function withoutHeaders(
  headers: readonly string[],
  names: ReadonlySet<string>,
): readonly string[] {
  let kept: string[] | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    if (names.has(headers[i]!)) kept ??= headers.slice(0, i);
    else kept?.push(headers[i]!, headers[i + 1]!);
  }
  return kept ?? headers;
}

/** A list such as `Vary` or `Accept-Encoding`, with one more name in it. */
export function withListed(headers: readonly string[], name: string, listed: string): string[] {
  const next = [...headers];
  for (let i = 0; i < next.length; i += 2) {
    if (next[i] !== name) continue;
    const has = next[i + 1]!.toLowerCase().split(/\s*,\s*/);
    if (!has.includes(listed) && !has.includes('*')) next[i + 1] += `, ${listed}`;
    return next;
  }
  next.push(name, listed);
  return next;
}

/** RFC 6265, 5.4: the first of this name. */
export function cookieOf(headers: readonly string[], name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== 'cookie') continue;
    for (const pair of headers[i + 1]!.split(';')) {
      const equals = pair.indexOf('=');
      if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
    }
  }
  return undefined;
}

/** `application/json; charset=utf-8` is `application/json`. */
export function mediaTypeOf(value: string | undefined): string {
  if (value === undefined) return '';
  const end = value.indexOf(';');
  return (end < 0 ? value : value.slice(0, end)).trim().toLowerCase();
}
