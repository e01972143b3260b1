/**
 * Expressions of TypeScript, laid out as Biome and Prettier do with lines of 100 columns and
 * single quotes: on one line when it fits, else one entry a line, the last object of a call hugged.
 */
export type Code =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'list'; readonly items: readonly Code[] }
  | { readonly is: 'object'; readonly fields: readonly (readonly [string, Code])[] }
  | { readonly is: 'call'; readonly name: string; readonly args: readonly Code[] };

const columnsMax = 100;

export function text(written: string): Code {
  return { is: 'text', text: written };
}

export function object(fields: readonly (readonly [string, Code])[]): Code {
  return { is: 'object', fields };
}

export function list(items: readonly Code[]): Code {
  return { is: 'list', items };
}

export function invoke(name: string, ...args: readonly Code[]): Code {
  return { is: 'call', name, args };
}

/** Data as it would be written. */
export function literal(value: unknown): Code {
  if (Array.isArray(value)) return list(value.map(literal));
  if (typeof value === 'object' && value !== null) {
    return object(Object.entries(value).map(([name, field]) => [name, literal(field)]));
  }
  return text(typeof value === 'string' ? quoted(value) : String(value));
}

/** `head` and the expression and `;`, as one statement. */
export function statement(head: string, code: Code): string {
  return `${head}${laidOut(code, '', head.length, 1)};\n`;
}

/** `import { a, b } from 'x';` */
export function importOf(names: readonly string[], from: string): string {
  const line = `import { ${names.join(', ')} } from ${quoted(from)};\n`;
  if (line.length <= columnsMax + 1) return line;
  return `import {\n${names.map((name) => `  ${name},\n`).join('')}} from ${quoted(from)};\n`;
}

/** `column` is where it begins, `after` how much follows on its last line. */
function laidOut(code: Code, indent: string, column: number, after: number): string {
  const line = flat(code);
  if (!isTall(code) && column + line.length + after <= columnsMax) return line;
  const inner = `${indent}  `;
  const each = (parts: readonly Code[]): string =>
    parts.map((part) => `${inner}${laidOut(part, inner, inner.length, 1)},\n`).join('');
  switch (code.is) {
    case 'text':
      return code.text;
    case 'list':
      return code.items.length === 0 ? '[]' : `[\n${each(code.items)}${indent}]`;
    case 'object': {
      const fields = code.fields.map(([name, field]) => {
        const key = `${inner}${keyOf(name)}: `;
        return `${key}${laidOut(field, inner, key.length, 1)},\n`;
      });
      return fields.length === 0 ? '{}' : `{\n${fields.join('')}${indent}}`;
    }
    case 'call': {
      const last = code.args.at(-1);
      if (last === undefined) return line;
      const before = code.args.slice(0, -1).map((arg) => `${flat(arg)}, `);
      const head = `${code.name}(${before.join('')}`;
      const isHugged =
        (last.is === 'object' || last.is === 'list') && column + head.length + 1 <= columnsMax;
      // Too long by then: what is measured is its first line.
      if (isHugged) return `${head}${laidOut(last, indent, columnsMax, after)})`;
      return `${code.name}(\n${each(code.args)}${indent})`;
    }
  }
}

/** Lists of objects stand one a line, however short: rows are compared with one another. */
function isTall(code: Code): boolean {
  switch (code.is) {
    case 'text':
      return false;
    case 'list': {
      const rows = code.items.filter((item) => item.is === 'object' && item.fields.length > 1);
      const isTable = rows.length > 1 && rows.length === code.items.length;
      return isTable || code.items.some(isTall);
    }
    case 'object':
      return code.fields.some(([, field]) => isTall(field));
    case 'call':
      return code.args.some(isTall);
  }
}

function flat(code: Code): string {
  switch (code.is) {
    case 'text':
      return code.text;
    case 'list':
      return `[${code.items.map(flat).join(', ')}]`;
    case 'object': {
      const fields = code.fields.map(([name, field]) =>
        isShorthand(name, field) ? name : `${keyOf(name)}: ${flat(field)}`,
      );
      return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
    }
    case 'call':
      return `${code.name}(${code.args.map(flat).join(', ')})`;
  }
}

function isShorthand(name: string, field: Code): boolean {
  return field.is === 'text' && field.text === name && isIdentifier(name);
}

function keyOf(name: string): string {
  return isIdentifier(name) ? name : quoted(name);
}

function isIdentifier(name: string): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(name);
}

/** Single quotes, unless the other kind needs fewer escapes. */
function quoted(value: string): string {
  const escaped = JSON.stringify(value);
  const singles = value.split("'").length;
  const doubles = value.split('"').length;
  if (singles > doubles) return escaped;
  return `'${escaped.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
