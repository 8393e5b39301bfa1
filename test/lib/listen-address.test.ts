import { describe, expect, test } from 'bun:test';
import { isLoopback, parseListenAddress } from '../../src/lib/listen-address.ts';

test.each([
  ['0.0.0.0:8000', { hostname: '0.0.0.0', port: 8000, tls: false }],
  ['127.0.0.1:8443 ssl', { hostname: '127.0.0.1', port: 8443, tls: true }],
  ['[::1]:8001', { hostname: '::1', port: 8001, tls: false }],
  ['localhost:0', { hostname: 'localhost', port: 0, tls: false }],
])('%s is read', (text, address) => expect(parseListenAddress(text)).toEqual(address));

describe('what is refused, and why', () => {
  test.each([
    ['8000', 'expected ADDRESS:PORT or ADDRESS:PORT ssl, not "8000"'],
    ['0.0.0.0:70000', 'expected ADDRESS:PORT or ADDRESS:PORT ssl, not "0.0.0.0:70000"'],
    ['::1:8000', 'expected ADDRESS:PORT or ADDRESS:PORT ssl, not "::1:8000"'],
    ['example.com:8000', 'expected an IP address or localhost, not "example.com"'],
    ['[127.0.0.1]:8000', 'expected an IP address or localhost, not "[127.0.0.1]"'],
    ['0.0.0.0:8000 http2', 'the only word that may follow an address is ssl, not "http2"'],
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
