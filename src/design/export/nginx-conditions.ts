/** Conditions of routes as variables, each `0` or `1`, joined in a fixed order so that no value of a client can move them. */
import type { Condition, RouteConfig } from '../../blocks/edge/gateway/config.ts';
import { identifier, literal } from './nginx-text.ts';
import { escaped } from './patterns.ts';
import type { Remarks } from './remarks.ts';
import type { RouteTask } from './task.ts';

interface Digit {
  readonly at: string;
  readonly source: string;
  readonly pattern: string;
  readonly met: 0 | 1;
}

export class Conditions {
  /** By what they look at and for. */
  readonly #digits = new Map<string, Digit>();

  constructor(routes: readonly RouteTask[], remarks: Remarks) {
    for (const { at, route } of routes) {
      for (const [key, digit] of digitsOf(at, route)) this.#digits.set(key, digit);
      for (const { name, test } of [...route.headers, ...route.cookies, ...route.query]) {
        if (test !== 'present' && test !== 'absent') continue;
        remarks.approximated(
          `${at}.${name}`,
          'empty counts as absent',
          'A variable of nginx is empty in both cases.',
        );
      }
      for (const { name } of route.query) {
        remarks.approximated(
          `${at}.query.${name}`,
          'compared as it is written in the address',
          'nginx does not decode parameters.',
        );
      }
    }
  }

  /** All digits, as the beginning of what the map of routes looks at. */
  get source(): string {
    return [...this.#digits].map((_, index) => `$is_${index}`).join('');
  }

  digits(route: RouteConfig): readonly string[] {
    return digitsOf('', route).map(([key]) => key);
  }

  pattern(route: RouteConfig): string {
    const asked = new Set(this.digits(route));
    return [...this.#digits.keys()].map((key) => (asked.has(key) ? '1' : '.')).join('');
  }

  maps(): string[] {
    return [...this.#digits.values()].flatMap(({ at, source, pattern, met }, index) => [
      `  map ${source} $is_${index} {`,
      `    ${literal(at, pattern)} ${met};`,
      `    default ${1 - met};`,
      '  }',
    ]);
  }
}

function digitsOf(at: string, route: RouteConfig): readonly (readonly [string, Digit])[] {
  const { methods, headers, cookies, query, contentType } = route;
  const found: Digit[] = [];
  if (methods.length > 0) {
    const all = methods.includes('GET') ? [...methods, 'HEAD'] : methods;
    found.push({ at, source: '$request_method', pattern: `~^(${all.join('|')})$`, met: 1 });
  }
  if (contentType !== null) {
    const end = contentType.endsWith('/*') ? '' : '[ \\t]*(;|$)';
    const type = contentType.endsWith('/*') ? contentType.slice(0, -1) : contentType;
    found.push({ at, source: '$content_type', pattern: `~*^${escaped(type)}${end}`, met: 1 });
  }
  const named = (conditions: readonly Condition[], prefix: string) => {
    for (const one of conditions) {
      const isHeader = prefix === '$http_';
      const name = isHeader ? one.name.replaceAll('-', '_') : one.name;
      const source = `${prefix}${identifier(at, name)}`;
      found.push({ at, source, ...testOf(one) });
    }
  };
  named(headers, '$http_');
  named(cookies, '$cookie_');
  named(query, '$arg_');
  return found.map((digit) => [`${digit.source} ${digit.pattern} ${digit.met}`, digit]);
}

function testOf({ test, value }: Condition): Pick<Digit, 'pattern' | 'met'> {
  switch (test) {
    case 'present':
      return { pattern: '~.', met: 1 };
    case 'absent':
      return { pattern: '~.', met: 0 };
    case 'is':
      return { pattern: `~^${escaped(value)}$`, met: 1 };
    case 'begins':
      return { pattern: `~^${escaped(value)}`, met: 1 };
  }
}
