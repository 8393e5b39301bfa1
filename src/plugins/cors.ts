import { isHeaderValue } from '../lib/header-syntax.ts';
import { compilePcre } from '../lib/regex.ts';
import { array, boolean, number, record, string } from '../schema/field.ts';
import { noConsumer, protocolsHttp } from '../schema/typedefs.ts';
import { type Context, noteKey } from './context.ts';
import { exit } from './exit.ts';
import { definePlugin } from './plugin.ts';

const METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'] as const;

const headerText = string({ custom_validator: (text: string) => (isHeaderValue(text) ? undefined : 'not a valid header value') });

const config = record(
  {
    origins: array(string({ custom_validator: originError })),
    headers: array(headerText),
    exposed_headers: array(headerText),
    methods: array(string({ one_of: METHODS }), { default: METHODS }),
    max_age: number(),
    credentials: boolean({ required: true, default: false }),
    private_network: boolean({ required: true, default: false }),
    preflight_continue: boolean({ required: true, default: false }),
    allow_origin_absent: boolean({ required: true, default: true }),
  },
  { required: true },
);

const preflightKey = noteKey<true>('cors preflight');

/** Tells browsers which pages may call, and answers them when they ask before they do. */
export const cors = definePlugin({
  name: 'cors',
  priority: 2000,
  fields: { consumer: noConsumer, protocols: protocolsHttp },
  config,

  configure({
    origins,
    headers,
    exposed_headers,
    methods,
    max_age,
    credentials,
    private_network,
    preflight_continue,
    allow_origin_absent,
  }) {
    const allowOrigin = compileOrigins(origins ?? []);
    const allowMethods = (methods ?? METHODS).join(',');
    const allowHeaders = headers?.length ? headers.join(',') : null;
    const exposeHeaders = exposed_headers?.length ? exposed_headers.join(',') : null;

    return {
      access(context) {
        if (!isPreflight(context)) return;
        // What the upstream says of itself is not added to.
        context.notes.set(preflightKey, true);
        return preflight_continue ? undefined : answerPreflight(context.request.headers);
      },

      response(context, response) {
        if (context.notes.get(preflightKey)) return;
        const origin = context.request.headers.get('origin');
        if (origin === null && !allow_origin_absent) return;
        allow(response.headers, origin);
        if (exposeHeaders !== null) response.headers.set('Access-Control-Expose-Headers', exposeHeaders);
      },
    };

    function allow(headers: Headers, origin: string | null): void {
      const { anyone, allowed, varies } = allowOrigin(origin);
      if (varies) varyByOrigin(headers);
      if (allowed === null) headers.delete('Access-Control-Allow-Origin');
      else headers.set('Access-Control-Allow-Origin', allowed);
      if (!credentials) return;
      if (anyone) {
        // With credentials, no browser takes `*`.
        if (origin === null) return;
        varyByOrigin(headers);
        headers.set('Access-Control-Allow-Origin', origin);
      }
      headers.set('Access-Control-Allow-Credentials', 'true');
    }

    function answerPreflight(asked: Headers): Response {
      const response = exit(200, null);
      const told = response.headers;
      allow(told, asked.get('origin'));
      const mayHave = allowHeaders ?? asked.get('access-control-request-headers');
      if (mayHave !== null) told.set('Access-Control-Allow-Headers', mayHave);
      told.set('Access-Control-Allow-Methods', allowMethods);
      if (max_age !== null) told.set('Access-Control-Max-Age', String(max_age));
      if (private_network && asked.get('access-control-request-private-network') === 'true')
        told.set('Access-Control-Allow-Private-Network', 'true');
      return response;
    }
  },
});

function isPreflight({ method, request: { headers } }: Context): boolean {
  return method === 'OPTIONS' && headers.has('origin') && headers.has('access-control-request-method');
}

/** An answer that was kept says so already. */
function varyByOrigin(headers: Headers): void {
  if (!/(?:^|,)\s*origin\s*(?:,|$)/i.test(headers.get('vary') ?? '')) headers.append('Vary', 'Origin');
}

interface Allowance {
  /** Every origin may call. */
  readonly anyone: boolean;
  /** What to say of it; null: nothing. */
  readonly allowed: string | null;
  /** Another origin would have been told otherwise. */
  readonly varies: boolean;
}

/** As kong/plugins/cors/handler.lua of Kong 3.9: a text of letters, digits, `.`, `:`, `/` and `-` is an origin, anything else a pattern. */
function compileOrigins(origins: readonly string[]): (origin: string | null) => Allowance {
  const [only, ...others] = origins;
  const everyone: Allowance = { anyone: true, allowed: '*', varies: false };
  if (only === undefined || (only === '*' && others.length === 0)) return () => everyone;
  if (others.length === 0 && isPlain(only)) return () => ({ anyone: false, allowed: only, varies: true });

  const nobody: Allowance = { anyone: false, allowed: null, varies: true };
  if (origins.includes('*')) return origin => (origin === null ? nobody : { ...everyone, varies: true });
  const matchers = origins.map(compileOrigin);
  return origin => {
    if (origin === null) return nobody;
    const asked = normalized(origin);
    return matchers.some(matches => matches(asked)) ? { ...nobody, allowed: asked.origin } : nobody;
  };
}

interface Origin {
  /** Without the port that its scheme has anyway. */
  readonly origin: string;
  readonly host: string;
}

function compileOrigin(text: string): (asked: Origin) => boolean {
  if (isPlain(text)) {
    const { origin } = normalized(text);
    return asked => asked.origin === origin;
  }
  const pattern = compilePattern(text);
  return text.includes(':') ? ({ origin }) => pattern.test(origin) : ({ host }) => pattern.test(host);
}

const isPlain = (text: string) => /^[A-Za-z0-9.:/-]+$/.test(text);

/** For the whole of an origin, or of a host where it has no colon. In Kong, of several alternatives only the last is. */
const compilePattern = (text: string) => compilePcre(`(?:${text})$`, { anchored: true });

function originError(text: string): string | undefined {
  if (!isHeaderValue(text)) return 'not a valid header value';
  try {
    if (text !== '*') compilePattern(text);
    return undefined;
  } catch {
    return `'${text}' is not a valid regex`;
  }
}

function normalized(text: string): Origin {
  const [, scheme, host, port] = /^([A-Za-z\d][A-Za-z\d+.-]*):\/\/(?:[^/@]*@)?(\[[^\]]*\]|[^:/]+)(?::(\d*))?/.exec(text) ?? [];
  if (scheme === undefined || host === undefined) return { origin: text, host: text };
  const isUsual = !port || (scheme === 'http' && port === '80') || (scheme === 'https' && port === '443');
  return { origin: `${scheme}://${host}${isUsual ? '' : `:${port}`}`, host };
}
