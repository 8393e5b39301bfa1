import type { RequestContext } from './request-context.ts';

/**
 * A body that is passed on while it comes. A client that may wait for its answer without end must not take without end to
 * send: up to the last byte of the body it has to keep the pace that Bun asks for.
 */
export function pacedBody(body: ReadableStream<Uint8Array>, context: RequestContext): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  context.bodyIsComing = true;
  context.awaitUpstream();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await reader.read();
        if (!done) {
          controller.enqueue(value);
          return;
        }
        context.bodyIsComing = false;
        context.awaitUpstream();
        controller.close();
      },
      cancel: reason => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
