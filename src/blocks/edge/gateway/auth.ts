/**
 * Who asks: an API key, or a token that somebody signed. The gateway says it to the services in
 * headers of its own, and takes out what came under their names: nobody speaks for another.
 *
 * What is no good is refused everywhere, what is missing only where it is required.
 */
import type { SignatureName } from '../../../host/crypto.ts';
import type { Host, Micros } from '../../../host/host.ts';
import { assert } from '../../../kit/assert.ts';
import { hexOf } from '../../../kit/bytes.ts';
import { Lru } from '../../../parts/lru.ts';
import type { AuthConfig, AuthMode, JwtConfig, KeysConfig } from './config.ts';
import { headerOf, withoutHeaders } from './headers.ts';
import { type Claims, isName, isSame, objection, readToken } from './jwt.ts';
import { type FetchKeys, KeySet } from './key-set.ts';
import { type Identity, type Parts, plain, type Resume, type Stage, type Visit } from './visit.ts';

/** How to ask a service for a path. */
export type AskService = (
  service: string,
  path: string,
  done: (body: string | undefined) => void,
) => void;

const encoder = new TextEncoder();

type Verdict = Identity | { readonly refusal: Parts };

/** One way to show who one is. */
interface Scheme {
  /** How a refusal asks for it (RFC 9110, 11.6.1). */
  readonly challenge: string;
  /** What this request shows in this way; undefined: nothing. */
  credentialOf(visit: Visit): string | undefined;
  /** May answer at once. */
  check(credential: string, done: (verdict: Verdict) => void): void;
}

export class Authentication {
  readonly #schemes: readonly Scheme[];
  readonly #config: AuthConfig;
  readonly #own: ReadonlySet<string>;
  /** Of all ways in which one may show who one is. */
  readonly #challenges: string;

  constructor(host: Host, config: AuthConfig, ask: AskService) {
    this.#config = config;
    this.#own = new Set([config.userHeader, config.tierHeader]);
    this.#schemes = config.schemes.map((scheme) =>
      scheme.type === 'keys' ? new Keys(host, scheme) : new Tokens(host, scheme, ask),
    );
    this.#challenges = this.#schemes.map(({ challenge }) => challenge).join(', ');
  }

  stage(mode: AuthMode, tiers: readonly string[]): Stage {
    return { enter: (visit, resume) => this.#enter(visit, mode, tiers, resume) };
  }

  #enter(
    visit: Visit,
    mode: AuthMode,
    tiers: readonly string[],
    resume: Resume,
  ): Parts | 'held' | undefined {
    visit.headers = withoutHeaders(visit.headers, this.#own);
    if (mode === 'none') return undefined;
    for (const scheme of this.#schemes) {
      const credential = scheme.credentialOf(visit);
      if (credential === undefined) continue;
      let atOnce: Parts | 'held' | undefined = 'held';
      let isWithin = true;
      scheme.check(credential, (verdict) => {
        const refusal = 'refusal' in verdict ? verdict.refusal : this.#admit(visit, verdict, tiers);
        if (isWithin) atOnce = refusal;
        else resume(visit, refusal);
      });
      isWithin = false;
      return atOnce;
    }
    return mode === 'optional' ? undefined : unauthorized(this.#challenges);
  }

  #admit(visit: Visit, identity: Identity, tiers: readonly string[]): Parts | undefined {
    if (tiers.length > 0 && !tiers.includes(identity.tier)) return plain(403, 'not for this tier');
    visit.identity = identity;
    const { userHeader, tierHeader } = this.#config;
    const said = [...visit.headers, userHeader, identity.user];
    if (identity.tier !== '') said.push(tierHeader, identity.tier);
    visit.headers = said;
    return undefined;
  }
}

function unauthorized(challenge: string): Parts {
  return plain(401, 'who are you?', ['www-authenticate', challenge]);
}

const bearer = 'Bearer realm="gateway"';

/** RFC 6750, section 3: without an error where nothing was shown. */
function badToken(why: string): Parts {
  return unauthorized(`${bearer}, error="invalid_token", error_description="${why}"`);
}

/**
 * Keys have no scheme that is registered; `ApiKey` is what many call it, with the header to show one in.
 *
 * They are kept as digests: who reads the design or the plan learns none. The digest is what is looked
 * up, so how long that takes says something about digests of guesses, and nothing about keys.
 */
class Keys implements Scheme {
  readonly challenge: string;
  readonly #host: Host;
  readonly #header: string;
  readonly #byDigest: ReadonlyMap<string, Identity>;
  /** Good ones that were shown, of which there are no more than digests: each is hashed once. */
  readonly #shown = new Map<string, Identity>();

  constructor(host: Host, { header, keys }: KeysConfig) {
    this.#host = host;
    this.#header = header;
    this.challenge = `ApiKey realm="gateway", header="${header}"`;
    this.#byDigest = new Map(keys.map(({ sha256, user, tier }) => [sha256, { user, tier }]));
  }

  credentialOf({ request }: Visit): string | undefined {
    return headerOf(request.headers, this.#header);
  }

  check(credential: string, done: (verdict: Verdict) => void): void {
    const known = this.#shown.get(credential);
    if (known) return done(known);
    this.#host.crypto.digest('SHA-256', encoder.encode(credential), (digest) => {
      const identity = this.#byDigest.get(hexOf(digest));
      if (identity) this.#shown.set(credential, identity);
      done(identity ?? { refusal: unauthorized(`${this.challenge}, error="no such key"`) });
    });
  }
}

interface Verified {
  readonly identity: Identity;
  readonly claims: Claims;
}

class Tokens implements Scheme {
  readonly challenge = bearer;
  readonly #host: Host;
  readonly #config: JwtConfig;
  readonly #keys: KeySet | undefined;
  readonly #secret: Uint8Array;
  /** By the whole token, so that a signature is checked once, and its claims every time. */
  readonly #verified: Lru<string, Verified>;

  constructor(host: Host, config: JwtConfig, ask: AskService) {
    this.#host = host;
    this.#config = config;
    this.#secret = new TextEncoder().encode(config.secret);
    this.#verified = new Lru({ entriesMax: config.verifiedMax });
    const { service, path } = config;
    if (service === null) return;
    const fetch: FetchKeys = (done) => ask(service, path, done);
    this.#keys = new KeySet(host, config, fetch, () => this.#verified.clear());
  }

  credentialOf({ request }: Visit): string | undefined {
    const value = headerOf(request.headers, 'authorization');
    return value === undefined ? undefined : /^bearer +(\S+) *$/i.exec(value)?.[1];
  }

  check(text: string, done: (verdict: Verdict) => void): void {
    const known = this.#verified.get(text);
    if (known) return done(this.#judge(known));
    const token = readToken(text);
    if (!token) return done({ refusal: badToken('it is no token') });
    const { algorithm, claims, keyId, signed, signature } = token;
    if (!this.#config.algorithms.some((allowed) => allowed === algorithm)) {
      return done({ refusal: badToken('its algorithm is not accepted') });
    }
    const why = objection(claims, this.#config, this.#host.wall());
    if (why !== undefined) return done({ refusal: badToken(why) });
    const settled = (isGood: boolean): void => {
      if (!isGood) return done({ refusal: badToken('its signature is wrong') });
      const verified = { identity: this.#identityOf(claims), claims };
      this.#verified.set(text, verified);
      done(this.#judge(verified));
    };
    const { crypto } = this.#host;
    if (algorithm === 'HS256') {
      crypto.hmac('SHA-256', this.#secret, signed, (code) => settled(isSame(code, signature)));
      return;
    }
    const name = algorithm as SignatureName;
    assert(this.#keys, 'signatures are accepted where keys are fetched from');
    this.#keys.find(keyId, name, (found) => {
      if (found === 'unreachable') return done({ refusal: plain(503, 'cannot check who you are') });
      if (found === 'unknown') return done({ refusal: badToken('its key is not known') });
      crypto.verify(name, found, signed, signature, settled);
    });
  }

  /** Its claims are judged anew: it may have expired since. */
  #judge({ identity, claims }: Verified): Verdict {
    const wall: Micros = this.#host.wall();
    const why = objection(claims, this.#config, wall);
    return why === undefined ? identity : { refusal: badToken(why) };
  }

  #identityOf(claims: Claims): Identity {
    const tier = claims[this.#config.tierClaim];
    return {
      user: claims[this.#config.userClaim] as string,
      tier: typeof tier === 'string' && isName(tier) ? tier : '',
    };
  }
}
