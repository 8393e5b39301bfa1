import { describe, expect, test } from 'bun:test';
import { decodeAwsEvents } from '../../src/stream/aws-events.ts';
import type { Frame } from '../../src/stream/frame.ts';
import { vectors } from '../fixtures/aws/event-stream-vectors.json';
import { awsMessage, rawAwsMessage } from '../support/aws-messages.ts';

const joined = (parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

function decoded(bytes: Uint8Array, size: number): Frame[] {
  const decode = decodeAwsEvents();
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; at += size) frames.push(...decode(bytes.subarray(at, at + size)));
  return frames;
}

test.each(vectors)("AWS's own bytes are understood: $name", ({ hex, event, data }) => {
  const bytes = new Uint8Array(Buffer.from(hex, 'hex'));
  expect(decoded(bytes, bytes.length)).toEqual([{ event, data }]);
  expect(decoded(joined([bytes, bytes]), 3)).toEqual([
    { event, data },
    { event, data },
  ]);
});

describe('messages', () => {
  const stream = joined([
    awsMessage({ messageStart: { role: 'assistant' } }),
    awsMessage({ contentBlockDelta: { delta: { text: 'Grüezi 👋' } } }),
    awsMessage({ throttlingException: { message: 'Too many' } }),
    rawAwsMessage({ ':message-type': 'error', ':error-code': 'InternalFailure', ':error-message': 'Sorry' }, ''),
  ]);
  const frames = [
    { event: 'messageStart', data: '{"role":"assistant"}' },
    { event: 'contentBlockDelta', data: '{"delta":{"text":"Grüezi 👋"}}' },
    { event: 'exception:throttlingException', data: '{"message":"Too many"}' },
    { event: 'exception:InternalFailure', data: '{"message":"Sorry"}' },
  ];

  test.each([1, 2, 3, 5, 7, 16, 64, 1000])('are the same in pieces of %d bytes', size => {
    expect(decoded(stream, size)).toEqual(frames);
  });

  test('that are cut off are none', () => {
    expect(decoded(stream.subarray(0, stream.length - 1), 10)).toEqual(frames.slice(0, 3));
  });

  test.each([5, 9, 20, 40])('with a bit turned over at byte %d are refused', at => {
    const bytes = awsMessage({ contentBlockDelta: { delta: { text: 'Hello' } } });
    const broken = Uint8Array.from(bytes, (byte, index) => (index === at ? byte ^ 1 : byte));
    expect(() => decoded(broken, broken.length)).toThrow();
  });

  test('that claim to be longer than any are refused before they fill the memory', () => {
    expect(() => decoded(Uint8Array.of(0x7f, 0xff, 0xff, 0xff), 4)).toThrow('2147483647 bytes');
    expect(() => decoded(Uint8Array.of(0, 0, 0, 15), 4)).toThrow('15 bytes');
  });
});

test('a message of megabytes in small pieces costs what its bytes cost', () => {
  const text = 'x'.repeat(4 * 1024 * 1024);
  const [frame] = decoded(awsMessage({ contentBlockDelta: { delta: { text } } }), 1024);
  expect(frame?.data.length).toBe(text.length + '{"delta":{"text":""}}'.length);
});
