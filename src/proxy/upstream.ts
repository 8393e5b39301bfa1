import type { Balancer } from '../balancing/balancer.ts';
import type { BalancersByName } from '../gateway/snapshot.ts';
import { type Deadline, Deadlines, type Expirable } from '../lib/deadlines.ts';
import type { Log } from '../lib/log.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import { callPeers } from './balanced-call.ts';
import { Call, ClientLeft } from './call.ts';
import { ask } from './handshake.ts';
import { pacedBody } from './paced-body.ts';
import { removeHopByHop } from './proxy-headers.ts';
import type { RequestContext } from './request-context.ts';
import { checkStatus, codeOf, DEFAULT_RETRIES, failureFor, NOT_CONNECTED, NOT_IDEMPOTENT } from './upstream-failures.ts';

const NO_SERVICE = 'no Service found with those values';

/** An address that requests are sent to. */
interface Origin {
  readonly ip: string;
  readonly port: number;
  /** As the configuration spells it, to be found among the upstreams. */
  readonly host: string;
  balancer: Balancer | null;
  /** The names of upstreams have not changed since `balancer` was looked up by them. */
  balancers: number;
  /** It has answered, so that a connection may be one of an earlier request which the other side closed meanwhile. */
  answered: boolean;
}
const NOWHERE: Origin = { ip: '', port: 0, host: '', balancer: null, balancers: -1, answered: false };
const MOST_ORIGINS = 10_000;

/** Milliseconds. From here on nobody minds the seconds that Bun's own timer is late, */
const LONG = 30_000;
/** and from here on they are minutes. */
const LONGEST = 240_000;

/** Up to here the kernel takes a body in one go: none of the time to the first byte goes into sending it. */
const SENT_AT_ONCE = 64 * 1024;

/**
 * Calls upstreams, one `fetch` each, and makes RequestFailures of what goes wrong, as Kong does.
 *
 * Timeouts: Bun's `fetch` tells neither when it is connected nor when the request is sent. Its own idle timer covers
 * connecting, sending, waiting and reading alike, resets with every byte, and is coarse (it is some seconds late). It is set to the
 * longest of the three. Where that is not `read`, or it is short or very long, there is on top of it what can be said exactly: a small request must
 * see its first byte within `connect` plus `read`, and a body that is counted here must not rest longer than `read`.
 *
 * The end of an answer with neither a length nor chunks is the end of its connection, and `fetch` does not tell a reset
 * from it: `outcome.unframed` warns who can know better from the content.
 */
export class Upstreams {
  readonly #log: Log;
  readonly #deadlines = new Deadlines();
  readonly #origins = new Map<string, Origin>();
  /** Most requests go where the one before went. */
  #last = { url: '', origin: NOWHERE };

  constructor(log: Log) {
    this.#log = log;
  }

  /** The answer's head, its body still to come. Throws a RequestFailure, or ClientLeft. */
  async call(context: RequestContext): Promise<Response> {
    const { upstream, outcome, request } = context;
    const { url, timeouts } = upstream;
    const tls = context.target?.tls;
    if (url === null) throw new RequestFailure(503, NO_SERVICE);
    let body = upstream.body === undefined ? await clientBody(context) : plainBody(context, upstream.body);
    const { signal } = request;
    if (signal.aborted) throw new ClientLeft();
    context.awaitUpstream();
    context.body.forgetParsed();
    if (body instanceof ReadableStream && context.isPatient) body = pacedBody(body, context);

    const sentAtOnce = body === null || (!(body instanceof ReadableStream) && body.length <= SENT_AT_ONCE);
    const patience = sentAtOnce ? timeouts.connect + timeouts.read : Number.POSITIVE_INFINITY;
    const init: BunFetchRequestInit = {
      method: upstream.method,
      headers: upstream.headers,
      body,
      redirect: 'manual',
      decompress: false,
      timeout: Math.max(timeouts.connect, timeouts.write, timeouts.read),
    };
    if (tls) init.tls = tls;
    const origin = this.#originOf(url, context.snapshot.balancers);
    outcome.upstreamStartedMs = context.elapsed();
    if (origin.balancer !== null) {
      const outgoing = { url, init, patience, balancer: origin.balancer };
      return received(await callPeers(outgoing, context, this.#deadlines, this.#log), context);
    }
    if (timeouts.read === init.timeout && timeouts.read >= LONG && timeouts.read < LONGEST) {
      init.signal = signal;
      return received(await this.#fetch(url, init, context, null, origin), context);
    }
    const call = new Call();
    signal.addEventListener('abort', call);
    const deadline = this.#deadlines.open(call, patience);
    init.signal = call.controller.signal;
    try {
      const response = await this.#fetch(url, init, context, call, origin);
      context.call = call;
      return received(response, context);
    } finally {
      deadline.close();
    }
  }

  /** For what is read here. */
  idleDeadline(call: Expirable, milliseconds: number): Deadline {
    return this.#deadlines.open(call, milliseconds);
  }

  /** What the gateway answers when an answer broke off while it was read. Null: the error has another cause. */
  failureOf(error: unknown, { call, outcome }: RequestContext): RequestFailure | null {
    if (outcome.upstreamFirstByteMs === null) return null;
    const code = codeOf(error);
    if (call?.timedOut) return failureFor('TimeoutError');
    return code === 'TimeoutError' || code === 'AbortError' || /^E[A-Z]+$/.test(code) ? failureFor(code) : null;
  }

  async #fetch(url: string, init: BunFetchRequestInit, context: RequestContext, call: Call | null, origin: Origin): Promise<Response> {
    const { ip, port } = origin;
    const { tries } = context.outcome;
    const canRepeat = !(init.body instanceof ReadableStream);
    const mayAsk = !NOT_IDEMPOTENT.has(context.upstream.method);
    let retries = context.service?.retries ?? DEFAULT_RETRIES;
    // Bun itself sends a request without a body once more.
    let mayBeStale = origin.answered && init.body !== null;
    for (;;) {
      const startedAt = Date.now();
      try {
        const response = checkStatus(await ask(context, url, init), context);
        tries.push({ ip, port, startedAt });
        origin.answered = true;
        return response;
      } catch (error) {
        if (context.request.signal.aborted) throw new ClientLeft();
        const code = call?.timedOut ? 'TimeoutError' : codeOf(error);
        const failure = failureFor(code);
        tries.push({ ip, port, startedAt, state: 'failed', code: failure.status });
        this.#log.error('upstream failed', { request_id: context.id, upstream: `${ip}:${port}`, code, status: failure.status });
        if (!canRepeat || call?.timedOut) throw failure;
        if (code === 'ECONNRESET' && mayBeStale) mayBeStale = false;
        else if (retries-- <= 0 || !(NOT_CONNECTED.has(code) || (mayAsk && code === 'ECONNRESET'))) throw failure;
      }
    }
  }

  #originOf(url: string, balancers: BalancersByName): Origin {
    const origin = url === this.#last.url ? this.#last.origin : this.#findOrigin(url);
    if (origin.balancers !== balancers.version) {
      origin.balancer = balancers.find(origin.host, origin.port);
      origin.balancers = balancers.version;
    }
    return origin;
  }

  #findOrigin(url: string): Origin {
    const end = url.indexOf('/', url.indexOf('://') + 3);
    const text = end === -1 ? url : url.slice(0, end);
    const origin = this.#origins.get(text) ?? this.#newOrigin(text);
    this.#last = { url, origin };
    return origin;
  }

  #newOrigin(text: string): Origin {
    const { hostname, port, protocol } = new URL(text);
    const host = /^[a-z]+:\/\/([^:]*)/i.exec(text)?.[1] ?? '';
    const ip = hostname;
    const origin = { ip, port: Number(port) || (protocol === 'https:' ? 443 : 80), host, balancer: null, balancers: -1, answered: false };
    if (this.#origins.size >= MOST_ORIGINS) this.#origins.clear();
    this.#origins.set(text, origin);
    return origin;
  }
}

async function clientBody(context: RequestContext): Promise<SentBody> {
  const { body, upstream } = context;
  const sent = await body.toSend();
  if (body.replaced) return plainBody(context, sent);
  const { headers } = upstream;
  if (sent === null && headers['content-length'] !== '0') delete headers['content-length'];
  return sent;
}

/** A body that is not the client's as it came: what described that one goes. */
function plainBody<Body>({ upstream: { headers } }: RequestContext, body: Body): Body {
  if ('content-encoding' in headers) delete headers['content-encoding'];
  if ('content-length' in headers) delete headers['content-length'];
  return body;
}

type SentBody = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null;

function received(response: Response, context: RequestContext): Response {
  const { outcome } = context;
  const { headers } = response;
  outcome.upstreamFirstByteMs = context.elapsed();
  outcome.upstreamStatus = response.status;
  outcome.source = 'upstream';
  outcome.unframed = !headers.has('content-length') && !headers.has('transfer-encoding');
  removeHopByHop(headers);
  return response;
}
