import { RequestFailure } from '../lib/request-failure.ts';
import { boolean, integer, record, string } from '../schema/field.ts';
import { protocolsHttp } from '../schema/typedefs.ts';
import type { Context } from './context.ts';
import { definePlugin } from './plugin.ts';

const UNITS = { megabytes: 1024 * 1024, kilobytes: 1024, bytes: 1 };

/** Refuses bodies that are too large: by their length, or, where they come in chunks, as soon as they have grown so far. */
export const requestSizeLimiting = definePlugin({
  name: 'request-size-limiting',
  priority: 951,
  fields: { protocols: protocolsHttp },
  config: record(
    {
      allowed_payload_size: integer({ default: 128 }),
      size_unit: string({ required: true, default: 'megabytes', one_of: ['megabytes', 'kilobytes', 'bytes'] }),
      require_content_length: boolean({ required: true, default: false }),
    },
    { required: true },
  ),

  configure({ allowed_payload_size, size_unit, require_content_length }) {
    const most = (allowed_payload_size ?? 128) * UNITS[size_unit];

    return {
      access(context) {
        const { headers } = context.request;
        const length = headers.get('content-length');
        if (length !== null) {
          if (Number(length) > most) throw tooLarge(headers);
          return;
        }
        const isChunked = headers.get('transfer-encoding')?.toLowerCase() === 'chunked';
        if (require_content_length && !isChunked) throw new RequestFailure(411, 'A valid Content-Length header is required');
        // Over HTTP/2 a body need not say anything of its length.
        if (isChunked || context.request.body !== null) return countChunks(context, most);
        if (most < 0) throw tooLarge(headers);
      },
    };
  },
});

async function countChunks({ body, request }: Context, most: number): Promise<undefined> {
  // 0 would be without limit.
  const bytes = await body.bytes(Math.max(most, 1)).catch((error: unknown) => {
    throw error instanceof RequestFailure && error.status === 413 ? tooLarge(request.headers) : error;
  });
  if (bytes.length > most) throw tooLarge(request.headers);
  return undefined;
}

/** 417 tells a client that waits for leave to send its body to keep it. */
function tooLarge(headers: Headers): RequestFailure {
  const waits = headers.get('expect')?.trim().toLowerCase() === '100-continue';
  return new RequestFailure(waits ? 417 : 413, 'Request size limit exceeded');
}
