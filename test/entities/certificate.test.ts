import { describe, expect, test } from 'bun:test';
import { certificate } from '../../src/entities/certificate.ts';
import { validate } from '../../src/schema/validate.ts';
import { pem } from '../support/certificates.ts';

const errorsOf = (input: object) => {
  const result = validate(certificate.schema, input);
  return 'errors' in result ? result.errors : undefined;
};

const pair = (name: string) => ({ cert: pem(name), key: pem(`${name}.key`) });
const alternative = (name: string) => ({ cert_alt: pem(name), key_alt: pem(`${name}.key`) });
const REFERENCE = '{vault://env/certificate}';

test.each<[string, object]>([
  ['a pair of elliptic curves', pair('client')],
  ['a pair of RSA', pair('rsa')],
  ['a pair of Ed25519', pair('ed25519')],
  ['a chain', pair('server')],
  ['two pairs of different types', { ...pair('rsa'), ...alternative('client') }],
  ['names', { ...pair('rsa'), snis: ['a.test', '*.b.test', 'c.*'] }],
  ['references', { cert: REFERENCE, key: REFERENCE }],
  ['a reference beside a key', { cert: REFERENCE, key: pem('rsa.key') }],
  ['references for the second pair', { ...pair('rsa'), cert_alt: REFERENCE, key_alt: REFERENCE }],
])('%s is taken', (_, input) => {
  expect(errorsOf(input)).toBeUndefined();
});

const KEY = 'invalid key: no private key in PEM, or one that only a passphrase opens';

describe('refused is', () => {
  test.each<[string, object, object]>([
    ['nothing', {}, { cert: 'required field missing', key: 'required field missing' }],
    ['what is no PEM', { cert: 'cert', key: 'key' }, { cert: 'invalid certificate: no PEM certificate', key: KEY }],
    [
      'a certificate that breaks off',
      { ...pair('rsa'), cert: pem('rsa').slice(0, 200) },
      { cert: 'invalid certificate: a certificate that cannot be read' },
    ],
    [
      'a chain that breaks off',
      { ...pair('server'), cert: pem('server').slice(0, -60) },
      { cert: 'invalid certificate: a certificate that cannot be read' },
    ],
    ['a certificate for a key', { cert: pem('rsa'), key: pem('rsa') }, { key: KEY }],
    ['a key of another pair', { cert: pem('client'), key: pem('server.key') }, { '@entity': ['certificate does not match key'] }],
    ['a key of another type', { cert: pem('rsa'), key: pem('ed25519.key') }, { '@entity': ['certificate does not match key'] }],
    [
      'a second certificate without a key',
      { ...pair('rsa'), cert_alt: pem('client') },
      { '@entity': ["all or none of these fields must be set: 'cert_alt', 'key_alt'"] },
    ],
    [
      'a second pair that is none',
      { ...pair('rsa'), cert_alt: pem('client'), key_alt: pem('server.key') },
      { '@entity': ['alternative certificate does not match key'] },
    ],
    [
      'a second pair of the same type',
      { ...pair('client'), ...alternative('server') },
      {
        '@entity': [
          'certificate and alternative certificate need to have different type (e.g. RSA and ECDSA), the provided certificates were both of the same type',
        ],
      },
    ],
    ['a name that is an address', { ...pair('rsa'), snis: ['a.test', '127.0.0.1'] }, { snis: [null, 'must not be an IP'] }],
    ['a name alone', { ...pair('rsa'), snis: 'a.test' }, { snis: 'expected an array' }],
  ])('%s', (_, input, errors) => {
    expect(errorsOf(input)).toEqual(errors as never);
  });
});
