import { expect, setDefaultTimeout, test } from 'bun:test';
import { WebSocket } from 'ws';
import { pem } from '../support/certificates.ts';
import { startGateway } from '../support/executable.ts';

setDefaultTimeout(60_000);

/** Says back what it hears. */
function startEcho(tls?: Bun.TLSOptions) {
  const server = Bun.serve<{ host: string | null }>({
    hostname: '127.0.0.1',
    port: 0,
    ...(tls && { tls }),
    fetch: (request, self) =>
      self.upgrade(request, { data: { host: request.headers.get('host') } }) ? undefined : new Response('no', { status: 400 }),
    websocket: { message: (side, message) => void side.send(message === 'host?' ? (side.data.host ?? '') : message) },
  });
  return { port: server.port as number, [Symbol.dispose]: () => void server.stop(true) };
}

async function ask(url: string, question: string): Promise<string> {
  const client = new WebSocket(url, { rejectUnauthorized: false });
  const answer = Promise.withResolvers<string>();
  client.on('open', () => client.send(question));
  client.on('message', data => answer.resolve(String(data)));
  client.on('unexpected-response', (_, { statusCode }) => answer.resolve(`status ${statusCode}`));
  client.on('error', answer.reject);
  try {
    return await answer.promise;
  } finally {
    client.terminate();
  }
}

test.each([1, 3])('WebSockets pass, in plain and over TLS on either side, with %d workers', async workers => {
  using plain = startEcho();
  using secure = startEcho({ cert: pem('rsa'), key: pem('rsa.key') });
  await using gateway = await startGateway({
    environment: { SLUICE_PROXY_LISTEN: '127.0.0.1:0', SLUICE_WORKERS: String(workers) },
  });
  await using other = await startGateway({ environment: { SLUICE_PROXY_LISTEN: '127.0.0.1:0 ssl', SLUICE_WORKERS: String(workers) } });
  for (const one of [gateway, other]) {
    const service = async (name: string, body: object) => {
      expect((await one.request('POST', '/services', { name, ...body })).status).toBe(201);
      expect((await one.request('POST', `/services/${name}/routes`, { paths: [`/${name}`] })).status).toBe(201);
    };
    const target = { host: '127.0.0.1', retries: 5 };
    await service('plain', { ...target, port: plain.port, protocol: 'http' });
    await service('secure', { ...target, port: secure.port, protocol: 'https', tls_verify: false });
    await service('strict', { ...target, port: secure.port, protocol: 'https' });
    const base = one.proxy.replace('http', 'ws');
    for (let count = 0; count < 10; count++) {
      expect(await ask(`${base}/plain`, 'hello')).toBe('hello');
      expect(await ask(`${base}/secure`, 'hello')).toBe('hello');
    }
    expect(await ask(`${base}/strict`, 'hello')).toBe('status 502');
    expect(await ask(`${base}/nowhere`, 'hello')).toBe('status 404');
  }
});

test('an upstream is verified, and shown a certificate, as for any request', async () => {
  const pair = { cert: pem('server'), key: pem('server.key') };
  using mutual = startEcho({ ...pair, ca: pem('authority'), requestCert: true, rejectUnauthorized: true });
  await using gateway = await startGateway();
  const create = async (path: string, body: object) => {
    const answer = await gateway.request('POST', path, body);
    expect([answer.status, answer.body]).toEqual([201, expect.anything()]);
    return (answer.body as { id: string }).id;
  };
  const authority = await create('/ca_certificates', { cert: pem('authority') });
  const other = await create('/ca_certificates', { cert: pem('other-authority') });
  const id = await create('/certificates', { cert: pem('client'), key: pem('client.key') });
  const target = { host: 'localhost', port: mutual.port, protocol: 'https', retries: 0 };
  const cases: Record<string, readonly [tls: object, answer: string]> = {
    known: [{ ca_certificates: [authority], client_certificate: { id } }, 'hello'],
    stranger: [{ ca_certificates: [authority] }, 'status 502'],
    unverified: [{ ca_certificates: [other], client_certificate: { id } }, 'status 502'],
    careless: [{ tls_verify: false, client_certificate: { id } }, 'hello'],
  };
  for (const [name, [tls, answer]] of Object.entries(cases)) {
    await create('/services', { ...target, name, ...tls });
    await create(`/services/${name}/routes`, { paths: [`/${name}`] });
    expect([name, await ask(`${gateway.proxy.replace('http', 'ws')}/${name}`, 'hello')]).toEqual([name, answer]);
  }
});

test('targets of an upstream take them in turn; one that is not there is passed over', async () => {
  using echo = startEcho();
  await using gateway = await startGateway();
  expect((await gateway.request('POST', '/upstreams', { name: 'echoes' })).status).toBe(201);
  for (const target of ['127.0.0.1:1', `127.0.0.1:${echo.port}`]) {
    expect((await gateway.request('POST', '/upstreams/echoes/targets', { target })).status).toBe(201);
  }
  expect((await gateway.request('POST', '/services', { name: 'echo', host: 'echoes' })).status).toBe(201);
  expect((await gateway.request('POST', '/services/echo/routes', { paths: ['/'], preserve_host: true })).status).toBe(201);
  const base = gateway.proxy.replace('http', 'ws');
  for (let count = 0; count < 6; count++) expect(await ask(base, 'host?')).toBe(new URL(gateway.proxy).host);
});

test('a gateway that stops waits for them', async () => {
  using echo = startEcho();
  await using gateway = await startGateway({ environment: { SLUICE_WORKERS: '2' } });
  await gateway.request('POST', '/services', { name: 'echo', host: '127.0.0.1', port: echo.port });
  await gateway.request('POST', '/services/echo/routes', { paths: ['/'] });
  const client = new WebSocket(gateway.proxy.replace('http', 'ws'));
  const heard: string[] = [];
  let look = () => {};
  client.on('message', data => {
    heard.push(String(data));
    look();
  });
  const hears = (text: string) =>
    new Promise<void>(resolve => {
      look = () => heard.includes(text) && resolve();
      look();
    });
  await new Promise(resolve => client.on('open', resolve));
  const status = (await gateway.request('GET', '/status')).body as { server: { connections_active: number } };
  expect(status.server.connections_active).toBe(1);
  const closed = new Promise(resolve => client.on('close', resolve));
  gateway.signal('SIGTERM');
  await gateway.logged(({ message }) => message.includes('requests in flight may finish'));
  client.send('still there');
  await hears('still there');
  client.close();
  await closed;
  await gateway.logged(({ message }) => message === 'stopped');
});
