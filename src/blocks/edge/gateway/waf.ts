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
import { isUpgrade } from '../../../host/web.ts';
import { peek } from '../../../parts/peek.ts';
import {
  type WafConfig,
  type WafField,
  type WafRule,
  type WafTransformation,
  wafFields,
} from './config.ts';
import { isGrpc, onlyMessages } from './grpc.ts';
import { headerOf, mediaTypeOf } from './headers.ts';
import { type Parts, plain, type Resume, type Stage, type Visit } from './visit.ts';
import { coreRules } from './waf-rules.ts';

/** What a rule looks at. */
export interface Inspected {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly string[];
  readonly body: Uint8Array | string | null;
}

/** Rules that want to see a text in the same way. */
interface View {
  readonly transform: readonly WafTransformation[];
  readonly rules: { readonly number: number; readonly meets: (text: string) => boolean }[];
}

export interface WafVerdict {
  readonly score: number;
  /** Ids of the rules that matched. */
  readonly matched: readonly string[];
}

const nothing: WafVerdict = { score: 0, matched: [] };
const noRules: readonly number[] = [];
/** Of one field; longer texts, and more of them, are looked at each time. */
const textsMax = 512;
const textMaxBytes = 128;

export class Waf {
  readonly #config: WafConfig;
  readonly #rules: readonly WafRule[];
  readonly #looks: readonly Look[];

  constructor(config: WafConfig) {
    this.#config = config;
    const core = config.core ? coreRules : [];
    const rules = [...core, ...config.rules].filter(({ id }) => !config.except.includes(id));
    this.#rules = rules;
    this.#looks = wafFields
      .map((field) => new Look(field, rules))
      .filter(({ isNeeded }) => isNeeded);
  }

  /** Whether some rule looks into the body of a request with these headers. */
  readsBody(headers: readonly string[]): boolean {
    return this.#looks.some(
      ({ field }) => field === 'body' || (field === 'args' && isForm(headers)),
    );
  }

  inspect(request: Inspected): WafVerdict {
    let found: Set<number> | undefined;
    for (const look of this.#looks) {
      for (const text of textsOf(look.field, request, this.#config.inspectMaxBytes)) {
        const numbers = look.at(text);
        if (numbers.length > 0) found = new Set([...(found ?? []), ...numbers]);
      }
    }
    if (!found) return nothing;
    const matched = this.#rules.filter((_, number) => found.has(number));
    return {
      score: matched.reduce((sum, rule) => sum + rule.score, 0),
      matched: matched.map(({ id }) => id),
    };
  }
}

/**
 * What the rules find in the texts of one field. Most of them come again: hosts, programs, languages, paths.
 * What was found in a short one is remembered, since looking is most of what a firewall costs.
 */
class Look {
  readonly field: WafField;
  readonly #views: readonly View[];
  readonly #known = new Map<string, readonly number[]>();

  constructor(field: WafField, rules: readonly WafRule[]) {
    this.field = field;
    const views = new Map<string, View>();
    rules.forEach((rule, number) => {
      if (!rule.on.includes(field)) return;
      const { transform } = rule;
      const name = transform.join();
      if (!views.has(name)) views.set(name, { transform, rules: [] });
      views.get(name)!.rules.push({ number, meets: testOf(rule) });
    });
    this.#views = [...views.values()];
  }

  get isNeeded(): boolean {
    return this.#views.length > 0;
  }

  /** Numbers of the rules that match it. */
  at(text: string): readonly number[] {
    if (text.length > textMaxBytes) return this.#find(text);
    let found = this.#known.get(text);
    if (!found) {
      found = this.#find(text);
      // Texts may be invented: what is remembered of them has an end.
      if (this.#known.size >= textsMax) this.#known.clear();
      this.#known.set(text, found);
    }
    return found;
  }

  #find(text: string): readonly number[] {
    let found: number[] | undefined;
    for (const { transform, rules } of this.#views) {
      const seen = transformed(text, transform);
      for (const { number, meets } of rules) {
        if (!meets(seen)) continue;
        found ??= [];
        found.push(number);
      }
    }
    return found ?? noRules;
  }
}

function testOf({ op, value }: WafRule): (text: string) => boolean {
  switch (op) {
    case 'matches': {
      const pattern = new RegExp(value, 's');
      return (text) => pattern.test(text);
    }
    case 'contains':
      return (text) => text.includes(value);
    case 'is':
      return (text) => text === value;
    case 'begins':
      return (text) => text.startsWith(value);
    case 'longer':
      return (text) => text.length > Number(value);
  }
}

/** What stands in a field, as it is written; `maxBytes` of a body. */
function textsOf(field: WafField, request: Inspected, maxBytes: number): readonly string[] {
  const { method, url, headers } = request;
  switch (field) {
    case 'method':
      return [method];
    case 'path': {
      const mark = url.indexOf('?');
      const slash = url.indexOf('/', url.indexOf('://') + 3);
      return slash < 0 ? [] : [url.slice(slash, mark < 0 ? undefined : mark)];
    }
    case 'args': {
      const mark = url.indexOf('?');
      const form = formOf(request, maxBytes);
      return mark < 0 ? form : [...pairsOf(url.slice(mark + 1)), ...form];
    }
    case 'body':
      return [bodyOf(request, maxBytes)];
    case 'agent':
      return [headerOf(headers, 'user-agent') ?? ''];
    case 'cookies':
      return valuesOf(headers, (name) => name === 'cookie');
    case 'headers':
      return valuesOf(headers, (name) => !told.has(name) && !isOurs(name));
  }
}

function valuesOf(headers: readonly string[], counts: (name: string) => boolean): string[] {
  const values: string[] = [];
  for (let i = 0; i < headers.length; i += 2) if (counts(headers[i]!)) values.push(headers[i + 1]!);
  return values;
}

const noTexts: readonly string[] = [];

function formOf(request: Inspected, maxBytes: number): readonly string[] {
  if (request.body === null || !isForm(request.headers)) return noTexts;
  return pairsOf(bodyOf(request, maxBytes));
}

function isForm(headers: readonly string[]): boolean {
  return mediaTypeOf(headerOf(headers, 'content-type')) === 'application/x-www-form-urlencoded';
}

function bodyOf({ body }: Inspected, maxBytes: number): string {
  if (body === null) return '';
  if (typeof body === 'string') return body.slice(0, maxBytes);
  return new TextDecoder().decode(body.subarray(0, maxBytes));
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

/**
 * Refuses what the rules take for an attack; or marks it for the service, in `x-waf-score`.
 *
 * A body that flows waits here until as much of it has come as is looked at, and goes on then. An
 * upgrade does not: it has no body, but messages, of which none comes before it is answered. Nor does a
 * call of gRPC, whose client may wait for the first word of the service before it says more; there it is
 * only made sure that what calls itself gRPC begins so, or anybody would call a form that.
 */
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

  enter(visit: Visit, resume: Resume): Parts | 'held' | undefined {
    const { request } = visit;
    const { headers, inlet } = request;
    if (!inlet || isUpgrade(request) || !this.#waf.readsBody(headers)) {
      return this.#judge(visit, request);
    }
    if (isGrpc(headers)) {
      if (this.#config.mode === 'block') {
        visit.inlet = onlyMessages(inlet, () => {
          this.#flagged.add();
          visit.giveUp?.();
          resume(visit, plain(403, 'refused'));
        });
      }
      return this.#judge(visit, request);
    }
    let atOnce: Parts | 'held' | undefined = 'held';
    let isWithin = true;
    visit.inlet = peek(inlet, this.#config.inspectMaxBytes, (body) => {
      if (visit.isGone) return;
      const refusal = this.#judge(visit, { ...request, body });
      if (isWithin) atOnce = refusal;
      else resume(visit, refusal);
    });
    isWithin = false;
    return atOnce;
  }

  #judge(visit: Visit, request: Inspected): Parts | undefined {
    const { threshold, mode } = this.#config;
    const { score, matched } = this.#waf.inspect(request);
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
