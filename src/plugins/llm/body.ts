import { decodeBody } from '../../lib/encoding.ts';
import { RequestFailure } from '../../lib/request-failure.ts';

/** The body of a vendor's response, free of its encoding. Throws a RequestFailure (502) for an encoding nobody knows. */
export function plainBody(response: Response): ReadableStream<Uint8Array> {
  const encoding = response.headers.get('content-encoding');
  const body: ReadableStream<Uint8Array> = response.body ?? new Blob().stream();
  try {
    return encoding === null ? body : decodeBody(body, encoding);
  } catch {
    throw new RequestFailure(502, `the model provider answered in an unknown encoding: ${encoding}`);
  }
}

/** Throws a RequestFailure (502) for a body that breaks off. */
export async function plainText(response: Response): Promise<string> {
  const plain = response.headers.has('content-encoding') ? new Response(plainBody(response)) : response;
  try {
    return await plain.text();
  } catch {
    throw new RequestFailure(502, 'the answer of the model provider broke off');
  }
}

/** The response with another body: what described the old one is gone. */
export function withBody(response: Response, body: string | ReadableStream<Uint8Array> | null, status = response.status): Response {
  const { headers } = response;
  for (const name of ['content-length', 'content-encoding', 'content-md5', 'digest', 'etag']) headers.delete(name);
  if (typeof body === 'string') headers.set('content-length', `${Buffer.byteLength(body)}`);
  return new Response(body, status === response.status ? response : { status, headers });
}

export function withJson(response: Response, text: string, status = response.status): Response {
  response.headers.set('content-type', 'application/json');
  return withBody(response, text, status);
}

/** Responses with such a status have no body. */
export const isBodyless = (status: number): boolean => status === 204 || status === 205 || status === 304;
