import { afterAll, describe, expect, test } from 'bun:test';
import { requestSizeLimiting } from '../../src/plugins/request-size-limiting.ts';
import { exchange, rawClient, startGateway } from '../proxy/gateway.ts';
import { openRig } from '../support/behind.ts';
import { configured, openHost } from '../support/host.ts';

const rig = openRig();
afterAll(rig.close);

const TEN = { allowed_payload_size: 10, size_unit: 'bytes' };
const MESSAGE = 'Request size limit exceeded';
/** Sent in chunks, without a length. */
const chunked = (...chunks: string[]) =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(Buffer.from(chunk));
      controller.close();
    },
  });

describe.each([
  ['with a length', (size: number) => 'x'.repeat(size)],
  ['in chunks', (size: number) => chunked('x'.repeat(size - 1), 'x')],
])('a body %s', (_, body) => {
  test.each<[string, object, number, number]>([
    ['of the size that is allowed', TEN, 10, 200],
    ['of one byte more', TEN, 11, 413],
    ['of kilobytes', { allowed_payload_size: 1, size_unit: 'kilobytes' }, 1024, 200],
    ['of more of them', { allowed_payload_size: 1, size_unit: 'kilobytes' }, 1025, 413],
    ['of megabytes', { allowed_payload_size: 1, size_unit: 'megabytes' }, 1024 * 1024, 200],
    ['of more of them', { allowed_payload_size: 1 }, 1024 * 1024 + 1, 413],
    ['when nobody says how much', {}, 2 * 1024 * 1024, 200],
    ['where none is allowed', { allowed_payload_size: 0, size_unit: 'bytes' }, 1, 413],
  ])('%s', async (_, config, size, status) => {
    const got = await rig.ask(requestSizeLimiting, config, { method: 'POST', body: body(size) });
    expect(got.status).toBe(status);
    if (status === 200) expect((await rig.upstream.received(got.sent?.number)).bodyLength).toBe(size);
    else expect([got.sent, JSON.parse(got.text)['message']]).toEqual([undefined, MESSAGE]);
  });
});

test('a request without a body passes', async () => {
  expect((await rig.ask(requestSizeLimiting, TEN)).status).toBe(200);
});

test('who waits for leave to send a body is told to keep it', async () => {
  using gateway = startGateway({ url: rig.upstream.url, plugins: [configured(requestSizeLimiting, TEN, openHost().host)] });
  const answer = await exchange(
    gateway.port,
    'POST / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 11',
    'x'.repeat(11),
  );
  expect(answer).toContain('HTTP/1.1 417 ');
  expect(answer).toContain(MESSAGE);
});

test('a body in chunks that never ends is refused as soon as it is too large', async () => {
  using gateway = startGateway({ url: rig.upstream.url, plugins: [configured(requestSizeLimiting, TEN, openHost().host)] });
  const client = await rawClient(gateway.port);
  client.write('POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n');
  expect(await client.shows(MESSAGE)).toContain('HTTP/1.1 413 ');
  client.leave();
});

describe('where a length is required', () => {
  const REQUIRED = { ...TEN, require_content_length: true };

  test.each([
    ['a body with one passes', { method: 'POST', body: 'x' }, 200],
    ['a body in chunks passes', { method: 'POST', body: chunked('x') }, 200],
    ['a body in chunks is counted', { method: 'POST', body: chunked('hello ', 'world') }, 413],
    ['a request without a body says 0', { method: 'POST' }, 200],
  ])('%s', async (_, init, status) => {
    expect((await rig.ask(requestSizeLimiting, REQUIRED, init)).status).toBe(status);
  });

  test('a request without one is refused', async () => {
    const { status, text } = await rig.ask(requestSizeLimiting, REQUIRED);
    expect([status, JSON.parse(text)['message']]).toEqual([411, 'A valid Content-Length header is required']);
  });
});

test.each([
  ['a unit nobody knows', { size_unit: 'gigabytes' }, 'expected one of: megabytes, kilobytes, bytes'],
  ['no unit', { size_unit: null }, 'required field missing'],
  ['a size that is no integer', { allowed_payload_size: 1.5 }, 'expected an integer'],
  ['a requirement that is no boolean', { require_content_length: 1 }, 'expected a boolean'],
])('refuses %s', (_, config, message) => {
  expect(() => configured(requestSizeLimiting, config, openHost().host)).toThrow(message);
});
