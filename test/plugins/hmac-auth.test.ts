import { afterAll, describe, expect, test } from 'bun:test';
import { createHash, createHmac } from 'node:crypto';
import { serveConfigurations } from '../support/served.ts';

const rig = await serveConfigurations();
afterAll(rig.close);

const serving = (config: object) =>
  rig.load({
    consumers: [
      { username: 'ann', custom_id: '42', hmacauth_credentials: [{ username: 'ann', secret: 'sëcret' }] },
      { username: 'nobody' },
    ],
    services: [{ name: 'api', url: 'upstream', routes: [{ paths: ['/'], strip_path: false }] }],
    plugins: [{ name: 'hmac-auth', config }],
  });

const now = (seconds = 0) => new Date(Date.now() + seconds * 1000).toUTCString();

interface Signed {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What the client signs, in its own words: the lines of the text, by their names. */
  readonly signs?: readonly (readonly [name: string, line: string])[];
  readonly algorithm?: string;
  readonly secret?: string;
  readonly username?: string;
  /** The header with the signature, and what becomes of its text. */
  readonly into?: string;
  readonly spoil?: (header: string) => string;
}

/** A request signed as its own client would sign it. */
async function signed({ method = 'GET', path = '/', headers = { date: now() }, body, signs, ...how }: Signed) {
  const { algorithm = 'hmac-sha256', secret = 'sëcret', username = 'ann', into = 'authorization', spoil = header => header } = how;
  const lines = signs ?? Object.entries(headers).map(([name, value]) => [name, `${name}: ${value}`] as const);
  const text = lines.map(([, line]) => line).join('\n');
  const digest = createHmac(algorithm.slice(5), secret).update(text, 'latin1').digest('base64');
  const names = lines.map(([name]) => name).join(' ');
  const header = `hmac username="${username}", algorithm="${algorithm}", headers="${names}", signature="${digest}"`;
  return rig.ask(path, { method, headers: { ...headers, [into]: spoil(header) }, ...(body !== undefined && { body }) });
}

describe('a signature is taken', () => {
  test.each<readonly [string, Signed]>([
    ['of the date', {}],
    ['of x-date', { headers: { 'x-date': now() } }],
    ['of several headers', { headers: { date: now(), 'x-a': '1', 'x-b': 'two words' } }],
    ['by SHA-1', { algorithm: 'hmac-sha1' }],
    ['by SHA-384', { algorithm: 'hmac-sha384' }],
    ['by SHA-512', { algorithm: 'hmac-sha512' }],
    ['in Proxy-Authorization', { into: 'proxy-authorization' }],
    ['with the scheme in any case and other spaces', { spoil: header => header.replace('hmac ', '  HMAC').replaceAll(', ', ',') }],
    ['of the request target', { path: '/a%20b?x=1&y', signs: [['@request-target', '@request-target: get /a%20b?x=1&y']] }],
    ['of the request line', { path: '/a?x=1', method: 'POST', signs: [['request-line', 'POST /a?x=1 HTTP/1.1']] }],
    ['of a header that is not there', { signs: [['x-absent', 'x-absent:']] }],
    ['of what can be no header', { signs: [['(created)', '(created):']] }],
    ['with a date of a while ago', { headers: { date: now(-290) } }],
    ['with a date that is to come', { headers: { date: now(290) } }],
    ['with a good x-date and a bad date', { headers: { 'x-date': now(), date: 'yesterday' } }],
    ['with a good date beside it that is not signed', { headers: { date: now(), 'x-a': '1' }, signs: [['x-a', 'x-a: 1']] }],
    ['with one of two signed dates a good one', { headers: { date: now(-900), 'x-date': now() } }],
    ['with a header of bytes beyond ASCII', { headers: { date: now(), 'x-a': 'ü' } }],
  ])('%s', async (_, request) => {
    await serving({});
    const { status, sent } = await signed(request);
    expect([status, sent?.header('x-consumer-username'), sent?.header('x-credential-identifier')]).toEqual([200, 'ann', 'ann']);
  });
});

const NOT_VALID = 'HMAC signature cannot be verified';
const NOT_SAME = 'HMAC signature does not match';
const NO_DATE = 'HMAC signature cannot be verified, a valid date or x-date header is required for HMAC Authentication';

describe('nobody passes', () => {
  const without = (name: string) => (header: string) => header.replace(new RegExp(`,? ?${name}="[^"]*"`), '');
  /** What somebody else has heard, and sends with a date of its own. */
  const again = (signed: string, added: string): Signed => {
    const old = now(-900);
    return { headers: { [signed]: old, [added]: now() }, signs: [[signed, `${signed}: ${old}`]] };
  };
  test.each<readonly [string, Signed, string]>([
    ['with another secret', { secret: 'secret' }, NOT_SAME],
    ['with a signature of something else', { signs: [['date', 'date: Mon, 01 Jan 2001 00:00:00 GMT']] }, NOT_SAME],
    ['with the signature of another path', { path: '/b', signs: [['@request-target', '@request-target: get /a']] }, NOT_SAME],
    ['with the signature of another method', { method: 'POST', signs: [['request-line', 'GET / HTTP/1.1']] }, NOT_SAME],
    ['with half a signature', { spoil: header => header.replace(/.{8}"$/, '"') }, NOT_SAME],
    ['with a name that nobody has', { username: 'bob' }, NOT_VALID],
    ['without a name', { spoil: without('username') }, NOT_VALID],
    ['without an algorithm', { spoil: without('algorithm') }, NOT_VALID],
    ['without headers', { spoil: without('headers') }, NOT_VALID],
    ['without a signature', { spoil: without('signature') }, NOT_VALID],
    ['with an algorithm that is none', { spoil: header => header.replace('hmac-sha256', 'hmac-md5') }, NOT_VALID],
    ['with another scheme', { spoil: () => 'Basic eDp5' }, NOT_VALID],
    ['without a date', { headers: { 'x-a': '1' } }, NO_DATE],
    ['with a date too long ago', { headers: { date: now(-310) } }, NO_DATE],
    ['with a date too far off', { headers: { date: now(310) } }, NO_DATE],
    ['with a date too long ago, and a new one that is not signed', again('date', 'x-date'), NO_DATE],
    ['with an x-date too long ago, and a new date that is not signed', again('X-Date', 'date'), NO_DATE],
    ['with a date that HTTP does not know', { headers: { date: new Date().toISOString() } }, NO_DATE],
  ])('%s', async (_, request, message) => {
    await serving({});
    const { status, headers, json, sent } = await signed(request);
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'hmac']);
    expect(json).toEqual({ message, request_id: headers.get('x-kong-request-id') });
    expect(sent).toBeUndefined();
  });

  test('without a header, and the realm is named', async () => {
    await serving({ realm: 'mine' });
    const { status, headers, json } = await rig.ask('/', { headers: { date: now() } });
    expect([status, headers.get('www-authenticate'), json]).toEqual([
      401,
      'hmac realm="mine"',
      expect.objectContaining({ message: 'Unauthorized' }),
    ]);
  });

  test('and a header of a thousand quotation marks is read at once', async () => {
    await serving({});
    const { status } = await signed({ spoil: () => `hmac username="${'",algorithm="'.repeat(500)}` });
    expect(status).toBe(401);
  });
});

describe('what the operator asks for', () => {
  test.each<readonly [string, object, Signed, number]>([
    ['a longer skew', { clock_skew: 1000 }, { headers: { date: now(-900) } }, 200],
    ['a shorter skew', { clock_skew: 10 }, { headers: { date: now(-20) } }, 401],
    ['certain algorithms, and one of them', { algorithms: ['hmac-sha1', 'hmac-sha512'] }, { algorithm: 'hmac-sha512' }, 200],
    ['certain algorithms, and another', { algorithms: ['hmac-sha512'] }, {}, 401],
    ['headers that are signed', { enforce_headers: ['date', 'x-a'] }, { headers: { date: now(), 'x-a': '1' } }, 200],
    ['headers of which one is not signed', { enforce_headers: ['date', 'x-a'] }, {}, 401],
    [
      'the request target, which is signed',
      { enforce_headers: ['@request-target'] },
      { signs: [['@request-target', '@request-target: get /']] },
      200,
    ],
  ])('%s', async (_, config, request, status) => {
    await serving(config);
    expect((await signed(request)).status).toBe(status);
  });

  const digestOf = (body: string) => `SHA-256=${createHash('sha256').update(body).digest('base64')}`;
  test.each<readonly [string, Signed, number]>([
    ['a body with its digest', { body: '{"a":1}', headers: { date: now(), digest: digestOf('{"a":1}') } }, 200],
    ['another body', { body: '{"a":2}', headers: { date: now(), digest: digestOf('{"a":1}') } }, 401],
    ['a body without a digest', { body: 'x' }, 401],
    ['no body, and no digest', {}, 200],
    ['no body, and the digest of nothing', { headers: { date: now(), digest: digestOf('') } }, 200],
    ['a digest of another kind', { body: 'x', headers: { date: now(), digest: 'MD5=abc' } }, 401],
    ['a body, its digest, and a wrong signature', { body: 'x', secret: 'no', headers: { date: now(), digest: digestOf('x') } }, 401],
  ])('that the body is signed: %s', async (_, request, status) => {
    await serving({ validate_request_body: true });
    const { status: got, sent } = await signed({ method: 'POST', ...request });
    expect([got, sent?.text()]).toEqual([status, status === 200 ? (request.body ?? '') : undefined]);
  });

  test('that the signature stops here', async () => {
    await serving({ hide_credentials: true });
    const { status, sent } = await signed({});
    expect([status, sent?.header('authorization')]).toEqual([200, undefined]);
  });

  test('that everybody passes', async () => {
    await serving({ anonymous: 'nobody' });
    const { sent } = await signed({ secret: 'wrong' });
    expect([sent?.header('x-consumer-username'), sent?.header('x-anonymous-consumer')]).toEqual(['nobody', 'true']);
  });
});
