import type { Row } from '../entities/entity.ts';
import { parseArguments } from '../lib/query.ts';
import { type Context, noteKey, type Outcome, type Try } from './context.ts';
import { latencies, loggedHeaders, loggedStatus, requestSize, responseSize } from './request-measures.ts';
import { REDACTED, visibleHeaders, visibleQuery } from './visible-request.ts';

/** The id of Kong's workspace `default` where no database chose another: dashboards group by it. */
export const WORKSPACE = { workspace: '0dc6f45b-8f8d-40d2-a504-473544ee190b', workspace_name: 'default' };

const entryKey = noteKey<string>('log entry');

/** The request as one JSON object in the shape of Kong's log serializer. Made once, however many plugins log the request. */
export function logEntry(context: Context): string {
  const made = context.notes.get(entryKey);
  if (made !== undefined) return made;
  const entry = JSON.stringify(describeRequest(context));
  context.notes.set(entryKey, entry);
  return entry;
}

/** Fields and words: kong/pdk/log.lua, and https://developer.konghq.com/plugins/http-log/#log-format */
function describeRequest(context: Context) {
  const { outcome, url, consumer, credential, credentialPlaces: places } = context;
  const { request: requestHeaders, response: responseHeaders } = loggedHeaders(context);
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
      headers: visibleHeaders(requestHeaders, places),
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
