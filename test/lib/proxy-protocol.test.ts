import { describe, expect, test } from 'bun:test';
import { readProxyHeader } from '../../src/lib/proxy-protocol.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const binary = (versionAndCommand: string, family: string, rest: string) =>
  Buffer.from(`${SIGNATURE}${versionAndCommand}${family}${(rest.length / 2).toString(16).padStart(4, '0')}${rest}`, 'hex');
const PORTS = '1f401fbb';
const OPTION = '03000400000000';

const HEADERS: readonly (readonly [name: string, bytes: Buffer, source: string | null])[] = [
  ['text of IPv4', Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 56324 443\r\n'), '203.0.113.7'],
  ['text of IPv6', Buffer.from('PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n'), '2001:db8::7'],
  ['text of nobody', Buffer.from('PROXY UNKNOWN\r\n'), null],
  ['text of nobody with a rest', Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), null],
  ['bytes of IPv4', binary('21', '11', `cb007107${'0a000001'}${PORTS}`), '203.0.113.7'],
  ['bytes of IPv4 with an option', binary('21', '11', `cb007107${'0a000001'}${PORTS}${OPTION}`), '203.0.113.7'],
  ['bytes of IPv6', binary('21', '21', `20010db8${'0'.repeat(22)}07${'0'.repeat(31)}1${PORTS}`), '2001:db8::7'],
  ['bytes of IPv4 in IPv6', binary('21', '21', `${'0'.repeat(20)}ffffcb007107${'0'.repeat(31)}1${PORTS}`), '203.0.113.7'],
  ['bytes of itself', binary('20', '00', ''), null],
  ['bytes of a socket that has no address', binary('21', '31', '00'.repeat(216)), null],
];

describe.each(HEADERS)('%s', (_, bytes, source) => {
  test('is read, and is incomplete up to its last byte', () => {
    for (let length = 0; length < bytes.length; length++) expect(readProxyHeader(bytes.subarray(0, length))).toBe('incomplete');
    expect(readProxyHeader(bytes)).toEqual({ source, length: bytes.length });
    expect(readProxyHeader(Buffer.concat([bytes, Buffer.from('GET / HTTP/1.1')]))).toEqual({ source, length: bytes.length });
  });
});

test.each([
  ['a request', Buffer.from('GET / HTTP/1.1\r\n')],
  ['a ClientHello', Buffer.from([22, 3, 1, 2, 0])],
  ['another signature', Buffer.from('PROXIED TCP4')],
  ['another family', Buffer.from('PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n')],
  ['an address of another family', Buffer.from('PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n')],
  ['an address that is none', Buffer.from('PROXY TCP4 1.2.3.400 1.2.3.4 1 2\r\n')],
  ['too few parts', Buffer.from('PROXY TCP4 1.2.3.4\r\n')],
  ['a text without end', Buffer.from(`PROXY TCP4 ${'1'.repeat(100)}`)],
  ['another version', binary('11', '11', `cb0071070a000001${PORTS}`)],
  ['another command', binary('25', '11', `cb0071070a000001${PORTS}`)],
  ['addresses that are cut off', binary('21', '11', 'cb0071070a0000')],
  ['options without end', Buffer.from(`${SIGNATURE}2111ffff`, 'hex')],
])('%s is no header', (_, bytes) => expect(readProxyHeader(bytes)).toBe(null));
