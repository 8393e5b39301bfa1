import type { Row } from '../entities/entity.ts';
import { parseArguments } from '../lib/query.ts';
import { type Context, noteKey, type Outcome, type Try } from './context.ts';
import { latencies, loggedHeaders, loggedStatus, requestSize, responseSize } from './request-measures.ts';
import { REDACTED, visibleHeaders, visibleQuery } from './visible-request.ts';

/** The id of Kong's workspace `default` where no database chose another: dashboards group by it. */
export const WORKSPACE = { workspace: '0dc6f45b-8f8d-40d2-a504-473544ee190b', workspace_name: 'default' };

const WORKSPACE_MEMBERS = `${JSON.stringify(WORKSPACE).slice(1, -1)},`;

const entryKey = noteKey<string>('log entry');

/** The request as one JSON object in the shape of Kong's log serializer. Made once, however many plugins log the request. */
export function logEntry(context: Context): string {
  const made = context.notes.get(entryKey);
  if (made !== undefined) return made;
  const { route, service, consumer } = context;
  const rows = `${rowMember('route', route)}${rowMember('service', service)}${rowMember('consumer', consumer)}`;
  const entry = `{${WORKSPACE_MEMBERS}${rows}${JSON.stringify(describeRequest(context)).slice(1)}`;
  context.notes.set(entryKey, entry);
  return entry;
}

/** Fields and words: kong/pdk/log.lua, and https://developer.konghq.com/plugins/http-log/#log-format */
function describeRequest(context: Context) {
  const { outcome, consumer, credential, credentialPlaces: places } = context;
  const { request: requestHeaders, response: responseHeaders } = loggedHeaders(context);
  const query = visibleQuery(context.query, places);
  const uri = context.path + query;
  const entry = {
    request: {
      id: context.id,
      uri,
      url: originOf(context) + uri,
      querystring: parseArguments(query.slice(1)),
      method: context.method,
      size: requestSize(context),
      headers: visibleHeaders(requestHeaders, places),
      tls: context.scheme === 'https' ? { ...context.tls, client_verify: 'NONE' } : undefined,
    },
    upstream_uri: upstreamUri(context),
    upstream_status: upstreamStatus(outcome),
    response: {
      status: loggedStatus(outcome),
      headers: responseHeaders ?? {},
      size: responseSize(context),
    },
    latencies: latencies(outcome),
    tries: outcome.tries.map(balancerTry),
    client_ip: context.clientIp,
    started_at: Math.round(context.startedAt),
    source: outcome.source === 'upstream' ? 'upstream' : 'kong',
    authenticated_entity: credential === null ? undefined : { id: credential.id, consumer_id: consumer?.id },
  };
  return Object.assign(entry, context.log);
}

/** Where the client came to. Most requests name the host of the one before. */
function originOf(context: Context): string {
  const { scheme, host } = context;
  if (scheme !== lastOrigin.scheme || host !== lastOrigin.host) {
    const { hostname, port } = context.url;
    lastOrigin = { scheme, host, origin: `${scheme}://${hostname}:${port || (scheme === 'https' ? 443 : 80)}` };
  }
  return lastOrigin.origin;
}
let lastOrigin = { scheme: '', host: '', origin: '' };

/** Most requests go where the one before went. */
function parsed(upstreamUrl: string) {
  if (upstreamUrl !== lastUpstream.url) {
    const { pathname, search } = new URL(upstreamUrl);
    lastUpstream = { url: upstreamUrl, pathname, search };
  }
  return lastUpstream;
}
let lastUpstream = { url: '', pathname: '', search: '' };

/** Of each address that was tried, as nginx tells it: `502, 200`. */
function upstreamStatus({ tries, upstreamStatus }: Outcome): string {
  let statuses = '';
  for (const { code } of tries) if (code !== undefined) statuses += `${code}, `;
  return upstreamStatus === null ? statuses.slice(0, -2) : statuses + upstreamStatus;
}

/** No time is spent on choosing an address, so the latencies of the balancer are nil. */
function balancerTry({ ip, port, state, code, startedAt }: Try) {
  const balancer_start = Math.round(startedAt);
  return { ip, port, state, code, balancer_start, balancer_start_ns: balancer_start * 1e6, balancer_latency: 0, balancer_latency_ns: 0 };
}

/** Path and query as the upstream got them, but for parameters that did not come from the client: they may be the gateway's own keys. */
function upstreamUri({ upstream, query, credentialPlaces }: Context): string {
  if (upstream.url === null) return '';
  const { pathname, search } = parsed(upstream.url);
  if (search === '') return pathname;
  if (search === query) return pathname + visibleQuery(search, credentialPlaces);
  const fromClient = new Set(query.slice(1).split('&'));
  const parameters = search.slice(1).split('&');
  const shown = parameters.map(pair => (fromClient.has(pair) ? pair : `${pair.split('=', 1)[0]}=${REDACTED}`));
  return pathname + visibleQuery(`?${shown.join('&')}`, credentialPlaces);
}

/** Rows do not change, so each is made text once. */
const texts = new WeakMap<Row, string>();

function rowMember(name: string, row: Row | null): string {
  if (row === null) return '';
  let text = texts.get(row);
  if (text === undefined) {
    const members = Object.entries(row).filter(([, value]) => value !== null);
    text = `"${name}":${JSON.stringify({ ...Object.fromEntries(members), ws_id: WORKSPACE.workspace })},`;
    texts.set(row, text);
  }
  return text;
}
