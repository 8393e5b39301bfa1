import { ClientLeft } from './call.ts';
import type { RequestContext } from './request-context.ts';
import type { Upstreams } from './upstream.ts';

/** Answers that say they are no longer than this are read whole: the client gets all of one or a failure, and its length. */
const SMALL = 64 * 1024;

/** The client's answer with a body that is there: whole, or none. Null when it must be streamed. Throws what reading it throws, or ClientLeft. */
export async function wholeAnswer(response: Response, context: RequestContext, upstreams: Upstreams): Promise<Response | null> {
  const { status, headers } = response;
  if (context.method === 'HEAD' || status === 204 || status === 304)
    return new Response(null, { status, statusText: response.statusText, headers });
  const length = headers.get('content-length');
  if (length === null || Number(length) > SMALL) return null;
  const { call } = context;
  const deadline = call && upstreams.idleDeadline(call, context.upstream.timeouts.read);
  try {
    const bytes = await response.bytes();
    context.endAwait();
    context.outcome.responseSize = bytes.length;
    return new Response(bytes, response);
  } catch (error) {
    throw context.request.signal.aborted ? new ClientLeft() : error;
  } finally {
    deadline?.close();
  }
}

/** A plugin's answer that says its length: its body is there, and need not be read to know it. */
export function madeWhole(response: Response, context: RequestContext): Response {
  context.outcome.responseSize = Number(response.headers.get('content-length'));
  context.endAwait();
  return response;
}

/** A body that passes through here chunk by chunk, read only as fast as the client reads; `ended` runs once, however it ends. */
export function countedBody(
  body: ReadableStream<Uint8Array>,
  context: RequestContext,
  upstreams: Upstreams,
  ended: () => void,
): ReadableStream<Uint8Array> {
  const { call, outcome } = context;
  const { read } = context.upstream.timeouts;
  const reader = body.getReader();
  const deadline = call && upstreams.idleDeadline(call, read);
  let open = true;
  const finish = () => {
    if (!open) return;
    open = false;
    deadline?.close();
    ended();
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        deadline?.move(read);
        try {
          const { value, done } = await reader.read();
          if (!open) return;
          deadline?.rest();
          if (done) {
            context.endAwait();
            controller.close();
            finish();
            return;
          }
          outcome.responseSize += value.length;
          controller.enqueue(value);
        } catch (error) {
          if (!open) return;
          outcome.clientLeft = context.request.signal.aborted;
          controller.error(error);
          finish();
        }
      },
      cancel(reason) {
        outcome.clientLeft = true;
        finish();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
