import { afterAll, expect, test } from 'bun:test';
import { CERTIFICATE_FILE, KEY_FILE, startUpstream } from '../support/upstream.ts';
import { rawClient, startGateway } from './gateway.ts';

const upstream = startUpstream();
afterAll(() => upstream.stop());
const last = () => upstream.requests[upstream.requests.length - 1];

test('listens on IPv6, where IPv4 clients keep their addresses', async () => {
  using gateway = startGateway({ url: upstream.url, hostname: '::' });
  await fetch(`http://[::1]:${gateway.port}/`);
  expect([last()?.header('x-real-ip'), last()?.header('x-forwarded-host')]).toEqual(['::1', '[::1]']);
  await fetch(`http://127.0.0.1:${gateway.port}/`);
  expect(last()?.header('x-real-ip')).toBe('127.0.0.1');
});

test('speaks TLS', async () => {
  const tls = { cert: await Bun.file(CERTIFICATE_FILE).text(), key: await Bun.file(KEY_FILE).text() };
  using gateway = startGateway({ url: upstream.url, tls, httpsOnly: true });
  const response = await fetch(gateway.url, { tls: { ca: tls.cert } });
  expect([response.status, last()?.header('x-forwarded-proto')]).toEqual([200, 'https']);
});

test('a port that is taken is an error', () => {
  using gateway = startGateway({ url: upstream.url });
  expect(() => Bun.serve({ port: gateway.port, hostname: '127.0.0.1', fetch: () => new Response() })).toThrow('in use');
});

test('stopping refuses new connections and lets a stream end', async () => {
  upstream.answer({ chunks: ['one', 'two'], gated: true });
  using gateway = startGateway({ url: upstream.url });
  const client = await rawClient(gateway.port);
  client.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  await upstream.release();
  await client.shows('one');
  const stopped = gateway.server.stop();
  expect(await rawClient(gateway.port).catch(({ code }) => code)).toBe('ECONNREFUSED');
  await upstream.release();
  await client.shows('two');
  await stopped;
});
