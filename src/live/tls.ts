/** What an edge needs to speak TLS, read from the files that a plan names; and what it learns of a client. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TLSSocket, TlsOptions } from 'node:tls';
import type { TlsCosts, TlsPlan } from '../host/plan.ts';
import type { TlsFacts } from '../host/web.ts';
import { LoadpathError } from '../kit/errors.ts';
import { type Identity, makeCertificate } from './certificate.ts';

export interface TlsMaterial {
  readonly options: TlsOptions;
  /** Certificates for other names that clients ask for. */
  readonly names: readonly (readonly [name: string, identity: Identity])[];
}

/** Who does not finish a handshake by then is not going to. */
const handshakeTimeoutMs = 10_000;

/**
 * A certificate for development is made once and kept in `directory`, so that who trusts it need not
 * do so again after every start.
 * @throws LoadpathError 'bad-option' for a file that cannot be read.
 */
export function readTls(plan: Omit<TlsPlan, keyof TlsCosts>, directory: string): TlsMaterial {
  const own =
    plan.cert === ''
      ? developmentIdentity(directory)
      : { cert: readPem(plan.cert), key: readPem(plan.key) };
  return {
    options: {
      ...own,
      ALPNProtocols: ['h2', 'http/1.1'],
      minVersion: 'TLSv1.2',
      handshakeTimeout: handshakeTimeoutMs,
      ...(plan.clientCa === ''
        ? {}
        : {
            ca: readPem(plan.clientCa),
            requestCert: true,
            rejectUnauthorized: plan.clients === 'required',
          }),
    },
    names: Object.entries(plan.names).map(
      ([name, { cert, key }]) => [name, { cert: readPem(cert), key: readPem(key) }] as const,
    ),
  };
}

export function factsOf(socket: TLSSocket): TlsFacts {
  const version = socket.getProtocol() ?? '';
  if (!socket.authorized) return { version };
  const { subject, subjectaltname, fingerprint256 } = socket.getPeerCertificate();
  if (!subject) return { version };
  return {
    version,
    client: {
      // A name may stand there twice.
      name: String(subject.CN ?? ''),
      alternatives: subjectaltname?.split(', ') ?? [],
      fingerprint: fingerprint256,
    },
  };
}

function developmentIdentity(directory: string): Identity {
  const [certPath, keyPath] = [
    join(directory, 'development.crt'),
    join(directory, 'development.key'),
  ];
  try {
    return { cert: readFileSync(certPath, 'utf8'), key: readFileSync(keyPath, 'utf8') };
  } catch {
    const hosts = ['localhost', '127.0.0.1', '::1'];
    const made = makeCertificate({ name: 'Loadpath development', hosts });
    mkdirSync(directory, { recursive: true });
    writeFileSync(keyPath, made.key, { mode: 0o600 });
    writeFileSync(certPath, made.cert);
    return made;
  }
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new LoadpathError('bad-option', `The file ${path}, which tls names, cannot be read.`, {
      cause: error,
    });
  }
}
