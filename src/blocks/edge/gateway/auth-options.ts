/** Authentication as users write it. */
import type { Declaration } from '../../../host/declaration.ts';
import { configure, type OptionsOf, show } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import {
  type AuthConfig,
  identityKnobs,
  type JwtConfig,
  jwtKnobs,
  type KeysConfig,
  keysKnobs,
  type TokenAlgorithm,
} from './config.ts';
import { isName } from './jwt.ts';

export interface ApiKey {
  /** SHA-256 of the key, in hexadecimal: `printf %s "$KEY" | sha256sum`. */
  readonly sha256: string;
  readonly tier?: string;
}

export interface ApiKeysOptions extends OptionsOf<typeof keysKnobs> {
  /** By user: one key, or several while one takes the place of another. */
  readonly users: Readonly<Record<string, ApiKey | readonly ApiKey[]>>;
}

export interface JwtOptions extends OptionsOf<typeof jwtKnobs> {
  /** The service that serves the public keys of the issuer; or `secret`. */
  readonly keys?: Declaration;
  /** Default: RS256, ES256 and EdDSA where there are keys, HS256 where there is a secret. */
  readonly algorithms?: readonly TokenAlgorithm[];
}

/** One way to show who one is. Checked by the gateway that it stands in. */
export type Scheme =
  | { readonly kind: 'api-keys'; readonly options: ApiKeysOptions }
  | { readonly kind: 'jwt'; readonly options: JwtOptions };

/** Keys handed out beforehand, of which the design knows digests only. */
export function apiKeys(options: ApiKeysOptions): Scheme {
  return { kind: 'api-keys', options };
}

/** JSON Web Tokens of an issuer. */
export function jwt(options: JwtOptions): Scheme {
  return { kind: 'jwt', options };
}

export interface AuthOptions {
  readonly auth?: Scheme | readonly Scheme[];
  /** How services are told who asks. */
  readonly identity?: OptionsOf<typeof identityKnobs>;
}

const signed: readonly TokenAlgorithm[] = ['RS256', 'ES256', 'EdDSA'];
const known: readonly TokenAlgorithm[] = [...signed, 'HS256'];

/** `bind` makes a service callable by its name; undefined: it is none. */
export function readAuth(
  name: string,
  { auth, identity }: AuthOptions,
  bind: (at: string, service: Declaration) => string | undefined,
): { readonly auth: AuthConfig | null; readonly problems: readonly Problem[] } {
  const schemes = auth === undefined ? [] : Array.isArray(auth) ? auth : [auth];
  const said = configure(`${name}.identity`, identityKnobs, identity ?? {});
  const problems: Problem[] = [...said.problems];
  if (auth === undefined) return { auth: null, problems };
  if (schemes.length === 0) problems.push({ at: `${name}.auth`, what: 'must have a scheme' });
  const read = (schemes as readonly Scheme[]).map((scheme, index) => {
    const at = Array.isArray(auth) ? `${name}.auth[${index}]` : `${name}.auth`;
    switch (scheme?.kind) {
      case 'api-keys':
        return readKeys(at, scheme.options, problems);
      case 'jwt':
        return readJwt(at, scheme.options, problems, bind);
      default:
        problems.push({ at, what: `must be apiKeys(…) or jwt(…), got ${show(scheme)}` });
        return undefined;
    }
  });
  const ready = read.filter((scheme) => scheme !== undefined);
  return { auth: { ...said.config, schemes: ready }, problems };
}

function readKeys(
  at: string,
  { users, ...options }: ApiKeysOptions,
  problems: Problem[],
): KeysConfig {
  const made = configure(at, keysKnobs, options, ['users']);
  problems.push(...made.problems);
  const keys = Object.entries(users ?? {}).flatMap(([user, given]) =>
    (Array.isArray(given) ? (given as readonly ApiKey[]) : [given as ApiKey]).map((key) => {
      const { sha256, tier = '' } = key ?? {};
      const place = `${at}.users.${user}`;
      if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/i.test(sha256)) {
        const what = 'must have the SHA-256 of its key in 64 hexadecimal digits, never the key';
        problems.push({ at: place, what });
      }
      if (!isName(user) || (tier !== '' && !isName(tier))) {
        problems.push({ at: place, what: 'user and tier stand in headers: printable ASCII' });
      }
      return { sha256: String(sha256).toLowerCase(), user, tier };
    }),
  );
  const digests = keys.map(({ sha256 }) => sha256);
  if (new Set(digests).size < digests.length) {
    problems.push({ at: `${at}.users`, what: 'two users have one key' });
  }
  return { ...made.config, type: 'keys', keys };
}

function readJwt(
  at: string,
  { keys, algorithms, ...options }: JwtOptions,
  problems: Problem[],
  bind: (at: string, service: Declaration) => string | undefined,
): JwtConfig {
  const made = configure(at, jwtKnobs, options, ['keys', 'algorithms']);
  problems.push(...made.problems);
  const { secret } = made.config;
  const service = keys === undefined ? undefined : bind(`${at}.keys`, keys);
  const accepted = algorithms ?? (keys === undefined ? ['HS256'] : signed);
  if ((keys === undefined) === (secret === '')) {
    problems.push({ at, what: 'must have keys or a secret, one of them' });
  }
  const fitting = keys === undefined ? known.slice(3) : signed;
  const odd = accepted.find((algorithm) => !fitting.includes(algorithm as TokenAlgorithm));
  if (odd !== undefined || accepted.length === 0) {
    const what = `must be of ${fitting.join(', ')}, got ${show(odd ?? accepted)}`;
    problems.push({ at: `${at}.algorithms`, what });
  }
  // RFC 7518, 3.2: a shorter one is guessed sooner than the hash is broken.
  if (secret !== '' && new TextEncoder().encode(secret).length < 32) {
    problems.push({ at: `${at}.secret`, what: 'must have 32 bytes at least' });
  }
  const config = { ...made.config, algorithms: accepted as readonly TokenAlgorithm[] };
  return { ...config, type: 'jwt', service: service ?? null };
}
