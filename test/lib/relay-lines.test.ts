import { expect, test } from 'bun:test';
import { relayLines } from '../../src/lib/relay-lines.ts';

const encoder = new TextEncoder();

/** Takes text; `fail` is what it says of each. */
function taker(fail: Error | null = null) {
  const taken: string[] = [];
  const write = async (bytes: string | Uint8Array) => {
    taken.push(bytes.toString());
    if (fail) throw fail;
  };
  return { taken, output: { write } };
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
  const { taken, output } = taker();
  await relayLines(streamOf(['a', 'b\nc\nd', '', 'é\n', 'end']), output);
  expect(taken).toEqual(['ab\nc\n', 'dé\n', 'end\n']);
});

test('two streams into one never share a line', async () => {
  const { taken, output } = taker();
  const pieces = (letter: string) => Array.from({ length: 100 }, (_, index) => (index % 3 === 2 ? `${letter}\n` : letter));
  await Promise.all([relayLines(streamOf(pieces('a')), output), relayLines(streamOf(pieces('b')), output)]);
  expect(
    taken
      .join('')
      .split('\n')
      .every(line => /^(a*|b*)$/.test(line)),
  ).toBe(true);
});

test('goes on to the end though nobody takes it any more', async () => {
  const { output } = taker(new Error('EPIPE'));
  await relayLines(streamOf(['a\n', 'b\n', 'c']), output);
});
