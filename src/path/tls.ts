/**
 * TLS where it ends, at a gateway or a service: whose certificate is shown, who is let in, and what a
 * handshake costs.
 */
import type { TlsPlan } from '../host/plan.ts';
import { choice, configure, duration, type OptionsOf, show, text } from '../kit/config.ts';
import type { Problem } from '../kit/errors.ts';
import { isSetIn } from '../kit/settings.ts';

export const tlsKnobs = {
  cert: text('', {
    allowed: 'the path of a file',
    doc: 'The certificate, with those that vouch for it, as PEM. Empty: one of its own making, good for localhost, kept with the data of the system.',
  }),
  key: text('', { allowed: 'the path of a file', doc: 'Its private key, as PEM.' }),
  clientCa: text('', {
    allowed: 'the path of a file',
    doc: 'Who vouches for clients, as PEM. With it clients show certificates (mTLS), and the gateway knows whom it speaks to.',
  }),
  clients: choice(
    ['required', 'asked'],
    'What clientCa means for who shows no certificate that it vouches for: required ends the connection, asked lets it in as somebody unknown.',
  ),
  handshakeCost: duration('800us', {
    max: '1s',
    doc: 'Processor time of a new connection when simulated: a key agreement (X25519) and a signature (ECDSA P-256), with what Node and the kernel do around them. An RSA key of 2048 bits costs another 700us.',
  }),
  resumeCost: duration('250us', {
    max: '1s',
    doc: 'The same for a user who was here before and brings a ticket of this very process: no certificate, no signature.',
  }),
};

/** Two files of PEM. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

export interface TlsOptions extends OptionsOf<typeof tlsKnobs> {
  /** Other certificates, for the names that clients ask for (SNI): `'*.example.com': { cert, key }`. */
  readonly names?: Readonly<Record<string, CertificateFiles>>;
}

export function readTls(
  at: string,
  given: TlsOptions | true | undefined,
): { readonly tls: TlsPlan | null; readonly problems: readonly Problem[] } {
  if (given === undefined && !isSetIn(at)) return { tls: null, problems: [] };
  const { names = {}, ...rest } = given === true || given === undefined ? {} : given;
  const { config, problems } = configure(at, tlsKnobs, rest, ['names']);
  const wrong = [...problems];
  if ((config.cert === '') !== (config.key === '')) {
    wrong.push({ at, what: 'takes cert and key together, or neither' });
  }
  if (config.cert === '' && Object.keys(names).length > 0) {
    wrong.push({ at, what: 'names further certificates, so it needs cert and key for the rest' });
  }
  for (const [name, files] of Object.entries(names)) {
    if (typeof files?.cert === 'string' && typeof files.key === 'string') continue;
    wrong.push({ at: `${at}.names[${show(name)}]`, what: 'must be { cert, key }, paths of files' });
  }
  return { tls: { ...config, names }, problems: wrong };
}
