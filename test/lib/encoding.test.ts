import { describe, expect, test } from 'bun:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { decodeBody, decodeBytes, EncodingError, isEncoded } from '../../src/lib/encoding.ts';

const text = 'some text, ü '.repeat(10_000);
const plain = Buffer.from(text);
const encodings: [string | null, Uint8Array][] = [
  [null, plain],
  ['', plain],
  ['identity', plain],
  ['gzip', gzipSync(plain)],
  ['GZIP ', gzipSync(plain)],
  ['x-gzip', gzipSync(plain)],
  ['deflate', deflateSync(plain)],
  ['br', brotliCompressSync(plain)],
  ['zstd', zstdCompressSync(plain)],
  ['deflate, gzip', gzipSync(deflateSync(plain))],
];
const pieces = (bytes: Uint8Array, size: number) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.subarray(at, at + size));
      controller.close();
    },
  });
const textOf = (stream: ReadableStream<Uint8Array>) => new Response(stream).text();

describe('whole', () => {
  test.each([...encodings, ['deflate', deflateRawSync(plain)] as [string, Uint8Array]])('%p is undone', async (header, bytes) => {
    expect(Buffer.from(await decodeBytes(bytes, header, 0)).toString()).toBe(text);
  });

  test.each(['gzip', 'deflate', 'br', 'zstd'])('nonsense is no %s', async name => {
    const failure = await decodeBytes(Buffer.from('nonsense'), name, 0).catch(error => error);
    expect(failure).toBeInstanceOf(EncodingError);
    expect(failure.reason).toBe('corrupt');
  });

  test('an unknown coding is named', () => {
    expect(decodeBytes(plain, 'gzip, own', 0)).rejects.toThrow("unknown content encoding 'own'");
  });

  test('as many codings over each other are undone as anybody means', async () => {
    const often = (times: number) => {
      let bytes: Uint8Array = plain;
      for (let time = 0; time < times; time++) bytes = gzipSync(bytes);
      return decodeBytes(bytes, Array(times).fill('gzip').join(), 0).catch((error: EncodingError) => error.reason);
    };
    expect(await often(5)).toHaveLength(plain.length);
    expect(await often(6)).toBe('unknown');
  });

  test.each(encodings.slice(3))('%p stops at the limit', async (header, bytes) => {
    expect(await decodeBytes(bytes, header, plain.length)).toHaveLength(plain.length);
    expect((await decodeBytes(bytes, header, plain.length - 1).catch(error => error)).reason).toBe('too large');
  });
});

describe('streamed', () => {
  test.each(encodings)('%p is undone', async (header, bytes) => {
    for (const size of [1000, bytes.length]) expect(await textOf(decodeBody(pieces(bytes, size), header))).toBe(text);
  });

  test('a body that is plain passes as it is', () => {
    const body = pieces(plain, 1000);
    expect(decodeBody(body, null)).toBe(body);
  });

  test.each(['gzip', 'deflate', 'br', 'zstd'])('nonsense is no %s', async name => {
    expect(await textOf(decodeBody(pieces(Buffer.from('nonsense'), 3), name)).catch(error => error)).toBeInstanceOf(Error);
  });

  test('a source that breaks off breaks the stream off', async () => {
    const broken = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(gzipSync(plain).subarray(0, 20));
        controller.error(new Error('gone'));
      },
    });
    expect(await textOf(decodeBody(broken, 'gzip')).catch(error => error)).toBeInstanceOf(Error);
  });

  test('a reader that leaves cancels the source', async () => {
    const cancelled = Promise.withResolvers<void>();
    const packed = gzipSync(Buffer.alloc(1_000_000, 'x'));
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(packed.subarray(0, 100));
      },
      cancel: () => cancelled.resolve(),
    });
    await decodeBody(source, 'gzip').cancel();
    await cancelled.promise;
  });

  test('an unknown coding is named', () => {
    expect(() => decodeBody(pieces(plain, 10), 'own')).toThrow("unknown content encoding 'own'");
  });
});

test('only what says so is encoded', () => {
  expect([undefined, '', 'identity', 'gzip', 'own'].map(isEncoded)).toEqual([false, false, false, true, true]);
});
