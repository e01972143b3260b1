/** `tls` of a gateway: whose certificate it shows, and whom it lets in. */
import type { TlsPlan } from '../../../host/plan.ts';
import { configure, type OptionsOf, show } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';
import { isSetIn } from '../../../kit/settings.ts';
import { tlsKnobs } from './config.ts';

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
