import { afterAll, describe, expect, test } from 'bun:test';
import { cors } from '../../src/plugins/cors.ts';
import { openRig } from '../support/behind.ts';
import { configured, openHost } from '../support/host.ts';

const rig = openRig();
afterAll(rig.close);

const METHODS = 'GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT';
const PAGE = 'https://page.test';

type Told = Readonly<Record<string, string>>;

/** What an answer tells browsers: headers of CORS without what they all begin with, and `vary`. */
function told(headers: Headers): Told {
  const names = [...headers.keys()].filter(name => name.startsWith('access-control-') || name === 'vary');
  return Object.fromEntries(names.map(name => [name.replace('access-control-', ''), headers.get(name) ?? '']));
}

describe('a browser that asks first', () => {
  const asking = (origin: string, more: Told = {}) => ({
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'PUT', ...more },
  });

  test.each<[string, object, Told, Told]>([
    ['anything', {}, {}, { 'allow-origin': '*', 'allow-methods': METHODS }],
    ['anything by a star', { origins: ['*'] }, {}, { 'allow-origin': '*', 'allow-methods': METHODS }],
    ['one origin', { origins: ['https://page.test'] }, {}, { 'allow-origin': PAGE, 'allow-methods': METHODS, vary: 'Origin' }],
    [
      'that origin even when another asks',
      { origins: ['https://x.test'] },
      {},
      { 'allow-origin': 'https://x.test', 'allow-methods': METHODS, vary: 'Origin' },
    ],
    [
      'its origin of several',
      { origins: ['https://x.test', PAGE] },
      {},
      { 'allow-origin': PAGE, 'allow-methods': METHODS, vary: 'Origin' },
    ],
    ['no origin of several', { origins: ['https://x.test', 'https://y.test'] }, {}, { 'allow-methods': METHODS, vary: 'Origin' }],
    ['a star among several', { origins: ['https://x.test', '*'] }, {}, { 'allow-origin': '*', 'allow-methods': METHODS, vary: 'Origin' }],
    ['some methods', { methods: ['GET', 'PUT'] }, {}, { 'allow-origin': '*', 'allow-methods': 'GET,PUT' }],
    ['all methods, when there are none', { methods: null }, {}, { 'allow-origin': '*', 'allow-methods': METHODS }],
    [
      'some headers',
      { headers: ['X-A', 'X-B'] },
      { 'access-control-request-headers': 'x-c' },
      { 'allow-origin': '*', 'allow-methods': METHODS, 'allow-headers': 'X-A,X-B' },
    ],
    [
      'the headers it asks for',
      {},
      { 'access-control-request-headers': 'x-c, x-d' },
      { 'allow-origin': '*', 'allow-methods': METHODS, 'allow-headers': 'x-c, x-d' },
    ],
    ['how long', { max_age: 3600 }, {}, { 'allow-origin': '*', 'allow-methods': METHODS, 'max-age': '3600' }],
    [
      'credentials',
      { origins: [PAGE], credentials: true },
      {},
      { 'allow-origin': PAGE, 'allow-methods': METHODS, 'allow-credentials': 'true', vary: 'Origin' },
    ],
    [
      'credentials for anything by its name',
      { credentials: true },
      {},
      { 'allow-origin': PAGE, 'allow-methods': METHODS, 'allow-credentials': 'true', vary: 'Origin' },
    ],
    [
      'credentials for a star among several',
      { origins: [PAGE, '*'], credentials: true },
      {},
      { 'allow-origin': PAGE, 'allow-methods': METHODS, 'allow-credentials': 'true', vary: 'Origin' },
    ],
    [
      'the way into a private network',
      { private_network: true },
      { 'access-control-request-private-network': 'true' },
      { 'allow-origin': '*', 'allow-methods': METHODS, 'allow-private-network': 'true' },
    ],
    ['no way in that is not asked for', { private_network: true }, {}, { 'allow-origin': '*', 'allow-methods': METHODS }],
    [
      'no way in that is not there',
      {},
      { 'access-control-request-private-network': 'true' },
      { 'allow-origin': '*', 'allow-methods': METHODS },
    ],
    ['nothing of exposed headers', { exposed_headers: ['X-A'] }, {}, { 'allow-origin': '*', 'allow-methods': METHODS }],
  ])('is told %s', async (_, config, more, wanted) => {
    const { status, text, headers, sent } = await rig.ask(cors, config, asking(PAGE, more));
    expect([status, text, headers.get('content-length'), sent]).toEqual([200, '', '0', undefined]);
    expect(told(headers)).toEqual(wanted);
  });

  test('is answered by the upstream, as it is, when the configuration says so', async () => {
    const reply = { headers: { 'access-control-allow-origin': 'https://up.test' }, body: 'up' };
    const { text, headers, sent } = await rig.ask(cors, { preflight_continue: true }, { ...asking(PAGE), reply });
    expect([text, sent?.method, told(headers)]).toEqual(['up', 'OPTIONS', { 'allow-origin': 'https://up.test' }]);
  });

  test.each([
    ['an origin', { 'access-control-request-method': 'PUT' }],
    ['a method', { origin: PAGE }],
  ])('and has not said %s asks the upstream', async (_, headers) => {
    expect((await rig.ask(cors, {}, { method: 'OPTIONS', headers })).sent?.method).toBe('OPTIONS');
  });
});

describe('a browser that calls', () => {
  test.each<[string, object, string | null, Told]>([
    ['anything', {}, PAGE, { 'allow-origin': '*' }],
    ['anything, though it is no page', {}, null, { 'allow-origin': '*' }],
    ['nothing, when it is no page', { allow_origin_absent: false, exposed_headers: ['X-A'] }, null, {}],
    ['its origin', { origins: [PAGE, 'https://x.test'] }, PAGE, { 'allow-origin': PAGE, vary: 'Origin' }],
    ['no origin', { origins: [PAGE, 'https://x.test'] }, 'https://y.test', { vary: 'Origin' }],
    ['no origin, when it is no page', { origins: [PAGE, 'https://x.test'] }, null, { vary: 'Origin' }],
    ['what it may read', { exposed_headers: ['X-A', 'X-B'] }, PAGE, { 'allow-origin': '*', 'expose-headers': 'X-A,X-B' }],
    ['that it may send credentials', { credentials: true }, PAGE, { 'allow-origin': PAGE, 'allow-credentials': 'true', vary: 'Origin' }],
    ['nothing of credentials, when it is no page', { credentials: true }, null, { 'allow-origin': '*' }],
    [
      'nothing of methods, headers, ages and networks',
      { methods: ['GET'], headers: ['A'], max_age: 1, private_network: true },
      PAGE,
      { 'allow-origin': '*' },
    ],
  ])('is told %s', async (_, config, origin, wanted) => {
    const { headers, sent } = await rig.ask(cors, config, origin === null ? {} : { headers: { origin } });
    expect(sent).toBeDefined();
    expect(told(headers)).toEqual(wanted);
  });

  test('what the upstream said of origins is replaced, what it varies by stays', async () => {
    const reply = { headers: { 'access-control-allow-origin': 'https://up.test', vary: 'Accept' }, body: 'up' };
    const allowed = await rig.ask(cors, { origins: [PAGE, 'https://x.test'] }, { headers: { origin: PAGE }, reply });
    expect(told(allowed.headers)).toEqual({ 'allow-origin': PAGE, vary: 'Accept, Origin' });
    const refused = await rig.ask(cors, { origins: [PAGE, 'https://x.test'] }, { headers: { origin: 'https://y.test' }, reply });
    expect(told(refused.headers)).toEqual({ vary: 'Accept, Origin' });
  });

  test.each([
    ['Origin', 'Origin'],
    ['Accept, origin', 'Accept, origin'],
    ['X-Origin', 'X-Origin, Origin'],
  ])('what varies by %s varies by %s', async (vary, wanted) => {
    const { headers } = await rig.ask(
      cors,
      { origins: [PAGE, 'https://x.test'] },
      { headers: { origin: PAGE }, reply: { headers: { vary }, body: 'up' } },
    );
    expect(headers.get('vary')).toBe(wanted);
  });

  test('is told also when the gateway itself answers', async () => {
    const { status, headers } = await rig.ask(cors, {}, { headers: { origin: PAGE }, setting: { matches: () => false } });
    expect([status, told(headers)]).toEqual([404, { 'allow-origin': '*' }]);
  });
});

describe('an origin', () => {
  const OTHER = 'https://other.test';
  test.each<[string, string, string, string | null]>([
    ['is the same without its usual port', 'http://a.test', 'http://a.test:80', 'http://a.test'],
    ['is the same with it', 'https://a.test:443', 'https://a.test', 'https://a.test'],
    ['is another on another port', 'https://a.test', 'https://a.test:8443', null],
    ['is another with another scheme', 'https://a.test', 'http://a.test', null],
    ['that is opaque has a name', 'null', 'null', 'null'],
    ['of IPv6', '(http://\\[::1\\]:3000)', 'http://[::1]:3000', 'http://[::1]:3000'],
    ['fits a pattern', 'https://.*\\.a\\.test', 'https://x.a.test', 'https://x.a.test'],
    ['fits a pattern from its start', '.*\\.a\\.test', 'https://x.a.test', 'https://x.a.test'],
    ['fits a pattern to its end', 'https://a\\.test', 'https://a.test.evil.test', null],
    ['fits a pattern with ends of its own', '^https://a\\.test$', 'https://a.test', 'https://a.test'],
    ['fits each alternative to its end', 'https://a\\.test|https://b\\.test', 'https://a.test.evil.test', null],
    ['fits one alternative', 'https://a\\.test|https://b\\.test', 'https://a.test', 'https://a.test'],
    ['fits a pattern of hosts', '(x|y)\\.a\\.test', 'http://y.a.test:3000', 'http://y.a.test:3000'],
    ['fits no pattern of other hosts', '(x|y)\\.a\\.test', 'http://evil.test/y.a.test', null],
    ['fits no pattern behind a user', '(x|y)\\.a\\.test', 'http://y.a.test@evil.test', null],
    ['fits a pattern with a port', 'http://a\\.test:(3000|4000)', 'http://a.test:4000', 'http://a.test:4000'],
  ])('%s', async (_, entry, origin, allowed) => {
    const { headers } = await rig.ask(cors, { origins: [OTHER, entry] }, { headers: { origin } });
    expect(headers.get('access-control-allow-origin')).toBe(allowed);
  });

  test('that is the only one and a pattern is looked at', async () => {
    const { headers } = await rig.ask(cors, { origins: ['https://.*'] }, { headers: { origin: PAGE } });
    expect(told(headers)).toEqual({ 'allow-origin': PAGE, vary: 'Origin' });
  });
});

test.each([
  ['an origin that is no pattern', { origins: ['https://('] }, "'https://(' is not a valid regex"],
  ['a star that is no pattern', { origins: ['*.a.test'] }, "'*.a.test' is not a valid regex"],
  ['an origin of two lines', { origins: ['a\nb'] }, 'not a valid header value'],
  ['a header of two lines', { headers: ['a\nb'] }, 'not a valid header value'],
  ['an exposed header of two lines', { exposed_headers: ['a\nb'] }, 'not a valid header value'],
  ['a method nobody knows', { methods: ['COPY'] }, 'expected one of: GET, HEAD'],
  ['an age that is no number', { max_age: 'long' }, 'expected a number'],
  ['credentials that are no boolean', { credentials: 1 }, 'expected a boolean'],
  ['a private network that is no boolean', { private_network: 1 }, 'expected a boolean'],
  ['a continuation that is no boolean', { preflight_continue: 1 }, 'expected a boolean'],
  ['an absence that is no boolean', { allow_origin_absent: 1 }, 'expected a boolean'],
])('refuses %s', (_, config, message) => {
  expect(() => configured(cors, config, openHost().host)).toThrow(message);
});
