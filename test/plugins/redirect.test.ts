import { afterAll, expect, test } from 'bun:test';
import { redirect } from '../../src/plugins/redirect.ts';
import { openRig } from '../support/behind.ts';
import { configured, openHost } from '../support/host.ts';

const rig = openRig();
afterAll(rig.close);

const KEEP = { keep_incoming_path: true };

test.each<[string, object, number, string]>([
  ['a place', { location: 'https://new.test/x?y=1' }, 301, 'https://new.test/x?y=1'],
  ['a place for now', { location: 'https://new.test', status_code: 302 }, 302, 'https://new.test'],
  ['a place of its own scheme', { location: 'someapp://open/this' }, 301, 'someapp://open/this'],
  ['a place beyond ASCII', { location: 'https://new.test/é' }, 301, 'https://new.test/%C3%A9'],
  ['the same path', { location: 'https://new.test', ...KEEP }, 301, 'https://new.test/a/b%20c?d=e&f'],
  [
    'the same path, not that of the location',
    { location: 'https://new.test:8443/x?y=1', ...KEEP },
    301,
    'https://new.test:8443/a/b%20c?d=e&f',
  ],
])('sends to %s', async (_, config, status, location) => {
  const got = await rig.ask(redirect, config, { path: '/a/b%20c?d=e&f' });
  expect([got.status, got.headers.get('location'), got.text, got.sent]).toEqual([status, location, 'redirecting', undefined]);
});

test('a location has no query when the request has none', async () => {
  const { headers } = await rig.ask(redirect, { location: 'https://new.test/x?y=1', ...KEEP }, { path: '/a' });
  expect(headers.get('location')).toBe('https://new.test/a');
});

test.each([
  ['no location', {}, 'required field missing'],
  ['a path', { location: '/x' }, 'missing host in url'],
  ['a host without a scheme', { location: '//new.test/x' }, 'missing scheme in url'],
  ['a port that is none', { location: 'https://new.test:99999' }, 'could not parse url'],
  ['two lines', { location: 'https://new.test/\r\nSet-Cookie: a' }, 'not a valid header value'],
  ['a status that is none', { location: 'https://new.test', status_code: 99 }, 'value should be between 100 and 599'],
  ['a status that ends nothing', { location: 'https://new.test', status_code: 103 }, 'has a status of 200 at least'],
  ['a path that is no boolean', { location: 'https://new.test', keep_incoming_path: 1 }, 'expected a boolean'],
])('refuses %s', (_, config, message) => {
  expect(() => configured(redirect, config, openHost().host)).toThrow(message);
});
