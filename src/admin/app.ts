import { randomUUID } from 'node:crypto';
import { Hono, type MiddlewareHandler } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { EntityError } from '../entities/entity-error.ts';
import type { Log } from '../lib/log.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import { type AdminContext, type Endpoint, type Method, methodNotAllowed, notFound } from './admin-context.ts';

export interface AppOptions {
  /** For the `Server` header. */
  readonly version: string;
  readonly log: Log;
  readonly guard?: MiddlewareHandler;
}

export interface App {
  /** For `Bun.serve`. */
  fetch(request: Request): Response | Promise<Response>;
}

/** The endpoints as an application. Where two paths match, the first one answers. */
export function createApp(endpoints: readonly Endpoint[], options: AppOptions): App {
  const app = new Hono<{ Variables: AdminContext['var'] }>({ strict: false });
  app.use(frame(options));
  if (options.guard) app.use(options.guard);
  for (const endpoint of endpoints) app.all(endpoint.path, context => answer(context, endpoint));
  app.notFound(context => notFound(context));
  app.onError((error, context) => refusal(error, context, options.log));
  return { fetch: request => app.fetch(request) };
}

/** What every answer carries, and one line of audit for every write. */
function frame({ version, log }: AppOptions): MiddlewareHandler<{ Variables: AdminContext['var'] }> {
  return async (context, next) => {
    const startedAt = performance.now();
    context.set('requestId', randomUUID().replaceAll('-', ''));
    await next();
    const { headers, status } = context.res;
    if (headers.get('content-type') === 'application/json') headers.set('Content-Type', 'application/json; charset=utf-8');
    headers.set('Server', `sluice/${version}`);
    const origin = context.req.header('origin');
    headers.set('Access-Control-Allow-Origin', origin && status !== 403 ? origin : '*');
    if (origin) headers.set('Vary', 'Origin');
    headers.set('X-Kong-Admin-Request-ID', context.get('requestId'));
    headers.set('X-Kong-Admin-Latency', String(Math.round(performance.now() - startedAt)));
    const { method, path } = context.req;
    if (method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS') {
      log.notice('admin request', { method, path, status, ...context.get('subject'), request_id: context.get('requestId') });
    }
  };
}

function answer(context: AdminContext, { methods }: Endpoint): Response | Promise<Response> {
  const { method } = context.req;
  if (method === 'OPTIONS') return preflight(context, allowed(methods));
  const handler = methods[(method === 'HEAD' ? 'GET' : method) as Method];
  if (handler) return handler(context);
  context.header('Allow', allowed(methods));
  return methodNotAllowed(context);
}

function allowed(methods: Endpoint['methods']): string {
  const also = methods.GET ? ['HEAD', 'OPTIONS'] : ['OPTIONS'];
  return [...Object.keys(methods), ...also].sort().join(', ');
}

function preflight(context: AdminContext, methods: string): Response {
  return context.body(null, 204, {
    Allow: methods,
    'Access-Control-Allow-Methods': methods,
    'Access-Control-Allow-Headers': 'Content-Type, Authorization, Kong-Admin-Token',
  });
}

function refusal(error: Error, context: AdminContext, log: Log): Response {
  if (error instanceof RequestFailure) return context.json({ message: error.message }, error.status as ContentfulStatusCode);
  if (error instanceof EntityError && error.status === 404) return notFound(context);
  if (error instanceof EntityError && error.status < 500) return context.json(error.body, error.status as ContentfulStatusCode);
  log.error('admin request failed', { request_id: context.get('requestId'), error: error.stack || String(error) });
  return context.json({ message: 'An unexpected error occurred' }, 500);
}
