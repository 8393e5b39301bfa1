import { expect, test } from 'bun:test';
import { keep } from '../../../src/plugins/cache/keep.ts';
import type { Context } from '../../../src/plugins/context.ts';

const GET = { method: 'GET' } as Context;
const MEGABYTE = 1024 * 1024;

/** An answer that comes in two pieces, the second when it is let go. */
function twoPieces(size: number) {
  const gate = Promise.withResolvers<void>();
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (sent > 0) await gate.promise;
      if (sent++ < 2) controller.enqueue(new Uint8Array(size / 2));
      else controller.close();
    },
  });
  const kept: number[] = [];
  const response = keep(GET, new Response(body), bytes => kept.push(bytes.length)) as Response;
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  return {
    kept,
    begin: () => reader.read(),
    async end() {
      gate.resolve();
      while (!(await reader.read()).done);
    },
    leave: () => reader.cancel(),
  };
}

test('what is under way is bounded: beyond it answers pass and are not kept, until others have ended', async () => {
  const many = Array.from({ length: 17 }, () => twoPieces(8 * MEGABYTE));
  for (const one of many) await one.begin();
  for (const one of many.slice(0, 15)) await one.leave();
  await many[15]?.end();
  await many[16]?.end();
  expect(many.map(({ kept }) => kept.length)).toEqual([...Array<number>(15).fill(0), 1, 0]);

  const after = twoPieces(8 * MEGABYTE);
  await after.begin();
  await after.end();
  expect(after.kept).toEqual([8 * MEGABYTE]);
});

test('an answer that says it is too large is not touched', () => {
  const response = new Response('x', { headers: { 'content-length': String(9 * MEGABYTE) } });
  expect(keep(GET, response, () => undefined)).toBeUndefined();
  expect(response.bodyUsed).toBe(false);
});
