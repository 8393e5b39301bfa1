import { afterAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Resolver } from '../../src/balancing/resolver.ts';
import { pem } from '../support/certificates.ts';
import { startUpstream } from '../support/upstream.ts';
import { startBalanced } from './gateway.ts';

setDefaultTimeout(30_000);

/** For localhost and 127.0.0.1; `authority` vouches for it. */
const pair = { cert: pem('server'), key: pem('server.key') };
const secure = startUpstream({ tls: pair });
const elsewhere = startUpstream({ tls: pair, hostname: '127.0.0.2' });
/** It serves nobody who has no certificate of `authority`. */
const mutual = startUpstream({ tls: { ...pair, ca: pem('authority'), requestCert: true, rejectUnauthorized: true } });
afterAll(() => {
  for (const server of [secure, elsewhere, mutual]) server.stop();
});
beforeEach(() => {
  for (const server of [secure, elsewhere, mutual]) server.answer({ body: 'ok' });
});

const AUTHORITY = 'cccccccc-0000-4000-8000-000000000000';
const CLIENT = 'bbbbbbbb-0000-4000-8000-000000000000';
const HTTPS = { protocol: 'https', retries: 0 };
const TRUSTING = { ...HTTPS, ca_certificates: [AUTHORITY] };

/** Every name is this machine. */
const resolver: Resolver = {
  resolve: async (_, port) => ({ addresses: [{ ip: '127.0.0.1', port, weight: null, srvName: null }], record: 'A', ttl: 60_000 }),
};

async function start(target: string, { upstream = {}, service = TRUSTING as object } = {}) {
  const gateway = await startBalanced({ targets: [], upstream: { name: 'backend' }, service: { host: 'unused' }, resolver });
  await gateway.admin('POST', '/ca_certificates', { id: AUTHORITY, cert: pem('authority') });
  await gateway.admin('POST', '/certificates', { id: CLIENT, cert: pem('client'), key: pem('client.key') });
  await gateway.admin('PATCH', '/upstreams/backend', upstream);
  await gateway.admin('PATCH', '/services/api', { host: 'backend', ...service });
  await gateway.admin('POST', '/upstreams/backend/targets', { target });
  const status = async () => (await fetch(gateway.url)).status;
  return Object.assign(gateway, { status });
}

describe('the certificate of a target', () => {
  const other = { host_header: 'other.example' };
  test.each<[string, string, { upstream?: object; service?: object }, number]>([
    ['is for the address, where the target is one', `127.0.0.1:${secure.port}`, {}, 200],
    ['for another address is refused', `127.0.0.2:${elsewhere.port}`, {}, 502],
    ['is for the name, where the target is one, whatever its address', `localhost:${secure.port}`, {}, 200],
    ['for another name is refused', `other.example:${secure.port}`, {}, 502],
    ['is for the host that the upstream names', `127.0.0.2:${elsewhere.port}`, { upstream: { host_header: 'localhost' } }, 200],
    ['for another host than the upstream names is refused', `127.0.0.1:${secure.port}`, { upstream: other }, 502],
    ['that nobody vouches for is refused', `127.0.0.1:${secure.port}`, { service: HTTPS }, 502],
    ['is not looked at where the service says so', `other.example:${secure.port}`, { service: { ...HTTPS, tls_verify: false } }, 200],
  ])('%s', async (_, target, options, status) => {
    await using gateway = await start(target, options);
    expect(await gateway.status()).toBe(status);
  });

  test('of one target is good while that of the next is not', async () => {
    await using gateway = await start(`other.example:${secure.port}`, { service: { ...TRUSTING, retries: 1 } });
    await gateway.admin('POST', '/upstreams/backend/targets', { target: `localhost:${secure.port}` });
    for (let sent = 0; sent < 4; sent++) expect((await fetch(gateway.url, { method: 'POST', body: 'x' })).status).toBe(200);
  });
});

test('a server is told the name by which it is asked, and connections are used again for that name alone', async () => {
  const names: (string | false | null | undefined)[] = [];
  const server = createServer(pair, (request, response) => void response.end((request.socket as TLSSocket).servername || 'none'));
  server.on('secureConnection', ({ servername }: TLSSocket) => names.push(servername));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await using gateway = await start(`localhost:${port}`);
  const ask = async () => (await fetch(gateway.url)).text();
  expect([await ask(), await ask(), await ask()]).toEqual(['localhost', 'localhost', 'localhost']);
  expect(names).toEqual(['localhost']);
  await gateway.admin('PATCH', '/upstreams/backend', { host_header: 'other.example' });
  expect(await gateway.status()).toBe(502);
  await gateway.admin('PATCH', '/upstreams/backend', { host_header: null });
  expect(await ask()).toBe('localhost');
  await gateway.admin('PATCH', '/services/api', { tls_verify: false });
  await gateway.admin('PATCH', '/upstreams/backend', { host_header: 'other.example:8443' });
  expect(await ask()).toBe('other.example');
  server.closeAllConnections();
  server.close();
});

describe('a target that wants a certificate', () => {
  const at = `127.0.0.1:${mutual.port}`;
  const upstream = { client_certificate: { id: CLIENT } };
  test.each<[string, { upstream?: object; service?: object }, number]>([
    ['sees that of the upstream', { upstream }, 200],
    ['sees that of the service', { service: { ...TRUSTING, client_certificate: { id: CLIENT } } }, 200],
    ['sees none where there is none', {}, 502],
  ])('%s', async (_, options, status) => {
    await using gateway = await start(at, options);
    expect(await gateway.status()).toBe(status);
  });

  test('sees that of the service, not that of the upstream', async () => {
    const other = 'dddddddd-0000-4000-8000-000000000000';
    await using gateway = await start(at, { upstream });
    await gateway.admin('POST', '/certificates', { id: other, cert: pem('rsa'), key: pem('rsa.key') });
    await gateway.admin('PATCH', '/services/api', { client_certificate: { id: other } });
    expect(await gateway.status()).toBe(502);
  });

  test('sees the certificate as it is now', async () => {
    await using gateway = await start(at, { upstream });
    expect(await gateway.status()).toBe(200);
    await gateway.admin('PATCH', `/certificates/${CLIENT}`, { cert: pem('rsa'), key: pem('rsa.key') });
    expect(await gateway.status()).toBe(502);
    await gateway.admin('PATCH', `/certificates/${CLIENT}`, { cert: pem('client'), key: pem('client.key') });
    expect(await gateway.status()).toBe(200);
    await gateway.admin('PATCH', '/upstreams/backend', { client_certificate: null });
    expect(await gateway.status()).toBe(502);
  });

  test('is asked by nobody while its secret cannot be had', async () => {
    await using gateway = await start(at, { upstream });
    await gateway.admin('PATCH', `/certificates/${CLIENT}`, { key: '{vault://env/no-such-key-of-sluice}' });
    expect(await gateway.status()).toBe(500);
    expect(gateway.gateway.fault).toContain('upstream backend (');
    await gateway.admin('PATCH', `/certificates/${CLIENT}`, { key: pem('client.key') });
    expect(await gateway.status()).toBe(200);
    expect(gateway.gateway.fault).toBeNull();
  });
});
