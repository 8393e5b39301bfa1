import { decodeBody } from '../../lib/encoding.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import { withBody } from '../response-body.ts';

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

export function withJson(response: Response, text: string, status = response.status): Response {
  response.headers.set('content-type', 'application/json');
  return withBody(response, text, status);
}
