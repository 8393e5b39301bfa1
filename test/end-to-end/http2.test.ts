import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import * as http2 from 'node:http2';
import { WebSocket } from 'ws';
import { type RunningGateway, startGateway } from '../support/executable.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

setDefaultTimeout(60_000);

let gateway: RunningGateway;
let upstream: Upstream;
beforeAll(async () => {
  upstream = startUpstream();
  gateway = await startGateway({
    environment: { SLUICE_PROXY_LISTEN: '127.0.0.1:0 http2 ssl, 127.0.0.1:0 http2, 127.0.0.1:0 ssl', SLUICE_WORKERS: '2' },
  });
  await gateway.request('POST', '/services', { name: 'upstream', url: upstream.url });
  await gateway.request('POST', '/services/upstream/routes', { paths: ['/'], strip_path: false });
  await gateway.request('POST', '/services/upstream/routes', { name: 'limited', paths: ['/limited'] });
  await gateway.request('POST', '/routes/limited/plugins', { name: 'request-size-limiting', config: { allowed_payload_size: 1 } });
  await gateway.request('POST', '/services/upstream/routes', { name: 'cached', paths: ['/cached'] });
  await gateway.request('POST', '/routes/cached/plugins', {
    name: 'proxy-cache',
    config: { strategy: 'memory', request_method: ['GET', 'POST'] },
  });
});
afterAll(async () => {
  await gateway.stop();
  upstream.stop();
});

const urls = () =>
  (gateway.log.find(({ message }) => message === 'sluice is ready') as unknown as { proxy: [string, string, string] }).proxy;
const count = () => upstream.requests.length;

interface Asked {
  readonly headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader;
  readonly body: Buffer;
}

const connect = (url: string) => {
  const session = http2.connect(url, { rejectUnauthorized: false });
  session.on('error', () => {});
  return session;
};

function ask(session: http2.ClientHttp2Session, headers: http2.OutgoingHttpHeaders, body?: Uint8Array): Promise<Asked> {
  const { promise, resolve, reject } = Promise.withResolvers<Asked>();
  const stream = session.request(headers, { endStream: body === undefined });
  const parts: Buffer[] = [];
  let received: Asked['headers'] = {};
  stream.on('response', head => {
    received = head;
  });
  stream.on('data', (bytes: Buffer) => parts.push(bytes));
  stream.on('end', () => resolve({ headers: received, body: Buffer.concat(parts) }));
  stream.on('error', reject);
  if (body !== undefined) stream.end(body);
  return promise;
}

describe.each([
  ['over TLS', 0],
  ['in plain, for a client that begins with it', 1],
] as const)('HTTP/2 %s', (_, index) => {
  test('a request is the upstream’s as any other', async () => {
    upstream.answer({ body: 'fine', headers: { 'X-Own': 'yes', 'Keep-Alive': 'timeout=5' } });
    const session = connect(urls()[index]);
    const number = count() + 1;
    const { headers, body } = await ask(session, { ':path': '/a?b=c', ':authority': 'api.test:81', cookie: ['a=1', 'b=2'], 'x-a': 'b' });
    expect([headers[':status'], headers['x-own'], headers['keep-alive'], body.toString()]).toEqual([200, 'yes', undefined, 'fine']);
    const request = await upstream.received(number);
    expect([request.target, request.header('x-a'), request.header('cookie'), request.header('x-forwarded-host')]).toEqual([
      '/a?b=c',
      'b',
      'a=1; b=2',
      'api.test',
    ]);
    expect([request.header('x-real-ip'), request.header('x-forwarded-proto')]).toEqual(['127.0.0.1', index === 0 ? 'https' : 'http']);
    session.close();
  });

  test('a large body goes there, one comes back', async () => {
    const large = Buffer.alloc(5_000_000, 'x');
    upstream.answer({ body: large });
    const session = connect(urls()[index]);
    const number = count() + 1;
    const { body } = await ask(session, { ':method': 'POST', ':path': '/' }, large);
    expect([body.equals(large), (await upstream.received(number)).bodyLength]).toEqual([true, large.length]);
    session.close();
  });

  test('a body that says nothing of its length is counted', async () => {
    upstream.answer({ body: 'ok' });
    const session = connect(urls()[index]);
    const send = async (size: number) =>
      (await ask(session, { ':method': 'POST', ':path': '/limited' }, Buffer.alloc(size))).headers[':status'];
    expect(await send(2 ** 20)).toBe(200);
    expect(await send(2 ** 20 + 1)).toBe(413);
    session.close();
  });

  test('an answer to a body that does not say its length is not given to another', async () => {
    upstream.answer(({ body }) => ({ headers: { 'content-type': 'text/plain' }, body }));
    const session = connect(urls()[index]);
    const send = (body: string) => ask(session, { ':method': 'POST', ':path': '/cached' }, Buffer.from(body));
    const answers = [await send('mine'), await send('yours')];
    expect(answers.map(({ headers, body }) => [headers['x-cache-status'], body.toString()])).toEqual([
      ['Bypass', 'mine'],
      ['Bypass', 'yours'],
    ]);
    session.close();
  });

  test('a hundred requests at once share a connection', async () => {
    upstream.answer(({ target }) => ({ body: target }));
    const session = connect(urls()[index]);
    const answers = await Promise.all(Array.from({ length: 100 }, (_number, path) => ask(session, { ':path': `/${path}` })));
    expect(answers.map(({ body }) => body.toString())).toEqual(Array.from({ length: 100 }, (_number, path) => `/${path}`));
    session.close();
  });

  test('a stream comes chunk by chunk', async () => {
    upstream.answer({ chunks: ['one', 'two'], gated: true });
    const session = connect(urls()[index]);
    const stream = session.request({ ':path': '/' });
    const next = () => new Promise<string>(resolve => stream.once('data', bytes => resolve(String(bytes))));
    const one = next();
    await upstream.release();
    expect(await one).toBe('one');
    const two = next();
    await upstream.release();
    expect(await two).toBe('two');
    session.close();
  });

  test('a client that cancels one request keeps the others', async () => {
    upstream.answer('silence');
    const session = connect(urls()[index]);
    const number = count() + 1;
    const stream = session.request({ ':path': '/' });
    stream.on('error', () => {});
    await upstream.begun(number);
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await upstream.closed(number);
    upstream.answer({ body: 'ok' });
    expect((await ask(session, { ':path': '/' })).body.toString()).toBe('ok');
    session.close();
  });

  test('an answer that breaks off is no success', async () => {
    upstream.answer({ chunks: ['part'], ending: 'reset', gated: true });
    const session = connect(urls()[index]);
    const stream = session.request({ ':path': '/' });
    const broken = new Promise(resolve => stream.on('error', resolve));
    const begun = new Promise(resolve => stream.once('data', resolve));
    await upstream.release();
    await begun;
    await upstream.release();
    await broken;
    session.close();
  });

  test('gRPC is told that it is not spoken here', async () => {
    const session = connect(urls()[index]);
    const before = count();
    for (const type of ['application/grpc', 'application/grpc+proto']) {
      const { headers } = await ask(
        session,
        { ':method': 'POST', ':path': '/a.B/C', 'content-type': type, te: 'trailers' },
        Buffer.alloc(5),
      );
      expect([headers[':status'], headers['content-type'], headers['grpc-status'], headers['grpc-message']]).toEqual([
        200,
        'application/grpc',
        '12',
        'gRPC is not supported',
      ]);
    }
    expect(count()).toBe(before);
    session.close();
  });

  test('HTTP/1.1 and WebSockets are spoken on the same port', async () => {
    upstream.answer({ body: 'ok' });
    const response = await fetch(urls()[index], { tls: { rejectUnauthorized: false } });
    expect(await response.text()).toBe('ok');
    upstream.answer({ status: 403, body: 'no' });
    const refused = new Promise(resolve => {
      const client = new WebSocket(urls()[index].replace('http', 'ws'), { rejectUnauthorized: false });
      client.on('unexpected-response', (_request, { statusCode }) => resolve(statusCode));
      client.on('error', resolve);
    });
    expect(await refused).toBe(403);
  });
});

const run = async (...command: string[]) => {
  const child = Bun.spawn(command, { stdout: 'pipe', stderr: 'pipe' });
  return (await child.stdout.text()) + (await child.stderr.text());
};

test('curl chooses HTTP/2 where it is spoken, and HTTP/1.1 where it is not', async () => {
  if (!Bun.which('curl')) return console.log('skipped: needs curl');
  upstream.answer({ body: 'ok' });
  const [secure, plain, old] = urls();
  const curl = (url: string, ...options: string[]) => run('curl', '-sk', '-w', ' %{http_version}', ...options, url);
  expect(await curl(secure, '--http2')).toBe('ok 2');
  expect(await curl(secure, '--http1.1')).toBe('ok 1.1');
  expect(await curl(plain, '--http2-prior-knowledge')).toBe('ok 2');
  expect(await curl(plain)).toBe('ok 1.1');
  expect(await curl(old, '--http2')).toBe('ok 1.1');
});

test('nghttp is understood', async () => {
  if (!Bun.which('nghttp')) return console.log('skipped: needs nghttp2-client');
  upstream.answer({ body: 'hello nghttp' });
  const [secure, plain] = urls();
  for (const url of [secure, plain]) {
    const output = await run('nghttp', '-v', '--no-verify-peer', `${url}/`);
    expect(output).toContain(':status: 200');
    expect(output).toContain('hello nghttp');
  }
});
