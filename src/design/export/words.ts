/**
 * Words of a design on their way into somebody else's language. What could end a line or a quote there
 * is refused here or quoted by the writer: a route's name must not become a directive.
 */
import { refuse } from '../../kit/errors.ts';

/** Text for quotes. Control characters end lines in all three languages, and nothing that HTTP carries has them. */
export function plainText(at: string, text: string): string {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 32 && code !== 127) continue;
    refuse('bad-design', 'what would be exported', [
      { at, what: `has a control character, which no configuration can carry` },
    ]);
  }
  return text;
}

/** The name of a header or cookie (RFC 9110, 5.6.2), or of a parameter: part of a name there, so it cannot be quoted. */
export function token(at: string, text: string): string {
  if (!/^[A-Za-z0-9_.~-]+$/.test(text)) {
    refuse('bad-design', 'what would be exported', [
      { at, what: `must be letters, digits and _ . ~ - to stand in a configuration` },
    ]);
  }
  return text;
}

/** A name of our own making, each given out once. */
export class Names {
  readonly #taken = new Set<string>();

  of(wanted: string): string {
    const base = wanted.replace(/[^A-Za-z0-9]+/g, '_').replace(/^_+|_+$/g, '') || 'unnamed';
    let name = base;
    for (let i = 2; this.#taken.has(name); i++) name = `${base}_${i}`;
    this.#taken.add(name);
    return name;
  }
}

/** For a comment. */
export function remarkText(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, ' ');
}
