import { ByteCache } from '../lib/byte-cache.ts';
import { type Directives, freshSeconds, parseCacheControl } from '../lib/cache-control.ts';
import { ConfigurationError } from '../lib/configuration-error.ts';
import { isObject, type Json } from '../lib/json.ts';
import { array, boolean, integer, record, string } from '../schema/field.ts';
import { compileCacheKeys } from './cache/cache-key.ts';
import { compileCacheable, isFresh, isUncacheable } from './cache/cacheable.ts';
import { keep } from './cache/keep.ts';
import { type Context, noteKey } from './context.ts';
import { exit } from './exit.ts';
import { isBrokenStream } from './llm/broken-stream.ts';
import { type Ask, definePlugin } from './plugin.ts';
import { isBodyless } from './response-body.ts';

/** Of all configurations in this process together. Kong's shared memory of that name is of the same size for all its processes. */
const MOST_BYTES = 64 * 1024 * 1024;
/** What an entry takes beside its body and its headers. */
const ENTRY_BYTES = 512;
const DICTIONARY = 'kong_db_cache';

const HEADERS = ['age', 'X-Cache-Status', 'X-Cache-Key'] as const;
type CacheHeader = (typeof HEADERS)[number];

/** Said anew of each answer, or of one connection only. */
const NOT_KEPT = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'te', 'trailers', 'transfer-encoding', 'upgrade', 'content-length'],
  ...HEADERS.map(name => name.toLowerCase()),
]);

const config = record(
  {
    response_code: array(integer({ between: [100, 900] }), { required: true, len_min: 1, default: [200, 301, 404] }),
    request_method: array(string({ one_of: ['HEAD', 'GET', 'POST', 'PATCH', 'PUT'] }), { required: true, default: ['GET', 'HEAD'] }),
    content_type: array(string(), { required: true, default: ['text/plain', 'application/json'] }),
    cache_ttl: integer({ default: 300, gt: 0 }),
    strategy: string({ required: true, one_of: ['memory'] }),
    cache_control: boolean({ required: true, default: false }),
    ignore_uri_case: boolean({ default: false }),
    storage_ttl: integer(),
    memory: record({ dictionary_name: string({ required: true, default: DICTIONARY }) }, { required: true }),
    vary_query_params: array(string()),
    vary_headers: array(string()),
    response_headers: record(
      { age: boolean({ default: true }), 'X-Cache-Status': boolean({ default: true }), 'X-Cache-Key': boolean({ default: true }) },
      { required: true },
    ),
  },
  { required: true },
);

function dictionaryError(row: { readonly config: { readonly memory?: { readonly dictionary_name?: string } | null } }): string | undefined {
  const name = row.config.memory?.dictionary_name ?? DICTIONARY;
  return name === DICTIONARY ? undefined : `missing shared dict '${name}'`;
}

interface Entry {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array<ArrayBuffer>;
  /** Of an answer to HEAD, what it says of a body that it has not. */
  readonly length: string | null;
  /** Seconds since 1970, and from then. */
  readonly timestamp: number;
  readonly ttl: number;
}

/** The answers of all configurations, each under its own prefix. */
const cache = new ByteCache<Entry>(MOST_BYTES);
let configurations = 0;

/** An answer that is on its way, and is kept under its key when it has come. */
interface Awaited {
  readonly key: string;
  readonly status: 'Miss' | 'Refresh';
  /** How often entries had been purged by then: what was asked for before a purge must not come back after it. */
  readonly purges: number;
}
const awaitedKey = noteKey<Awaited | 'bypass'>('proxy-cache');

/** Keeps answers in memory and gives them again, each process its own. */
export const proxyCache = definePlugin({
  name: 'proxy-cache',
  priority: 100,
  config,
  entity_checks: [{ custom_entity_check: { field_sources: ['config'], fn: dictionaryError } }],
  adminPaths: [
    { path: '/proxy-cache', methods: { DELETE: purgeAll } },
    { path: '/proxy-cache/:cache_key', methods: { GET: showEntry, DELETE: purgeEntry } },
    { path: '/proxy-cache/:plugin_id/caches/:cache_key', methods: { GET: showEntry, DELETE: purgeEntry } },
  ],

  configure(config) {
    const { cache_control, storage_ttl } = config;
    const cache_ttl = config.cache_ttl ?? 300;
    const shelf = `${++configurations}:`;
    const keys = compileCacheKeys(config);
    const isCacheable = compileCacheable(config);
    const methods: ReadonlySet<string> = new Set(config.request_method);
    const hidden = new Set(HEADERS.filter(name => config.response_headers[name] === false));
    if (storage_ttl !== null && storage_ttl < 0) throw new ConfigurationError('value must not be negative', 'storage_ttl');
    let purges = 0;

    return {
      access(context) {
        const directives = cache_control ? parseCacheControl(context.request.headers.get('cache-control')) : null;
        if (!methods.has(context.method) || isUncacheable(context, keys, directives)) {
          context.notes.set(awaitedKey, 'bypass');
          return;
        }
        const key = keys.of(context);
        return key instanceof Promise ? key.then(known => look(context, known, directives)) : look(context, key, directives);
      },

      response(context, response) {
        const awaited = context.notes.get(awaitedKey);
        if (awaited === undefined) return;
        const { headers } = response;
        if (awaited === 'bypass' || !isCacheable(context, response)) {
          say(context, headers, 'X-Cache-Status', 'Bypass');
          if (awaited !== 'bypass') say(context, headers, 'X-Cache-Key', awaited.key);
          return;
        }
        const entry = entryOf(context, response);
        const isStream = headers.get('content-type')?.includes('text/event-stream');
        const key = keys.variant(awaited.key, context, headers.get('vary'));
        say(context, headers, 'X-Cache-Status', awaited.status);
        say(context, headers, 'X-Cache-Key', key);
        return keep(context, response, body => {
          if (isStream && isBrokenStream(response, Buffer.from(body).toString())) return;
          if (awaited.purges === purges) store(key, { ...entry, body });
        });
      },

      answer(question) {
        if (!isObject(question)) return null;
        const { show, purge } = question;
        if (typeof show === 'string') return shown(cache.get(shelf + show));
        purges++;
        if (typeof purge === 'string') return cache.delete(shelf + purge) || null;
        forget();
        return null;
      },

      close() {
        purges++;
        forget();
      },
    };

    function forget(): void {
      cache.deleteThose(key => key.startsWith(shelf));
    }

    function look(context: Context, key: string | null, directives: Directives | null): Response | undefined {
      if (key === null) {
        context.notes.set(awaitedKey, 'bypass');
        return undefined;
      }
      const entry = cache.get(shelf + key);
      if (entry === undefined && directives?.has('only-if-cached')) {
        const refusal = exit(504, null);
        say(context, refusal.headers, 'X-Cache-Key', key);
        return refusal;
      }
      if (entry !== undefined && isFresh(entry, now(), cache_ttl, directives)) return hit(context, key, entry);
      context.notes.set(awaitedKey, { key, status: entry === undefined ? 'Miss' : 'Refresh', purges });
      return undefined;
    }

    function hit(context: Context, key: string, { status, headers, body, length, timestamp }: Entry): Response {
      const response = new Response(isBodyless(status) || context.method === 'HEAD' ? null : body, {
        status,
        headers: headers as [string, string][],
      });
      const size = context.method === 'HEAD' ? length : String(body.length);
      if (size !== null) response.headers.set('Content-Length', size);
      say(context, response.headers, 'age', String(now() - timestamp));
      say(context, response.headers, 'X-Cache-Status', 'Hit');
      say(context, response.headers, 'X-Cache-Key', key);
      return response;
    }

    /** A client that debugs is told what others are not. */
    function say({ request }: Context, headers: Headers, name: CacheHeader, value: string): void {
      if (!hidden.has(name) || request.headers.has('kong-debug')) headers.set(name === 'age' ? 'Age' : name, value);
    }

    function entryOf({ method }: Context, { status, headers }: Response): Omit<Entry, 'body'> {
      const ttl = cache_control ? freshSeconds(parseCacheControl(headers.get('cache-control')), headers.get('expires')) : cache_ttl;
      const kept = [...headers].filter(([name]) => !NOT_KEPT.has(name) && !name.includes('ratelimit-remaining'));
      return { status, headers: kept, length: method === 'HEAD' ? headers.get('content-length') : null, timestamp: now(), ttl };
    }

    function store(key: string, entry: Entry): void {
      const seconds = storage_ttl ?? entry.ttl;
      const bytes = entry.headers.reduce((sum, [name, value]) => sum + name.length + value.length, entry.body.length + ENTRY_BYTES);
      cache.set(shelf + key, entry, bytes, seconds === 0 ? Number.POSITIVE_INFINITY : Date.now() + seconds * 1000);
    }
  },
});

const now = () => Math.floor(Date.now() / 1000);

function shown(entry: Entry | undefined): Json | null {
  if (entry === undefined) return null;
  const { status, headers, body, timestamp, ttl } = entry;
  return {
    status,
    headers: Object.fromEntries(headers),
    body: Buffer.from(body).toString(),
    body_len: body.length,
    timestamp,
    ttl,
    version: 1,
  };
}

type Segments = Readonly<Record<string, string>>;
const NOT_FOUND = { status: 404, body: { message: 'Not found' } };

/** Of several processes that keep one, the newest. */
async function showEntry({ plugin_id, cache_key = '' }: Segments, ask: Ask) {
  const answers = await ask({ show: cache_key }, plugin_id);
  const [newest] = answers.filter(isObject).sort((a, b) => Number(b['timestamp']) - Number(a['timestamp']));
  return newest === undefined ? NOT_FOUND : { status: 200, body: newest };
}

async function purgeAll(_: Segments, ask: Ask) {
  await ask({ purge: null });
  return { status: 204 };
}

async function purgeEntry({ plugin_id, cache_key = '' }: Segments, ask: Ask) {
  const purged = await ask({ purge: cache_key }, plugin_id);
  return purged.length > 0 ? { status: 204 } : NOT_FOUND;
}
