/**
 * DNS messages as bytes (RFC 1035, 4; EDNS of RFC 6891): what a resolver reads of a question and how it
 * writes an answer. Pure.
 *
 * ```ts
 * import { readQuestion, writeAnswer } from 'loadpath/parts/dns-wire';
 *
 * const shop = [4, 115, 104, 111, 112, 0]; // the name `shop`
 * const asked = readQuestion(Uint8Array.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...shop, 0, 1, 0, 1]));
 * asked?.name; // → 'shop'
 * const records = [{ name: 'shop', type: 'A', ttlSec: 30, address: '127.0.0.1' } as const];
 * writeAnswer(asked!, { code: 'ok', answers: records }, 512).length; // → 38
 * ```
 *
 * For whole zones, transfers and signatures use a name server. An answer that does not fit is cut to its
 * head and says so: the client asks again over TCP.
 */

export const dnsTypes = { A: 1, CNAME: 5, SOA: 6, TXT: 16, AAAA: 28, SRV: 33, OPT: 41, ANY: 255 };
export type DnsTypeName = keyof typeof dnsTypes;

export interface WireQuestion {
  readonly id: number;
  /** What kind of request it is; 0 is a question about a name. */
  readonly opcode: number;
  /** In lower case, without a dot at its end. */
  readonly name: string;
  readonly type: number;
  /** The client wants somebody to find out for it. */
  readonly wantsRecursion: boolean;
  /** What its datagrams may hold, where it says (EDNS). */
  readonly payloadMaxBytes: number | undefined;
  /** As it came, to be repeated. */
  readonly bytes: Uint8Array;
  /** What it cannot be answered for: a format error, or something nobody here does. */
  readonly flaw: 'format' | 'not-done' | undefined;
}

export type WireRecord = { readonly name: string; readonly ttlSec: number } & (
  | { readonly type: 'A'; readonly address: string }
  | { readonly type: 'CNAME'; readonly to: string }
  | { readonly type: 'TXT'; readonly text: string }
  | { readonly type: 'SRV'; readonly port: number; readonly target: string }
  /** Of a zone: for how long others may remember that there is nothing. */
  | { readonly type: 'SOA' }
);

export interface WireAnswer {
  readonly code: 'ok' | 'format' | 'failed' | 'no-name' | 'not-done' | 'refused';
  readonly answers?: readonly WireRecord[];
  readonly authority?: readonly WireRecord[];
  readonly additional?: readonly WireRecord[];
}

const codes: Readonly<Record<WireAnswer['code'], number>> = {
  ok: 0,
  format: 1,
  failed: 2,
  'no-name': 3,
  'not-done': 4,
  refused: 5,
};

const headerBytes = 12;
const labelMaxBytes = 63;
const nameMaxBytes = 255;
const internet = 1;
const anyClass = 255;

/** Undefined for what is no question at all, which is best not answered: it may be an answer itself. */
export function readQuestion(bytes: Uint8Array): WireQuestion | undefined {
  if (bytes.length < headerBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint16(2);
  const isAnswer = (flags & 0x8000) !== 0;
  if (isAnswer) return undefined;
  const opcode = (flags >> 11) & 15;
  const base = {
    id: view.getUint16(0),
    opcode,
    name: '',
    type: 0,
    wantsRecursion: (flags & 0x0100) !== 0,
    payloadMaxBytes: undefined,
    bytes: new Uint8Array(0),
  };
  if (opcode !== 0) return { ...base, flaw: 'not-done' };
  const name = view.getUint16(4) === 1 ? readName(bytes, headerBytes) : undefined;
  if (!name || name.end + 4 > bytes.length) return { ...base, flaw: 'format' };
  const asked = {
    ...base,
    name: name.text,
    type: view.getUint16(name.end),
    payloadMaxBytes: payloadOf(bytes, view, name.end + 4),
    bytes: bytes.slice(headerBytes, name.end + 4),
  };
  const kind = view.getUint16(name.end + 2);
  const isKnown = kind === internet || kind === anyClass;
  return { ...asked, flaw: isKnown ? undefined : 'not-done' };
}

/** A question has one name, and nothing before it that it could point to. */
function readName(bytes: Uint8Array, at: number): { text: string; end: number } | undefined {
  const labels: string[] = [];
  let end = at;
  while (true) {
    const length = bytes[end];
    if (length === undefined || length > labelMaxBytes) return undefined;
    if (length === 0) break;
    if (end + 1 + length >= bytes.length || end + 1 + length - at > nameMaxBytes) return undefined;
    labels.push(String.fromCharCode(...bytes.subarray(end + 1, end + 1 + length)));
    end += 1 + length;
  }
  // A dot within a label would make two of one.
  if (labels.some((label) => label.includes('.'))) return undefined;
  return { text: labels.join('.').toLowerCase(), end: end + 1 };
}

/** Of the OPT record that stands alone behind the question; whatever else stands there says nothing to us. */
function payloadOf(bytes: Uint8Array, view: DataView, at: number): number | undefined {
  const hasOne = view.getUint16(10) === 1 && view.getUint16(6) + view.getUint16(8) === 0;
  if (!hasOne || at + 11 > bytes.length || bytes[at] !== 0) return undefined;
  return view.getUint16(at + 1) === dnsTypes.OPT ? view.getUint16(at + 3) : undefined;
}

/** `maxBytes`: what the way back holds; beyond it only the head goes, marked as cut. */
export function writeAnswer(asked: WireQuestion, answer: WireAnswer, maxBytes: number): Uint8Array {
  const { answers = [], authority = [], additional = [] } = answer;
  const hasOpt = asked.payloadMaxBytes !== undefined;
  const whole = write(asked, answer.code, [answers, authority, additional], hasOpt, false);
  if (whole.length <= maxBytes) return whole;
  return write(asked, answer.code, [[], [], []], hasOpt, true);
}

type Sections = readonly [readonly WireRecord[], readonly WireRecord[], readonly WireRecord[]];

function write(
  asked: WireQuestion,
  code: WireAnswer['code'],
  sections: Sections,
  hasOpt: boolean,
  isCut: boolean,
): Uint8Array {
  const out: number[] = [];
  const hasQuestion = asked.bytes.length > 0;
  put16(out, asked.id);
  // An answer, with recursion for all who want it.
  const said = (asked.opcode << 11) | (asked.wantsRecursion ? 0x0100 : 0) | (isCut ? 0x0200 : 0);
  put16(out, 0x8080 | said | codes[code]);
  put16(out, hasQuestion ? 1 : 0);
  const [answers, authority, additional] = sections;
  put16(out, answers.length);
  put16(out, authority.length);
  put16(out, additional.length + (hasOpt ? 1 : 0));
  out.push(...asked.bytes);
  for (const record of [...answers, ...authority, ...additional]) {
    putRecord(out, record, hasQuestion ? asked.name : undefined);
  }
  if (hasOpt) {
    // The root as its name, how much we take, and no extensions.
    out.push(0, 0, dnsTypes.OPT, ...sixteen(payloadMaxBytes), 0, 0, 0, 0, 0, 0);
  }
  return Uint8Array.from(out);
}

/** What datagrams hold that pass everywhere unbroken (DNS flag day 2020). */
export const payloadMaxBytes = 1_232;
/** The same without EDNS. */
export const datagramMaxBytes = 512;

function putRecord(out: number[], record: WireRecord, asked: string | undefined): void {
  // Most records are of the name that was asked for, which stands behind the header.
  if (record.name === asked) out.push(0xc0, headerBytes);
  else putName(out, record.name);
  put16(out, dnsTypes[record.type]);
  put16(out, internet);
  put16(out, Math.floor(record.ttlSec / 65_536));
  put16(out, record.ttlSec % 65_536);
  const data = dataOf(record);
  put16(out, data.length);
  out.push(...data);
}

function dataOf(record: WireRecord): number[] {
  const data: number[] = [];
  switch (record.type) {
    case 'A':
      return record.address.split('.').map(Number);
    case 'CNAME':
      putName(data, record.to);
      return data;
    case 'SRV':
      put16(data, 0);
      put16(data, 1);
      put16(data, record.port);
      putName(data, record.target);
      return data;
    case 'TXT': {
      const bytes = new TextEncoder().encode(record.text);
      for (let at = 0; at < bytes.length || at === 0; at += 255) {
        const part = bytes.subarray(at, at + 255);
        data.push(part.length, ...part);
      }
      return data;
    }
    case 'SOA':
      putName(data, record.name);
      putName(data, `hostmaster.${record.name}`);
      // Serial, refresh, retry, expiry: nobody copies this zone. Last, how long nothing is nothing.
      for (const seconds of [1, 3_600, 600, 86_400, record.ttlSec]) {
        put16(data, Math.floor(seconds / 65_536));
        put16(data, seconds % 65_536);
      }
      return data;
  }
}

function putName(out: number[], name: string): void {
  for (const label of name === '' ? [] : name.split('.')) {
    out.push(label.length);
    for (let i = 0; i < label.length; i++) out.push(label.charCodeAt(i));
  }
  out.push(0);
}

function put16(out: number[], value: number): void {
  out.push(...sixteen(value));
}

function sixteen(value: number): readonly [number, number] {
  return [(value >> 8) & 255, value & 255];
}
