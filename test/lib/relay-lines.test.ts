import { expect, test } from 'bun:test';
import { Writable } from 'node:stream';
import { relayLines } from '../../src/lib/relay-lines.ts';

const encoder = new TextEncoder();

/** Takes text; `fail` is what it says of each. */
function taker(fail: Error | null = null) {
  const taken: string[] = [];
  const write = (bytes: Buffer, _: string, done: (error: Error | null) => void) => {
    taken.push(bytes.toString());
    done(fail);
  };
  return { taken, stream: new Writable({ write }).on('error', () => {}) };
}

function streamOf(parts: readonly string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(encoder.encode(part));
      controller.close();
    },
  });
}

test('lines that come in pieces go on whole, the last one too', async () => {
  const { taken, stream } = taker();
  await relayLines(streamOf(['a', 'b\nc\nd', '', 'é\n', 'end']), stream);
  expect(taken).toEqual(['ab\nc\n', 'dé\n', 'end\n']);
});

test('two streams into one never share a line', async () => {
  const { taken, stream } = taker();
  const pieces = (letter: string) => Array.from({ length: 100 }, (_, index) => (index % 3 === 2 ? `${letter}\n` : letter));
  await Promise.all([relayLines(streamOf(pieces('a')), stream), relayLines(streamOf(pieces('b')), stream)]);
  expect(
    taken
      .join('')
      .split('\n')
      .every(line => /^(a*|b*)$/.test(line)),
  ).toBe(true);
});

test('goes on to the end though nobody takes it any more', async () => {
  const { stream } = taker(new Error('EPIPE'));
  await relayLines(streamOf(['a\n', 'b\n', 'c']), stream);
});
