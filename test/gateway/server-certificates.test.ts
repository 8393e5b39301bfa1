import { expect, test } from 'bun:test';
import { type Certificate, certificate } from '../../src/entities/certificate.ts';
import { type Sni, sni } from '../../src/entities/sni.ts';
import type { Pairs } from '../../src/gateway/certificate-pairs.ts';
import { ServerCertificates } from '../../src/gateway/server-certificates.ts';
import { selfSigned } from '../../src/lib/self-signed.ts';
import { pem } from '../support/certificates.ts';

const asIs = { resolve: <T>(_: unknown, value: T) => ({ value, secrets: [] }) };
const fail = (error: unknown) => {
  throw error;
};

const pairRow = (id: string, texts: Partial<Certificate> = {}) => {
  const row = { id, cert_alt: null, key_alt: null, ...selfSigned(), ...texts } as Certificate;
  return { entity: certificate, id, row };
};
const nameRow = (id: string, name: string, of: string) => ({ entity: sni, id, row: { id, name, certificate: { id: of } } as Sni });
const gone = (entity: typeof certificate | typeof sni, id: string) => ({ entity, id, row: null });

test('nothing is there for any name before a certificate has one', () => {
  const certificates = new ServerCertificates(asIs);
  certificates.apply(certificates.prepare([pairRow('a')], fail));
  expect(certificates.find('a.test')).toBe(null);
});

test('what is prepared shows once it is applied', () => {
  const certificates = new ServerCertificates(asIs);
  const prepared = certificates.prepare([pairRow('a'), nameRow('1', 'A.test', 'a')], fail);
  expect(certificates.find('a.test')).toBe(null);
  certificates.apply(prepared);
  expect(certificates.find('a.test')?.pairs).toBeTruthy();
});

test('a name may be given to another certificate, be renamed, and go', () => {
  const certificates = new ServerCertificates(asIs);
  const change = (...changes: Parameters<ServerCertificates['prepare']>[0]) => certificates.apply(certificates.prepare(changes, fail));
  change(pairRow('a'), pairRow('b'), nameRow('1', 'one.test', 'a'));
  const a = certificates.find('one.test');
  change(nameRow('1', 'one.test', 'b'));
  expect(certificates.find('one.test')).not.toBe(a);
  change(nameRow('1', 'two.test', 'a'));
  expect([certificates.find('one.test'), certificates.find('two.test')]).toEqual([null, a]);
  change(gone(sni, '1'), nameRow('2', 'two.test', 'b'));
  expect(certificates.find('two.test')).not.toBe(a);
  change(gone(sni, '2'), gone(certificate, 'b'));
  expect(certificates.find('two.test')).toBe(null);
});

test('the same pair stays the same object, another is another', () => {
  const certificates = new ServerCertificates(asIs);
  const first = pairRow('a');
  const pairs = () => certificates.find('a.test')?.pairs;
  certificates.apply(certificates.prepare([first, nameRow('1', 'a.test', 'a')], fail));
  const before = pairs();
  certificates.apply(certificates.prepare([{ ...first, row: { ...first.row, tags: ['t'] } }], fail));
  expect(pairs()).toBe(before as Pairs);
  certificates.apply(certificates.prepare([pairRow('a')], fail));
  expect(pairs()).not.toBe(before as Pairs);
});

test('a pair that TLS cannot use is a mistake; what was there before serves', () => {
  const certificates = new ServerCertificates(asIs);
  certificates.apply(certificates.prepare([pairRow('a'), nameRow('1', 'a.test', 'a')], fail));
  const before = certificates.find('a.test')?.pairs;
  const broken = pairRow('a', { key: pem('rsa.key') });
  expect(() => certificates.prepare([broken], fail)).toThrow('certificate a: TLS cannot use it');
  expect(certificates.apply(certificates.prepare([broken], () => {}))).toEqual(['certificate a: TLS cannot use it']);
  expect(certificates.problems).toEqual(['certificate a: TLS cannot use it']);
  expect(certificates.find('a.test')?.pairs).toBe(before as Pairs);
});
