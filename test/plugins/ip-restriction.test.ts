import { afterAll, expect, test } from 'bun:test';
import { ipRestriction } from '../../src/plugins/ip-restriction.ts';
import { openRig } from '../support/behind.ts';
import { answered } from '../support/context.ts';
import { configured, openHost } from '../support/host.ts';

const rig = openRig();
afterAll(rig.close);

/** The client behind a trusted load balancer. */
const from = (ip: string) => ({ headers: { 'x-real-ip': ip }, setting: { trustedIps: ['127.0.0.1'] } });

test.each<[string, object, string, boolean]>([
  ['an address that is allowed', { allow: ['192.0.2.7'] }, '192.0.2.7', true],
  ['one that is not', { allow: ['192.0.2.7'] }, '192.0.2.8', false],
  ['one in a range that is allowed', { allow: ['10.0.0.0/8', '192.0.2.0/24'] }, '192.0.2.200', true],
  ['one beside it', { allow: ['192.0.2.0/25'] }, '192.0.2.200', false],
  ['one that is denied', { deny: ['192.0.2.7'] }, '192.0.2.7', false],
  ['one that is not denied', { deny: ['192.0.2.7'] }, '192.0.2.8', true],
  ['one that is denied within what is allowed', { allow: ['192.0.2.0/24'], deny: ['192.0.2.7'] }, '192.0.2.7', false],
  ['one that is allowed beside what is denied', { allow: ['192.0.2.0/24'], deny: ['192.0.2.7'] }, '192.0.2.8', true],
  ['one that is neither', { allow: ['192.0.2.0/24'], deny: ['10.0.0.1'] }, '198.51.100.1', false],
  ['any, with an empty list', { allow: [], deny: ['10.0.0.1'] }, '192.0.2.7', true],
  ['an IPv6 address in a range', { allow: ['2001:db8::/32'] }, '2001:db8::1', true],
  ['one beside it', { allow: ['2001:db8::/32'] }, '2001:db9::1', false],
  ['an IPv4 address as IPv6 has it', { deny: ['192.0.2.7'] }, '::ffff:192.0.2.7', false],
  ['any address of IPv4', { allow: ['0.0.0.0/0'] }, '192.0.2.7', true],
  ['none of IPv6 with it', { allow: ['0.0.0.0/0'] }, '2001:db8::1', false],
])('%s', async (_, config, ip, passes) => {
  const { status, text, sent } = await rig.ask(ipRestriction, config, from(ip));
  expect(status).toBe(passes ? 200 : 403);
  if (passes) expect(sent).toBeDefined();
  else expect(JSON.parse(text)).toEqual({ message: 'Your IP address is not allowed', request_id: expect.any(String) });
});

test('a header of a client nobody trusts changes nothing', async () => {
  expect((await rig.ask(ipRestriction, { deny: ['127.0.0.1'] }, { headers: { 'x-real-ip': '192.0.2.7' } })).status).toBe(403);
});

test('a refusal has the status and the message of the configuration', async () => {
  const { status, text } = await rig.ask(ipRestriction, { deny: ['127.0.0.0/8'], status: 404, message: 'Nothing here' });
  expect([status, JSON.parse(text)['message']]).toEqual([404, 'Nothing here']);
});

test('a client whose address is not known is not let in', () => {
  const { access } = configured(ipRestriction, { deny: ['192.0.2.7'] }, openHost().host);
  expect(() => access?.(answered(new Request('http://gateway.test/'), { clientIp: '' }))).toThrow('Cannot identify the client IP address');
});

test.each([
  ['no list', {}, 'at least one of these fields must be non-empty'],
  ['an address that is none', { allow: ['192.0.2'] }, "invalid ip or cidr range: '192.0.2'"],
  ['a range that is none', { deny: ['192.0.2.0/33'] }, "invalid ip or cidr range: '192.0.2.0/33'"],
  ['a name', { deny: ['localhost'] }, 'invalid ip or cidr range'],
  ['a status that refuses nothing', { deny: ['192.0.2.7'], status: 200 }, 'a refusal has a status between 400 and 599'],
  ['a status that is no integer', { deny: ['192.0.2.7'], status: 403.5 }, 'a refusal has a status between 400 and 599'],
  ['a message that is no string', { deny: ['192.0.2.7'], message: 1 }, 'expected a string'],
])('refuses %s', (_, config, message) => {
  expect(() => configured(ipRestriction, config, openHost().host)).toThrow(message);
});
