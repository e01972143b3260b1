/**
 * Data as YAML: blocks for what is nested, and every text in double quotes, as JSON writes it, which YAML
 * reads the same. So nothing of a design can be taken for a number, a date, an anchor or a new key.
 */
export type Data =
  | string
  | number
  | boolean
  | readonly Data[]
  | { readonly [name: string]: Data | undefined };

export type Fields = { readonly [name: string]: Data | undefined };

export function yamlOf(data: Data): string {
  return `${block(data, 0).join('\n')}\n`;
}

function block(data: Data, depth: number): string[] {
  const indent = '  '.repeat(depth);
  if (isList(data)) {
    return data.flatMap((one) => {
      const [first = '', ...rest] = block(one, depth + 1);
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  }
  if (typeof data !== 'object') return [`${indent}${scalar(data)}`];
  return Object.entries(data).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const key =
      /^[a-z_@][\w@]*$/i.test(name) &&
      !/^(y|n|yes|no|on|off|true|false|null)$/i.test(name) &&
      !name.startsWith('@')
        ? name
        : JSON.stringify(name);
    if (typeof value !== 'object') return [`${indent}${key}: ${scalar(value)}`];
    const isEmpty = isList(value) ? value.length === 0 : Object.keys(value).length === 0;
    if (isEmpty) return [`${indent}${key}: ${isList(value) ? '[]' : '{}'}`];
    return [`${indent}${key}:`, ...block(value, depth + 1)];
  });
}

function scalar(value: string | number | boolean): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

function isList(data: Data): data is readonly Data[] {
  return Array.isArray(data);
}
