import { expect, test } from 'bun:test';
import { isIP } from 'node:net';
import { ipMatcher, ipVersion, plainIp } from '../../src/lib/ip.ts';

test.each([
  ['10.0.0.0/8', '10.255.0.1', true],
  ['10.0.0.0/8', '11.0.0.1', false],
  ['192.0.2.1', '192.0.2.1', true],
  ['192.0.2.1', '192.0.2.2', false],
  ['0.0.0.0/0', '203.0.113.9', true],
  ['2001:db8::/32', '2001:db8:1::1', true],
  ['2001:db8::/32', '2001:db9::1', false],
  ['::1', '::1', true],
  ['10.0.0.0/8', '', false],
  ['10.0.0.0/8', 'localhost', false],
])('whether %p holds %p is %p', (range, ip, expected) => {
  expect(ipMatcher(['198.51.100.0/24', range])(ip)).toBe(expected);
});

test('no range holds nothing', () => {
  expect(ipMatcher([])('127.0.0.1')).toBe(false);
});

test.each(['', 'localhost', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/x', '10.0.0.0/-1', '::/129', '10.0.0/8'])('%p is no range', range => {
  expect(() => ipMatcher([range])).toThrow(`invalid IP address or range: '${range}'`);
});

test('an IPv4 address on an IPv6 socket reads as IPv4', () => {
  expect(['::ffff:10.0.0.1', '::1', '10.0.0.1'].map(plainIp)).toEqual(['10.0.0.1', '::1', '10.0.0.1']);
});

test.each([
  ...[
    '0.0.0.0',
    '255.255.255.255',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4.',
    '.1.2.3',
    ' 1.2.3.4',
    '1.2.3.4/8',
    '0x1.2.3.4',
  ],
  ...[
    '::',
    '::1',
    '1::',
    '1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::',
    '::2:3:4:5:6:7:8',
    '1::2::3',
    ':::',
    ':1',
    '1:',
  ],
  ...['FFFF::aBc', '12345::', 'g::', '[::1]', '::1]', '::%eth0', 'fe80::1%eth0', 'fe80::1%', 'fe80::1%a%b', '%eth0', '::1/64'],
  ...[
    '::ffff:1.2.3.4',
    '::ffff:1.2.3.256',
    '1:2:3:4:5:6:1.2.3.4',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::1.2.3.4:1',
    '1.2.3.4::',
    '1.2.3.4:80',
    '',
    'localhost',
    'a:b',
  ],
])('%p is an address of the version that Node says', text => {
  expect(ipVersion(text)).toBe(isIP(text) as 0 | 4 | 6);
});
