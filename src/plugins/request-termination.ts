import { hostname } from 'node:os';
import { ConfigurationError } from '../lib/configuration-error.ts';
import { isHeaderName, isHeaderValue, toHeader } from '../lib/header-syntax.ts';
import { parseArguments } from '../lib/query.ts';
import { boolean, integer, record, string } from '../schema/field.ts';
import { protocolsHttp } from '../schema/typedefs.ts';
import type { Context } from './context.ts';
import { exit, exitWithJson } from './exit.ts';
import { definePlugin } from './plugin.ts';

const MESSAGES: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  404: 'Not found',
  405: 'Method not allowed',
  500: 'An unexpected error occurred',
  502: 'Bad Gateway',
  503: 'Service unavailable',
};
/** Of a body that is echoed, in bytes. */
const MOST_ECHOED = 1024 * 1024;

interface Given {
  readonly message: string | null;
  readonly content_type: string | null;
  readonly body: string | null;
  readonly echo: boolean;
}

function contradiction({ message, content_type, body, echo }: Given): string | undefined {
  if (message && (content_type || body)) return 'message cannot be used with content_type or body';
  if (content_type && !body) return 'content_type requires a body';
  return echo && (content_type || body) ? 'echo cannot be used with content_type and body' : undefined;
}

/** Answers every request itself, or those that carry a header or a query argument by the name of the trigger. */
export const requestTermination = definePlugin({
  name: 'request-termination',
  priority: 2,
  fields: { protocols: protocolsHttp },
  config: record(
    {
      status_code: integer({ required: true, default: 503, between: [100, 599] }),
      message: string(),
      content_type: string(),
      body: string(),
      echo: boolean({ required: true, default: false }),
      trigger: string(),
    },
    { required: true, custom_validator: contradiction },
  ),

  configure({ status_code, message: given, content_type, body, echo, trigger }, host) {
    if (status_code < 200) throw new ConfigurationError('an answer that ends a request has a status of 200 at least', 'status_code');
    if (content_type !== null && !isHeaderValue(content_type)) throw new ConfigurationError('not a valid header value', 'content_type');
    const message = given ?? MESSAGES[status_code];
    const headers = content_type === null ? {} : { 'Content-Type': toHeader(content_type) };

    return {
      access(context) {
        if (trigger !== null && !isTriggered(context, trigger)) return;
        if (echo) return echoed(context).then(request => exitWithJson(status_code, { message, kong: node(), ...request }));
        if (body !== null) return exit(status_code, body, headers);
        return message === undefined ? exit(status_code, null) : exitWithJson(status_code, { message });
      },
    };

    function node() {
      return { node_id: host.nodeId, worker_pid: process.pid, hostname: hostname() };
    }
  },
});

function isTriggered({ request, query }: Context, trigger: string): boolean {
  return (isHeaderName(trigger) && request.headers.has(trigger)) || parseArguments(query.slice(1))[trigger] !== undefined;
}

async function echoed(context: Context) {
  const { request, url, query, method, path, route, service } = context;
  return {
    request: {
      scheme: url.protocol.slice(0, -1),
      host: url.hostname,
      port: Number(context.port),
      headers: request.headers.toJSON(),
      query: parseArguments(query.slice(1)),
      ...(await echoedBody(context)),
      method,
      path,
    },
    ...(route && { matched_route: route }),
    ...(service && { matched_service: service }),
  };
}

/** Nothing of one that is too large, or that cannot be decoded. */
async function echoedBody({ body, request }: Context) {
  const raw_body = await body.text(MOST_ECHOED).catch(() => undefined);
  if (!raw_body) return {};
  const type = request.headers.get('content-type')?.toLowerCase() ?? '';
  if (type.includes('application/json')) return { raw_body, body: await body.json(MOST_ECHOED) };
  return type.includes('application/x-www-form-urlencoded') ? { raw_body, body: parseArguments(raw_body) } : { raw_body };
}
