import { describe, expect, test } from 'bun:test';
import { httpLog } from '../../src/plugins/http-log.ts';
import { openCollector } from '../support/collector.ts';
import { answered } from '../support/context.ts';
import { configured, openHost } from '../support/host.ts';

const call = (path: string) => answered(new Request(`http://localhost:8000${path}`));
const QUICK = { initial_retry_delay: 0.001, max_retry_delay: 0.001 };

function start(config: object) {
  const { host, lines, said } = openHost();
  const phases = configured(httpLog, config, host);
  return { log: (path: string) => void phases.log?.(call(path)), close: async () => phases.close?.(), lines, said };
}

describe('sends', () => {
  test('one entry as one object', async () => {
    await using collector = openCollector();
    const { log, close } = start({ http_endpoint: `http://${collector.authority}/logs?source=kong` });
    log('/a');
    const [request] = await collector.received(1);
    expect(request).toMatchObject({ method: 'POST', path: '/logs?source=kong' });
    expect(request?.headers.get('content-type')).toBe('application/json');
    expect(request?.headers.has('authorization')).toBe(false);
    expect(JSON.parse(request?.body ?? '')).toMatchObject({ request: { uri: '/a' }, response: { status: 200 } });
    await close();
  });

  test('an array when max_batch_size is above 1, even of one entry', async () => {
    await using collector = openCollector();
    const { log, close } = start({
      http_endpoint: `http://${collector.authority}`,
      queue: { max_batch_size: 2, max_coalescing_delay: 3600 },
    });
    for (const path of ['/a', '/b', '/c']) log(path);
    await collector.received(1);
    await close();
    const bodies = collector.requests.map(request =>
      JSON.parse(request.body).map((entry: { request: { uri: string } }) => entry.request.uri),
    );
    expect(bodies).toEqual([['/a', '/b'], ['/c']]);
  });

  test.each(['POST', 'PUT', 'PATCH'])('by %s, with the content type and the headers of the configuration', async method => {
    await using collector = openCollector();
    const { log, close } = start({
      http_endpoint: `http://${collector.authority}`,
      method,
      content_type: 'application/json; charset=utf-8',
      headers: { 'X-Token': 'abc' },
    });
    log('/');
    const [request] = await collector.received(1);
    expect(request?.method).toBe(method);
    expect(request?.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(request?.headers.get('x-token')).toBe('abc');
    await close();
  });

  test('user and password of the endpoint as a header, not in the URL', async () => {
    await using collector = openCollector();
    const { log, close } = start({ http_endpoint: `http://ann:p%40ss@${collector.authority}/` });
    log('/');
    const [request] = await collector.received(1);
    expect(request?.headers.get('authorization')).toBe(`Basic ${btoa('ann:p@ss')}`);
    await close();
  });

  test('over one connection while it is used, over a new one after a pause longer than keepalive', async () => {
    await using collector = openCollector();
    const kept = start({ http_endpoint: `http://${collector.authority}`, keepalive: 60_000 });
    for (let i = 1; i <= 3; i++) {
      kept.log('/');
      await collector.received(i);
      await kept.close();
    }
    expect(new Set(collector.requests.map(request => request.address)).size).toBe(1);
    const impatient = start({ http_endpoint: `http://${collector.authority}`, keepalive: 1e-6 });
    impatient.log('/');
    await collector.received(4);
    await impatient.close();
    expect(new Set(collector.requests.map(request => request.address)).size).toBe(2);
  });
});

describe('failures', () => {
  test('a server that answers 500 twice gets the entry a third time', async () => {
    await using collector = openCollector(500, 500, 200);
    const { log, close, said } = start({ http_endpoint: `http://${collector.authority}`, queue: QUICK });
    log('/a');
    log('/b');
    await collector.received(4);
    await close();
    expect(collector.requests.map(request => JSON.parse(request.body).request.uri)).toEqual(['/a', '/a', '/a', '/b']);
    expect(said('warn')).toHaveLength(2);
    expect(said('error')).toEqual([]);
  });

  test.each([301, 400, 503])(
    'status %d is a failure, redirects are not followed, and the log names the host but no secret',
    async status => {
      await using collector = openCollector(status);
      const { log, close, lines } = start({
        http_endpoint: `http://ann:secret@${collector.authority}/?key=secret`,
        headers: { 'x-token': 'secret' },
        queue: { max_retry_time: 0 },
      });
      log('/');
      await collector.received(1);
      await close();
      expect(collector.requests).toHaveLength(1);
      expect(lines).toEqual([
        {
          level: 'error',
          message: 'http-log c4fe: giving up, 1 entries are lost',
          facts: { reason: `${collector.authority}: status ${status}` },
        },
      ]);
    },
  );

  test('a server that does not listen is a failure', async () => {
    const gone = openCollector();
    await gone[Symbol.asyncDispose]();
    const { log, close, lines } = start({ http_endpoint: `http://ann:secret@${gone.authority}/`, queue: { max_retry_time: 0 } });
    log('/');
    await close();
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).toContain(`${gone.authority}: `);
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  test('a server that never answers is a failure after the timeout', async () => {
    await using silent = openSilentServer();
    const { log, close, said } = start({ http_endpoint: silent.url, timeout: 1, queue: { max_retry_time: 0 } });
    log('/');
    await close();
    expect(said('error')).toEqual(['http-log c4fe: giving up, 1 entries are lost']);
  });
});

function openSilentServer() {
  const server = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => undefined } });
  return { url: `http://127.0.0.1:${server.port}`, [Symbol.asyncDispose]: async () => server.stop(true) };
}

describe('deprecated fields', () => {
  test('queue_size and flush_timeout stand for the queue, and the log says what to write', async () => {
    await using collector = openCollector();
    const { log, close, said } = start({
      http_endpoint: `http://${collector.authority}`,
      queue_size: 2,
      flush_timeout: 3600,
      retry_count: 3,
    });
    log('/a');
    log('/b');
    const [request] = await collector.received(1);
    expect(JSON.parse(request?.body ?? '')).toHaveLength(2);
    await close();
    expect(said('warn')).toEqual([
      'http-log c4fe: http-log: config.retry_count no longer works, please use config.queue.max_retry_time instead',
      'http-log c4fe: http-log: config.queue_size is deprecated, please use config.queue.max_batch_size instead',
      'http-log c4fe: http-log: config.flush_timeout is deprecated, please use config.queue.max_coalescing_delay instead',
    ]);
  });

  test('at their old defaults they change nothing and say nothing', async () => {
    await using collector = openCollector();
    const { log, close, lines } = start({
      http_endpoint: `http://${collector.authority}`,
      queue_size: 1,
      flush_timeout: 2,
      retry_count: 10,
    });
    log('/a');
    const [request] = await collector.received(1);
    expect(JSON.parse(request?.body ?? '')).toMatchObject({ request: { uri: '/a' } });
    await close();
    expect(lines).toEqual([]);
  });
});

test('fields set to null work as their defaults', async () => {
  const { queue } = httpLog.config.fields;
  await using collector = openCollector();
  const { log, close } = start({
    http_endpoint: `http://${collector.authority}`,
    method: null,
    content_type: null,
    timeout: null,
    keepalive: null,
    headers: null,
    queue: Object.fromEntries(Object.keys(queue?.fields ?? {}).map(name => [name, null])),
  });
  log('/');
  const [request] = await collector.received(1);
  expect(request?.method).toBe('POST');
  await close();
});

describe('refuses', () => {
  const url = 'http://127.0.0.1:9/';
  test.each([
    ['no endpoint', {}, 'http_endpoint: required field missing'],
    ['an endpoint that is no URL', { http_endpoint: 'collector' }, 'http_endpoint: missing host in url'],
    ['an endpoint without host', { http_endpoint: 'http://' }, 'http_endpoint: missing host in url'],
    ['another protocol', { http_endpoint: 'ftp://127.0.0.1/' }, 'http_endpoint: the url must start with http:// or https://'],
    ['broken user info', { http_endpoint: 'http://a:%zz@127.0.0.1/' }, 'http_endpoint: the user info in the url'],
    ['a reference to what is no URL', { http_endpoint: '{vault://env/URL}' }, 'what the reference stands for is not a url'],
    ['an unknown method', { http_endpoint: url, method: 'GET' }, 'method: expected one of: POST, PUT, PATCH'],
    ['an unknown content type', { http_endpoint: url, content_type: 'text/plain' }, 'content_type: expected one of'],
    ['a Host header', { http_endpoint: url, headers: { HOST: 'x' } }, "cannot contain 'Host' header"],
    ['a Content-Length header', { http_endpoint: url, headers: { 'content-length': '1' } }, "cannot contain 'Content-Length' header"],
    ['a Content-Type header', { http_endpoint: url, headers: { 'Content-type': 'x' } }, "cannot contain 'Content-Type' header"],
    ['a header name that is none', { http_endpoint: url, headers: { 'a b': 'x' } }, 'not a valid HTTP header'],
    ['a header value with a line end', { http_endpoint: url, headers: { a: 'x\r\ny: z' } }, 'not a valid HTTP header'],
    [
      'two authorizations',
      { http_endpoint: 'http://a:b@127.0.0.1/', headers: { AUTHORIZATION: 'x' } },
      "specifying both an 'Authorization' header",
    ],
    ['a timeout of 0', { http_endpoint: url, timeout: 0 }, 'value must be greater than 0'],
    ['a negative keepalive', { http_endpoint: url, keepalive: -1 }, 'value must not be negative'],
    ['a queue_size of 0', { http_endpoint: url, queue_size: 0 }, 'value must be greater than 0'],
    ['a negative flush_timeout', { http_endpoint: url, flush_timeout: -1 }, 'value must not be negative'],
    ['a batch size of 0', { http_endpoint: url, queue: { max_batch_size: 0 } }, 'max_batch_size = "value should be between 1 and 1000000"'],
    ['an odd concurrency_limit', { http_endpoint: url, queue: { concurrency_limit: 2 } }, 'concurrency_limit = "expected one of: -1, 1"'],
    ['Lua code', { http_endpoint: url, custom_fields_by_lua: { a: 'return 1' } }, 'this gateway runs no Lua'],
    ['an unknown field', { http_endpoint: url, endpoint: url }, 'endpoint: unknown field'],
  ])('%s', (_, config, message) => {
    expect(() => start(config)).toThrow(message);
  });
});
