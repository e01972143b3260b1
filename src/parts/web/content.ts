/**
 * The body of a request or a response. Text and bytes stay what they are until somebody asks for
 * a stream; everything else is held by a platform `Response`, which knows how to read it.
 *
 *   source ──text(), json(), bytes()──▶ value          the common path: no stream exists
 *   source ──body──▶ stream (ours) ──▶ platform        someone wants to read piecemeal
 *   stream, blob, form with files ───▶ platform        rare from the start
 */

import type { Inlet } from '../../host/stream.ts';
import { hashText } from '../../kit/random.ts';
import { inletOf } from './flow.ts';
import { lazyStream, ownerOf, seize } from './lazy-stream.ts';
import { Native, type NativeResponse } from './native.ts';

export type Source = string | Uint8Array;
type BodyLike = ConstructorParameters<typeof globalThis.Response>[0];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Content {
  /** What `content-type` should say if nobody said otherwise. */
  readonly type: string | null;
  readonly #source: Source | null;
  /** Holds the body instead of `#source`. */
  #native: NativeResponse | undefined;
  /** Made of `#source` on request. */
  #stream: ReadableStream<Uint8Array> | undefined;
  #streamTouched = false;
  #used = false;
  /** It comes piece by piece, and may never end. */
  readonly flows: boolean;

  constructor(source: Source | null, type: string | null, native?: NativeResponse, flows = false) {
    this.flows = flows;
    this.#source = source;
    this.type = type;
    this.#native = native;
  }

  get empty(): boolean {
    return this.#source === null && this.#native === undefined;
  }

  get used(): boolean {
    return this.#used || this.#streamTouched || (this.#native?.bodyUsed ?? false);
  }

  /** Read, or being read through a reader. */
  get unusable(): boolean {
    if (this.used) return true;
    return (this.#native?.body ?? this.#stream)?.locked ?? false;
  }

  get stream(): ReadableStream<Uint8Array> | null {
    if (this.#native) return this.#native.body as ReadableStream<Uint8Array> | null;
    if (this.#source === null) return null;
    this.#stream ??= this.#used ? spentStream() : this.#makeStream(this.#source);
    return this.#stream;
  }

  text(): Promise<string> {
    if (this.empty) return Promise.resolve('');
    const source = this.#take();
    if (source instanceof Promise) return source;
    if (source === undefined) return this.#throughPlatform().text();
    return Promise.resolve(textOf(source));
  }

  json(): Promise<unknown> {
    const source = this.empty ? '' : this.#take();
    if (source instanceof Promise) return source;
    if (source === undefined) return this.#throughPlatform().json();
    try {
      return Promise.resolve(JSON.parse(textOf(source)));
    } catch (mistake) {
      return Promise.reject(mistake);
    }
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const source = this.empty ? '' : this.#take();
    if (source instanceof Promise) return source;
    if (source === undefined) {
      return this.#throughPlatform()
        .arrayBuffer()
        .then((buffer) => new Uint8Array(buffer));
    }
    // A fresh copy: the caller may write to it, and the source may be shared with a clone.
    return Promise.resolve(typeof source === 'string' ? encoder.encode(source) : source.slice());
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.bytes().then((bytes) =>
      bytes.byteLength === bytes.buffer.byteLength
        ? bytes.buffer
        : bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
    );
  }

  /** `type` is the message's content type, which may differ from the body's own. */
  blob(type: string | null): Promise<Blob> {
    return this.#asPlatform(type).then((native) => native.blob());
  }

  formData(type: string | null): Promise<FormData> {
    const source = this.#source;
    if (source === null || !/^\s*application\/x-www-form-urlencoded\s*(;|$)/i.test(type ?? '')) {
      return this.#asPlatform(type).then((native) => native.formData());
    }
    return this.text().then((text) => {
      const form = new FormData();
      for (const [name, value] of new URLSearchParams(text)) form.append(name, value);
      return form;
    });
  }

  /** Two bodies of one. Text and bytes are never written to, so sharing them is a copy. */
  clone(): Content {
    if (this.empty) return this;
    if (this.#native) return new Content(null, this.type, this.#native.clone(), this.flows);
    return new Content(this.#source, this.type);
  }

  /** The same body for another owner; this one counts as used. */
  moved(): Content {
    const stream = this.#native?.body as ReadableStream | null | undefined;
    const heir = stream
      ? new Content(null, this.type, new Native.Response(stream), this.flows)
      : new Content(this.#source, this.type);
    this.#spend();
    return heir;
  }

  /** The whole body as a message carries it; at once when it is text or bytes. Uses it up. */
  take(): Source | null | Promise<Source> {
    if (this.empty) return null;
    const source = this.#take();
    return source ?? this.bytes();
  }

  /** Of a body that flows, for whoever passes it on as it comes. Uses it up. */
  takeInlet(): Inlet {
    if (this.unusable) throw new TypeError('Body is unusable: it has been read already');
    return inletOf(this.#throughPlatform().body as ReadableStream<Uint8Array>);
  }

  /** The source, marked as used; undefined when only the platform can read it. */
  #take(): Source | Promise<never> | undefined {
    if (this.unusable) {
      return Promise.reject(
        new TypeError('Body is unusable: it has been read, or is being read by someone else'),
      );
    }
    if (this.#native) return undefined;
    this.#spend();
    return this.#source ?? undefined;
  }

  /** Whoever holds our stream finds it taken. */
  #spend(): void {
    this.#used = true;
    if (this.#stream) seize(this.#stream);
  }

  #throughPlatform(): NativeResponse {
    const native = this.#native;
    if (!native) throw new TypeError('Body is unusable');
    return native;
  }

  #asPlatform(type: string | null): Promise<NativeResponse> {
    const headers: Record<string, string> = type === null ? {} : { 'content-type': type };
    if (this.empty) return Promise.resolve(new Native.Response(null, { headers }));
    if (this.unusable) {
      return Promise.reject(new TypeError('Body is unusable: it has been read already'));
    }
    const stream = this.#native?.body as ReadableStream | null | undefined;
    this.#spend();
    const source = this.#source;
    // Text would bring a content type along where the message has none.
    const bytes = typeof source === 'string' ? encoder.encode(source) : source;
    return Promise.resolve(new Native.Response(stream ?? (bytes as BodyLike), { headers }));
  }

  #makeStream(source: Source): ReadableStream<Uint8Array> {
    return lazyStream(
      this,
      () =>
        new ReadableStream({
          type: 'bytes',
          pull: (controller: ReadableByteStreamController) => {
            this.#streamTouched = true;
            const bytes = typeof source === 'string' ? encoder.encode(source) : source.slice();
            if (bytes.byteLength > 0) controller.enqueue(bytes);
            controller.close();
            // A reader that brought its own buffer and found nothing waits for this.
            controller.byobRequest?.respond(0);
          },
          cancel: () => {
            this.#streamTouched = true;
          },
        }),
    );
  }
}

export const nothing = new Content(null, null);

/** `type` as in the standard's "extract a body". */
export function contentOf(body: unknown): Content {
  if (body === null || body === undefined) return nothing;
  if (typeof body === 'string') return new Content(wellFormed(body), plainText);
  if (body instanceof Uint8Array) return new Content(body.slice(), null);
  if (typeof body !== 'object') return new Content(wellFormed(String(body)), plainText);
  if (body instanceof ArrayBuffer) return new Content(new Uint8Array(body.slice(0)), null);
  if (ArrayBuffer.isView(body)) {
    const { buffer, byteOffset, byteLength } = body;
    return new Content(new Uint8Array(buffer, byteOffset, byteLength).slice(), null);
  }
  if (body instanceof URLSearchParams) {
    return new Content(body.toString(), 'application/x-www-form-urlencoded;charset=UTF-8');
  }
  if (body instanceof FormData) return formContent(body);
  if (body instanceof ReadableStream) {
    // `new Response(other.body)` stays light: both share one body, as they would share the stream.
    const owner = ownerOf(body);
    if (owner instanceof Content && !owner.unusable) return owner;
  }
  const native = new Native.Response(body as BodyLike);
  return new Content(null, native.headers.get('content-type'), native, isStream(body));
}

export function isStream(body: unknown): boolean {
  return (
    body instanceof ReadableStream ||
    (typeof body === 'object' && body !== null && Symbol.asyncIterator in body)
  );
}

/**
 * The platform draws a form's boundary at random, beyond the reach of any seed. Ours follows
 * from the fields, so the same form is the same bytes.
 */
function formContent(form: FormData): Content {
  const fields = [...form] as [string, string | Blob][];
  const seed = fields.map(
    ([name, value]) => name + (typeof value === 'string' ? value : value.size),
  );
  const boundary = `----form-${(hashText(seed.join('\n')) >>> 0).toString(16).padStart(8, '0')}${(
    hashText(seed.join('\n'), 1) >>> 0
  )
    .toString(16)
    .padStart(8, '0')}`;
  const type = `multipart/form-data; boundary=${boundary}`;
  const parts: (string | Blob)[] = [];
  for (const [name, value] of fields) {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(lines(name))}"`;
    if (typeof value === 'string') {
      parts.push(`${head}\r\n\r\n${lines(value)}\r\n`);
      continue;
    }
    const file = value as Blob & { readonly name: string };
    const kind = file.type || 'application/octet-stream';
    parts.push(`${head}; filename="${escaped(file.name)}"\r\nContent-Type: ${kind}\r\n\r\n`);
    parts.push(file, '\r\n');
  }
  parts.push(`--${boundary}--\r\n`);
  if (parts.every((part) => typeof part === 'string')) {
    return new Content(wellFormed(parts.join('')), type);
  }
  return new Content(null, type, new Native.Response(new Blob(parts)));
}

const plainText = 'text/plain;charset=UTF-8';

function escaped(name: string): string {
  return name.replace(/\n/g, '%0A').replace(/\r/g, '%0D').replace(/"/g, '%22');
}

function lines(text: string): string {
  return text.replace(/\r?\n|\r(?!\n)/g, '\r\n');
}

/** As encoding and decoding would leave it: lone surrogates replaced. */
function wellFormed(text: string): string {
  return (text as string & { toWellFormed(): string }).toWellFormed();
}

function textOf(source: Source): string {
  if (typeof source !== 'string') return decoder.decode(source);
  return source.charCodeAt(0) === 0xfeff ? source.slice(1) : source;
}

/** What a body is once it has been read. */
function spentStream(): ReadableStream<Uint8Array> {
  const stream = new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
  stream.getReader();
  return stream;
}
