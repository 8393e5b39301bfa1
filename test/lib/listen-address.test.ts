import { describe, expect, test } from 'bun:test';
import { isLoopback, parseListenAddress } from '../../src/lib/listen-address.ts';

const plain = { tls: false, http2: false, ipv6Only: false, proxyProtocol: false };

test.each([
  ['0.0.0.0:8000', { ...plain, hostname: '0.0.0.0', port: 8000 }],
  ['127.0.0.1:8443 ssl', { ...plain, hostname: '127.0.0.1', port: 8443, tls: true }],
  ['127.0.0.1:8443 http2 ssl', { ...plain, hostname: '127.0.0.1', port: 8443, tls: true, http2: true }],
  ['127.0.0.1:8000 http2', { ...plain, hostname: '127.0.0.1', port: 8000, http2: true }],
  ['127.0.0.1:8000 proxy_protocol', { ...plain, hostname: '127.0.0.1', port: 8000, proxyProtocol: true }],
  ['[::1]:8001', { ...plain, hostname: '::1', port: 8001 }],
  ['[::]:8001 ipv6only=on', { ...plain, hostname: '::', port: 8001, ipv6Only: true }],
  ['[::]:8001 ipv6only=off bind reuseport', { ...plain, hostname: '::', port: 8001 }],
  ['localhost:0', { ...plain, hostname: 'localhost', port: 0 }],
])('%s is read', (text, address) => expect(parseListenAddress(text)).toEqual(address));

const UNSET = 'how connections wait and are kept alive cannot be set: leave it out';

describe('what is refused, and why', () => {
  test.each([
    ['8000', 'expected ADDRESS:PORT or ADDRESS:PORT ssl, not "8000"'],
    ['0.0.0.0:70000', 'expected ADDRESS:PORT or ADDRESS:PORT ssl, not "0.0.0.0:70000"'],
    ['::1:8000', 'expected ADDRESS:PORT or ADDRESS:PORT ssl, not "::1:8000"'],
    ['example.com:8000', 'expected an IP address or localhost, not "example.com"'],
    ['[127.0.0.1]:8000', 'expected an IP address or localhost, not "[127.0.0.1]"'],
    ['0.0.0.0:8000 quic', 'the words that may follow an address are ssl, http2 and proxy_protocol, not "quic"'],
    ['0.0.0.0:8000 ipv6only=on', 'the words that may follow an address are ssl, http2 and proxy_protocol, not "ipv6only=on"'],
    ['0.0.0.0:8000 reuseport backlog=16384', `backlog=16384: ${UNSET}`],
    ['0.0.0.0:8000 deferred', `deferred: ${UNSET}`],
    ['0.0.0.0:8000 so_keepalive=30m::10', `so_keepalive=30m::10: ${UNSET}`],
  ])('%s', (text, message) => expect(() => parseListenAddress(text)).toThrow(message));
});

test.each([
  ['127.0.0.1:1', true],
  ['127.9.9.9:1', true],
  ['[::1]:1', true],
  ['localhost:1', true],
  ['0.0.0.0:1', false],
  ['10.0.0.1:1', false],
  ['[::]:1', false],
])('%s is loopback: %p', (text, expected) => expect(isLoopback(parseListenAddress(text))).toBe(expected));
