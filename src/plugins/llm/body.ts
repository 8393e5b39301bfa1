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
export const plainText = (response: Response): Promise<string> => unbroken(plain(response).text());

/** The same as bytes. */
export const plainBytes = (response: Response): Promise<Uint8Array> => unbroken(plain(response).bytes());

const plain = (response: Response): Response => (response.headers.has('content-encoding') ? new Response(plainBody(response)) : response);

async function unbroken<Content>(reading: Promise<Content>): Promise<Content> {
  try {
    return await reading;
  } catch {
    throw new RequestFailure(502, 'the answer of the model provider broke off');
  }
}

export function withJson(response: Response, text: string, status = response.status): Response {
  response.headers.set('content-type', 'application/json');
  return withBody(response, text, status);
}
