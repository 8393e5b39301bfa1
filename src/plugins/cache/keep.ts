import type { Context } from '../context.ts';
import { isBodyless } from '../response-body.ts';

/** Of one body. */
const LARGEST_BODY = 8 * 1024 * 1024;
/** Bodies that say they are no longer than this are read whole. */
const SMALL = 64 * 1024;
/** Of all bodies that are on their way in this process: beyond it, what comes is passed on and not kept. */
const MOST_UNDER_WAY = 64 * 1024 * 1024;
let underWay = 0;

type Take = (body: Uint8Array<ArrayBuffer>) => void;

/** The response, whose body goes to `take` when all of it has come. What breaks off, is too large or is not read to its end does not. */
export function keep({ method }: Context, response: Response, take: Take): Response | undefined | Promise<Response> {
  const { status, headers, body } = response;
  if (method === 'HEAD' || isBodyless(status) || body === null) {
    take(new Uint8Array());
    return undefined;
  }
  const length = headers.get('content-length');
  if (length !== null && Number(length) <= SMALL) return keepWhole(response, take);
  if (length !== null && Number(length) > LARGEST_BODY) return undefined;
  // Where a length is said, the body would have to be there.
  headers.delete('content-length');
  return new Response(kept(body, take), { status, statusText: response.statusText, headers });
}

async function keepWhole(response: Response, take: Take): Promise<Response> {
  const { status, statusText, headers } = response;
  const bytes = new Uint8Array(await response.arrayBuffer());
  take(bytes);
  return new Response(bytes, { status, statusText, headers });
}

/** Read only as fast as the client reads. */
function kept(body: ReadableStream<Uint8Array>, take: Take): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let chunks: Uint8Array[] | null = [];
  let size = 0;
  const giveUp = () => {
    chunks = null;
    underWay -= size;
    size = 0;
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { value, done } = await reader.read();
          if (done) {
            if (chunks !== null) take(new Uint8Array(Buffer.concat(chunks)));
            giveUp();
            controller.close();
            return;
          }
          if (chunks !== null) {
            chunks.push(value);
            size += value.length;
            underWay += value.length;
            if (size > LARGEST_BODY || underWay > MOST_UNDER_WAY) giveUp();
          }
          controller.enqueue(value);
        } catch (error) {
          giveUp();
          throw error;
        }
      },
      cancel(reason) {
        giveUp();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
