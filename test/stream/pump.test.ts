import { describe, expect, test } from 'bun:test';
import { Deadlines } from '../../src/lib/deadlines.ts';
import { pump, type Stage } from '../../src/stream/pump.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const asIs: Stage = { chunk: bytes => bytes };

/** A source whose steps the test takes one by one. */
function source() {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const { promise: cancelled, resolve } = Promise.withResolvers<unknown>();
  const stream = new ReadableStream<Uint8Array>(
    {
      start: given => {
        controller = given;
      },
      cancel: resolve,
    },
    { highWaterMark: 0 },
  );
  return {
    stream,
    cancelled,
    send: (text: string) => controller.enqueue(bytesOf(text)),
    close: () => controller.close(),
    fail: (reason: Error) => controller.error(reason),
  };
}

async function chunksOf(stream: ReadableStream<Uint8Array>): Promise<string[]> {
  const chunks: string[] = [];
  for await (const chunk of stream) chunks.push(new TextDecoder().decode(chunk));
  return chunks;
}

test('pump writes once for each chunk, and nothing for what comes to nothing', async () => {
  const from = source();
  const result = chunksOf(pump(from.stream, { chunk: bytes => (bytes[0] === 0x2d ? '' : bytes), end: () => 'end' }));
  for (const text of ['a', '-', 'b']) from.send(text);
  from.close();
  expect(await result).toEqual(['a', 'b', 'end']);
});

test('pump reads only when it is read', async () => {
  let pulls = 0;
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    pulls += 1;
    controller.enqueue(bytesOf('a'));
  };
  const reader = pump(new ReadableStream({ pull }, { highWaterMark: 0 }), asIs).getReader();
  for (let read = 1; read <= 3; read += 1) {
    await reader.read();
    expect(pulls).toBe(read);
  }
});

test('pump cancels a silent source when its reader leaves', async () => {
  const from = source();
  let done = 0;
  const reader = pump(from.stream, { ...asIs, done: () => (done += 1) }).getReader();
  const read = reader.read();
  await reader.cancel('left');
  expect(await from.cancelled).toBe('left');
  expect((await read).done).toBe(true);
  expect(done).toBe(1);
});

test('pump breaks off where its source does', async () => {
  const from = source();
  const reader = pump(from.stream, asIs).getReader();
  const read = reader.read();
  from.fail(new Error('reset'));
  expect(read).rejects.toThrow('reset');
});

test.each<[string, Partial<Stage>]>([
  ['the source', {}],
  [
    'a chunk',
    {
      chunk: () => {
        throw new Error('bad');
      },
    },
  ],
  [
    'the end',
    {
      end: () => {
        throw new Error('bad');
      },
    },
  ],
])('pump lets the stage say the last words when %s fails', async (what, part) => {
  const from = source();
  let done = 0;
  const stage = { ...asIs, ...part, failed: (error: unknown) => `sorry: ${(error as Error).message}`, done: () => (done += 1) };
  const result = chunksOf(pump(from.stream, stage));
  if (what === 'the source') from.fail(new Error('bad'));
  else if (what === 'a chunk') from.send('a');
  else from.close();
  expect(await result).toEqual(['sorry: bad']);
  expect(done).toBe(1);
});

describe('a source that is silent', () => {
  const silence = { deadlines: new Deadlines(1), milliseconds: 5 };
  const keptAlive = { ...asIs, keepAlive: ':\n\n' };

  test('has its reader told that it is there, again and again, until it speaks', async () => {
    const from = source();
    const reader = pump(from.stream, keptAlive, silence).getReader();
    const read = async () => new TextDecoder().decode((await reader.read()).value);
    expect([await read(), await read()]).toEqual([':\n\n', ':\n\n']);
    const next = read();
    from.send('a');
    expect([await next, await read()].filter(text => text === 'a')).toEqual(['a']);
    from.close();
    while (!(await reader.read()).done);
  });

  test('has nothing written for a reader that does not read', async () => {
    const from = source();
    const others = Promise.withResolvers<void>();
    const reader = pump(from.stream, keptAlive, silence).getReader();
    silence.deadlines.open({ expire: others.resolve }, 50);
    await others.promise;
    from.send('a');
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('a');
    await reader.cancel();
  });

  test.each<[string, (from: ReturnType<typeof source>, reader: { cancel(): Promise<void> }) => unknown]>([
    ['ended', from => from.close()],
    ['broke off', from => from.fail(new Error('reset'))],
    ['was left', (_, reader) => reader.cancel()],
  ])('is silent for ever once it %s', async (_, end) => {
    const from = source();
    const reader = pump(from.stream, keptAlive, silence).getReader();
    const read = reader.read();
    end(from, reader);
    await read.catch(() => undefined);
    const later = Promise.withResolvers<void>();
    silence.deadlines.open({ expire: later.resolve }, 50);
    await later.promise;
    expect((await reader.read().catch(() => ({ done: true }))).done).toBe(true);
  });
});
