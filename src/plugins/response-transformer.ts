import { ConfigurationError } from '../lib/configuration-error.ts';
import { decodeBytes } from '../lib/encoding.ts';
import { isHeaderValue, toHeader } from '../lib/header-syntax.ts';
import { isObject, type Json, parseJson } from '../lib/json.ts';
import { setMembers } from '../lib/json-members.ts';
import type { Log } from '../lib/log.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import { array, type Infer, record, string } from '../schema/field.ts';
import { protocolsHttp } from '../schema/typedefs.ts';
import type { Context } from './context.ts';
import { definePlugin } from './plugin.ts';
import { isBodyless, readAtMost, withBody } from './response-body.ts';
import { JsonMembers } from './transformation/members.ts';
import { framingError, isPlainHeaderName, pairOf } from './transformation/pairs.ts';

/** Of an answer that is to be changed, in bytes, as it came and decoded. */
const LARGEST_BODY = 16 * 1024 * 1024;

const list = { required: true, default: [] } as const;
const PAIR = { match: '^[^:]+:.*$' } as const;
const names = array(string(), list);
const pairs = array(string({ ...PAIR, custom_validator: pairError }), list);
const headerPairs = array(string({ ...PAIR, custom_validator: headerError }), list);
const headerRenames = array(string({ ...PAIR, custom_validator: renameError }), list);
const types = array(string({ one_of: ['boolean', 'number', 'string'] }), list);
const changes = record({ json: pairs, json_types: types, headers: headerPairs }, { required: true });

const config = record(
  {
    remove: record({ json: names, headers: names }, { required: true }),
    rename: record({ json: pairs, headers: headerRenames }, { required: true }),
    replace: changes,
    add: changes,
    append: changes,
  },
  { required: true },
);
type Config = Infer<typeof config>;

function pairError(entry: string): string | undefined {
  const [name, value] = pairOf(entry);
  return value === '' ? `key '${name}' has no value` : undefined;
}

function headerError(entry: string): string | undefined {
  const [name, value] = pairOf(entry);
  if (!isPlainHeaderName(name)) return `'${name}' is not a valid header`;
  if (!isHeaderValue(value)) return `'${value}' is not a valid header`;
  return framingError(name) ?? pairError(entry);
}

function renameError(entry: string): string | undefined {
  const wrong = pairOf(entry).find(name => !isPlainHeaderName(name));
  return wrong === undefined ? framingError(pairOf(entry)[1]) : `'${wrong}' is not a valid header`;
}

/** Changes what clients are answered: headers, and the members of JSON objects. An answer is read only where its body is to change. */
export const responseTransformer = definePlugin({
  name: 'response-transformer',
  priority: 800,
  fields: { protocols: protocolsHttp },
  config,

  configure(config, host) {
    const transformHeaders = compileHeaders(config);
    const transformJson = compileJson(config);

    return {
      response(context, response) {
        transformHeaders(response.headers);
        if (transformJson === null || !isJson(response.headers) || isWithoutBody(context, response)) return;
        return transformBody(response, transformJson, context.id, host.log);
      },
    };
  },
});

/** As Kong has it, all that is asked of headers is asked of those there were before: one that was removed is not added. */
function compileHeaders({ remove, rename, replace, add, append }: Config): (headers: Headers) => void {
  const removed = remove.headers.map(entry => pairOf(entry)[0]).filter(isPlainHeaderName);
  const compile = (entries: readonly string[]) =>
    entries.map(entry => {
      const [name, value] = pairOf(entry);
      return [name, toHeader(value)] as const;
    });
  const renamed = compile(rename.headers);
  const replaced = compile(replace.headers);
  const added = compile(add.headers);
  const appended = compile(append.headers);
  const looksBack = renamed.length + replaced.length + added.length > 0;

  return headers => {
    const before = looksBack ? new Headers(headers) : headers;
    for (const name of removed) headers.delete(name);
    for (const [name, after] of renamed) renameHeader(headers, before, name, after);
    for (const [name, value] of replaced) if (before.has(name)) headers.set(name, value);
    for (const [name, value] of added) if (!before.has(name)) headers.set(name, value);
    for (const [name, value] of appended) headers.append(name, value);
  };
}

function renameHeader(headers: Headers, before: Headers, name: string, after: string): void {
  if (!before.has(name)) return;
  const values = name.toLowerCase() === 'set-cookie' ? before.getSetCookie() : [before.get(name) ?? ''];
  headers.delete(name);
  headers.delete(after);
  for (const value of values) headers.append(after, value);
}

type JsonTransform = (members: JsonMembers) => void;

/** Null: bodies stay as they are. Throws a ConfigurationError for a value that is not of its type. */
function compileJson({ remove, rename, replace, add, append }: Config): JsonTransform | null {
  const renamed = rename.json.map(pairOf);
  const replaced = typed(replace, 'replace');
  const added = typed(add, 'add');
  const appended = typed(append, 'append');
  if ([remove.json, renamed, replaced, added, appended].every(entries => entries.length === 0)) return null;

  return members => {
    for (const name of remove.json) if (members.holds(name)) members.remove(name);
    for (const [name, after] of renamed) if (members.holds(name)) members.rename(name, after);
    for (const [name, value] of replaced) if (members.has(name)) members.set(name, value);
    for (const [name, value] of added) if (!members.has(name)) members.set(name, value);
    for (const [name, value] of appended) members.append(name, value);
  };
}

/** The types go with the values by their places; a value without one is a text. */
function typed({ json, json_types }: Config['add'], word: string): (readonly [name: string, value: Json])[] {
  return json.map((entry, index) => {
    const [name, text] = pairOf(entry);
    const type = json_types[index] ?? 'string';
    if (type === 'boolean') return [name, text === 'true'];
    if (type === 'string') return [name, text];
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!Number.isFinite(value)) throw new ConfigurationError(`'${text}' is not a number`, `${word}.json`);
    return [name, value];
  });
}

/** Of several types, as HTTP does not allow but Kong does, one is enough. */
const isJson = (headers: Headers) =>
  (headers.get('content-type') ?? '').split(',').some(type => /^\s*application\/json\s*(?:;|$)/i.test(type));

const isWithoutBody = ({ method }: Context, { status, body }: Response) => method === 'HEAD' || isBodyless(status) || body === null;

/** What cannot be read as a JSON object passes as it came. Throws a RequestFailure for what is too large to be read. */
async function transformBody(response: Response, transform: JsonTransform, requestId: string, log: Log): Promise<Response> {
  const bytes = await readAtMost(response, LARGEST_BODY, tooLarge);
  const text = await textOf(bytes, response.headers.get('content-encoding'));
  const object = text === undefined ? undefined : parseJson(text);
  if (text === undefined || !isObject(object)) {
    log.warn('body transform failed: failed parsing json body', { request_id: requestId });
    return unchanged(response, bytes);
  }
  const members = new JsonMembers(object);
  transform(members);
  return Object.keys(members.changes).length === 0 ? unchanged(response, bytes) : withBody(response, setMembers(text, members.changes));
}

/** Undefined: it is not encoded as it says. */
async function textOf(bytes: Uint8Array, encoding: string | null): Promise<string | undefined> {
  const plain = await decodeBytes(bytes, encoding, LARGEST_BODY).catch((error: { reason?: string }) => {
    // Passed on, it would show what was to be removed.
    if (error.reason === 'too large') throw tooLarge();
    return undefined;
  });
  return plain && Buffer.from(plain.buffer, plain.byteOffset, plain.length).toString();
}

const tooLarge = () => new RequestFailure(500, 'the answer of the upstream server is too large to be transformed');

function unchanged({ status, statusText, headers }: Response, bytes: Uint8Array<ArrayBuffer>): Response {
  headers.set('content-length', String(bytes.length));
  return new Response(bytes, { status, statusText, headers });
}
