import type { Balancer } from '../balancing/balancer.ts';
import { Lease } from '../balancing/lease.ts';
import type { Peer } from '../balancing/peer.ts';
import type { Deadlines } from '../lib/deadlines.ts';
import type { Log } from '../lib/log.ts';
import { reach } from '../lib/reach.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import { Call, ClientLeft } from './call.ts';
import { FAILURES } from './failures.ts';
import { ask } from './handshake.ts';
import type { RequestContext } from './request-context.ts';
import {
  CONNECT_TIMEOUT,
  checkStatus,
  codeOf,
  DEFAULT_RETRIES,
  failureFor,
  isTimeout,
  NOT_CONNECTED,
  NOT_IDEMPOTENT,
} from './upstream-failures.ts';

/** A request as it is sent, whoever takes it. */
interface Outgoing {
  readonly url: string;
  readonly init: BunFetchRequestInit;
  /** How long the first byte may take. */
  readonly patience: number;
  readonly balancer: Balancer;
}

/** Connections go through a proxy, which alone knows who can be reached. */
const IS_PROXIED = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY'].some(name => process.env[name]);

/** Nothing of the request was read when this went wrong. */
const TLS_FAILED = /^ERR_TLS_|CERT|^ERR_SSL_|^UNABLE_TO_/;

/**
 * Sends a request to one peer after the other until one answers, as nginx with `proxy_next_upstream error timeout`: every
 * failure is told to the balancer. Throws a RequestFailure, or ClientLeft.
 */
export async function callPeers(outgoing: Outgoing, context: RequestContext, deadlines: Deadlines, log: Log): Promise<Response> {
  const { balancer } = outgoing;
  if (balancer.problem !== null) throw new RequestFailure(500, FAILURES[500]);
  const asking = balancer.begin();
  if (asking !== null) await asking;
  const { request, outcome, upstream } = context;
  const { signal } = request;
  const lease = new Lease(balancer, context);
  context.lease = lease;
  const ownHost = upstream.headers['host'];
  const { body } = outgoing.init;
  const canRepeat = !(body instanceof ReadableStream);
  const mayAsk = canRepeat && !NOT_IDEMPOTENT.has(upstream.method);
  let retries = context.service?.retries ?? DEFAULT_RETRIES;
  let failure = new RequestFailure(503, balancer.noPeer);
  for (;;) {
    const peer = lease.next();
    if (peer === null) throw failure;
    context.awaitUpstream();
    const call = new Call();
    signal.addEventListener('abort', call);
    const deadline = deadlines.open(call, outgoing.patience);
    const { ip, port } = peer;
    const startedAt = Date.now();
    const mayBeStale = peer.answered;
    try {
      if (!peer.answered && !IS_PROXIED) await tryToReach(peer, upstream.timeouts.connect, call.controller.signal);
      const response = checkStatus(await send(outgoing, context, peer, call, ownHost), context);
      outcome.tries.push({ ip, port, startedAt });
      lease.answered(response.status);
      context.call = call;
      return response;
    } catch (error) {
      if (signal.aborted) throw new ClientLeft();
      const code = call.timedOut ? 'TimeoutError' : codeOf(error);
      failure = failureFor(code);
      outcome.tries.push({ ip, port, startedAt, state: 'failed', code: failure.status });
      log.error('upstream failed', { request_id: context.id, upstream: peer.authority, code, status: failure.status });
      const isStale = code === 'ECONNRESET' && mayBeStale;
      if (isStale) peer.answered = false;
      else lease.failed(isTimeout(code) ? 'timeout' : 'tcp');
      const isWhole = canRepeat || !(body instanceof ReadableStream && body.locked);
      const isSafe = (isWhole && NOT_CONNECTED.has(code)) || (canRepeat && (TLS_FAILED.test(code) || isStale));
      const isError = code === 'ECONNRESET' || isTimeout(code);
      if (retries-- <= 0 || !(isSafe || (mayAsk && isError))) throw failure;
      signal.removeEventListener('abort', call);
    } finally {
      deadline.close();
    }
  }
}

/**
 * `fetch` does not tell a server that cannot be reached from one that is slow, and what was sent may not be sent twice. So who
 * has not answered of late is connected to first, for as long as the service says.
 */
async function tryToReach({ ip, port }: Peer, milliseconds: number, signal: AbortSignal): Promise<void> {
  const inTime = AbortSignal.timeout(milliseconds);
  try {
    await reach(ip, port, AbortSignal.any([signal, inTime]));
  } catch (error) {
    throw inTime.aborted ? Object.assign(new Error('not reached in time'), { code: CONNECT_TIMEOUT }) : error;
  }
}

/** Where the route keeps no Host, and no plugin says one, it is the peer's. */
function send({ url, init }: Outgoing, context: RequestContext, peer: Peer, call: Call, ownHost: string | undefined): Promise<Response> {
  const secure = url.startsWith('https:');
  const path = url.indexOf('/', 'https://'.length);
  if (ownHost === undefined) context.upstream.headers['host'] = secure ? peer.host.https : peer.host.http;
  const tls = secure ? peer.tls(context.target?.tls ?? null) : undefined;
  const { tls: _, ...rest } = init;
  const options = { ...rest, signal: call.controller.signal, ...(tls && { tls }) };
  return ask(context, `${secure ? 'https' : 'http'}://${peer.authority}${path === -1 ? '/' : url.slice(path)}`, options);
}
