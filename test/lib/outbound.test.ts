import { describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { USUAL_ENVIRONMENT } from '../../src/lib/execute-again.ts';
import { loadBundle, type Outbound, outboundEnvironment, parseProxyUrl } from '../../src/lib/outbound.ts';
import { selfSigned } from '../../src/lib/self-signed.ts';

/** Whatever the settings say. */
const { NODE_USE_SYSTEM_CA: _trust, ...USUAL } = USUAL_ENVIRONMENT;
const nothing: Outbound = { httpsProxy: null, httpProxy: null, noProxy: null, systemTrusted: true, certificates: [] };

describe('the environment that makes fetch do as the settings say', () => {
  test('keeps what the settings do not mention', () => {
    expect(outboundEnvironment(nothing, { HOME: '/root', https_proxy: 'http://a:1', EMPTY: undefined })).toEqual({
      HOME: '/root',
      https_proxy: 'http://a:1',
      ...USUAL,
      NODE_USE_SYSTEM_CA: '1',
    });
  });

  test('has the proxies of the settings in place of those it had, in either spelling', () => {
    const settings = { ...nothing, httpsProxy: 'http://b:2', httpProxy: 'http://c:3', noProxy: ['d', '.e'] };
    const environment = outboundEnvironment(settings, { https_proxy: 'http://a:1', HTTP_PROXY: 'http://a:1', no_proxy: '*' });
    expect(environment).toMatchObject({ HTTPS_PROXY: 'http://b:2', HTTP_PROXY: 'http://c:3', NO_PROXY: 'd,.e' });
    expect(Object.keys(environment).filter(name => name === name.toLowerCase())).toEqual([]);
  });

  test('says nothing of certificates when only files are trusted', () => {
    const environment = outboundEnvironment({ ...nothing, systemTrusted: false, certificates: ['pem'] }, {});
    expect(environment).toEqual(USUAL);
  });

  test('joins several certificates in one file, which goes once it is loaded', async () => {
    const certificates = [selfSigned().cert, selfSigned().cert];
    const environment = outboundEnvironment({ ...nothing, certificates }, { NODE_EXTRA_CA_CERTS: '/nowhere.pem' });
    const { NODE_EXTRA_CA_CERTS: file = '' } = environment;
    expect(readFileSync(file, 'utf8')).toBe(certificates.join('\n'));
    await loadBundle(environment);
    expect(existsSync(dirname(file))).toBe(false);
  });

  test('leaves the file of somebody else where it is', async () => {
    await loadBundle({ NODE_EXTRA_CA_CERTS: import.meta.path });
    expect(existsSync(import.meta.path)).toBe(true);
  });
});

test.each(['proxy:3128', 'socks5://proxy:1080', 'http://', ''])('%p is no proxy', text => {
  expect(() => parseProxyUrl(text)).toThrow('expected http://HOST:PORT');
});
