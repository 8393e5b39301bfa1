import { afterAll, describe, expect, test } from 'bun:test';
import { selfSigned } from '../../src/lib/self-signed.ts';
import { BAD, bytesOf, PASSED, REFUSED } from '../support/smuggling.ts';
import { tlsClient } from '../support/tls-client.ts';
import { startUpstream } from '../support/upstream.ts';
import { rawClient, startGateway } from './gateway.ts';

const upstream = startUpstream();
afterAll(() => upstream.stop());

/** All that the upstream has got as whole requests since `before`, up to and with a last one. */
async function receivedSince(before: number): Promise<string[]> {
  const whole = () => upstream.requests.slice(before).filter(({ complete }) => complete);
  while (!whole().some(({ target }) => target === '/last')) await Bun.sleep(1);
  return whole().map(request => {
    const framing = request.header('transfer-encoding') ?? request.header('content-length') ?? 'none';
    return `${request.method} ${request.target} ${framing} ${JSON.stringify(request.text())}`;
  });
}

const LAST = 'GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n';

async function sendLast(port: number): Promise<void> {
  const client = await rawClient(port);
  client.write(LAST);
  await client.ended();
}

describe.each(Object.entries(REFUSED))('%s', (_, [bytes, status]) => {
  test('is refused, and the upstream sees no request', async () => {
    using gateway = startGateway({ url: upstream.url });
    const before = upstream.requests.length;
    const client = await rawClient(gateway.port);
    client.socket.write(bytesOf(bytes));
    await client.ended();
    const text = await client.shows('');
    expect([...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, code]) => Number(code))).toEqual(status === null ? [] : [status]);
    await sendLast(gateway.port);
    const received = (await receivedSince(before)).filter(request => !request.startsWith('GET /first'));
    // A body that goes wrong later has been begun; what was right of it may have come through whole.
    expect(received.filter(request => request !== 'POST / 4 "1234"')).toEqual(['GET /last none ""']);
  });
});

describe.each(Object.entries(BAD))('%s', (_, bytes) => {
  test('is answered with 400', async () => {
    using gateway = startGateway({ url: upstream.url });
    const before = upstream.requests.length;
    const client = await rawClient(gateway.port);
    client.socket.write(bytesOf(bytes));
    expect(await client.shows('request_id')).toStartWith('HTTP/1.1 400');
    client.write(LAST);
    await client.ended();
    expect(await receivedSince(before)).toEqual(['GET /last none ""']);
  });
});

describe.each(Object.entries(PASSED))('%s', (_, [bytes, received]) => {
  test('is one request for the upstream', async () => {
    using gateway = startGateway({ url: upstream.url });
    const before = upstream.requests.length;
    const client = await rawClient(gateway.port);
    client.socket.write(bytesOf(bytes));
    await client.shows('\r\n\r\nok');
    client.write(LAST);
    await client.ended();
    expect(await receivedSince(before)).toEqual([received, 'GET /last none ""']);
  });
});

test('behind TLS it is all the same', async () => {
  using gateway = startGateway({ url: upstream.url, tls: selfSigned() });
  for (const [bytes, status] of Object.values(REFUSED)) {
    using client = await tlsClient(gateway.port);
    let text = '';
    client.socket.on('data', data => {
      text += data.toString('latin1');
    });
    client.socket.write(bytesOf(bytes));
    await new Promise(resolve => client.socket.once('close', resolve));
    expect(text === '' ? null : Number(text.slice('HTTP/1.1 '.length, 'HTTP/1.1 400'.length))).toBe(status);
  }
});
