import { Hono, type MiddlewareHandler } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { EntityError } from '../entities/entity-error.ts';
import type { Log } from '../lib/log.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import { type AdminContext, type Endpoint, type Environment, type Method, methodNotAllowed, notFound } from './admin-context.ts';
import { auditedPaths } from './audited-path.ts';
import { corsHeaders, preflightHeaders } from './cors.ts';

export interface AppOptions {
  /** For the `Server` header. */
  readonly version: string;
  readonly log: Log;
  readonly guard?: MiddlewareHandler<Environment>;
  /** Origins of the web UI. */
  readonly guiOrigins?: readonly string[];
  /** Names of the segments of paths that are secrets. */
  readonly secretSegments?: ReadonlySet<string>;
}

export interface App {
  /** For `Bun.serve`. `address` is the client's. */
  fetch(request: Request, address?: string | null): Response | Promise<Response>;
}

/** The endpoints as an application. Where two paths match, the first one answers; of one path, the first that has the method. */
export function createApp(endpoints: readonly Endpoint[], options: AppOptions): App {
  const app = new Hono<Environment>({ strict: false });
  const paths = endpoints.map(endpoint => endpoint.path);
  app.use(frame(options, auditedPaths(paths, options.secretSegments ?? new Set())));
  if (options.guard) app.use(options.guard);
  for (const [path, methods] of methodsByPath(endpoints)) app.all(path, context => answer(context, methods));
  app.notFound(context => notFound(context));
  app.onError((error, context) => refusal(error, context, options.log));
  return { fetch: (request, address = null) => app.fetch(request, { address }) };
}

function methodsByPath(endpoints: readonly Endpoint[]): ReadonlyMap<string, Endpoint['methods']> {
  const byPath = new Map<string, Endpoint['methods']>();
  for (const { path, methods } of endpoints) byPath.set(path, { ...methods, ...byPath.get(path) });
  return byPath;
}

/** What every answer carries, and one line of audit for every write. */
function frame({ version, log, guiOrigins = [] }: AppOptions, auditedPath: (path: string) => string): MiddlewareHandler<Environment> {
  return async (context, next) => {
    const startedAt = performance.now();
    context.set('requestId', crypto.randomUUID().replaceAll('-', ''));
    context.set('authenticated', false);
    await next();
    const { headers, status } = context.res;
    if (headers.get('content-type') === 'application/json') headers.set('Content-Type', 'application/json; charset=utf-8');
    headers.set('Server', `sluice/${version}`);
    for (const [name, value] of Object.entries(corsHeaders(guiOrigins, context.req.raw, status === 403))) headers.set(name, value);
    headers.set('X-Kong-Admin-Request-ID', context.get('requestId'));
    headers.set('X-Kong-Admin-Latency', String(Math.round(performance.now() - startedAt)));
    const { method, path } = context.req;
    if (method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS') {
      log.notice('admin request', {
        client: context.env.address,
        authenticated: context.get('authenticated'),
        method,
        path: auditedPath(path),
        status,
        ...context.get('subject'),
        request_id: context.get('requestId'),
      });
    }
  };
}

function answer(context: AdminContext, methods: Endpoint['methods']): Response | Promise<Response> {
  const { method } = context.req;
  if (method === 'OPTIONS') return context.body(null, 204, preflightHeaders(allowed(methods), context.req.raw));
  const handler = methods[(method === 'HEAD' ? 'GET' : method) as Method];
  if (handler) return handler(context);
  context.header('Allow', allowed(methods));
  return methodNotAllowed(context);
}

function allowed(methods: Endpoint['methods']): string {
  const also = methods.GET ? ['HEAD', 'OPTIONS'] : ['OPTIONS'];
  return [...Object.keys(methods), ...also].sort().join(', ');
}

function refusal(error: Error, context: AdminContext, log: Log): Response {
  if (error instanceof RequestFailure) return context.json({ message: error.message }, error.status as ContentfulStatusCode);
  if (error instanceof EntityError && error.status === 404) return notFound(context);
  const known = error instanceof EntityError;
  // Why the database fails is for the operator, who asks and who reads the log; where in the code it was found is for neither.
  if (!known || error.status >= 500) {
    const reason = known ? error.message : error.stack || String(error);
    log.error('admin request failed', { request_id: context.get('requestId'), error: reason });
  }
  if (known) return context.json(error.body, error.status as ContentfulStatusCode);
  return context.json({ message: 'An unexpected error occurred' }, 500);
}
