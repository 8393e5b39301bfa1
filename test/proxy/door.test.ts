import { expect, test } from 'bun:test';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import type { Pairs } from '../../src/gateway/certificate-pairs.ts';
import { selfSigned } from '../../src/lib/self-signed.ts';
import { Door } from '../../src/proxy/door.ts';
import { fingerprintOf, tlsClient } from '../support/tls-client.ts';
import { rawClient } from './gateway.ts';

const fallback = selfSigned();

/** A door with these certificates by name; requests are answered by what `answer` says. */
function openDoor(
  certificates: Record<string, Pairs | null> = {},
  answer: (request: Request) => Response | Promise<Response> = () => new Response('ok'),
) {
  const servers: Bun.Server<undefined>[] = [];
  const errors: Error[] = [];
  const visitors: unknown[] = [];
  const ports: (number | undefined)[] = [];
  const door = new Door({
    hostname: '127.0.0.1',
    port: 0,
    reusePort: false,
    ipv6Only: false,
    proxyProtocol: false,
    fallback,
    certificateFor: name => (name in certificates ? { pairs: certificates[name] ?? null } : null),
    serve(pairs, visitorOf) {
      const fetch = (request: Request, self: Bun.Server<undefined>) => {
        visitors.push(visitorOf(request));
        ports.push(self.requestIP(request)?.port);
        return answer(request);
      };
      const server = Bun.serve({ hostname: '127.0.0.1', port: 0, development: false, tls: { ...pairs }, fetch });
      servers.push(server);
      return server;
    },
    onError: error => errors.push(error),
  });
  return { door, certificates, servers, errors, visitors, ports, [Symbol.dispose]: () => void door.stop(true) };
}

const shownTo = async (port: number, servername?: string) => {
  using client = await tlsClient(port, servername === undefined ? {} : { servername });
  return client.fingerprint;
};

test('a client is shown the certificate for the name it asks for, else the fallback', async () => {
  const own = selfSigned();
  using opened = openDoor({ 'a.test': own });
  const { port } = opened.door;
  expect(await shownTo(port, 'a.test')).toBe(fingerprintOf(own));
  expect(await shownTo(port, 'b.test')).toBe(fingerprintOf(fallback));
  expect(await shownTo(port)).toBe(fingerprintOf(fallback));
});

test('who sends a request is known behind the door; who came another way is not', async () => {
  using opened = openDoor();
  using client = await tlsClient(opened.door.port, { servername: 'A.test' });
  await client.get('/');
  await fetch(`https://127.0.0.1:${opened.servers[0]?.port}/`, { tls: { rejectUnauthorized: false } });
  const tls = { version: 'TLSv1.3', cipher: expect.stringMatching(/^TLS_/) };
  expect(opened.visitors as unknown[]).toEqual([{ ip: '127.0.0.1', source: null, serverName: 'a.test', tls }, null]);
});

test('who comes another way is nobody, also from the port that somebody else has', async () => {
  using opened = openDoor();
  using client = await tlsClient(opened.door.port, {});
  await client.get('/');
  const socket = connect({
    host: '127.0.0.1',
    port: Number(opened.servers[0]?.port),
    localAddress: '127.0.0.2',
    localPort: Number(opened.ports[0]),
  });
  const stranger = tlsConnect({ socket, rejectUnauthorized: false });
  stranger.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(stranger, 'data');
  stranger.destroy();
  expect(opened.ports[1]).toBe(opened.ports[0]);
  expect(opened.visitors).toEqual([expect.objectContaining({ ip: '127.0.0.1' }), null]);
});

test('a certificate that is replaced serves its connections to their end, new ones get the new one', async () => {
  const [before, after] = [selfSigned(), selfSigned()];
  using opened = openDoor({ 'a.test': before });
  const { port } = opened.door;
  const client = await tlsClient(port, { servername: 'a.test' });
  expect(await client.get('/')).toContain('200 OK');
  opened.certificates['a.test'] = after;
  expect(await shownTo(port, 'a.test')).toBe(fingerprintOf(after));
  expect(await client.get('/')).toContain('200 OK');
  // With its last connection the server is gone, and the key with it.
  client[Symbol.dispose]();
  const [old] = opened.servers;
  while (await fetch(`https://127.0.0.1:${old?.port}/`, { tls: { rejectUnauthorized: false }, keepalive: false }).catch(() => null))
    await Bun.sleep(1);
  expect(opened.servers.length).toBe(2);
});

test('connections of one certificate share a server', async () => {
  using opened = openDoor();
  for (let count = 0; count < 5; count++) await shownTo(opened.door.port, `${count}.test`);
  expect(opened.servers.length).toBe(1);
});

test('a client whose certificate cannot be had gets no connection', async () => {
  using opened = openDoor({ 'a.test': null });
  await expect(shownTo(opened.door.port, 'a.test')).rejects.toThrow();
  expect(await shownTo(opened.door.port, 'b.test')).toBe(fingerprintOf(fallback));
});

test('a server that does not start is told of, and costs the others nothing', async () => {
  using opened = openDoor({ 'a.test': { cert: 'no certificate', key: 'no key' } });
  await expect(shownTo(opened.door.port, 'a.test')).rejects.toThrow();
  expect(opened.errors.length).toBe(1);
  expect(await shownTo(opened.door.port)).toBe(fingerprintOf(fallback));
});

test('what is no TLS gets no answer', async () => {
  using opened = openDoor();
  const client = await rawClient(opened.door.port);
  client.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  await client.ended();
  expect(opened.visitors).toEqual([]);
});

test('bytes come through as they are, both ways, however slowly they are taken', async () => {
  const body = randomBytes(24 * 1024 * 1024);
  using opened = openDoor({}, async request => new Response(await request.bytes()));
  const digest = createHash('sha256');
  using client = await tlsClient(opened.door.port);
  client.socket.pause();
  client.socket.write(`POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`);
  client.socket.write(body);
  client.socket.removeAllListeners('data');
  let rest: Buffer | null = Buffer.alloc(0);
  client.socket.on('data', (bytes: Buffer) => {
    if (rest === null) {
      digest.update(bytes);
      return;
    }
    rest = Buffer.concat([rest, bytes]);
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) return;
    digest.update(rest.subarray(end + 4));
    rest = null;
  });
  client.socket.resume();
  await new Promise(resolve => client.socket.once('close', resolve));
  expect(digest.digest('hex')).toBe(createHash('sha256').update(body).digest('hex'));
});

test('stopping refuses new connections and lets a request end', async () => {
  const [began, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  using opened = openDoor({}, async () => {
    began.resolve();
    await gate.promise;
    return new Response('late');
  });
  using client = await tlsClient(opened.door.port);
  const answer = client.get('/');
  await began.promise;
  expect(opened.door.pendingRequests).toBe(1);
  const stopped = opened.door.stop();
  await expect(tlsClient(opened.door.port)).rejects.toThrow();
  gate.resolve();
  expect(await answer).toContain('late');
  await stopped;
});

test('a client that leaves is gone behind the door too', async () => {
  const [began, gone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  using opened = openDoor({}, request => {
    request.signal.addEventListener('abort', () => gone.resolve());
    began.resolve();
    return new Promise(() => {});
  });
  const client = await tlsClient(opened.door.port);
  client.socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  await began.promise;
  client[Symbol.dispose]();
  await gone.promise;
});
