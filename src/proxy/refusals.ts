import { RequestFailure } from '../lib/request-failure.ts';
import { FAILURES, failureResponse } from './failures.ts';
import type { RequestContext } from './request-context.ts';

const METHODS_REFUSED = new Set(['CONNECT', 'TRACE']);

/** What cannot be routed whatever the configuration says. */
export function refusalOf({ request, method, path, host, members }: RequestContext): RequestFailure | null {
  if (METHODS_REFUSED.has(method)) return new RequestFailure(405, FAILURES[405]);
  // Bun leaves the target as it came when Host names no host; a request of HTTP/1.0 need not have one.
  if (host !== '' && !request.url.startsWith('http')) return new RequestFailure(400, FAILURES[400]);
  // Bun joins what came twice.
  const isTwice = host.includes(',') || members['content-length']?.includes(',') === true;
  if (!path.startsWith('/') || isTwice) return new RequestFailure(400, FAILURES[400]);
  return null;
}

/** gRPC says how a call went in trailers, and those do not come through: a client is told in the one way that it reads. */
export function grpcAnswer({ members }: RequestContext): Response | null {
  const type = members['content-type'];
  if (type === undefined || !GRPC.test(type)) return null;
  const headers = {
    'Content-Type': 'application/grpc',
    'Grpc-Status': UNIMPLEMENTED,
    'Grpc-Message': 'gRPC is not supported',
    'Content-Length': '0',
  };
  return new Response(null, { status: 200, headers });
}

/** gRPC-Web is HTTP like any other. */
const GRPC = /^application\/grpc(?:[+;]|$)/i;
const UNIMPLEMENTED = '12';

/** The answer to a request over plain HTTP for a route that takes only HTTPS. */
export function insecureAnswer({ target, id, members, path, query, request }: RequestContext): Response | null {
  if (target?.httpsOnly !== true || members['x-forwarded-proto'] === 'https') return null;
  const status = target.route.https_redirect_status_code;
  if (status !== 426) {
    const location = `https://${members['x-forwarded-host']}${path}${query}`;
    return new Response(null, { status, headers: { Location: location, 'Content-Length': '0' } });
  }
  const response = failureResponse(426, 'Please use HTTPS protocol', id, request.headers.get('accept'));
  response.headers.set('Connection', 'Upgrade');
  response.headers.set('Upgrade', 'TLS/1.2, HTTP/1.1');
  return response;
}
