import { describe, expect, test } from 'bun:test';
import type { Frame } from '../../src/stream/frame.ts';
import { decodeSse, encodeSse } from '../../src/stream/sse.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);

function decodeInPieces(bytes: Uint8Array, size: number): Frame[] {
  const decode = decodeSse();
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; at += size) frames.push(...decode(bytes.subarray(at, at + size)));
  return frames;
}

describe.each<[string, string, Frame[]]>([
  ['line feeds', 'data: a\n\ndata: b\n\n', [message('a'), message('b')]],
  ['carriage returns with line feeds', 'data: a\r\n\r\ndata: b\r\n\r\n', [message('a'), message('b')]],
  ['carriage returns', 'data: a\r\rdata: b\r\r:\r', [message('a'), message('b')]],
  ['line ends of every kind', 'data: a\r\ndata: b\rdata: c\n\r\n', [message('a\nb\nc')]],
  ['a byte order mark', '\ufeffdata: a\n\n', [message('a')]],
  ['a byte order mark that is content', 'data: \ufeffa\n\n', [message('\ufeffa')]],
  ['comments', ': keep-alive\n\n:\ndata: a\n: more\n\n', [message('a')]],
  ['data on several lines', 'data: a\ndata:\ndata:  b\n\n', [message('a\n\n b')]],
  ['data without a colon', 'data\n\n', [message('')]],
  ['events with names', 'event: done\ndata: a\n\ndata: b\n\n', [{ event: 'done', data: 'a' }, message('b')]],
  ['an event without data', 'event: ping\n\ndata: a\n\n', [message('a')]],
  ['ids and retries', 'id: 1\nretry: 10\nretry: soon\ndata: a\n\n', [message('a')]],
  ['unknown fields', 'date: a\nDATA: b\ndata: c\n\n', [message('c')]],
  ['characters of two to four bytes', 'data: é—日本🙂\n\ndata: ✓\n\n', [message('é—日本🙂'), message('✓')]],
  ['an event that never ends', 'data: a\n\ndata: b\n', [message('a')]],
])('decodeSse of %s', (_, text, frames) => {
  const bytes = bytesOf(text);

  test.each([1, 2, 3, 5, bytes.length])('in pieces of %d bytes', size => {
    expect(decodeInPieces(bytes, size)).toEqual(frames);
  });

  test('cut in two at every byte', () => {
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const decode = decodeSse();
      expect([...decode(bytes.subarray(0, cut)), ...decode(bytes.subarray(cut))]).toEqual(frames);
    }
  });
});

test('decodeSse gives an event of several megabytes whole', () => {
  const data = 'é'.repeat(4_000_000);
  expect(decodeInPieces(bytesOf(`data: ${data}\n\n`), 1460)).toEqual([message(data)]);
});

test('decodeSse refuses an event past its bound, however it is spread', () => {
  const feed = (text: string) => {
    const decode = decodeSse(100);
    for (const byte of bytesOf(text)) decode(Uint8Array.of(byte));
  };
  expect(() => feed(`data: ${'x'.repeat(200)}`)).toThrow('max buffer size');
  expect(() => feed('data: x\n'.repeat(200))).toThrow('max buffer size');
  expect(() => feed('data: x\n\n'.repeat(200))).not.toThrow();
});

test('encodeSse writes what decodeSse reads', () => {
  const data = JSON.stringify({ text: 'a\nb\r🙂' });
  expect(decodeSse()(bytesOf(encodeSse(data)))).toEqual([message(data)]);
});

function message(data: string): Frame {
  return { event: 'message', data };
}
