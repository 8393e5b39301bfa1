import { type Context, noteKey, type Outcome } from './context.ts';

// What a request that is over came to, for all who tell of it.

/** What is said of the answer: a client that left got none. */
export const loggedStatus = ({ clientLeft, status }: Outcome): number => (clientLeft ? 499 : status);

/** Milliseconds: of the gateway until it called the upstream or answered itself, until the upstream's first byte (-1: none), and after it. */
export function latencies({ upstreamStartedMs, upstreamFirstByteMs, endedMs }: Outcome) {
  const request = endedMs ?? 0;
  return {
    kong: Math.round(upstreamStartedMs ?? request),
    proxy: upstreamFirstByteMs === null ? -1 : Math.round(upstreamFirstByteMs - (upstreamStartedMs ?? 0)),
    request: Math.round(request),
    receive: upstreamFirstByteMs === null ? 0 : Math.round(request - upstreamFirstByteMs),
  };
}

const REQUEST_LINE_SIGNS = '  HTTP/1.1\r\n'.length;
const STATUS_LINE_SIGNS = 'HTTP/1.1  \r\n'.length;

/** In bytes, with its head. */
export function requestSize(context: Context): number {
  const { method, path, query, outcome } = context;
  const line = method.length + path.length + query.length + REQUEST_LINE_SIGNS;
  return line + loggedHeaders(context).requestBytes + outcome.requestSize;
}

/** In bytes, with its head; 0: there was none. */
export function responseSize(context: Context): number {
  const { outcome } = context;
  const { response, responseBytes } = loggedHeaders(context);
  return response === null ? 0 : String(loggedStatus(outcome)).length + STATUS_LINE_SIGNS + responseBytes + outcome.responseSize;
}

/** Headers by lower-case names; a list where one comes more than once. */
export type HeaderValues = Readonly<Record<string, string | readonly string[]>>;

/** With what they take on the wire, the empty line behind them counted. */
interface LoggedHeaders {
  readonly request: HeaderValues;
  readonly requestBytes: number;
  /** Null: there was no answer. */
  readonly response: HeaderValues | null;
  readonly responseBytes: number;
}
const headersKey = noteKey<LoggedHeaders>('logged headers');

/** Of a request that is over. Read once, however many plugins look at them. */
export function loggedHeaders({ notes, request: { headers }, outcome: { responseHeaders } }: Context): LoggedHeaders {
  const known = notes.get(headersKey);
  if (known !== undefined) return known;
  const request = headerValues(headers);
  const response = responseHeaders && headerValues(responseHeaders);
  const read = { request, requestBytes: bytesOf(request), response, responseBytes: response === null ? 0 : bytesOf(response) };
  notes.set(headersKey, read);
  return read;
}

/** A list only where a header comes more than once, as Kong has it. */
function headerValues(headers: Headers): HeaderValues {
  const members = headers.toJSON();
  const cookies = members['set-cookie'];
  return cookies?.length === 1 ? { ...members, 'set-cookie': cookies[0] ?? '' } : members;
}

/** On the wire: `name: value` and two bytes of line end each, and the empty line. */
function bytesOf(headers: HeaderValues): number {
  let bytes = 2;
  for (const name in headers) {
    const value = headers[name] ?? '';
    if (typeof value === 'string') bytes += name.length + value.length + 4;
    else for (const each of value) bytes += name.length + each.length + 4;
  }
  return bytes;
}
