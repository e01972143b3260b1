/**
 * JSON Web Tokens as a gateway needs them: taken apart, and judged by their claims (RFC 7515, 7519,
 * with the advice of RFC 8725). Pure; signatures are the host's business.
 *
 * The algorithm is never the token's choice: only those that the gateway was told to accept are, and
 * each needs a key of its own kind, so a public key is never taken for a shared secret. `none` is
 * not among them.
 */
import type { Micros } from '../../../host/host.ts';
import { fromBase64Url } from '../../../kit/bytes.ts';
import type { JwtConfig } from './config.ts';

export interface Token {
  readonly algorithm: string;
  /** Undefined: it does not say. */
  readonly keyId: string | undefined;
  readonly claims: Claims;
  /** What the signature is of. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

export type Claims = Readonly<Record<string, unknown>>;

/** Longer ones are none: nobody's claims are that long, and each byte is decoded twice. */
const lengthMax = 8_192;

/** Undefined for what is no signed token in compact form. */
export function readToken(text: string): Token | undefined {
  if (text.length > lengthMax) return undefined;
  const [head, body, signature, ...more] = text.split('.');
  if (head === undefined || body === undefined || signature === undefined || more.length > 0) {
    return undefined;
  }
  const header = jsonOf(fromBase64Url(head));
  const claims = jsonOf(fromBase64Url(body));
  const bytes = fromBase64Url(signature);
  // A token with critical extensions must be refused by who does not know them, and we know none.
  if (!header || !claims || !bytes || typeof header.alg !== 'string' || 'crit' in header) {
    return undefined;
  }
  const { kid } = header;
  if (kid !== undefined && typeof kid !== 'string') return undefined;
  return {
    algorithm: header.alg,
    keyId: kid,
    claims,
    signed: new TextEncoder().encode(`${head}.${body}`),
    signature: bytes,
  };
}

/** Why a token with these claims does not count now; undefined: it does. */
export function objection(
  claims: Claims,
  config: Pick<JwtConfig, 'issuer' | 'audience' | 'leewayUs' | 'userClaim'>,
  wall: Micros,
): string | undefined {
  const { exp, nbf, iss, aud } = claims;
  const { issuer, audience, leewayUs, userClaim } = config;
  if (typeof exp !== 'number') return 'it never ends';
  if (wall >= exp * 1_000_000 + leewayUs) return 'it has expired';
  if (nbf !== undefined && typeof nbf !== 'number') return 'its beginning is no time';
  if (nbf !== undefined && wall < nbf * 1_000_000 - leewayUs) return 'it is not valid yet';
  if (issuer !== '' && iss !== issuer) return 'somebody else issued it';
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (audience !== '' && !audiences.includes(audience)) return 'it is for somebody else';
  const user = claims[userClaim];
  return typeof user === 'string' && isName(user) ? undefined : 'it names nobody';
}

/** What may stand in a header, and in a line of a log. */
export function isName(text: string): boolean {
  return /^[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?$/.test(text);
}

function jsonOf(bytes: Uint8Array | undefined): Claims | undefined {
  if (!bytes) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Claims)
      : undefined;
  } catch {
    return undefined; // Not JSON, or not UTF-8: somebody wrote it by hand.
  }
}

/** Takes as long wherever they differ. */
export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let i = 0; i < one.length; i++) difference |= one[i]! ^ other[i]!;
  return difference === 0;
}
