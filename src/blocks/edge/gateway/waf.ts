/**
 * A firewall for requests: rules that look at fields of a request, as an application would come to
 * read them, and add up. One sign is chance, several are an attack: what reaches `threshold` is
 * refused, or, while one still learns what one's users send, only marked.
 *
 *   field ─▶ transformations ─▶ operator ─▶ score ┐
 *   field ─▶ transformations ─▶ operator ─▶ score ┴▶ sum ≥ threshold: 403
 *
 * It hides mistakes of the application for a while, and does not mend them. Pure, apart from counting.
 */
import type { Counter, Host } from '../../../host/host.ts';
import type { WafConfig, WafField, WafRule, WafTransformation } from './config.ts';
import { headerOf, mediaTypeOf } from './headers.ts';
import { type Parts, plain, type Stage, type Visit } from './visit.ts';
import { coreRules } from './waf-rules.ts';

/** What a rule looks at. */
export interface Inspected {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly string[];
  readonly body: Uint8Array | string | null;
}

interface Ready {
  readonly rule: WafRule;
  readonly pattern: RegExp | undefined;
  /** Which readings it looks at. */
  readonly readings: readonly number[];
}

/** A field, as some rules want to see it. */
interface Reading {
  readonly field: WafField;
  readonly transform: readonly WafTransformation[];
}

export interface WafVerdict {
  readonly score: number;
  /** Ids of the rules that matched. */
  readonly matched: readonly string[];
}

export class Waf {
  readonly #config: WafConfig;
  readonly #rules: readonly Ready[];
  /** Rules that look at the same field in the same way share what they see. */
  readonly #readings: readonly Reading[];

  constructor(config: WafConfig) {
    this.#config = config;
    const core = config.core ? coreRules : [];
    const names: string[] = [];
    const readings: Reading[] = [];
    const numberOf = (field: WafField, transform: readonly WafTransformation[]): number => {
      const name = `${field} ${transform.join()}`;
      if (!names.includes(name)) {
        names.push(name);
        readings.push({ field, transform });
      }
      return names.indexOf(name);
    };
    this.#readings = readings;
    this.#rules = [...core, ...config.rules]
      .filter(({ id }) => !config.except.includes(id))
      .map((rule) => ({
        rule,
        pattern: rule.op === 'matches' ? new RegExp(rule.value, 's') : undefined,
        readings: rule.on.map((field) => numberOf(field, rule.transform)),
      }));
  }

  inspect(request: Inspected): WafVerdict {
    const fields = new Fields(request, this.#config.inspectMaxBytes, this.#readings);
    const matched: string[] = [];
    let score = 0;
    for (const ready of this.#rules) {
      if (!fields.some(ready)) continue;
      matched.push(ready.rule.id);
      score += ready.rule.score;
    }
    return { score, matched };
  }
}

function meets({ rule, pattern }: Ready, text: string): boolean {
  switch (rule.op) {
    case 'matches':
      return pattern!.test(text);
    case 'contains':
      return text.includes(rule.value);
    case 'is':
      return text === rule.value;
    case 'begins':
      return text.startsWith(rule.value);
    case 'longer':
      return text.length > Number(rule.value);
  }
}

/** The fields of one request, each read and transformed once however many rules look at it. */
class Fields {
  readonly #request: Inspected;
  readonly #max: number;
  readonly #readings: readonly Reading[];
  readonly #raw = new Map<WafField, readonly string[]>();
  /** By the number of their reading. */
  readonly #seen: (readonly string[] | undefined)[] = [];

  constructor(request: Inspected, max: number, readings: readonly Reading[]) {
    this.#request = request;
    this.#max = max;
    this.#readings = readings;
  }

  /** Loops, not closures: this is done for every rule of every request. */
  some(ready: Ready): boolean {
    for (const reading of ready.readings) {
      const texts = this.#seen[reading] ?? this.#reading(reading);
      for (const text of texts) if (meets(ready, text)) return true;
    }
    return false;
  }

  #reading(number: number): readonly string[] {
    const { field, transform } = this.#readings[number]!;
    const texts = this.#texts(field).map((text) => transformed(text, transform));
    this.#seen[number] = texts;
    return texts;
  }

  #texts(field: WafField): readonly string[] {
    let texts = this.#raw.get(field);
    if (!texts) {
      texts = this.#read(field);
      this.#raw.set(field, texts);
    }
    return texts;
  }

  #read(field: WafField): readonly string[] {
    const { method, url, headers } = this.#request;
    const mark = url.indexOf('?');
    switch (field) {
      case 'method':
        return [method];
      case 'path': {
        const slash = url.indexOf('/', url.indexOf('://') + 3);
        return slash < 0 ? [] : [url.slice(slash, mark < 0 ? undefined : mark)];
      }
      case 'args':
        return [...pairsOf(mark < 0 ? '' : url.slice(mark + 1)), ...this.#form()];
      case 'body':
        return [this.#body()];
      case 'agent':
        return [headerOf(headers, 'user-agent') ?? ''];
      case 'cookies':
        return headers.filter((_, i) => i % 2 === 1 && headers[i - 1] === 'cookie');
      case 'headers':
        return headers.filter(
          (_, i) => i % 2 === 1 && !told.has(headers[i - 1]!) && !isOurs(headers[i - 1]!),
        );
    }
  }

  #form(): readonly string[] {
    const type = mediaTypeOf(headerOf(this.#request.headers, 'content-type'));
    return type === 'application/x-www-form-urlencoded' ? pairsOf(this.#body()) : [];
  }

  #body(): string {
    const { body } = this.#request;
    if (body === null) return '';
    if (typeof body === 'string') return body.slice(0, this.#max);
    return new TextDecoder().decode(body.subarray(0, this.#max));
  }
}

/** Fields of their own, or what says nothing to an application. */
const told: ReadonlySet<string> = new Set(['cookie', 'user-agent', 'authorization', 'accept']);

function isOurs(name: string): boolean {
  return name.startsWith('sec-') || name.startsWith('if-');
}

/** Names and values, as they are written. */
function pairsOf(text: string): readonly string[] {
  if (text === '') return [];
  return text.split('&').flatMap((pair) => {
    const equals = pair.indexOf('=');
    return equals < 0 ? [pair] : [pair.slice(0, equals), pair.slice(equals + 1)];
  });
}

function transformed(text: string, transform: readonly WafTransformation[]): string {
  return transform.reduce((before, one) => transformations[one](before), text);
}

const transformations: Readonly<Record<WafTransformation, (text: string) => string>> = {
  url: decodedUrl,
  html: decodedHtml,
  lower: (text) => text.toLowerCase(),
  // What SQL skips: `un/**/ion` is none, but `union/**/select` is two words.
  comments: (text) =>
    text.includes('/*') ? text.replace(/\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\//g, ' ') : text,
  spaces: (text) => (/\s\s|[^\S ]/.test(text) ? text.replace(/\s+/g, ' ') : text),
};

/** Until nothing changes, three times at most: `%252e` is what somebody hides from who decodes once. */
function decodedUrl(text: string): string {
  let before = text.includes('+') ? text.replaceAll('+', ' ') : text;
  for (let i = 0; i < 3 && before.includes('%'); i++) {
    const after = before
      .replace(/%u([0-9a-f]{4})/gi, (_, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      )
      .replace(/(?:%[0-9a-f]{2})+/gi, decodedBytes);
    if (after === before) break;
    before = after;
  }
  return before;
}

/** Read as an old server would, overlong sequences too: `%c0%ae` was a dot once. */
function decodedBytes(run: string): string {
  const bytes = run
    .slice(1)
    .split('%')
    .map((hex) => Number.parseInt(hex, 16));
  let text = '';
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    const next = bytes[i + 1];
    if ((byte === 0xc0 || byte === 0xc1) && next !== undefined && (next & 0xc0) === 0x80) {
      text += String.fromCharCode(((byte & 0x1f) << 6) | (next & 0x3f));
      i++;
    } else text += String.fromCharCode(byte);
  }
  return text;
}

const entities: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  tab: '\t',
  newline: '\n',
  colon: ':',
  lpar: '(',
  rpar: ')',
};

function decodedHtml(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{2,8}));?/gi,
    (whole, hex, number, name) => {
      if (name !== undefined) return entities[String(name).toLowerCase()] ?? whole;
      const code = hex === undefined ? Number(number) : Number.parseInt(String(hex), 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

/** Refuses what the rules take for an attack; or marks it for the service, in `x-waf-score`. */
export class WafStage implements Stage {
  readonly #waf: Waf;
  readonly #config: WafConfig;
  readonly #flagged: Counter;
  readonly #note: (text: string) => void;

  constructor(host: Host, config: WafConfig) {
    this.#waf = new Waf(config);
    this.#config = config;
    this.#flagged = host.meter.counter('attacks');
    this.#note = (text) => host.meter.note(text);
  }

  enter(visit: Visit): Parts | undefined {
    const { threshold, mode } = this.#config;
    const { score, matched } = this.#waf.inspect(visit.request);
    const { headers } = visit;
    // Nobody outside says how dangerous he is.
    if (headerOf(headers, scoreHeader) !== undefined) {
      visit.headers = headers.filter((_, i) => headers[i - (i % 2)] !== scoreHeader);
    }
    if (score === 0) return undefined;
    if (score < threshold) return undefined;
    this.#flagged.add();
    if (mode === 'block') {
      this.#note(`refused ${visit.request.ip}: ${matched.join(', ')}`);
      return plain(403, 'refused');
    }
    visit.headers = [...visit.headers, scoreHeader, String(score)];
    return undefined;
  }
}

const scoreHeader = 'x-waf-score';
