import { isBodyless } from './response-body.ts';

/** What a plugin answers itself, its body whole. */
export function exit(status: number, body: string | null, headers: Readonly<Record<string, string>> = {}): Response {
  // Such an answer has no body, whatever the configuration says.
  const sent = isBodyless(status) ? null : body;
  return new Response(sent, {
    status,
    // Bun would call it octets.
    headers: {
      ...(sent && { 'Content-Type': 'text/plain; charset=utf-8' }),
      ...headers,
      'Content-Length': String(Buffer.byteLength(sent ?? '')),
    },
  });
}

export const exitWithJson = (status: number, value: unknown): Response =>
  exit(status, JSON.stringify(value), { 'Content-Type': 'application/json; charset=utf-8' });
