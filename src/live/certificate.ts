/**
 * Certificates of our own making, for development and tests: X.509 version 3 (RFC 5280) over an ECDSA
 * key on P-256, written in DER by hand, since Node reads certificates but makes none.
 */
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { isIP } from 'node:net';

/** PEM, both. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** Who it is, as `CN`. */
  readonly name: string;
  /** Host names and addresses that it is good for. Without any it is a client's. */
  readonly hosts?: readonly string[];
  /** Whoever vouches for it; without one it vouches for itself. */
  readonly issuer?: Identity & { readonly name: string };
  /** May vouch for others. */
  readonly isAuthority?: boolean;
  /** Default 397, the longest that browsers accept. */
  readonly days?: number;
}

const day = 86_400_000;

export function makeCertificate(options: CertificateOptions): Identity {
  const { name, hosts = [], issuer, isAuthority = false, days = 397 } = options;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const issuerKey = issuer ? createPublicKey(issuer.key) : publicKey;
  const now = Date.now();
  const serial = randomBytes(16);
  // A serial number is positive.
  serial[0]! &= 0x7f;
  serial[0]! |= 0x40;
  const body = sequence(
    tagged(0xa0, integer(2)),
    element(0x02, serial),
    ecdsaWithSha256,
    distinguished(issuer?.name ?? name),
    // An hour back: clocks differ.
    sequence(time(now - day / 24), time(now + days * day)),
    distinguished(name),
    spki,
    tagged(
      0xa3,
      sequence(
        extension('2.5.29.14', element(0x04, keyId(publicKey))),
        extension('2.5.29.35', sequence(element(0x80, keyId(issuerKey)))),
        extension('2.5.29.19', isAuthority ? sequence(boolean(true)) : sequence(), true),
        ...(hosts.length > 0 ? [extension('2.5.29.17', sequence(...hosts.map(alternative)))] : []),
      ),
    ),
  );
  const signature = sign('sha256', body, issuer?.key ?? privateKey);
  const cert = sequence(body, ecdsaWithSha256, bits(signature));
  return {
    cert: pem('CERTIFICATE', cert),
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  };
}

function keyId(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g)!;
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

// ---- DER: a tag, a length, what it holds

function element(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return element(0x30, Buffer.concat(parts));
}

function tagged(tag: number, content: Uint8Array): Buffer {
  return element(tag, content);
}

function integer(value: number): Buffer {
  return element(0x02, Buffer.from([value]));
}

function boolean(value: boolean): Buffer {
  return element(0x01, Buffer.from([value ? 0xff : 0]));
}

function bits(content: Uint8Array): Buffer {
  return element(0x03, Buffer.concat([Buffer.from([0]), content]));
}

function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return element(0x06, Buffer.from(bytes));
}

/** Until 2049 two digits of the year, from 2050 on four (RFC 5280, 4.1.2.5). */
function time(at: number): Buffer {
  const text = new Date(at).toISOString().replace(/[-:T]|\.\d+/g, '');
  return Number(text.slice(0, 4)) < 2050
    ? element(0x17, Buffer.from(text.slice(2)))
    : element(0x18, Buffer.from(text));
}

function distinguished(name: string): Buffer {
  const pair = sequence(identifier('2.5.4.3'), element(0x0c, Buffer.from(name)));
  return sequence(element(0x31, pair));
}

function extension(id: string, value: Uint8Array, isCritical = false): Buffer {
  const critical = isCritical ? [boolean(true)] : [];
  return sequence(identifier(id), ...critical, element(0x04, value));
}

function alternative(host: string): Buffer {
  if (isIP(host) === 4) return element(0x87, Buffer.from(host.split('.').map(Number)));
  if (host === '::1') return element(0x87, Buffer.from([...Array<number>(15).fill(0), 1]));
  return element(0x82, Buffer.from(host));
}

const ecdsaWithSha256 = sequence(identifier('1.2.840.10045.4.3.2'));
