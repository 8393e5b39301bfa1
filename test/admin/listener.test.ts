import { afterEach, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { listenApp, whenAsked } from '../../src/admin/listener.ts';
import { selfSigned } from '../../src/lib/self-signed.ts';
import { openAdmin } from './harness.ts';

const opened: { stop(now: boolean): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of opened.splice(0)) await server.stop(true);
});

async function open(tls?: ReturnType<typeof selfSigned>) {
  const api = await openAdmin();
  const server = listenApp({ hostname: '127.0.0.1', port: 0 }, tls, api.admin);
  opened.push(server);
  return { ...api, port: server.port ?? 0, url: `${tls ? 'https' : 'http'}://127.0.0.1:${server.port}` };
}

/** Writes to the port what no HTTP client would, and reads what comes back until the other side closes. */
function sendBytes(port: number, text: string, end = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => (end ? socket.end(text) : socket.write(text)));
    const chunks: Uint8Array[] = [];
    socket.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
    socket.on('error', reject);
  });
}

const POST = 'POST /services HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n';

test('an app is loaded once, when it is first asked, by however many at once', async () => {
  let loads = 0;
  const app = whenAsked(async () => {
    loads++;
    return { fetch: (request, address) => new Response(`${request.url} ${address}`) };
  });
  expect(loads).toBe(0);
  const answers = await Promise.all(['a', 'b'].map(path => app.fetch(new Request(`http://admin/${path}`), '127.0.0.1')));
  expect(await Promise.all(answers.map(answer => answer.text()))).toEqual(['http://admin/a 127.0.0.1', 'http://admin/b 127.0.0.1']);
  expect(loads).toBe(1);
});

test('over TLS', async () => {
  const pair = selfSigned();
  const { url, lines } = await open(pair);
  const tls = { ca: pair.cert, checkServerIdentity: () => undefined };
  const response = await fetch(`${url}/services`, {
    method: 'POST',
    body: '{"host":"h"}',
    headers: { 'content-type': 'application/json' },
    tls,
  });
  expect([response.status, lines[0]?.facts?.['client']]).toEqual([201, '127.0.0.1']);
  await expect(fetch(`${url}/services`)).rejects.toThrow();
});

describe('what a hostile client sends', () => {
  test.each<[string, string, RegExp]>([
    ['a length beyond all', `${POST}Content-Length: 99999999999\r\n\r\n{`, /^HTTP\/1.1 413 .*"message":"Payload too large"/s],
    ['chunks that are none', `${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, /^HTTP\/1.1 400 |^$/],
    ['a length that is none', `${POST}Content-Length: -1\r\n\r\n{}`, /^HTTP\/1.1 400 /],
    ['two lengths', `${POST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x`, /^HTTP\/1.1 400 /],
    ['a thousand headers', `${POST}${'X: y\r\n'.repeat(1000)}\r\n`, /^HTTP\/1.1 4\d\d /],
    ['a header of a megabyte', `${POST}X: ${'y'.repeat(1_000_000)}\r\n\r\n`, /^HTTP\/1.1 4\d\d |^$/],
    ['no HTTP', 'GARBAGE\r\n\r\n', /^HTTP\/1.1 400 /],
  ])('%s', async (_name, text, answer) => {
    const { port, url, get } = await open();
    expect(await sendBytes(port, text)).toMatch(answer);
    expect((await get('/services')).data).toEqual([]);
    expect((await fetch(`${url}/services`)).status).toBe(200);
  });

  test.each([
    ['a body that ends early', `${POST}Content-Length: 100\r\n\r\n{"host":"h"}`],
    ['chunks that end early', `${POST}Transfer-Encoding: chunked\r\n\r\nc\r\n{"host":"h"}\r\n`],
  ])('%s writes nothing', async (_name, text) => {
    const { port, url, get } = await open();
    await sendBytes(port, text, true).catch(() => '');
    expect((await fetch(`${url}/services`)).status).toBe(200);
    expect((await get('/services')).data).toEqual([]);
  });

  test('more than it takes, without saying how much', async () => {
    const { url, get } = await open();
    const chunk = new Uint8Array(1024 * 1024).fill(32);
    const body = new ReadableStream({
      async pull(controller) {
        controller.enqueue(chunk);
      },
    });
    const response = await fetch(`${url}/services`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    expect([response.status, await response.json()]).toEqual([413, { message: 'Payload too large' }]);
    expect((await get('/services')).data).toEqual([]);
  });
});
