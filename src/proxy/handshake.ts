import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import { node } from '../lib/node.ts';
import { trustedAlone } from '../lib/outbound.ts';
import type { HeaderMembers, RequestContext } from './request-context.ts';
import { LONGEST_MESSAGE, Tunnel } from './tunnel.ts';
import { badStatus } from './upstream-failures.ts';

/** Whether a client asks for a WebSocket as RFC 6455 has it, section 4.1; what asks otherwise is a request like any other. */
export function isHandshake(method: string, { upgrade, connection, ...headers }: HeaderMembers): boolean {
  return (
    upgrade?.toLowerCase() === 'websocket' &&
    method === 'GET' &&
    (connection ?? '')
      .toLowerCase()
      .split(/[\s,]+/)
      .includes('upgrade') &&
    headers['sec-websocket-version'] === '13' &&
    /^[A-Za-z0-9+/]{22}==$/.test(headers['sec-websocket-key'] ?? '') &&
    areNames(namesIn(headers['sec-websocket-protocol']))
  );
}

/**
 * Asks an upstream for a WebSocket, in place of `fetch`: the answer has status 101 and leaves a tunnel in the context, or it
 * is what the upstream says instead. Rejects as `fetch` does.
 */
function shakeHands(url: string, init: BunFetchRequestInit, context: RequestContext): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const { 'sec-websocket-protocol': protocols, ...headers } = context.upstream.headers;
  for (const name of Object.keys(headers)) if (name.startsWith('sec-websocket-')) delete headers[name];
  const { serverName, ...tls } = (init.tls ?? {}) as Bun.TLSOptions;
  const ca = trustedAlone();
  const options: Options = {
    ...(ca && { ca }),
    ...tls,
    ...(serverName !== undefined && { servername: serverName }),
    headers,
    followRedirects: false,
    // Messages are whole here: what client and upstream agree on about their compression would be a lie.
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: LONGEST_MESSAGE,
  };
  const socket = new (webSocket())(`ws${url.slice('http'.length)}`, namesIn(protocols), options);
  const leave = () => {
    reject(new DOMException('The operation was aborted.', 'AbortError'));
    socket.terminate();
  };
  const { signal } = init;
  signal?.addEventListener('abort', leave);
  let agreed = new Headers();
  socket.on('upgrade', ({ rawHeaders }) => {
    agreed = headersOf(rawHeaders);
  });
  socket.on('open', () => {
    signal?.removeEventListener('abort', leave);
    context.tunnel = new Tunnel(socket);
    for (const name of NOT_SENT_ON) agreed.delete(name);
    resolve(new Response(null, { status: 101, headers: agreed }));
  });
  socket.on('unexpected-response', (_, answer) => {
    const { statusCode = 0 } = answer;
    if (statusCode >= 200 && statusCode <= 599) resolve(refusal(answer, statusCode));
    else reject(badStatus(statusCode));
  });
  socket.on('error', reject);
  return promise;
}

/** Loaded with the first tunnel, as are Node's streams. */
const webSocket = (): typeof WebSocket => require('ws').WebSocket;

/** Said anew to the client, or without a meaning in such an answer. */
const NOT_SENT_ON = ['sec-websocket-accept', 'sec-websocket-extensions', 'sec-websocket-protocol', 'content-length', 'transfer-encoding'];

type Options = ConstructorParameters<typeof WebSocket>[2] & { autoPong: boolean };

/** What an upstream says that does not agree. */
function refusal(answer: IncomingMessage, status: number): Response {
  const { statusMessage: statusText = '', rawHeaders } = answer;
  const body = node.stream.Readable.toWeb(answer) as unknown as ReadableStream;
  return new Response(status === 204 || status === 304 ? null : body, { status, statusText, headers: headersOf(rawHeaders) });
}

function headersOf(raw: readonly string[]): Headers {
  const headers = new Headers();
  for (let index = 0; index < raw.length; index += 2) headers.append(raw[index] ?? '', raw[index + 1] ?? '');
  return headers;
}

const namesIn = (list: string | undefined): string[] =>
  (list ?? '')
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '');

/** RFC 9110, section 5.6.2; each once. */
const areNames = (names: readonly string[]) =>
  new Set(names).size === names.length && names.every(name => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name));

/** `fetch`, or what takes its place for a client that asks for a WebSocket. */
export const ask = (context: RequestContext, url: string, init: BunFetchRequestInit): Promise<Response> =>
  context.wantsTunnel ? shakeHands(url, init, context) : fetch(url, init);
