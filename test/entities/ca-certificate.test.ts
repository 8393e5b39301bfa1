import { expect, test } from 'bun:test';
import { caCertificate } from '../../src/entities/ca-certificate.ts';
import { validate } from '../../src/schema/validate.ts';
import { pem } from '../support/certificates.ts';

test('the digest is that of the certificate, whatever is said', () => {
  const result = validate(caCertificate.schema, { cert: pem('authority'), cert_digest: 'mine' });
  expect('value' in result && result.value.cert_digest).toBe(new Bun.CryptoHasher('sha256').update(derOf(pem('authority'))).digest('hex'));
});

const derOf = (text: string) => Buffer.from(text.replace(/-----.*-----/g, ''), 'base64');

test.each<[string, object, object]>([
  ['nothing', {}, { cert: 'required field missing' }],
  ['what is no PEM', { cert: '{vault://env/ca}' }, { cert: 'invalid certificate: no PEM certificate' }],
  ['more than one', { cert: pem('authority') + pem('rsa') }, { '@entity': ['please submit only one certificate at a time'] }],
  ['one that has expired', { cert: pem('expired-authority') }, { '@entity': ['certificate expired, "Not After" time is in the past'] }],
  [
    'one that is no authority',
    { cert: pem('client') },
    { '@entity': ['certificate does not appear to be a CA because it is missing the "CA" basic constraint'] },
  ],
])('%s is refused', (_, input, errors) => {
  const result = validate(caCertificate.schema, input);
  expect('errors' in result && result.errors).toEqual(errors as never);
});
