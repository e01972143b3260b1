import { describe, expect, test } from 'vitest';
import { highlight } from './highlight.ts';

const typesOf = (text: string) =>
  highlight(text).map((line) => line.map(({ type, text }) => [type, text]));

describe('source in colour', () => {
  test('tells words, calls, strings and numbers apart', () => {
    expect(typesOf("const links = kv({ replicas: 3, name: 'a' }); // three")).toEqual([
      [
        ['word', 'const'],
        ['plain', ' links = '],
        ['call', 'kv'],
        ['plain', '({ replicas: '],
        ['figure', '3'],
        ['plain', ', name: '],
        ['string', "'a'"],
        ['plain', ' }); '],
        ['comment', '// three'],
      ],
    ]);
  });

  test('keeps every character and every line, whatever it is', () => {
    const texts = ['', '\n\n', 'a /* b\nc */ d', '`x\ny`', "it's \\ odd /", '/'];
    for (const text of texts) {
      const again = highlight(text)
        .map((line) => line.map((token) => token.text).join(''))
        .join('\n');
      expect(again).toBe(text);
    }
  });

  test('a comment over lines is one on each of them', () => {
    expect(typesOf('/* a\nb */')).toEqual([[['comment', '/* a']], [['comment', 'b */']]]);
  });
});
