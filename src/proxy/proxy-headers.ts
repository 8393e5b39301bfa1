import { ConfigurationError } from '../lib/configuration-error.ts';
import type { RequestContext } from './request-context.ts';

/** Meant for the next hop alone (RFC 9110, section 7.6.1), or told anew for the upstream. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'];
const NOT_SENT_ON = [...HOP_BY_HOP, 'expect', 'proxy'];
/** Those a peer must not have us drop by naming them in Connection. */
const NEVER_HOP_BY_HOP = new Set(['host', 'content-length', 'content-type', 'authorization', 'cookie']);

/** What a peer says that is not believed. */
const UNSAID: Readonly<Record<string, string>> = {};

/** Takes out of the upstream's headers what was meant for the gateway alone. */
export function removeHopByHop(headers: Headers): void {
  const connection = headers.get('connection');
  if (connection !== null) for (const name of namesIn(connection)) headers.delete(name);
  for (const name of HOP_BY_HOP) headers.delete(name);
  headers.delete('proxy-authenticate');
}

const namesIn = (connection: string) =>
  connection
    .split(',')
    .map(name => name.trim().toLowerCase())
    .filter(name => name !== '' && !NEVER_HOP_BY_HOP.has(name));

/** In lower case, without its port. Most requests name the host of the one before. */
function compileHostOnly(): (host: string) => string {
  let last = '';
  let made = '';
  return host => {
    if (host === last) return made;
    const colon = host.lastIndexOf(':');
    last = host;
    made = (colon > host.lastIndexOf(']') ? host.slice(0, colon) : host).toLowerCase();
    return made;
  };
}

const TOKENS = {
  server_tokens: ['Server', 'Via'],
  latency_tokens: ['X-Kong-Upstream-Latency', 'X-Kong-Proxy-Latency', 'X-Kong-Response-Latency'],
} as const;
const NAMES = [...TOKENS.server_tokens, ...TOKENS.latency_tokens, 'X-Kong-Request-Id', 'X-Kong-Upstream-Status'] as const;
type Name = (typeof NAMES)[number];

/** What the gateway changes in the headers of requests and answers; what it adds to answers is the setting `headers`. */
export class ProxyHeaders {
  readonly #server: boolean;
  readonly #via: boolean;
  readonly #upstreamLatency: boolean;
  readonly #proxyLatency: boolean;
  readonly #responseLatency: boolean;
  readonly #requestId: boolean;
  readonly #upstreamStatus: boolean;
  readonly #product: string;
  readonly #protocolAndProduct: string;
  readonly #hostOnly = compileHostOnly();

  /** Throws a ConfigurationError for a name that is not one of Kong's. */
  constructor(settings: readonly string[], version: string) {
    const wanted = new Set(settings.flatMap(setting => namesOf(setting)));
    const has = (name: Name) => wanted.has(name);
    this.#server = has('Server');
    this.#via = has('Via');
    this.#upstreamLatency = has('X-Kong-Upstream-Latency');
    this.#proxyLatency = has('X-Kong-Proxy-Latency');
    this.#responseLatency = has('X-Kong-Response-Latency');
    this.#requestId = has('X-Kong-Request-Id');
    this.#upstreamStatus = has('X-Kong-Upstream-Status');
    this.#product = `sluice/${version}`;
    this.#protocolAndProduct = `1.1 sluice/${version}`;
  }

  /** The client's headers made those for the upstream, in place. */
  toUpstream(context: RequestContext, prefix: string): void {
    const { members: headers, peerIp, peerTrusted, scheme, target } = context;
    const { connection } = headers;
    if (connection !== undefined && connection !== 'keep-alive' && connection !== 'close') {
      for (const name of namesIn(connection)) delete headers[name];
    }
    for (const name of NOT_SENT_ON) if (name in headers) delete headers[name];
    // Left out, fetch takes it from the URL.
    if (target?.route.preserve_host !== true) delete headers.host;
    // Left out, fetch would say that it is Bun.
    headers['user-agent'] ??= this.#product;

    const said = peerTrusted ? headers : UNSAID;
    const forwardedFor = headers['x-forwarded-for'];
    headers['x-forwarded-for'] = forwardedFor === undefined ? context.clientIp : `${forwardedFor}, ${peerIp}`;
    headers['x-forwarded-proto'] = said['x-forwarded-proto'] ?? scheme;
    headers['x-forwarded-host'] = said['x-forwarded-host'] ?? this.#hostOnly(context.host);
    headers['x-forwarded-port'] = said['x-forwarded-port'] ?? context.port;
    headers['x-forwarded-path'] = said['x-forwarded-path'] ?? context.path;
    const forwardedPrefix = said['x-forwarded-prefix'] ?? (prefix === '/' ? '' : prefix);
    if (forwardedPrefix !== '') headers['x-forwarded-prefix'] = forwardedPrefix;
    else if ('x-forwarded-prefix' in headers) delete headers['x-forwarded-prefix'];
    headers['x-real-ip'] = context.clientIp;
    headers['x-kong-request-id'] = context.id;
    headers.via = appended(headers.via, this.#protocolAndProduct);
  }

  /** Adds to the headers of an answer what the setting wants. */
  toClient(headers: Headers, context: RequestContext): void {
    const { outcome } = context;
    if (outcome.source === 'upstream') {
      const started = outcome.upstreamStartedMs ?? 0;
      if (this.#upstreamStatus) headers.set('X-Kong-Upstream-Status', String(outcome.upstreamStatus));
      if (this.#upstreamLatency) headers.set('X-Kong-Upstream-Latency', String((outcome.upstreamFirstByteMs ?? 0) - started));
      if (this.#proxyLatency) headers.set('X-Kong-Proxy-Latency', String(started));
      if (this.#via) headers.set('Via', appended(headers.get('via'), this.#protocolAndProduct));
    } else {
      if (this.#responseLatency) headers.set('X-Kong-Response-Latency', String(context.elapsed()));
      if (this.#server) headers.set('Server', this.#product);
    }
    if (this.#requestId) headers.set('X-Kong-Request-Id', context.id);
  }
}

function namesOf(setting: string): readonly string[] {
  if (setting === 'off') return [];
  if (setting === 'server_tokens' || setting === 'latency_tokens') return TOKENS[setting];
  const name = NAMES.find(known => known.toLowerCase() === setting.toLowerCase());
  if (name === undefined)
    throw new ConfigurationError(
      `headers: unknown name '${setting}', expected one of off, server_tokens, latency_tokens, ${NAMES.join(', ')}`,
    );
  return [name];
}

const appended = (before: string | null | undefined, value: string): string => (before ? `${before}, ${value}` : value);
