import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { selfSigned } from '../../src/lib/self-signed.ts';
import { type ConnectProxy, startConnectProxy } from '../support/connect-proxy.ts';
import { newFolder, startGateway } from '../support/executable.ts';
import { CERTIFICATE_FILE, startUpstream, type Upstream } from '../support/upstream.ts';

setDefaultTimeout(20_000);

let upstream: Upstream;
let proxy: ConnectProxy;
const folder = newFolder();
const another = join(folder, 'another.pem');

beforeAll(async () => {
  upstream = startUpstream({ tls: true });
  proxy = await startConnectProxy(upstream.port);
  await Bun.write(another, selfSigned().cert);
  copyFileSync(CERTIFICATE_FILE, join(folder, 'vendor.pem'));
});
afterAll(() => {
  proxy[Symbol.dispose]();
  upstream.stop();
});

/** Starts a gateway with these settings, calls `url` through it, and tells what came of that. */
async function call(settings: Readonly<Record<string, string>>, url: string) {
  const before = proxy.asked.length;
  const environment = Object.fromEntries(Object.entries(settings).map(([name, value]) => [`SLUICE_${name.toUpperCase()}`, value]));
  await using gateway = await startGateway({ environment });
  await gateway.request('POST', '/services', { name: 'vendor', url, retries: 0 });
  await gateway.request('POST', '/services/vendor/routes', { name: 'all', paths: ['/'] });
  const { status } = await fetch(gateway.proxy);
  return { status, asked: proxy.asked.slice(before) };
}

const direct = () => `https://localhost:${upstream.port}`;

test.each<[string, Record<string, string>, number]>([
  ['nobody vouches for it', {}, 502],
  ['another CA vouches for others', { trusted_certificates: `system,${another}` }, 502],
  ['a PEM file does', { trusted_certificates: CERTIFICATE_FILE }, 200],
  ['the last of several PEM files does', { trusted_certificates: `${another},${CERTIFICATE_FILE}` }, 200],
  ['a PEM file beside the system does', { trusted_certificates: `system,${CERTIFICATE_FILE}` }, 200],
  ['the last of several PEM files beside the system does', { trusted_certificates: `system,${another},${CERTIFICATE_FILE}` }, 200],
  ['a PEM file in the prefix does', { trusted_certificates: 'vendor.pem', prefix: folder }, 200],
])('the certificate of an upstream when %s', async (_, settings, status) => {
  expect(await call(settings, direct())).toEqual({ status, asked: [] });
});

test('https_proxy leads to hosts that this machine cannot find by itself', async () => {
  const settings = { trusted_certificates: CERTIFICATE_FILE, https_proxy: proxy.url };
  expect(await call(settings, 'https://api.openai.com')).toEqual({ status: 200, asked: ['api.openai.com:443'] });
});

test.each(['localhost', '.localhost,localhost', '*'])('no_proxy %s keeps a host away from the proxy', async no_proxy => {
  const settings = { trusted_certificates: `system,${CERTIFICATE_FILE}`, https_proxy: proxy.url, no_proxy };
  expect(await call(settings, direct())).toEqual({ status: 200, asked: [] });
});

test('no_proxy of other hosts does not', async () => {
  const settings = { trusted_certificates: CERTIFICATE_FILE, https_proxy: proxy.url, no_proxy: '10.0.0.0/8,example.com' };
  expect(await call(settings, direct())).toEqual({ status: 200, asked: [`localhost:${upstream.port}`] });
});
