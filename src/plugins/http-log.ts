import { BatchQueue, type QueueLimits } from '../lib/batch-queue.ts';
import { ConfigurationError } from '../lib/configuration-error.ts';
import type { Log } from '../lib/log.ts';
import { type Infer, integer, map, number, record, string } from '../schema/field.ts';
import { customFieldsByLua } from './custom-fields.ts';
import { deprecated, warnOfDeprecated } from './deprecated-fields.ts';
import { checkUrl, destinationOf, hasUserInfo } from './http-destination.ts';
import { logEntry } from './log-entry.ts';
import { definePlugin } from './plugin.ts';
import { limitsOf, queueFields } from './queue-fields.ts';

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
    queue: record(queueFields(1), { required: true }),
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
      entries => post(limits.max_batch_size === 1 ? (entries[0] ?? '') : arrayOf(entries)),
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

/** As JSON. A text put together so is copied once, when it is sent; one of `join` is copied twice. */
const arrayOf = (entries: readonly string[]): string => `[${entries.reduce((before, entry) => `${before},${entry}`)}]`;

/** The queue as configured, and where a deprecated field differs from its old default, as that says. */
function queueLimits(given: Config, name: string, log: Log): QueueLimits {
  const { queue, queue_size, flush_timeout } = given;
  if (queue_size !== null && queue_size < 1) throw new ConfigurationError('value must be greater than 0', 'queue_size');
  if (flush_timeout !== null && flush_timeout < 0) throw new ConfigurationError('value must not be negative', 'flush_timeout');
  warnOfDeprecated(config, given, name, log);
  return {
    ...limitsOf(queue, 1),
    ...(queue_size !== null && queue_size !== 1 && { max_batch_size: queue_size }),
    ...(flush_timeout !== null && flush_timeout !== 2 && { max_coalescing_delay: flush_timeout }),
  };
}

/** Delivers a body; rejects when the server did not take it, with a reason that names its host but no secret. */
function poster(config: Config): (body: string) => Promise<void> {
  const { url, headers } = destinationOf(config.http_endpoint, 'http_endpoint', config.headers, config.content_type ?? 'application/json');
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

/** Runs on what the fields' own checks may still refuse. */
function checkAuthorization({ http_endpoint, headers }: { http_endpoint: unknown; headers: unknown }): string | undefined {
  const url = URL.parse(String(http_endpoint));
  const authorization = Object.keys(headers ?? {}).some(name => name.toLowerCase() === 'authorization');
  if (!authorization || !url || !hasUserInfo(url)) return undefined;
  return "specifying both an 'Authorization' header and user info in 'http_endpoint' is not allowed";
}
