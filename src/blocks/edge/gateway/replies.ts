/** What a gateway adds to replies: headers that every one should have, and who may read it from another site (CORS). */
import type { CorsConfig } from './config.ts';
import { headerOf, withListed, withoutHeaders } from './headers.ts';
import { type Parts, type Stage, secondsOf, type Visit } from './visit.ts';

/** Sets headers in every reply, in place of what the service said of them. */
export class ReplyHeaders implements Stage {
  readonly #added: readonly string[];
  readonly #names: ReadonlySet<string>;

  constructor(headers: readonly string[]) {
    this.#added = headers;
    this.#names = new Set(headers.filter((_, index) => index % 2 === 0));
  }

  enter(): undefined {
    return undefined;
  }

  leave(_visit: Visit, reply: Parts | undefined): Parts | undefined {
    if (!reply) return reply;
    return { ...reply, headers: [...withoutHeaders(reply.headers, this.#names), ...this.#added] };
  }
}

const ownFields: ReadonlySet<string> = new Set([
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-expose-headers',
]);

/** Cross-origin reads as the Fetch standard has it: the gateway answers what a browser asks beforehand. */
export class Preflights implements Stage {
  readonly #config: CorsConfig;

  constructor(config: CorsConfig) {
    this.#config = config;
  }

  enter({ request }: Visit): Parts | undefined {
    const { headers, method } = request;
    if (method !== 'OPTIONS') return undefined;
    const wanted = headerOf(headers, 'access-control-request-method');
    if (wanted === undefined || headerOf(headers, 'origin') === undefined) return undefined;
    const { methods, headers: allowed, maxAgeUs } = this.#config;
    const fields = ['access-control-allow-methods', methods.join(', ')];
    if (allowed.length > 0) fields.push('access-control-allow-headers', allowed.join(', '));
    fields.push('access-control-max-age', secondsOf(maxAgeUs));
    return { status: 204, headers: fields, body: null };
  }
}

/**
 * Says in each reply who may read it from another site. It stands before whatever refuses, since a page can
 * read no reply without it, not even that it should slow down. Whoever is not allowed is told nothing.
 */
export class CorsHeaders implements Stage {
  readonly #config: CorsConfig;
  readonly #any: boolean;

  constructor(config: CorsConfig) {
    this.#config = config;
    this.#any = config.origins.includes('*');
  }

  enter(): undefined {
    return undefined;
  }

  leave({ request }: Visit, reply: Parts | undefined): Parts | undefined {
    if (!reply) return reply;
    const origin = headerOf(request.headers, 'origin');
    const kept = withoutHeaders(reply.headers, ownFields);
    const { credentials, exposed } = this.#config;
    const isOpen = this.#any && !credentials;
    // Also to who is not allowed: a cache must not hand on what another was told.
    const headers = isOpen ? [...kept] : withListed(kept, 'vary', 'origin');
    if (origin === undefined || !this.#allows(origin)) return { ...reply, headers };
    headers.push('access-control-allow-origin', isOpen ? '*' : origin);
    if (credentials) headers.push('access-control-allow-credentials', 'true');
    if (exposed.length > 0) headers.push('access-control-expose-headers', exposed.join(', '));
    return { ...reply, headers };
  }

  #allows(origin: string): boolean {
    return this.#any || this.#config.origins.includes(origin);
  }
}
