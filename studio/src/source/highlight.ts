/**
 * Just enough TypeScript to read it with colour: comments, strings, numbers, words of the
 * language, names that are called. Not a parser; a file that it gets wrong is still legible.
 */
export type TokenType = 'comment' | 'string' | 'figure' | 'word' | 'call' | 'plain';

export interface Token {
  readonly type: TokenType;
  readonly text: string;
  /** Column, from 0. */
  readonly at: number;
}

const keywords = new Set(
  (
    'as async await break case catch class const continue default delete do else export extends false finally for from ' +
    'function if implements import in instanceof interface let new null of readonly return satisfies static super switch ' +
    'this throw true try type typeof undefined void while yield'
  ).split(' '),
);

const pattern =
  /(?<comment>\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|(?<string>'(?:[^'\\\n]|\\.)*'?|"(?:[^"\\\n]|\\.)*"?|`(?:[^`\\]|\\[\s\S])*`?)|(?<number>\b\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?\b)|(?<name>[A-Za-z_$][\w$]*)|(?<rest>[^A-Za-z_$'"`\d/]+|[\s\S])/g;

/** By line; what goes over several lines is cut at their ends. */
export function highlight(text: string): readonly (readonly Token[])[] {
  const lines: Token[][] = [[]];
  const add = (type: TokenType, part: string) => {
    const last = lines.at(-1)!;
    const former = last.at(-1);
    if (former?.type === type) last[last.length - 1] = { ...former, text: former.text + part };
    else last.push({ type, text: part, at: former ? former.at + former.text.length : 0 });
  };
  for (const match of text.matchAll(pattern)) {
    const { comment, string, number, name } = match.groups!;
    const type: TokenType =
      comment !== undefined
        ? 'comment'
        : string !== undefined
          ? 'string'
          : number !== undefined
            ? 'figure'
            : name === undefined
              ? 'plain'
              : keywords.has(name)
                ? 'word'
                : text[match.index + name.length] === '('
                  ? 'call'
                  : 'plain';
    const parts = match[0].split('\n');
    for (const [index, part] of parts.entries()) {
      if (index > 0) lines.push([]);
      if (part !== '') add(type, part);
    }
  }
  return lines;
}
