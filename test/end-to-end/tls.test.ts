import { expect, setDefaultTimeout, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { selfSigned } from '../../src/lib/self-signed.ts';
import { pem } from '../support/certificates.ts';
import { type RunningGateway, startGateway } from '../support/executable.ts';
import { fingerprintOf, tlsClient } from '../support/tls-client.ts';
import { startUpstream } from '../support/upstream.ts';

setDefaultTimeout(60_000);

const listening = { SLUICE_PROXY_LISTEN: '127.0.0.1:0 ssl, 127.0.0.1:0' };
const portOf = (gateway: RunningGateway) => Number(new URL(gateway.proxy).port);

const shown = async (gateway: RunningGateway, servername?: string, options = {}) => {
  using client = await tlsClient(portOf(gateway), { ...(servername !== undefined && { servername }), ...options });
  return client.fingerprint;
};

async function create(gateway: RunningGateway, path: string, body: object): Promise<{ id: string }> {
  const answer = await gateway.request('POST', path, body);
  expect([answer.status, answer.body]).toEqual([201, expect.anything()]);
  return answer.body as { id: string };
}

const routeTo = async (gateway: RunningGateway, url: string) => {
  await create(gateway, '/services', { name: 'upstream', url });
  await create(gateway, '/services/upstream/routes', { name: 'all', paths: ['/'] });
};

test('a client is shown the certificate for the name that it asks for, as Kong looks it up', async () => {
  await using gateway = await startGateway({ environment: { ...listening, SLUICE_WORKERS: '1' } });
  const own = await shown(gateway);
  const names = ['a.test', '*.b.test', 'c.*', '*'];
  const pairs = names.map(() => selfSigned());
  for (const [index, name] of names.entries()) await create(gateway, '/certificates', { ...pairs[index], snis: [name] });
  const [exact = '', leading = '', trailing = '', any = ''] = pairs.map(fingerprintOf);
  const expected: Record<string, string> = {
    'a.test': exact,
    'A.Test': exact,
    'x.b.test': leading,
    'x.y.b.test': any,
    'b.test': any,
    'c.test': trailing,
    'c.org': trailing,
    'c.co.uk': any,
    'other.test': any,
  };
  for (const [name, fingerprint] of Object.entries(expected)) expect([name, await shown(gateway, name)]).toEqual([name, fingerprint]);
  // Who asks for no name is shown what the settings say.
  expect(await shown(gateway)).toBe(own);
  expect((await gateway.request('DELETE', '/snis/*')).status).toBe(204);
  expect(await shown(gateway, 'other.test')).toBe(own);
});

test('of a pair of RSA and EC a client is shown what it can do', async () => {
  const [rsa, ec] = [{ cert: pem('rsa'), key: pem('rsa.key') }, selfSigned()];
  await using gateway = await startGateway({ environment: { ...listening, SLUICE_WORKERS: '1' } });
  await create(gateway, '/certificates', { ...rsa, cert_alt: ec.cert, key_alt: ec.key, snis: ['both.test'] });
  const by = (ciphers: string) => shown(gateway, 'both.test', { ciphers, maxVersion: 'TLSv1.2' });
  expect(await by('ECDHE-RSA-AES128-GCM-SHA256')).toBe(fingerprintOf(rsa));
  expect(await by('ECDHE-ECDSA-AES128-GCM-SHA256')).toBe(fingerprintOf(ec));
});

test.each([1, 4])(
  'certificates are replaced under load, with %d workers: no handshake fails, no connection ends, the next client is shown the new one',
  async workers => {
    const upstream = startUpstream();
    await using gateway = await startGateway({ environment: { ...listening, SLUICE_WORKERS: String(workers) } });
    await routeTo(gateway, upstream.url);
    const pairs = [selfSigned(), selfSigned()] as const;
    const fingerprints = pairs.map(fingerprintOf);
    const { id } = await create(gateway, '/certificates', { ...pairs[0], snis: ['a.test'] });

    const kept = await Promise.all(Array.from({ length: 8 }, () => tlsClient(portOf(gateway), { servername: 'a.test' })));
    let isOver = false;
    let handshakes = 0;
    const clients = Array.from({ length: 16 }, async () => {
      while (!isOver) {
        using client = await tlsClient(portOf(gateway), { servername: 'a.test' });
        expect(fingerprints).toContain(client.fingerprint);
        expect(await client.get('/')).toContain('200 OK');
        handshakes++;
      }
    });
    const changes = async () => {
      for (let change = 1; change <= 40; change++) {
        const pair = pairs[change % 2] as (typeof pairs)[number];
        expect((await gateway.request('PATCH', `/certificates/${id}`, pair)).status).toBe(200);
        for (let client = 0; client < 2 * workers; client++) expect(await shown(gateway, 'a.test')).toBe(fingerprintOf(pair));
        for (const client of kept) expect(await client.get('/')).toContain('200 OK');
      }
    };
    await changes().finally(() => {
      isOver = true;
    });
    await Promise.all(clients);
    expect(handshakes).toBeGreaterThan(40);
    for (const client of kept) client[Symbol.dispose]();
    upstream.stop();
  },
);

test('a certificate may come from a vault; while it cannot be had, those who ask for it are turned away', async () => {
  const pair = selfSigned();
  const environment = { ...listening, SLUICE_WORKERS: '2', OWN_CERT: pair.cert, OWN_KEY: pair.key };
  await using gateway = await startGateway({ environment });
  const references = { cert: '{vault://env/own-cert}', key: '{vault://env/own-key}' };
  await create(gateway, '/certificates', { ...references, snis: ['a.test'] });
  await create(gateway, '/certificates', { ...references, key: '{vault://env/nobody}', snis: ['b.test'] });
  expect(await shown(gateway, 'a.test')).toBe(fingerprintOf(pair));
  await expect(shown(gateway, 'b.test')).rejects.toThrow();
  const status = await gateway.request('GET', '/status');
  expect(status.body).toMatchObject({ fault: expect.stringContaining('{vault://env/nobody}') });
});

test('a certificate that its vault renews takes over, and connections go on', async () => {
  const [before, after] = [selfSigned(), selfSigned()];
  await using gateway = await startGateway({ environment: { ...listening, SLUICE_WORKERS: '2' } });
  const keep = ({ cert, key }: typeof before) => {
    writeFileSync(join(gateway.folder, 'site-cert'), cert);
    writeFileSync(join(gateway.folder, 'site-key'), key);
  };
  keep(before);
  await create(gateway, '/vaults', { name: 'file', prefix: 'pairs', config: { directory: gateway.folder, ttl: 1 } });
  await create(gateway, '/certificates', { cert: '{vault://pairs/site-cert}', key: '{vault://pairs/site-key}', snis: ['a.test'] });
  using kept = await tlsClient(portOf(gateway), { servername: 'a.test' });
  expect(kept.fingerprint).toBe(fingerprintOf(before));
  expect(await kept.get('/')).toContain('404 Not Found');
  keep(after);
  while ((await shown(gateway, 'a.test')) !== fingerprintOf(after)) await Bun.sleep(20);
  expect(await kept.get('/')).toContain('404 Not Found');
});

test('routes are matched by server name, on TLS listeners', async () => {
  const upstream = startUpstream();
  await using gateway = await startGateway({ environment: listening });
  await create(gateway, '/services', { name: 'upstream', url: upstream.url });
  await create(gateway, '/services/upstream/routes', { name: 'a', protocols: ['https'], snis: ['a.test'] });
  const answer = async (servername: string) => {
    using client = await tlsClient(portOf(gateway), { servername });
    return (await client.get('/')).split('\r\n')[0];
  };
  expect(await answer('a.test')).toBe('HTTP/1.1 200 OK');
  expect(await answer('b.test')).toBe('HTTP/1.1 404 Not Found');
  const received = await upstream.received();
  expect(['x-real-ip', 'x-forwarded-proto', 'x-forwarded-port'].map(name => received.header(name))).toEqual([
    '127.0.0.1',
    'https',
    String(portOf(gateway)),
  ]);
  upstream.stop();
});
