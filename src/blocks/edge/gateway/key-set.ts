/**
 * The public keys of who issues tokens: a JSON Web Key Set (RFC 7517) fetched from a service, kept,
 * and fetched again when it is old, or when a token names a key that is not in it.
 *
 *   find(kid) ── known ──▶ at once (and in the background, when the set is old, a new one)
 *        └── unknown ──▶ fetch ──▶ answered when it comes        at most once in `refetchMin`:
 *                                                                invented names cost the issuer nothing
 */
import type { PublicKey, SignatureName } from '../../../host/crypto.ts';
import type { Host, Micros } from '../../../host/host.ts';
import type { JwtConfig } from './config.ts';

/** Asks the issuer; undefined: no answer that counts. */
export type FetchKeys = (done: (body: string | undefined) => void) => void;

/** `unreachable`: there is no key set to look in. */
export type Finding = PublicKey | 'unknown' | 'unreachable';

interface Sought {
  readonly keyId: string | undefined;
  readonly name: SignatureName;
  readonly done: (found: Finding) => void;
}

interface Key extends PublicKey {
  readonly kid?: unknown;
  readonly use?: unknown;
  readonly alg?: unknown;
}

const keysMax = 100;
const waitingMax = 1_000;
/** After a fetch that failed. */
const retryUs = 1_000_000;

export class KeySet {
  readonly #host: Host;
  readonly #config: JwtConfig;
  readonly #fetch: FetchKeys;
  /** The set is another one: what was verified with the old one is verified again. */
  readonly #changed: () => void;
  #keys: readonly Key[] | undefined;
  #text = '';
  #fetchedAt: Micros = 0;
  #askedAt: Micros = Number.NEGATIVE_INFINITY;
  #isFetching = false;
  #waiting: Sought[] = [];

  constructor(host: Host, config: JwtConfig, fetch: FetchKeys, changed: () => void) {
    this.#host = host;
    this.#config = config;
    this.#fetch = fetch;
    this.#changed = changed;
  }

  /** `done` may be called at once. */
  find(keyId: string | undefined, name: SignatureName, done: Sought['done']): void {
    const now = this.#host.now();
    const { keysTtlUs, keysStaleUs, refetchMinUs } = this.#config;
    const ageUs = now - this.#fetchedAt;
    if (this.#keys && ageUs > keysTtlUs + keysStaleUs) this.#keys = undefined;
    if (!this.#keys) {
      if (!this.#isFetching && now - this.#askedAt < retryUs) return done('unreachable');
      return this.#wait({ keyId, name, done });
    }
    if (ageUs > keysTtlUs && now - this.#askedAt >= retryUs) this.#refresh();
    const found = this.#look(keyId, name);
    if (found !== 'unknown') return done(found);
    if (!this.#isFetching && now - this.#askedAt < refetchMinUs) return done('unknown');
    this.#wait({ keyId, name, done });
  }

  #wait(sought: Sought): void {
    if (this.#waiting.length >= waitingMax) return sought.done('unreachable');
    this.#waiting.push(sought);
    this.#refresh();
  }

  #refresh(): void {
    if (this.#isFetching) return;
    this.#isFetching = true;
    this.#askedAt = this.#host.now();
    this.#fetch((body) => {
      this.#isFetching = false;
      const keys = body === undefined ? undefined : readKeys(body);
      if (keys && body !== undefined) {
        this.#keys = keys;
        this.#fetchedAt = this.#host.now();
        if (body !== this.#text) this.#changed();
        this.#text = body;
      }
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const { keyId, name, done } of waiting) {
        done(this.#keys ? this.#look(keyId, name) : 'unreachable');
      }
    });
  }

  /** Without a name only where there is no choice. */
  #look(keyId: string | undefined, name: SignatureName): Finding {
    const fitting = this.#keys!.filter((key) => fits(key, name));
    if (keyId !== undefined) return fitting.find(({ kid }) => kid === keyId) ?? 'unknown';
    return fitting.length === 1 ? fitting[0]! : 'unknown';
  }
}

const kinds: Readonly<Record<SignatureName, readonly [kty: string, crv: string | undefined]>> = {
  RS256: ['RSA', undefined],
  ES256: ['EC', 'P-256'],
  EdDSA: ['OKP', 'Ed25519'],
};

/** A key is for one kind of signature, whatever a token says. */
function fits({ kty, crv, use, alg }: Key, name: SignatureName): boolean {
  const [kind, curve] = kinds[name];
  if (kty !== kind || (curve !== undefined && crv !== curve)) return false;
  return (use === undefined || use === 'sig') && (alg === undefined || alg === name);
}

function readKeys(body: string): readonly Key[] | undefined {
  try {
    const { keys } = JSON.parse(body) as { readonly keys?: unknown };
    if (!Array.isArray(keys)) return undefined;
    return keys
      .filter((key) => typeof key === 'object' && key !== null)
      .slice(0, keysMax) as readonly Key[];
  } catch {
    return undefined; // Whatever stands at that address, it is no key set.
  }
}
