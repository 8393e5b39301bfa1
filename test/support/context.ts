import type { Context, Outcome } from '../../src/plugins/context.ts';

export interface Circumstances extends Partial<Omit<Context, 'outcome'>> {
  readonly outcome?: Partial<Outcome>;
}

/** A request that was answered by its upstream, but for what the test says of it. */
export function answered(request: Request, { outcome, ...circumstances }: Circumstances = {}): Context {
  const url = new URL(request.url);
  const notes = new Map<symbol, unknown>();
  return {
    id: '2f6946328ffc4946b8c9120704a4a155',
    request,
    method: request.method,
    path: url.pathname,
    query: url.search,
    url,
    scheme: url.protocol === 'https:' ? 'https' : 'http',
    host: url.host,
    clientIp: '192.0.2.7',
    peerIp: '192.0.2.1',
    tls: null,
    port: '8000',
    startedAt: 1_700_000_000_000.4,
    route: null,
    service: null,
    captures: null,
    consumer: null,
    credential: null,
    authenticatedGroups: null,
    credentialPlaces: [],
    body: {
      text: () => Promise.resolve(''),
      json: () => Promise.resolve(undefined),
      bytes: () => Promise.resolve(new Uint8Array()),
      replace: () => undefined,
    },
    upstream: {
      url: `http://upstream.test${url.pathname}${url.search}`,
      method: request.method,
      headers: {},
      body: undefined,
      timeouts: { connect: 1000, read: 1000, write: 1000 },
    },
    log: {},
    rest: () => undefined,
    notes: { get: key => notes.get(key) as never, set: (key, value) => void notes.set(key, value) },
    ...circumstances,
    outcome: {
      status: 200,
      responseHeaders: new Headers({ 'content-type': 'application/json' }),
      requestSize: 0,
      responseSize: 0,
      upstreamStartedMs: 1.2,
      upstreamFirstByteMs: 41.4,
      endedMs: 60.6,
      upstreamStatus: 200,
      tries: [],
      source: 'upstream',
      clientLeft: false,
      ...outcome,
    },
  };
}
