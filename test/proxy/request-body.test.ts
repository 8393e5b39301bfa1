import { afterAll, describe, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { Phases } from '../../src/plugins/plugin.ts';
import { startUpstream } from '../support/upstream.ts';
import { exchange, startGateway } from './gateway.ts';

const upstream = startUpstream();
afterAll(() => upstream.stop());
const last = () => upstream.requests[upstream.requests.length - 1];

/** A plugin that reads the body up to a limit, as many times as there are limits. */
const reader = (...limits: number[]): Phases => ({
  async access({ body }) {
    const texts: string[] = [];
    for (const limit of limits) texts.push(await body.text(limit));
    return limits.length > 1 ? Response.json(texts) : undefined;
  },
});

type Body = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

async function send(body: Body, headers: Record<string, string>, ...plugins: Phases[]) {
  using gateway = startGateway({ url: upstream.url, plugins });
  const response = await fetch(gateway.url, { method: 'POST', headers, body });
  return { status: response.status, text: await response.text() };
}

const chunked = (bytes: Uint8Array) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 10_000) controller.enqueue(bytes.subarray(at, at + 10_000));
      controller.close();
    },
  });

describe('the body that the upstream gets', () => {
  const readers: [string, Phases[]][] = [
    ['no plugin reads it', []],
    ['a plugin reads it', [reader(0)]],
  ];
  const cases = [0, 1, 65_536, 65_537, 1_048_576].flatMap(size => readers.map(([who, plugins]) => [size, who, plugins] as const));

  test.each(cases)('is the same %i bytes when %s', async (size, _, plugins) => {
    const bytes = new Uint8Array(randomBytes(size));
    await send(bytes, {}, ...plugins);
    expect(last()?.header('content-length')).toBe(String(size));
    expect(last()?.body.equals(bytes)).toBe(true);
  });

  test.each(readers)('may be chunked when %s', async (_, plugins) => {
    const bytes = new Uint8Array(randomBytes(100_000));
    await send(chunked(bytes), {}, ...plugins);
    expect(last()?.body.equals(bytes)).toBe(true);
  });

  test.each(readers)('keeps its encoding when %s', async (_, plugins) => {
    const packed = gzipSync('packed');
    await send(packed, { 'Content-Encoding': 'gzip' }, ...plugins);
    expect(last()?.header('content-encoding')).toBe('gzip');
    expect(last()?.body.equals(packed)).toBe(true);
  });

  test('keeps a byte order mark, and bytes that are no text, when a plugin reads it', async () => {
    const bytes = new Uint8Array([0xef, 0xbb, 0xbf, 0xff, 0x41]);
    await send(bytes, {}, reader(0));
    expect(last()?.body.equals(bytes)).toBe(true);
  });

  test('is what a plugin put in its place as bytes, for plugins after it too', async () => {
    const read: unknown[] = [];
    const replace: Phases = { access: ({ body }) => void body.replace(new Uint8Array([0xc3, 0xbc, 0xff])) };
    const after: Phases = {
      async access({ body }) {
        read.push(await body.text(100), await body.bytes(100));
        return undefined;
      },
    };
    await send(gzipSync('packed'), { 'Content-Encoding': 'gzip' }, reader(0), replace, after);
    expect([last()?.body, last()?.header('content-encoding')]).toEqual([Buffer.from([0xc3, 0xbc, 0xff]), undefined]);
    expect(read).toEqual(['ü\ufffd', new Uint8Array([0xc3, 0xbc, 0xff])]);
  });

  test('is what a plugin put in its place, plain and with its own length', async () => {
    const replace: Phases = { access: ({ body }) => void body.replace('another, ü') };
    await send(gzipSync('packed'), { 'Content-Encoding': 'gzip' }, replace);
    expect(last()?.header('content-encoding')).toBeUndefined();
    expect([last()?.header('content-length'), last()?.text()]).toEqual(['11', 'another, ü']);
  });

  test('is what a plugin set for the upstream', async () => {
    const set: Phases = {
      access({ upstream: to }) {
        to.body = 'set';
        to.headers['content-type'] = 'text/set';
        to.url = `${upstream.url}/set?here`;
        to.method = 'PUT';
      },
    };
    await send(gzipSync('packed'), { 'Content-Encoding': 'gzip' }, set);
    expect([last()?.method, last()?.target, last()?.text()]).toEqual(['PUT', '/set?here', 'set']);
    expect([last()?.header('content-encoding'), last()?.header('content-type')]).toEqual([undefined, 'text/set']);
  });

  test('is none for a GET, whatever the client sent along', async () => {
    using gateway = startGateway({ url: upstream.url });
    expect(await exchange(gateway.port, 'GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3', 'abc')).toStartWith('HTTP/1.1 200');
    expect([last()?.header('content-length'), last()?.bodyLength]).toEqual([undefined, 0]);
  });

  test('comes after the client was told to go on', async () => {
    using gateway = startGateway({ url: upstream.url });
    const answer = await exchange(gateway.port, 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue', 'abc');
    expect(answer).toStartWith('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200');
    expect([last()?.header('expect'), last()?.text()]).toEqual([undefined, 'abc']);
  });
});

describe('the text that plugins read', () => {
  const text = 'to be read, ü '.repeat(100);

  test.each([
    ['gzip', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['br', brotliCompressSync(text)],
    ['zstd', zstdCompressSync(text)],
    ['identity', Buffer.from(text)],
    ['gzip, br', brotliCompressSync(gzipSync(text))],
  ])('is free of %s', async (encoding, bytes) => {
    expect(JSON.parse((await send(bytes, { 'Content-Encoding': encoding }, reader(0, 2000))).text)).toEqual([text, text]);
  });

  test('is parsed once, and anew when it was replaced', async () => {
    const parsed: unknown[] = [];
    const first: Phases = {
      async access({ body }) {
        parsed.push(await body.json(0), await body.json(0));
        body.replace('[1]');
        parsed.push(await body.json(0));
        body.replace('{');
        parsed.push(await body.json(0));
      },
    };
    await send('{"a":1}', {}, first);
    expect(parsed).toEqual([{ a: 1 }, { a: 1 }, [1], undefined]);
    expect(parsed[0]).toBe(parsed[1] as object);
  });

  const tooLarge = { status: 413, message: 'Payload too large' };
  const bomb = gzipSync(Buffer.alloc(10_000_000));
  test.each<[string, Body, Record<string, string>, number, { status: number; message?: string }]>([
    ['as large as it may be', 'x'.repeat(1000), {}, 1000, { status: 200 }],
    ['one byte too large', 'x'.repeat(1001), {}, 1000, tooLarge],
    ['too large in bytes and not in characters', 'ü'.repeat(501), {}, 1000, tooLarge],
    ['chunked and as large as it may be', chunked(Buffer.alloc(50_000)), {}, 50_000, { status: 200 }],
    ['chunked and too large', chunked(Buffer.alloc(50_000)), {}, 49_999, tooLarge],
    ['too large only once it is unpacked', bomb, { 'Content-Encoding': 'gzip' }, 100_000, tooLarge],
    ['packed twice, and too large', gzipSync(bomb), { 'Content-Encoding': 'gzip, gzip' }, 100_000, tooLarge],
    ['not what its encoding says', 'plain', { 'Content-Encoding': 'gzip' }, 0, { status: 400 }],
    [
      'in an encoding that nobody knows',
      'plain',
      { 'Content-Encoding': 'own' },
      0,
      { status: 415, message: "unknown content encoding 'own'" },
    ],
  ])('is limited: a body %s', async (_, body, headers, limit, expected) => {
    const { status, text: answer } = await send(body, headers, reader(limit));
    expect(status).toBe(expected.status);
    if (expected.message) expect(JSON.parse(answer).message).toBe(expected.message);
  });

  test('is limited for the second plugin too, when the first may read more', async () => {
    expect((await send('x'.repeat(1001), {}, reader(0), reader(1000))).status).toBe(413);
  });

  test('is not waited for when the client says that it is too large', async () => {
    using gateway = startGateway({ url: upstream.url, plugins: [reader(1000)] });
    expect(await exchange(gateway.port, 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000')).toStartWith('HTTP/1.1 413');
  });
});

describe.each<[string, string, string]>([
  ['megabytes', 'QUJD'.repeat(1_100_000), 'QUJD'.repeat(25_000)],
  ['kilobytes', 'QUJD'.repeat(5_000), 'Said "no".\n'.repeat(1_000)],
])('JSON of %s with its long strings apart', (size, picture, other) => {
  const json = { 'Content-Type': 'application/json' };
  const large = JSON.stringify({ text: '这是什么？', url: picture, list: [other] });
  const apart = (then: Phases['access'] = () => undefined): Phases => ({
    async access(context) {
      expect((await context.body.longStrings?.(0, 'pass on'))?.count).toBe(2);
      return then?.(context);
    },
  });

  test('parses to all of it, and nothing of it is lost to those who read its text or its bytes', async () => {
    const { text } = await send(
      large,
      json,
      apart(async ({ body }) =>
        Response.json([
          Bun.deepEquals(await body.json(0), JSON.parse(large)),
          (await body.text(0)) === large,
          Buffer.from(await body.bytes(0)).toString() === large,
        ]),
      ),
    );
    expect(text).toBe('[true,true,true]');
  });

  test('goes on as it came, a byte order mark aside', async () => {
    for (const mark of ['', '\ufeff']) {
      await send(mark + large, json, apart());
      expect(last()?.text() === large).toBe(true);
      expect(last()?.header('content-length')).toBe(`${Buffer.byteLength(large)}`);
    }
  });

  test('may be replaced', async () => {
    await send(
      large,
      json,
      apart(async ({ body }) => {
        body.replace('{"a":1}');
        expect([await body.longStrings?.(0, 'pass on'), await body.json(0)]).toEqual([null, { a: 1 }]);
      }),
    );
    expect(last()?.text()).toBe('{"a":1}');
  });

  test('is refused past a limit before it is read', async () => {
    const { status } = await send(large, json, { access: async ({ body }) => void (await body.longStrings?.(1000, 'pass on')) });
    expect(status).toBe(413);
  });

  test('stands apart for who reads all of it where it is memory that counts', async () => {
    const access: Phases['access'] = async ({ body }) => Response.json((await body.longStrings?.(0, 'read')) !== null);
    expect((await send(large, json, { access })).text).toBe(`${size === 'megabytes'}`);
  });

  const none = (body: Body, headers: Record<string, string>) =>
    send(body, headers, {
      access: async ({ body }) => Response.json([(await body.longStrings?.(0, 'pass on')) ?? null, (await body.text(0)).length]),
    });

  test.each<[string, Body, Record<string, string>, number]>([
    ['is small', '{"a":1}', json, 7],
    ['is no JSON', large, { 'Content-Type': 'text/plain' }, large.length],
    ['has none', JSON.stringify(new Array(picture.length / 4).fill('\n')), json, (picture.length / 4) * 5 + 1],
    ['is packed', gzipSync(large), { ...json, 'Content-Encoding': 'gzip' }, large.length],
  ])('is read as all others when it %s', async (_, body, headers, length) => {
    expect((await none(body, headers)).text).toBe(JSON.stringify([null, length]));
  });
});
