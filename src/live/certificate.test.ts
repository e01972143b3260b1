import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { makeCertificate } from './certificate.ts';

test('a certificate of our own says who it is, for how long, and who vouches for it', () => {
  const root = {
    name: 'an authority',
    ...makeCertificate({ name: 'an authority', isAuthority: true }),
  };
  const made = makeCertificate({
    name: 'edge',
    hosts: ['localhost', '*.shop.example', '127.0.0.1', '::1'],
    issuer: root,
  });
  const cert = new X509Certificate(made.cert);
  const authority = new X509Certificate(root.cert);
  expect(cert.subject).toBe('CN=edge');
  expect(cert.issuer).toBe('CN=an authority');
  expect(cert.subjectAltName).toBe(
    'DNS:localhost, DNS:*.shop.example, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
  );
  expect([cert.ca, authority.ca]).toEqual([false, true]);
  expect(cert.checkIssued(authority) && cert.verify(authority.publicKey)).toBe(true);
  expect(authority.verify(authority.publicKey)).toBe(true);
  expect(cert.verify(cert.publicKey)).toBe(false);
  expect(cert.checkHost('www.shop.example')).toBe('*.shop.example');
  expect(Date.parse(cert.validTo) - Date.parse(cert.validFrom)).toBeGreaterThan(396 * 86_400_000);
  const another = new X509Certificate(makeCertificate({ name: 'edge' }).cert);
  expect(another.serialNumber).not.toBe(cert.serialNumber);
});
