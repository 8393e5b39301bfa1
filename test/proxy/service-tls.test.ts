import { afterAll, afterEach, describe, expect, test } from 'bun:test';
import { caCertificate } from '../../src/entities/ca-certificate.ts';
import { certificate } from '../../src/entities/certificate.ts';
import type { Entity, Row } from '../../src/entities/entity.ts';
import { route } from '../../src/entities/route.ts';
import { type Service, service } from '../../src/entities/service.ts';
import { vaultEntity } from '../../src/entities/vault.ts';
import { type Gateway, openGateway } from '../../src/gateway/gateway.ts';
import { validate } from '../../src/schema/validate.ts';
import { openStore } from '../../src/store/memory.ts';
import type { Write } from '../../src/store/store.ts';
import { env } from '../../src/vaults/env.ts';
import { routeRow, serviceRow } from '../gateway/rows.ts';
import { pem } from '../support/certificates.ts';
import { recordingLog } from '../support/recording-log.ts';
import { startUpstream } from '../support/upstream.ts';
import { startProxy } from './gateway.ts';

const pair = { cert: pem('server'), key: pem('server.key') };
/** Its certificate is vouched for by `authority`. */
const secure = startUpstream({ tls: pair });
/** It serves nobody who has no certificate of `authority`. */
const mutual = startUpstream({ tls: { ...pair, ca: pem('authority'), requestCert: true, rejectUnauthorized: true } });
afterAll(() => {
  secure.stop();
  mutual.stop();
});

const SERVICE = 'aaaaaaaa-0000-4000-8000-000000000000';
const CLIENT = 'bbbbbbbb-0000-4000-8000-000000000000';
const AUTHORITY = 'cccccccc-0000-4000-8000-000000000000';
const OTHER = 'dddddddd-0000-4000-8000-000000000000';

function row<R extends Row>(entity: Entity<R>, input: object): R {
  const result = validate(entity.schema, { created_at: 1, updated_at: 1, ...input });
  if ('errors' in result) throw new Error(JSON.stringify(result.errors));
  return result.value;
}

const insert = (entity: Entity<never>, value: Row): Write => ({ kind: 'insert', entity: entity as never, row: value });
const replace = (entity: Entity<never>, value: Row): Write => ({ kind: 'replace', entity: entity as never, row: value });
const clientRow = (cert = pem('client'), key = pem('client.key')) => row(certificate, { id: CLIENT, cert, key });
const serviceTo = (port: number, tls: Partial<Service>) =>
  serviceRow({ id: SERVICE, protocol: 'https', host: 'localhost', port, retries: 0, ...tls });

let gateways: Gateway[] = [];
afterEach(async () => {
  await Promise.all(gateways.map(gateway => gateway.close()));
  gateways = [];
});

/** A proxy of one service, and the certificates there are. */
async function open(to: { readonly port: number }, tls: Partial<Service>, client = clientRow(), environment = {}) {
  const vaults = [env];
  const store = await openStore([service, route, certificate, caCertificate, vaultEntity(() => env.config)] as readonly Entity[]);
  const { log, said } = recordingLog();
  const gateway = await openGateway({ store, plugins: [], vaults, log, prefix: '.', environment });
  gateways.push(gateway);
  await gateway.write([
    insert(certificate as never, client),
    insert(caCertificate as never, row(caCertificate, { id: AUTHORITY, cert: pem('authority') })),
    insert(caCertificate as never, row(caCertificate, { id: OTHER, cert: pem('other-authority') })),
  ]);
  await gateway.write([
    insert(service as never, serviceTo(to.port, tls)),
    insert(route as never, routeRow({ id: SERVICE, service: { id: SERVICE }, paths: ['/'] })),
  ]);
  const proxy = startProxy({ gateway, log });
  return {
    gateway,
    said,
    status: async () => {
      const { status } = await fetch(proxy.url);
      return status;
    },
    [Symbol.dispose]: () => proxy[Symbol.dispose](),
  };
}

describe('the certificate of an upstream', () => {
  test.each<[string, Partial<Service>, number]>([
    ['that nobody vouches for is refused', {}, 502],
    ['is taken from an authority of the service', { ca_certificates: [OTHER, AUTHORITY] }, 200],
    ['is taken from it when the service asks for that', { tls_verify: true, ca_certificates: [AUTHORITY] }, 200],
    ['of another authority is refused', { ca_certificates: [OTHER] }, 502],
    ['is not looked at when the service says so', { tls_verify: false }, 200],
    ['is not looked at then, whatever else it says', { tls_verify: false, ca_certificates: [OTHER] }, 200],
    ['for another name is refused', { host: '127.0.0.2', ca_certificates: [AUTHORITY] }, 502],
  ])('%s', async (_, tls, status) => {
    using proxy = await open(secure, tls);
    expect(await proxy.status()).toBe(status);
  });

  test('is vouched for by authorities as they are now', async () => {
    using proxy = await open(secure, { ca_certificates: [OTHER] });
    expect(await proxy.status()).toBe(502);
    await proxy.gateway.write([{ kind: 'remove', entity: caCertificate, id: AUTHORITY }]);
    await proxy.gateway.write([replace(caCertificate as never, row(caCertificate, { id: OTHER, cert: pem('authority') }))]);
    expect(await proxy.status()).toBe(200);
  });
});

describe('an upstream that wants a certificate', () => {
  const known = { ca_certificates: [AUTHORITY] };
  const shown = { ...known, client_certificate: { id: CLIENT } };

  test.each<[string, Partial<Service>, number]>([
    ['serves who shows it', shown, 200],
    ['serves who shows it and does not look at its own', { client_certificate: { id: CLIENT }, tls_verify: false }, 200],
    ['does not serve who shows none', known, 502],
  ])('%s', async (_, tls, status) => {
    using proxy = await open(mutual, tls);
    expect(await proxy.status()).toBe(status);
  });

  test('sees what the service says now', async () => {
    using proxy = await open(mutual, known);
    expect(await proxy.status()).toBe(502);
    await proxy.gateway.write([replace(service as never, serviceTo(mutual.port, shown))]);
    expect(await proxy.status()).toBe(200);
    await proxy.gateway.write([replace(service as never, serviceTo(mutual.port, known))]);
    expect(await proxy.status()).toBe(502);
  });

  test('sees the certificate as it is now', async () => {
    using proxy = await open(mutual, shown, clientRow(pem('rsa'), pem('rsa.key')));
    expect(await proxy.status()).toBe(502);
    await proxy.gateway.write([replace(certificate as never, clientRow())]);
    expect(await proxy.status()).toBe(200);
  });

  test('is shown what the references of a certificate stand for', async () => {
    const client = clientRow('{vault://env/client-cert}', '{vault://env/client-key}');
    using proxy = await open(mutual, shown, client, { CLIENT_CERT: pem('client'), CLIENT_KEY: pem('client.key') });
    expect(await proxy.status()).toBe(200);
  });

  test('gets no request while a reference cannot be resolved', async () => {
    const client = clientRow('{vault://env/client-cert}', '{vault://env/client-key}');
    const before = mutual.requests.length;
    using proxy = await open(mutual, { ...shown, tls_verify: false }, client, { CLIENT_CERT: pem('client') });
    expect(await proxy.status()).toBe(500);
    expect(mutual.requests.length).toBe(before);
    expect(proxy.gateway.fault).toContain('{vault://env/client-key} cannot be resolved');
  });

  test('gets no service whose certificate does not match its key', async () => {
    const client = clientRow('{vault://env/client-cert}', '{vault://env/client-key}');
    const opened = open(mutual, shown, client, { CLIENT_CERT: pem('client'), CLIENT_KEY: pem('rsa.key') });
    await expect(opened).rejects.toThrow(`certificate ${CLIENT}: schema violation (certificate does not match key)`);
  });
});
