/**
 * A reader for EDN, Clojure's data notation, in which Jepsen writes its histories. It reads all
 * of the notation, and what differs in it differs in what it returns:
 *
 *   :a               ':a'                  and the text ":a", which looks like it, '":a"'
 *   #inst "2020"     {'#inst': '2020'}     the tag of a record, which is a map, is dropped
 *   2/4, 0.1…1M      {'#ratio': '1/2'}, {'#decimal': '…'} where a number cannot hold it
 *   #{2 1}           [1, 2]                in the order of their text
 */
import type { Value } from '../host/host.ts';
import { LoadpathError } from '../kit/errors.ts';
import { canonical, isList } from './values.ts';

/** A form, and where it began (from 1). */
export interface Form {
  readonly value: Value;
  readonly line: number;
  readonly column: number;
}

/** All forms in `text`, one after another. Throws `LoadpathError` 'bad-input'. */
export function readEdn(text: string, name: string): Form[] {
  return new Reader(text, name).all(false);
}

/** The same, but where the text is one vector or list, its elements. */
export function readEdnItems(text: string, name: string): Form[] {
  return new Reader(text, name).all(true);
}

const spaces = new Set([' ', '\t', '\n', '\r', '\f', ',']);
const delimiters = new Set([...spaces, '(', ')', '[', ']', '{', '}', '"', ';']);
const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  '"': '"',
  '\\': '\\',
};
const characters: Readonly<Record<string, string>> = {
  newline: '\n',
  return: '\r',
  space: ' ',
  tab: '\t',
  formfeed: '\f',
  backspace: '\b',
};
/** Deeper than any history, and far from the end of the stack. */
const depthMax = 200;

/** A text that could be taken for a keyword, a tag, or a text told apart from these. */
function told(text: string): string {
  return /^[:#"]/.test(text) ? JSON.stringify(text) : text;
}

/** Of Jepsen's own, which say what a value is to a test and not what it is. */
function isOwnTag(tag: string): boolean {
  return /^(jepsen|knossos|elle)\b/.test(tag);
}

/** Digits that a number holds for certain; of a decimal with more, all count. */
const digitsMax = 15;

function decimalOf(word: string): Value {
  const text = word.replace(/M$/, '');
  const [mantissa = '', exponent = '0'] = text.split(/[eE]/);
  const digits = mantissa
    .replace(/[+-]|\./g, '')
    .replace(/^0+/, '')
    .replace(/0+$/, '');
  if (!word.endsWith('M') || digits.length <= digitsMax) return Number(text);
  const [whole = '', fraction = ''] = mantissa.replace(/[+-]/, '').split('.');
  const sign = mantissa.startsWith('-') ? '-' : '';
  const dropped = (whole + fraction).length - (whole + fraction).replace(/0+$/, '').length;
  const scale = Number(exponent) - fraction.length + dropped;
  return { '#decimal': `${sign}${digits}e${scale}` };
}

function ratioOf(over: bigint, under: bigint): Value {
  let [one, other] = [over < 0n ? -over : over, under];
  while (other !== 0n) [one, other] = [other, one % other];
  const [top, bottom] = [over / one, under / one];
  if (bottom !== 1n) return { '#ratio': `${top}/${bottom}` };
  const number = Number(top);
  return Number.isSafeInteger(number) ? number : top;
}

class Reader {
  readonly #text: string;
  readonly #name: string;
  #at = 0;
  #depth = 0;
  /** Line of `#lineStart`; both move on as forms are located. */
  #line = 1;
  #lineStart = 0;

  constructor(text: string, name: string) {
    this.#text = text;
    this.#name = name;
  }

  all(unwrap: boolean): Form[] {
    const forms: Form[] = [];
    this.#skip();
    const open = this.#text[this.#at];
    if (unwrap && (open === '[' || open === '(')) {
      const start = this.#at++;
      this.#items(open === '[' ? ']' : ')', start, forms);
      this.#skip();
      if (this.#at < this.#text.length) this.#fail(this.#at, 'something follows the history');
      return forms;
    }
    while (this.#at < this.#text.length) {
      forms.push(this.#form());
      this.#skip();
    }
    return forms;
  }

  #form(): Form {
    const place = this.#placeOf(this.#at);
    return { value: this.#value(), ...place };
  }

  #items(close: string, start: number, forms: Form[]): void {
    for (;;) {
      this.#skip();
      if (this.#at >= this.#text.length) this.#fail(start, `this is never closed with ${close}`);
      if (this.#text[this.#at] === close) {
        this.#at++;
        return;
      }
      forms.push(this.#form());
    }
  }

  #list(close: string): Value[] {
    const start = this.#at++;
    const values: Value[] = [];
    for (;;) {
      this.#skip();
      if (this.#at >= this.#text.length) this.#fail(start, `this is never closed with ${close}`);
      if (this.#text[this.#at] === close) {
        this.#at++;
        return values;
      }
      values.push(this.#value());
    }
  }

  #value(): Value {
    if (++this.#depth > depthMax) this.#fail(this.#at, `nested deeper than ${depthMax}`);
    const value = this.#bare();
    this.#depth--;
    return value;
  }

  #bare(): Value {
    const start = this.#at;
    const first = this.#text[start];
    switch (first) {
      case undefined:
        return this.#fail(start, 'a value was expected, and the text ends');
      case '"':
        return told(this.#string());
      case '[':
        return this.#list(']');
      case '(':
        return this.#list(')');
      case '{':
        return this.#map();
      case ']':
      case ')':
      case '}':
        return this.#fail(start, `${first} closes nothing`);
      case '#':
        return this.#dispatch();
      case '^':
        this.#at++;
        this.#next();
        return this.#next();
      case '\\':
        return this.#character();
      default:
        return this.#atom();
    }
  }

  /** The next value, wherever it begins. */
  #next(): Value {
    this.#skip();
    return this.#value();
  }

  #map(): Value {
    const start = this.#at;
    const items = this.#list('}');
    if (items.length % 2 === 1) this.#fail(start, 'a map needs a value for each key');
    // Without a prototype, so that no key can be anything but a key.
    const map: Record<string, Value> = Object.create(null) as Record<string, Value>;
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i]!;
      map[typeof key === 'string' ? key : `#${canonical(key)}`] = items[i + 1]!;
    }
    return map;
  }

  #dispatch(): Value {
    const start = this.#at;
    const second = this.#text[start + 1];
    if (second === '{') {
      this.#at++;
      return this.#list('}').sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1));
    }
    if (second === '#') {
      this.#at += 2;
      const word = this.#word();
      if (word === 'Inf') return Number.POSITIVE_INFINITY;
      if (word === '-Inf') return Number.NEGATIVE_INFINITY;
      if (word === 'NaN') return Number.NaN;
      return this.#fail(start, `##${word} is no number`);
    }
    if (second === undefined || delimiters.has(second))
      return this.#fail(start, 'a tag was expected');
    // A tag and its value: #inst "…", #jepsen.history.Op{…}.
    this.#at++;
    const tag = this.#word();
    const value = this.#next();
    const isRecord = typeof value === 'object' && value !== null && !isList(value);
    return isRecord || isOwnTag(tag) ? value : { [`#${tag}`]: value };
  }

  #string(): string {
    const start = this.#at++;
    let text = '';
    for (;;) {
      const from = this.#at;
      while (this.#at < this.#text.length) {
        const code = this.#text.charCodeAt(this.#at);
        if (code === 34 || code === 92) break;
        this.#at++;
      }
      text += this.#text.slice(from, this.#at);
      if (this.#at >= this.#text.length) this.#fail(start, 'this string is never closed');
      if (this.#text[this.#at] === '"') {
        this.#at++;
        return text;
      }
      const letter = this.#text[this.#at + 1] ?? '';
      const hex = this.#text.slice(this.#at + 2, this.#at + 6);
      if (letter === 'u' && /^[0-9a-fA-F]{4}$/.test(hex)) {
        text += String.fromCharCode(Number.parseInt(hex, 16));
        this.#at += 6;
      } else if (escapes[letter] !== undefined) {
        text += escapes[letter];
        this.#at += 2;
      } else this.#fail(this.#at, `\\${letter} is no escape`);
    }
  }

  #character(): Value {
    const start = this.#at;
    this.#at += 2;
    while (this.#at < this.#text.length && !delimiters.has(this.#text[this.#at]!)) this.#at++;
    const word = this.#text.slice(start + 1, this.#at);
    return characters[word] ?? word;
  }

  #atom(): Value {
    const start = this.#at;
    const word = this.#word();
    if (word === 'nil') return null;
    if (word === 'true') return true;
    if (word === 'false') return false;
    if (/^[+-]?\d+N?$/.test(word)) {
      const digits = word.endsWith('N') ? word.slice(0, -1) : word;
      const number = Number(digits);
      // Beyond 2^53 two whole numbers would look the same.
      return Number.isSafeInteger(number) ? number : BigInt(digits);
    }
    if (/^[+-]?\d+(\.\d*)?([eE][+-]?\d+)?M?$/.test(word)) return decimalOf(word);
    const ratio = /^([+-]?\d+)\/(\d+)$/.exec(word);
    if (ratio && BigInt(ratio[2]!) !== 0n) return ratioOf(BigInt(ratio[1]!), BigInt(ratio[2]!));
    if (/^[+-]?\d/.test(word)) this.#fail(start, `${word} is no number`);
    return word;
  }

  #word(): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !delimiters.has(this.#text[this.#at]!)) this.#at++;
    if (this.#at === start) this.#fail(start, `${this.#text[start] ?? 'the end'} was not expected`);
    return this.#text.slice(start, this.#at);
  }

  #skip(): void {
    for (;;) {
      const here = this.#text[this.#at];
      if (here === undefined) return;
      if (spaces.has(here)) this.#at++;
      else if (here === ';') {
        while (this.#at < this.#text.length && this.#text[this.#at] !== '\n') this.#at++;
      } else if (here === '#' && this.#text[this.#at + 1] === '_') {
        this.#at += 2;
        this.#next();
      } else return;
    }
  }

  /** Positions are asked for in rising order, so lines are counted once. */
  #placeOf(at: number): { readonly line: number; readonly column: number } {
    if (at < this.#lineStart) {
      this.#line = 1;
      this.#lineStart = 0;
    }
    for (;;) {
      const end = this.#text.indexOf('\n', this.#lineStart);
      if (end < 0 || end >= at) break;
      this.#line++;
      this.#lineStart = end + 1;
    }
    return { line: this.#line, column: at - this.#lineStart + 1 };
  }

  #fail(at: number, what: string): never {
    const { line, column } = this.#placeOf(at);
    const place = `${this.#name}:${line}:${column}`;
    throw new LoadpathError('bad-input', `${place}: ${what}`, { problems: [{ at: place, what }] });
  }
}
