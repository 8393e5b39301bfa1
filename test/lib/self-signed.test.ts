import { expect, test } from 'bun:test';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { selfSigned } from '../../src/lib/self-signed.ts';

test('a self-signed certificate is its own issuer, names this machine and goes with its key', () => {
  const { cert, key } = selfSigned();
  const certificate = new X509Certificate(cert);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(certificate.checkHost('localhost')).toBe('localhost');
  expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.now());
  expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.now());
});

test('a TLS server serves with it', async () => {
  const pair = selfSigned();
  using server = Bun.serve({ port: 0, tls: pair, fetch: () => new Response('hello') });
  const response = await fetch(`https://localhost:${server.port}/`, { tls: { ca: pair.cert } });
  expect(await response.text()).toBe('hello');
});
