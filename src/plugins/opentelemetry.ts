import type { Attributes } from '@opentelemetry/api';
import type { QueueLimits } from '../lib/batch-queue.ts';
import { ConfigurationError } from '../lib/configuration-error.ts';
import type { Log, LogLine } from '../lib/log.ts';
import { version } from '../lib/version.ts';
import { type Infer, integer, map, number, record, string } from '../schema/field.ts';
import { headerName, protocolsHttp } from '../schema/typedefs.ts';
import { type Context, noteKey } from './context.ts';
import { deprecated, warnOfDeprecated } from './deprecated-fields.ts';
import { checkUrl } from './http-destination.ts';
import { definePlugin } from './plugin.ts';
import { limitsOf, queueFields } from './queue-fields.ts';
import { openExporter } from './tracing/exporter.ts';
import { type LogRecord, otlpEncoder } from './tracing/otlp.ts';
import { compilePropagation, HEADER_TYPES, propagation, UNTRACED } from './tracing/propagation.ts';
import { spansOf } from './tracing/spans.ts';
import { beginTrace, STRATEGIES, sampler, type Trace, toldUpstream } from './tracing/trace.ts';

const BATCH = 200;
const timeout = (initial: number) => integer({ default: initial, between: [0, 2_147_483_646] });
const endpoint = string({ referenceable: true, custom_validator: checkUrl });

const config = record(
  {
    traces_endpoint: endpoint,
    logs_endpoint: endpoint,
    headers: map(headerName, string({ referenceable: true })),
    resource_attributes: map(string({ required: true }), string({ required: true }), { custom_validator: attributesError }),
    queue: record(queueFields(1), { default: { max_batch_size: BATCH } }),
    batch_span_count: integer(
      deprecated('opentelemetry: config.batch_span_count is deprecated, please use config.queue.max_batch_size instead', BATCH),
    ),
    batch_flush_delay: integer(
      deprecated('opentelemetry: config.batch_flush_delay is deprecated, please use config.queue.max_coalescing_delay instead', 3),
    ),
    connect_timeout: timeout(1000),
    send_timeout: timeout(5000),
    read_timeout: timeout(5000),
    http_response_header_for_traceid: headerName,
    header_type: string({
      required: false,
      default: 'preserve',
      one_of: HEADER_TYPES,
      ...deprecated('opentelemetry: config.header_type is deprecated, please use config.propagation options instead', 'preserve'),
    }),
    sampling_rate: number({ required: false, between: [0, 1] }),
    sampling_strategy: string({ default: 'parent_drop_probability_fallback', one_of: STRATEGIES }),
    propagation,
  },
  {
    required: true,
    entity_checks: [{ at_least_one_of: ['traces_endpoint', 'logs_endpoint'] }],
    shorthand_fields: {
      endpoint: {
        field: string({
          referenceable: true,
          custom_validator: checkUrl,
          deprecation: {
            message: 'OpenTelemetry: config.endpoint is deprecated, please use config.traces_endpoint instead',
            removal_in_version: '4.0',
          },
        }),
        func: (value: string) => ({ traces_endpoint: value }),
      },
    },
  },
);

type Config = Infer<typeof config>;

/** Traces of requests, and what the gateway logs of them, to an OTLP server. */
export const opentelemetry = definePlugin({
  name: 'opentelemetry',
  priority: 14,
  fields: { protocols: protocolsHttp },
  config,

  configure(config, host, instance) {
    const name = `opentelemetry ${instance.id}`;
    const encoder = otlpEncoder({
      'service.name': 'kong',
      'service.instance.id': host.nodeId,
      'service.version': version,
      ...config.resource_attributes,
    });
    const exporter = {
      headers: config.headers,
      timeout: (config.connect_timeout ?? 1000) + (config.send_timeout ?? 5000) + (config.read_timeout ?? 5000),
      limits: queueLimits(config, name, host.log),
      log: host.log,
    };
    const { traces_endpoint, logs_endpoint, http_response_header_for_traceid: header } = config;
    const spans =
      traces_endpoint === null
        ? null
        : openExporter({ ...exporter, name: `${name} traces`, endpoint: traces_endpoint, field: 'traces_endpoint', encode: encoder.spans });
    const records =
      logs_endpoint === null
        ? null
        : openExporter({ ...exporter, name: `${name} logs`, endpoint: logs_endpoint, field: 'logs_endpoint', encode: encoder.logs });
    const { extract, inject } = compilePropagation(config.propagation, config.header_type);
    const isSampled = sampler(config.sampling_rate ?? 1, config.sampling_strategy ?? 'parent_drop_probability_fallback');
    const traceKey = noteKey<Trace>(name);
    /** By the ids of requests under way: null without traces. */
    const underWay = new Map<string, Trace | null>();
    const stopWatching = records && watchLog(host.log, underWay, record => records.add(record));

    /** A request that another plugin answered has no trace before this. */
    const traceOf = (context: Context): Trace => {
      const known = context.notes.get(traceKey);
      if (known !== undefined) return known;
      const trace = beginTrace(extract(context.upstream.headers)?.extracted ?? UNTRACED, isSampled);
      context.notes.set(traceKey, trace);
      return trace;
    };

    return {
      access(context) {
        if (spans !== null) {
          const { headers } = context.upstream;
          const found = extract(headers);
          const { extracted, format } = found ?? { extracted: UNTRACED, format: null };
          const trace = beginTrace(extracted, isSampled);
          context.notes.set(traceKey, trace);
          const trace_id = inject(toldUpstream(trace, extracted.remains), format, headers);
          const known = context.log['trace_id'];
          context.log['trace_id'] = { ...(typeof known === 'object' && known), ...trace_id };
        }
        if (records !== null) underWay.set(context.id, context.notes.get(traceKey) ?? null);
        return undefined;
      },

      ...(spans !== null &&
        header !== null && {
          response(context: Context, response: Response) {
            response.headers.append(header, traceOf(context).traceId);
            return undefined;
          },
        }),

      log(context) {
        underWay.delete(context.id);
        if (spans === null) return;
        const trace = traceOf(context);
        if (trace.sampled) for (const span of spansOf(context, trace)) spans.add(span);
      },

      async close() {
        stopWatching?.();
        await Promise.all([spans?.close(), records?.close()]);
      },
    };
  },
});

/** What deprecated fields say where they differ from their old defaults. */
function queueLimits(given: Config, name: string, log: Log): QueueLimits {
  const { queue, batch_span_count, batch_flush_delay } = given;
  if (batch_span_count !== null && batch_span_count < 1) throw new ConfigurationError('value must be greater than 0', 'batch_span_count');
  if (batch_flush_delay !== null && batch_flush_delay < 0) throw new ConfigurationError('value must not be negative', 'batch_flush_delay');
  warnOfDeprecated(config, given, name, log);
  return {
    ...limitsOf(queue, BATCH),
    ...(batch_span_count !== null && batch_span_count !== BATCH && { max_batch_size: batch_span_count }),
    ...(batch_flush_delay !== null && batch_flush_delay !== 3 && { max_coalescing_delay: batch_flush_delay }),
  };
}

/** Lines of requests under way, and of none. What this plugin says of itself would never come to an end. */
function watchLog(log: Log, underWay: ReadonlyMap<string, LogRecord['trace']>, add: (record: LogRecord) => void) {
  return log.watch?.(({ level, message, facts }: LogLine) => {
    const { request_id, ...others } = facts;
    if (message.startsWith('opentelemetry ') || (typeof request_id === 'string' && !underWay.has(request_id))) return;
    const trace = typeof request_id === 'string' ? (underWay.get(request_id) ?? null) : null;
    const attributes = { ...flat(others), ...(typeof request_id === 'string' && { 'request.id': request_id }) };
    add({ time: Date.now(), level, message, attributes, trace });
  });
}

const flat = (facts: Readonly<Record<string, unknown>>): Attributes =>
  Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [name, typeof value === 'object' ? JSON.stringify(value) : (value as string | number)]),
  );

function attributesError(attributes: Readonly<Record<string, unknown>>): string | undefined {
  return Object.values(attributes).some(value => value === '') ? 'required field missing' : undefined;
}
