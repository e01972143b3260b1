/** Which replies are worth compressing, and as what (RFC 9110, 8.4 and 12.5.3). The work is the host's. */
import type { Compression } from '../../../host/crypto.ts';
import type { Host } from '../../../host/host.ts';
import type { WebRequest } from '../../../host/web.ts';
import type { CompressConfig } from './config.ts';
import { headerOf, mediaTypeOf, withListed } from './headers.ts';
import type { Parts, Visit } from './visit.ts';

/** What gets smaller: text, and what is text underneath. */
const squeezable =
  /^(text\/.+|.+\+(json|xml|text)|application\/(json|xml|javascript|x-ndjson|wasm|manifest\+json)|image\/(svg\+xml|bmp))$/;

const preferred: readonly Compression[] = ['br', 'gzip'];

export class Compressor {
  readonly #host: Host;
  readonly #config: CompressConfig;

  constructor(host: Host, config: CompressConfig) {
    this.#host = host;
    this.#config = config;
  }

  /** `done` may be called at once. */
  squeeze({ request }: Visit, reply: Parts, done: (reply: Parts) => void): void {
    const { body, status, headers } = reply;
    if (body === null) return done(this.#isToldOf(request, reply) ? told(request, reply) : reply);
    if (!this.#isWorth(reply)) return done(reply);
    // A cache must tell replies apart by it, also where this one stays as it is.
    const varied = withListed(headers, 'vary', 'accept-encoding');
    const method = acceptedOf(headerOf(request.headers, 'accept-encoding'));
    if (method === undefined) return done({ status, headers: varied, body });
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
    this.#host.crypto.compress(method, bytes, (squeezed) => {
      if (squeezed.length >= bytes.length) return done({ status, headers: varied, body });
      done({ status, headers: coded(varied, method), body: squeezed });
    });
  }

  #isWorth({ status, headers, body }: Parts): boolean {
    if (body === null || body.length < this.#config.minBytes) return false;
    if (status < 200 || status === 204 || status === 206 || status === 304) return false;
    return isOpen(headers) && squeezable.test(mediaTypeOf(headerOf(headers, 'content-type')));
  }

  /**
   * A reply to HEAD and a 304 have no content, and speak of one that this gateway may have compressed, or would.
   * A 304 seldom says of which type it is: what is not known to be another counts as text.
   */
  #isToldOf({ method, headers: asked }: WebRequest, { status, headers }: Parts): boolean {
    const type = headerOf(headers, 'content-type');
    if (!isOpen(headers) || (type !== undefined && !squeezable.test(mediaTypeOf(type))))
      return false;
    if (status === 304) return !isHeldPlain(asked, headers);
    if (method !== 'HEAD' || status < 200 || status === 204 || status === 206) return false;
    const length = Number(headerOf(headers, 'content-length') ?? this.#config.minBytes);
    return type !== undefined && length >= this.#config.minBytes;
  }
}

/** Nothing in it says that it is to stay as it is. */
function isOpen(headers: readonly string[]): boolean {
  if (headerOf(headers, 'content-encoding') !== undefined) return false;
  if (headerOf(headers, 'content-range') !== undefined) return false;
  return !/\bno-transform\b/i.test(headerOf(headers, 'cache-control') ?? '');
}

/** Who would get it compressed, and has it as the service tagged it, has what is not compressed here. */
function isHeldPlain(asked: readonly string[], headers: readonly string[]): boolean {
  if (acceptedOf(headerOf(asked, 'accept-encoding')) === undefined) return false;
  const tags = headerOf(asked, 'if-none-match');
  const etag = headerOf(headers, 'etag');
  if (tags === undefined || etag === undefined || etag.startsWith('W/')) return false;
  return tags.includes(etag) && !tags.includes(`W/${etag}`);
}

/**
 * As the reply with content would be told from others (RFC 9110, 9.3.2 and 15.4.5): a cache puts this in the place
 * of what it knows of the content that it keeps. The coding is not said, since only compressing shows whether it helps.
 */
function told(request: WebRequest, { status, headers }: Parts): Parts {
  const method = acceptedOf(headerOf(request.headers, 'accept-encoding'));
  const varied = withListed(headers, 'vary', 'accept-encoding');
  return { status, headers: method === undefined ? varied : reformed(varied), body: null };
}

function coded(headers: readonly string[], method: Compression): readonly string[] {
  return [...reformed(headers), 'content-encoding', method];
}

/** Another form of the same: a strong tag would promise the same bytes. */
function reformed(headers: readonly string[]): readonly string[] {
  const next: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const value = headers[i + 1]!;
    if (name === 'content-length' || name === 'accept-ranges') continue;
    next.push(name, name === 'etag' && !value.startsWith('W/') ? `W/${value}` : value);
  }
  return next;
}

/** The one that the client likes best of ours; undefined: as it is. */
export function acceptedOf(accept: string | undefined): Compression | undefined {
  if (accept === undefined) return undefined;
  const weights = new Map<string, number>();
  for (const part of accept.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((one) => one.trim());
    const q = parameters.find((one) => one.startsWith('q='));
    const weight = q === undefined ? 1 : Number(q.slice(2));
    weights.set(coding, Number.isFinite(weight) ? weight : 0);
  }
  const weightOf = (method: string): number => weights.get(method) ?? weights.get('*') ?? 0;
  const plain = weights.get('identity') ?? 0;
  const best = preferred.toSorted((one, other) => weightOf(other) - weightOf(one))[0]!;
  return weightOf(best) > 0 && weightOf(best) >= plain ? best : undefined;
}
