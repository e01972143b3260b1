/**
 * Values as small numbers: judges compare values millions of times, and a value that travelled
 * through a codec is equal to what was sent but not the same object.
 */
import type { Value } from '../host/host.ts';

/** The id of null: absent, never written. */
export const nothing = 0;

export class Values {
  readonly #ids = new Map<string | number | boolean | bigint | null, number>([[null, nothing]]);
  readonly #values: Value[] = [null];

  idOf(value: Value | undefined): number {
    if (value === undefined || value === null) return nothing;
    // A composite's text begins with a character that no client writes, so that it never meets a string.
    const identity = typeof value === 'object' ? `\u0000${canonical(value)}` : value;
    const known = this.#ids.get(identity);
    if (known !== undefined) return known;
    const id = this.#values.length;
    this.#ids.set(identity, id);
    this.#values.push(value);
    return id;
  }

  valueOf(id: number): Value {
    return this.#values[id] ?? null;
  }

  get size(): number {
    return this.#values.length;
  }
}

/** A text equal for equal values: names sorted, bytes and bigints told apart from text and numbers. */
export function canonical(value: Value | undefined): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object') return String(value);
  if (value instanceof Uint8Array) return `<${Array.from(value).join(' ')}>`;
  if (isList(value)) return `[${value.map(canonical).join(',')}]`;
  const fields: string[] = [];
  for (const name of Object.keys(value).sort()) {
    const field = value[name];
    if (field !== undefined) fields.push(`${JSON.stringify(name)}:${canonical(field)}`);
  }
  return `{${fields.join(',')}}`;
}

export function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

/** A value's field, or undefined when it is not a record or has none. */
export function fieldOf(value: Value | undefined, name: string): Value | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (value instanceof Uint8Array || isList(value)) return undefined;
  return value[name];
}

/** Short enough for a line: `'abc'`, `{"url":"https://exa…`. */
export function showValue(value: Value | undefined, charsMax = 32): string {
  const text =
    typeof value === 'string' ? `'${value}'` : value === undefined ? 'null' : canonical(value);
  return text.length > charsMax ? `${text.slice(0, charsMax - 1)}…` : text;
}
