/** The response with another body: what described the old one is gone. */
export function withBody(
  response: Response,
  body: string | Uint8Array | ReadableStream<Uint8Array> | null,
  status = response.status,
): Response {
  const { headers } = response;
  for (const name of ['content-length', 'content-encoding', 'content-md5', 'digest', 'etag']) headers.delete(name);
  if (typeof body === 'string' || body instanceof Uint8Array) headers.set('content-length', `${Buffer.byteLength(body)}`);
  return new Response(body, status === response.status ? response : { status, headers });
}

/** Responses with such a status have no body. */
export const isBodyless = (status: number): boolean => status === 204 || status === 205 || status === 304;

/** All of a body. Throws what `tooLarge` makes as soon as more than so many bytes have come, and what fetch throws for one that breaks off. */
export async function readAtMost({ body }: Response, most: number, tooLarge: () => Error): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > most) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
