import { describe, expect, test } from 'bun:test';
import { formatHost, isIpOrCidr, parseHost } from '../../src/lib/host.ts';

describe('parseHost', () => {
  test.each([
    ['example.com', { kind: 'name', host: 'example.com', port: null }],
    ['example.com.', { kind: 'name', host: 'example.com.', port: null }],
    ['a_b-c.d:8080', { kind: 'name', host: 'a_b-c.d', port: 8080 }],
    ['-a', { kind: 'name', host: '-a', port: null }],
    ['10.0.0.1', { kind: 'ipv4', host: '10.0.0.1', port: null }],
    ['10.0.0.1:0', { kind: 'ipv4', host: '10.0.0.1', port: 0 }],
    ['::1', { kind: 'ipv6', host: '::1', port: null }],
    ['[::1]', { kind: 'ipv6', host: '::1', port: null }],
    ['[2001:db8::1]:443', { kind: 'ipv6', host: '2001:db8::1', port: 443 }],
  ] as const)('%s is read', (text, host) => {
    expect(parseHost(text)).toEqual(host);
  });

  test.each([
    ['a b', 'invalid hostname: a b'],
    ['a-', 'invalid hostname: a-'],
    ['a..b', 'invalid hostname: a..b'],
    ['.', 'invalid ipv4 address: .'],
    ['http://a', 'invalid hostname: http://a'],
    ['a/b', 'invalid hostname: a/b'],
    ['a:99999', 'invalid port number'],
    ['10.0.0.256', 'invalid ipv4 address: 10.0.0.256'],
    ['010.0.0.1', 'invalid ipv4 address: 010.0.0.1'],
    ['10.1', 'invalid ipv4 address: 10.1'],
    ['10.0.0.1:70000', 'invalid port number'],
    ['1::2::3', 'invalid ipv6 address: 1::2::3'],
    ['::ffff:10.0.0.1', 'invalid ipv6 address: ::ffff:10.0.0.1'],
    ['fe80::1%eth0', 'invalid ipv6 address: fe80::1%eth0'],
    ['[::1]x', 'invalid ipv6 address: [::1]x'],
  ])('%s is refused: %s', (text, message) => {
    expect(parseHost(text)).toBe(message);
  });
});

test.each([
  ['10.0.0.1', true],
  ['10.0.0.0/8', true],
  ['::1', true],
  ['2001:db8::/32', true],
  ['10.0.0.0/33', false],
  ['::/129', false],
  ['10.0.0.0/', false],
  ['10.0.0.0/8/8', false],
  ['example.com', false],
  ['', false],
])('isIpOrCidr of %p is %p', (text, answer) => {
  expect(isIpOrCidr(text)).toBe(answer);
});

test.each([
  [{ kind: 'name', host: 'a.test', port: null }, 'a.test:80'],
  [{ kind: 'ipv4', host: '10.0.0.1', port: 0 }, '10.0.0.1:0'],
  [{ kind: 'ipv6', host: 'FE80::1', port: 443 }, '[fe80:0000:0000:0000:0000:0000:0000:0001]:443'],
  [{ kind: 'ipv6', host: '1:2:3:4:5:6:7:8', port: null }, '[0001:0002:0003:0004:0005:0006:0007:0008]:80'],
] as const)('formatHost writes %j as %s', (host, text) => {
  expect(formatHost(host, 80)).toBe(text);
});
