/** Kong's words for the statuses that the gateway makes itself (kong/error_handlers.lua of 3.9). */
export const FAILURES = {
  400: 'Bad request',
  405: 'Method not allowed',
  413: 'Payload too large',
  500: 'An unexpected error occurred',
  502: 'An invalid response was received from the upstream server',
  503: 'The upstream server is currently unavailable',
  504: 'The upstream server is timing out',
} as const;

type Template = (message: string, id: string) => string;

const json: Template = (message, id) => JSON.stringify({ message, request_id: id });
const text: Template = (message, id) => `${message}\nrequest_id: ${id}\n`;
const xml: Template = (message, id) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<error>\n  <message>${Bun.escapeHTML(message)}</message>\n  <requestid>${id}</requestid>\n</error>\n`;
const html: Template = (message, id) => `<!doctype html>
<html>
  <head>
    <meta charset="utf-8">
    <title>Error</title>
  </head>
  <body>
    <h1>Error</h1>
    <p>${Bun.escapeHTML(message)}.</p>
    <p>request_id: ${id}</p>
  </body>
</html>
`;

const TEMPLATES: ReadonlyMap<string, readonly [mediaType: string, Template]> = new Map([
  ['application/json', ['application/json', json]],
  ['application/*', ['application/json', json]],
  ['*/*', ['application/json', json]],
  ['text/html', ['text/html', html]],
  ['application/xml', ['application/xml', xml]],
  ['text/plain', ['text/plain', text]],
  ['text/*', ['text/plain', text]],
]);

/** What the gateway itself answers, in the media type that the client likes best of those Kong knows. */
export function failureResponse(
  status: number,
  message: string,
  id: string,
  accept: string | null,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const [mediaType, template] = preferred(accept);
  const body = template(message, id);
  return new Response(body, {
    status,
    headers: { ...headers, 'Content-Type': `${mediaType}; charset=utf-8`, 'Content-Length': String(Buffer.byteLength(body)) },
  });
}

function preferred(accept: string | null): readonly [string, Template] {
  let best: readonly [string, Template] = ['application/json', json];
  let bestQuality = 0;
  for (const range of accept?.split(',') ?? []) {
    const [mediaType = '', ...parameters] = range.split(';').map(part => part.trim().toLowerCase());
    const template = TEMPLATES.get(mediaType);
    const quality = Number(parameters.find(parameter => parameter.startsWith('q='))?.slice(2) ?? 1);
    if (template === undefined || !(quality > bestQuality)) continue;
    best = template;
    bestQuality = quality;
  }
  return best;
}
