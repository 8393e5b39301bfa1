import { ConfigurationError } from '../lib/configuration-error.ts';
import { fromHeader, isHeaderValue } from '../lib/header-syntax.ts';
import { compileLuaTemplate, type Lookup } from '../lib/lua-template.ts';
import { type Arguments, encodeArguments, parseArguments } from '../lib/query.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import { array, record, string } from '../schema/field.ts';
import { httpMethod, protocols } from '../schema/typedefs.ts';
import type { Context, UpstreamRequest } from './context.ts';
import { definePlugin } from './plugin.ts';
import { isForm, LARGEST_BODY, transformBody } from './transformation/body.ts';
import { ArgumentMembers, HeaderMembers } from './transformation/members.ts';
import { compileOperations, type Operations, transform } from './transformation/operations.ts';
import { framingError, isPlainHeaderName, pairOf } from './transformation/pairs.ts';

const TABLES = ['headers', 'query_params', 'uri_captures', 'shared'];

const list = { required: true, default: [] } as const;
const names = array(string(), list);
const headerNames = array(string({ custom_validator: (entry: string) => headerNameError(pairOf(entry)[0]) }), list);
const pairs = array(string({ custom_validator: valueError }), list);
const headerPairs = array(string({ match: '^[^:]+:.*$', custom_validator: headerPairError }), list);
const headerRenames = array(string({ match: '^[^:]+:.*$', custom_validator: headerRenameError }), list);
const changes = { body: pairs, headers: headerPairs, querystring: pairs };

const config = record(
  {
    http_method: httpMethod,
    remove: record({ body: names, headers: headerNames, querystring: names }, { required: true }),
    rename: record({ body: pairs, headers: headerRenames, querystring: pairs }, { required: true }),
    replace: record({ ...changes, uri: string() }, { required: true }),
    add: record(changes, { required: true }),
    append: record(changes, { required: true }),
  },
  { required: true },
);

function headerNameError(name: string): string | undefined {
  return isPlainHeaderName(name) ? undefined : `'${name}' is not a valid header`;
}

function headerRenameError(entry: string): string | undefined {
  const [before, after] = pairOf(entry);
  return headerNameError(before) ?? headerNameError(after) ?? framingError(after);
}

function headerPairError(entry: string): string | undefined {
  const [name, value] = pairOf(entry);
  if (!isHeaderValue(value)) return `'${value}' is not a valid header`;
  return framingError(name) ?? headerNameError(name) ?? valueError(entry);
}

function valueError(entry: string): string | undefined {
  const [name, value] = pairOf(entry);
  return value === '' ? `key '${name}' has no value` : templateError(value);
}

function templateError(value: string): string | undefined {
  try {
    compileLuaTemplate(value, TABLES);
    return undefined;
  } catch (error) {
    return `value '${value}' is not in supported format, error:${(error as Error).message}`;
  }
}

/** Changes what the upstream is asked: method, path, headers, query and body, by templates over what the client asked. */
export const requestTransformer = definePlugin({
  name: 'request-transformer',
  priority: 801,
  fields: { protocols },
  config,

  configure(config) {
    const { http_method: method, replace, append } = config;
    if (method !== null && !isSendable(method)) throw new ConfigurationError(`${method} is not supported`, 'http_method');
    if (append.headers.some(entry => pairOf(entry)[0].toLowerCase() === 'host'))
      throw new ConfigurationError('a request has one Host: replace it', 'append.headers');
    const uri = replace.uri === null ? null : compileUri(replace.uri);
    const headers = compileOperations(config, 'headers', TABLES);
    const query = compileOperations(config, 'querystring', TABLES);
    const body = compileOperations(config, 'body', TABLES);

    const isFilledIn = [uri, ...[headers, query, body].map(operations => operations?.isFilledIn)].some(Boolean);

    return {
      access(context) {
        const { upstream } = context;
        const lookup = isFilledIn ? lookupIn(context) : NOTHING;
        if (uri !== null) setPath(upstream, uri(lookup));
        if (method !== null || body !== null) return transformAll(context, lookup);
        if (headers !== null) transform(new HeaderMembers(upstream.headers), headers, lookup);
        if (query !== null) transformQuery(upstream, query, lookup);
        return undefined;
      },
    };

    /** In Kong's order, where a body may have to be read for it. */
    async function transformAll(context: Context, lookup: Lookup): Promise<undefined> {
      const { upstream } = context;
      if (method !== null) await setMethod(context, method);
      if (headers !== null) transform(new HeaderMembers(upstream.headers), headers, lookup);
      if (body !== null) await transformBody(context, body, lookup);
      if (query !== null) transformQuery(upstream, query, lookup);
    }
  },
});

const NOTHING: Lookup = () => undefined;

/** Bun makes a GET of what it does not know. */
const isSendable = (method: string) => method !== 'CONNECT' && new Request('http://localhost', { method }).method === method;

/** What templates read: headers and query as they are when the first of them is read, as in Kong. */
function lookupIn(context: Context): Lookup {
  let headers: Readonly<Record<string, string>> | undefined;
  let query: Arguments | undefined;
  return (table, key) => {
    switch (table) {
      case 'headers': {
        headers ??= { host: context.request.headers.get('host') ?? '', ...context.upstream.headers };
        const name = key.toLowerCase();
        const value = headers[name] ?? headers[name.replaceAll('_', '-')];
        return value === undefined ? undefined : fromHeader(value);
      }
      case 'query_params': {
        query ??= parseArguments(queryOf(context.upstream.url ?? context.query));
        const value = query[key];
        return value === undefined ? undefined : String(value);
      }
      case 'uri_captures':
        return context.captures?.[key];
      default:
        // What Lua plugins share: there are none.
        return undefined;
    }
  };
}

/** Of a URL; empty when it has none. */
function queryOf(url: string): string {
  const mark = url.indexOf('?');
  return mark === -1 ? '' : url.slice(mark + 1);
}

function setQuery(upstream: UpstreamRequest, args: Arguments): void {
  if (upstream.url === null) return;
  const query = encodeArguments(args);
  upstream.url = `${upstream.url.split('?', 1)[0]}${query === '' ? '' : `?${query}`}`;
}

function transformQuery(upstream: UpstreamRequest, operations: Operations, lookup: Lookup): void {
  const members = new ArgumentMembers(parseArguments(queryOf(upstream.url ?? '')));
  transform(members, operations, lookup);
  if (members.isChanged) setQuery(upstream, members.members);
}

/** A request that has no body any more takes the fields of its form along. */
async function setMethod({ upstream, body }: Context, method: string): Promise<void> {
  upstream.method = method;
  if (method !== 'GET' && method !== 'HEAD' && method !== 'TRACE') return;
  if (isForm(upstream.headers['content-type'])) {
    const query = new ArgumentMembers(parseArguments(queryOf(upstream.url ?? '')));
    for (const [name, values] of Object.entries(parseArguments(await body.text(LARGEST_BODY)))) query.extend(name, values);
    if (query.isChanged) setQuery(upstream, query.members);
  }
  upstream.body = null;
}

function setPath(upstream: UpstreamRequest, path: string): void {
  const { url } = upstream;
  if (url === null) return;
  const end = url.indexOf('/', url.indexOf('://') + 3);
  const query = queryOf(url);
  upstream.url = `${end === -1 ? url : url.slice(0, end)}${path}${query === '' ? '' : `${path.includes('?') ? '&' : '?'}${query}`}`;
}

/** Throws a ConfigurationError for what no path is. */
function compileUri(text: string): (lookup: Lookup) => string {
  const template = templateOf(text);
  if (typeof template === 'string') {
    if (!template.startsWith('/')) throw new ConfigurationError('the path must start with /', 'replace.uri');
    const path = escaped(template);
    return () => path;
  }
  return lookup => {
    const path = escaped(template((table, key) => pathSegments(lookup(table, key))));
    if (!path.startsWith('/')) throw new Error('replace.uri: the path must start with /');
    // What a client says must not lead out of the path that the configuration means.
    if (/\/\.\.?(?:[/?#]|$)/.test(path)) throw new RequestFailure(400, 'Bad request');
    return path;
  };
}

function templateOf(text: string) {
  try {
    return compileLuaTemplate(text, TABLES);
  } catch (error) {
    throw new ConfigurationError((error as Error).message, 'replace.uri');
  }
}

/** What no URL has as it is. */
const escaped = (path: string) => path.toWellFormed().replaceAll(/[^\w!#$%&'()*+,/:;=?@[\]~.-]/gu, encodeURIComponent);

/** Segments of a path, and nothing beyond it. */
const pathSegments = (value: string | undefined) => value?.replaceAll(/[?#%\\]/g, encodeURIComponent);
