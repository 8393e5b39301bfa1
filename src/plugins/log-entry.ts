import type { Row } from '../entities/entity.ts';
import { changeParameters, parseArguments } from '../lib/query.ts';
import { type Context, type CredentialPlaces, noteKey, type Outcome, type Try } from './context.ts';

/** The id of Kong's workspace `default` where no database chose another: dashboards group by it. */
export const WORKSPACE = { workspace: '0dc6f45b-8f8d-40d2-a504-473544ee190b', workspace_name: 'default' };

/** Kong hides the first two. The others are where clients of AI vendors put their keys. */
const SECRET_HEADERS = new Set(['authorization', 'proxy-authorization', 'x-api-key', 'api-key', 'apikey', 'x-goog-api-key']);
const REDACTED = 'REDACTED';

const entryKey = noteKey<string>('log entry');

/** The request as one JSON object in the shape of Kong's log serializer. Made once, however many plugins log the request. */
export function logEntry(context: Context): string {
  const made = context.notes.get(entryKey);
  if (made !== undefined) return made;
  const entry = JSON.stringify(describeRequest(context));
  context.notes.set(entryKey, entry);
  return entry;
}

/** What is said of the answer: a client that left got none. */
export const loggedStatus = ({ clientLeft, status }: Outcome): number => (clientLeft ? 499 : status);

/** Fields and words: kong/pdk/log.lua, and https://developer.konghq.com/plugins/http-log/#log-format */
function describeRequest(context: Context) {
  const { outcome, url, consumer, credential, credentialPlaces: places } = context;
  const { request: requestHeaders, response: responseHeaders } = headersOf(context);
  const query = visibleQuery(context.query, places);
  const uri = context.path + query;
  const status = loggedStatus(outcome);
  return {
    request: {
      id: context.id,
      uri,
      url: `${url.protocol}//${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}${uri}`,
      querystring: parseArguments(query.slice(1)),
      method: context.method,
      size: requestSize(context),
      headers: withoutSecrets(requestHeaders, places),
      ...(url.protocol === 'https:' && { tls: { ...context.tls, client_verify: 'NONE' } }),
    },
    upstream_uri: upstreamUri(context),
    upstream_status: upstreamStatus(outcome),
    response: {
      status,
      headers: responseHeaders ?? {},
      size: responseSize(context),
    },
    latencies: latencies(outcome),
    tries: outcome.tries.map(balancerTry),
    client_ip: context.clientIp,
    started_at: Math.round(context.startedAt),
    source: outcome.source === 'upstream' ? 'upstream' : 'kong',
    ...WORKSPACE,
    ...(context.route && { route: inWorkspace(context.route) }),
    ...(context.service && { service: inWorkspace(context.service) }),
    ...(consumer && { consumer: inWorkspace(consumer) }),
    ...(credential && { authenticated_entity: { id: credential.id, ...(consumer && { consumer_id: consumer.id }) } }),
    ...context.log,
  };
}

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

/** In bytes, with its head. */
export function requestSize(context: Context): number {
  const { method, path, query, outcome } = context;
  return `${method} ${path}${query} HTTP/1.1\r\n`.length + headerBytes(headersOf(context).request) + outcome.requestSize;
}

/** In bytes, with its head; 0: there was none. */
export function responseSize(context: Context): number {
  const { outcome } = context;
  const { response: headers } = headersOf(context);
  return headers === null ? 0 : `HTTP/1.1 ${loggedStatus(outcome)} \r\n`.length + headerBytes(headers) + outcome.responseSize;
}

/** Of each address that was tried, as nginx tells it: `502, 200`. */
function upstreamStatus({ tries, upstreamStatus }: Outcome): string {
  const failed = tries.flatMap(({ code }) => code ?? []);
  return [...failed, ...(upstreamStatus === null ? [] : [upstreamStatus])].join(', ');
}

/** No time is spent on choosing an address, so the latencies of the balancer are nil. */
function balancerTry({ startedAt, ...attempt }: Try) {
  const balancer_start = Math.round(startedAt);
  return { ...attempt, balancer_start, balancer_start_ns: balancer_start * 1e6, balancer_latency: 0, balancer_latency_ns: 0 };
}

/** Path and query as the upstream got them, but for parameters that did not come from the client: they may be the gateway's own keys. */
function upstreamUri({ upstream, query, credentialPlaces }: Context): string {
  if (upstream.url === null) return '';
  const { pathname, search } = new URL(upstream.url);
  if (search === '' || search === query) return pathname + visibleQuery(search, credentialPlaces);
  const fromClient = new Set(query.slice(1).split('&'));
  const parameters = search.slice(1).split('&');
  const shown = parameters.map(pair => (fromClient.has(pair) ? pair : `${pair.split('=', 1)[0]}=${REDACTED}`));
  return pathname + visibleQuery(`?${shown.join('&')}`, credentialPlaces);
}

/** Path and query as the client sent them, without what it proves its identity by. */
export const visibleUri = ({ path, query, credentialPlaces }: Context): string => path + visibleQuery(query, credentialPlaces);

/** Without what clients prove their identity by. */
function visibleQuery(query: string, places: readonly CredentialPlaces[]): string {
  if (query === '' || places.length === 0) return query;
  const isSecret = (name: string) => places.some(({ parameters }) => parameters.includes(name));
  return changeParameters(query, (name, pair) => (isSecret(name) ? `${pair.split('=', 1)[0]}=${REDACTED}` : pair));
}

type HeaderMembers = Readonly<Record<string, string | readonly string[]>>;

const headersKey = noteKey<{ readonly request: HeaderMembers; readonly response: HeaderMembers | null }>('logged headers');

/** Of a request that is over. Read once, however many plugins look at them. */
function headersOf({ notes, request, outcome }: Context) {
  const known = notes.get(headersKey);
  if (known !== undefined) return known;
  const { responseHeaders } = outcome;
  const read = { request: headerMembers(request.headers), response: responseHeaders && headerMembers(responseHeaders) };
  notes.set(headersKey, read);
  return read;
}

/** A list only where a header comes more than once, as Kong has it. */
function headerMembers(headers: Headers): HeaderMembers {
  const members = headers.toJSON();
  const cookies = members['set-cookie'];
  return cookies?.length === 1 ? { ...members, 'set-cookie': cookies[0] ?? '' } : members;
}

function withoutSecrets(headers: HeaderMembers, places: readonly CredentialPlaces[]): HeaderMembers {
  const visible = { ...headers };
  for (const place of places) for (const name of place.headers) if (name in visible) visible[name] = REDACTED;
  for (const name in visible) if (SECRET_HEADERS.has(name)) visible[name] = REDACTED;
  return visible;
}

/** On the wire: `name: value` and two bytes of line end each, and the empty line. */
function headerBytes(headers: HeaderMembers): number {
  let bytes = 2;
  for (const name in headers) {
    const value = headers[name] ?? '';
    if (typeof value === 'string') bytes += name.length + value.length + 4;
    else for (const each of value) bytes += name.length + each.length + 4;
  }
  return bytes;
}

/** Rows do not change, so each is gone through once. */
const described = new WeakMap<Row, Record<string, unknown>>();

function inWorkspace(row: Row): Record<string, unknown> {
  let members = described.get(row);
  if (!members) {
    members = { ...Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)), ws_id: WORKSPACE.workspace };
    described.set(row, members);
  }
  return members;
}
