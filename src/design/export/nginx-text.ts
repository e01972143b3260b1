/** Text of a design in the language of nginx. */

import { refuse } from '../../kit/errors.ts';
import { plainText } from './words.ts';

/**
 * In double quotes, where nginx would still look for variables: a dollar sign is one of its own, as
 * there is no other way to write it.
 */
export function quoted(at: string, text: string): string {
  const plain = plainText(at, text).replace(/[\\"]/g, '\\$&');
  return `"${plain.replaceAll('$', '$' + '{dollar}')}"`;
}

/** For regular expressions and other places without variables. */
export function literal(at: string, text: string): string {
  return `"${plainText(at, text).replace(/[\\"]/g, '\\$&')}"`;
}

/** Part of the name of a variable. */
export function identifier(at: string, name: string): string {
  if (!/^\w+$/.test(name)) {
    refuse('bad-design', 'what would be exported', [
      { at, what: `'${name}' is no part of a variable of nginx: letters, digits and _ are` },
    ]);
  }
  return name;
}
