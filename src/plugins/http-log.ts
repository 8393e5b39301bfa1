import { BatchQueue, type QueueLimits } from '../lib/batch-queue.ts';
import { ConfigurationError } from '../lib/configuration-error.ts';
import type { Log } from '../lib/log.ts';
import { type Infer, integer, map, number, record, string } from '../schema/field.ts';
import { customFieldsByLua } from './custom-fields.ts';
import { logEntry } from './log-entry.ts';
import { definePlugin } from './plugin.ts';

const deprecated = (message: string, old_default: number) => ({ deprecation: { message, old_default, removal_in_version: '4.0' } });

const config = record(
  {
    http_endpoint: string({ required: true, referenceable: true, encrypted: true, custom_validator: checkUrl }),
    method: string({ default: 'POST', one_of: ['POST', 'PUT', 'PATCH'] }),
    content_type: string({ default: 'application/json', one_of: ['application/json', 'application/json; charset=utf-8'] }),
    timeout: number({ default: 10_000 }),
    keepalive: number({ default: 60_000 }),
    retry_count: integer(deprecated('http-log: config.retry_count no longer works, please use config.queue.max_retry_time instead', 10)),
    queue_size: integer(deprecated('http-log: config.queue_size is deprecated, please use config.queue.max_batch_size instead', 1)),
    flush_timeout: number(
      deprecated('http-log: config.flush_timeout is deprecated, please use config.queue.max_coalescing_delay instead', 2),
    ),
    headers: map(
      string({
        match_none: [
          { pattern: '^[Hh][Oo][Ss][Tt]$', err: "cannot contain 'Host' header" },
          { pattern: '^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]%-[Ll][Ee][nn][Gg][Tt][Hh]$', err: "cannot contain 'Content-Length' header" },
          { pattern: '^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]%-[Tt][Yy][Pp][Ee]$', err: "cannot contain 'Content-Type' header" },
        ],
      }),
      string({ referenceable: true }),
    ),
    queue: record(
      {
        max_batch_size: integer({ default: 1, between: [1, 1_000_000] }),
        max_coalescing_delay: number({ default: 1, between: [0, 3600] }),
        max_entries: integer({ default: 10_000, between: [1, 1_000_000] }),
        max_bytes: integer(),
        max_retry_time: number({ default: 60 }),
        initial_retry_delay: number({ default: 0.01, between: [0.001, 1_000_000] }),
        max_retry_delay: number({ default: 60, between: [0.001, 1_000_000] }),
        concurrency_limit: integer({ default: 1, one_of: [-1, 1] }),
      },
      { required: true },
    ),
    custom_fields_by_lua: customFieldsByLua,
  },
  { required: true, custom_validator: checkAuthorization },
);

type Config = Infer<typeof config>;

/** Request logs as JSON to an HTTP server: one object, or with `max_batch_size` above 1 an array of them. */
export const httpLog = definePlugin({
  name: 'http-log',
  priority: 12,
  config,
  configure(config, host, instance) {
    const name = `http-log ${instance.id}`;
    const limits = queueLimits(config, name, host.log);
    const post = poster(config);
    const queue = new BatchQueue(
      name,
      limits,
      entries => post(limits.max_batch_size === 1 ? (entries[0] ?? '') : `[${entries.join(',')}]`),
      host.log,
    );
    return {
      log(context) {
        queue.add(logEntry(context));
      },
      close: () => queue.close(),
    };
  },
});

/** The queue as configured, and where a deprecated field differs from its old default, as that says. */
function queueLimits({ queue, retry_count, queue_size, flush_timeout }: Config, name: string, log: Log): QueueLimits {
  if (queue_size !== null && queue_size < 1) throw new ConfigurationError('value must be greater than 0', 'queue_size');
  if (flush_timeout !== null && flush_timeout < 0) throw new ConfigurationError('value must not be negative', 'flush_timeout');
  const old = { retry_count, queue_size, flush_timeout };
  for (const field of ['retry_count', 'queue_size', 'flush_timeout'] as const) {
    const { message, old_default } = config.fields[field]?.facts.deprecation ?? {};
    if (old[field] !== null && old[field] !== old_default) log.warn(`${name}: ${message}`);
  }
  return {
    max_batch_size: queue_size !== null && queue_size !== 1 ? queue_size : (queue.max_batch_size ?? 1),
    max_coalescing_delay: flush_timeout !== null && flush_timeout !== 2 ? flush_timeout : (queue.max_coalescing_delay ?? 1),
    max_entries: queue.max_entries ?? 10_000,
    max_bytes: queue.max_bytes,
    max_retry_time: queue.max_retry_time ?? 60,
    initial_retry_delay: queue.initial_retry_delay ?? 0.01,
    max_retry_delay: queue.max_retry_delay ?? 60,
    concurrency_limit: queue.concurrency_limit ?? 1,
  };
}

/** Delivers a body; rejects when the server did not take it, with a reason that names its host but no secret. */
function poster(config: Config): (body: string) => Promise<void> {
  const { url, headers } = destination(config);
  const timeout = config.timeout ?? 10_000;
  const keepalive = config.keepalive ?? 60_000;
  if (timeout <= 0) throw new ConfigurationError('value must be greater than 0', 'timeout');
  if (keepalive < 0) throw new ConfigurationError('value must not be negative', 'keepalive');
  const method = config.method ?? 'POST';
  let idleSince = performance.now();

  return async body => {
    // Bun's pool has no idle time one could set: after a longer pause a connection of its own is opened. 0 is for ever.
    const pooled = keepalive === 0 || performance.now() - idleSince <= keepalive;
    try {
      const signal = AbortSignal.timeout(timeout);
      const response = await fetch(url, { method, headers, body, signal, keepalive: pooled, redirect: 'manual' });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`status ${response.status}`);
    } catch (error) {
      throw new Error(`${url.host}: ${(error as Error).message}`);
    } finally {
      idleSince = performance.now();
    }
  };
}

/** The endpoint without its user and password: they are sent as a header. */
function destination({ http_endpoint, headers, content_type }: Config): { url: URL; headers: Headers } {
  const url = URL.parse(http_endpoint);
  if (!url) throw new ConfigurationError('what the reference stands for is not a url', 'http_endpoint');
  const sent = new Headers();
  for (const [name, value] of Object.entries(headers ?? {})) {
    try {
      sent.set(name, value);
    } catch {
      throw new ConfigurationError('not a valid HTTP header', `headers.${name}`);
    }
  }
  sent.set('content-type', content_type ?? 'application/json');
  if (hasUserInfo(url)) {
    const userInfo = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    sent.set('authorization', `Basic ${Buffer.from(userInfo).toString('base64')}`);
    url.username = '';
    url.password = '';
  }
  return { url, headers: sent };
}

const hasUserInfo = (url: URL) => url.username !== '' || url.password !== '';

function checkUrl(value: string): string | undefined {
  const url = URL.parse(value);
  if (!url?.host) return 'missing host in url';
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'the url must start with http:// or https://';
  try {
    decodeURIComponent(url.username + url.password);
  } catch {
    return 'the user info in the url is not percent-encoded as it should be';
  }
  return undefined;
}

/** Runs on what the fields' own checks may still refuse. */
function checkAuthorization({ http_endpoint, headers }: { http_endpoint: unknown; headers: unknown }): string | undefined {
  const url = URL.parse(String(http_endpoint));
  const authorization = Object.keys(headers ?? {}).some(name => name.toLowerCase() === 'authorization');
  if (!authorization || !url || !hasUserInfo(url)) return undefined;
  return "specifying both an 'Authorization' header and user info in 'http_endpoint' is not allowed";
}
