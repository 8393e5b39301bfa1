import type { Attributes, HrTime } from '@opentelemetry/api';
import type { LogLevel } from '../../lib/log.ts';
import { version } from '../../lib/version.ts';
import type { Span } from './spans.ts';

type Transformer = typeof import('@opentelemetry/otlp-transformer');
type ReadableSpan = Parameters<Transformer['ProtobufTraceSerializer']['serializeRequest']>[0][number];
type ReadableLogRecord = Parameters<Transformer['ProtobufLogsSerializer']['serializeRequest']>[0][number];
type Resource = ReadableSpan['resource'];

/** One line of the gateway's log, of a trace or of none. */
export interface LogRecord {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly attributes: Attributes;
  readonly trace: { readonly traceId: string; readonly rootId: string; readonly sampled: boolean } | null;
}

/** OTLP in protobuf: https://opentelemetry.io/docs/specs/otlp/ */
export interface OtlpEncoder {
  spans(spans: readonly Span[]): Uint8Array;
  logs(records: readonly LogRecord[]): Uint8Array;
}

/** Loaded by who needs it: it is large, and most gateways send nothing to such a server. */
const transformer = (): Transformer => require('@opentelemetry/otlp-transformer');

const NOTHING_DROPPED = { droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 };
const instrumentationScope = { name: 'sluice', version };
const [UNSET, ERROR] = [0, 2];

/** By OpenTelemetry's numbers. */
const SEVERITIES: { readonly [L in LogLevel]: readonly [number: number, text: string] } = {
  debug: [5, 'DEBUG'],
  info: [9, 'INFO'],
  notice: [11, 'NOTICE'],
  warn: [13, 'WARN'],
  error: [17, 'ERR'],
  crit: [19, 'CRIT'],
};

export function otlpEncoder(attributes: Attributes): OtlpEncoder {
  const { ProtobufLogsSerializer, ProtobufTraceSerializer } = transformer();
  // The serializers ask a resource for no more.
  const resource = { attributes } as Resource;

  const readableSpan = ({ name, kind, traceId, id, parentId, start, end, failed, attributes }: Span): ReadableSpan => ({
    name,
    kind,
    attributes,
    spanContext: () => ({ traceId, spanId: id, traceFlags: 1 }),
    ...(parentId !== null && { parentSpanContext: { traceId, spanId: parentId, traceFlags: 1 } }),
    startTime: hrTime(start),
    endTime: hrTime(end),
    duration: hrTime(end - start),
    ended: true,
    status: { code: failed ? ERROR : UNSET } as ReadableSpan['status'],
    links: [],
    events: [],
    resource,
    instrumentationScope,
    ...NOTHING_DROPPED,
  });

  const readableRecord = ({ time, level, message, attributes, trace }: LogRecord): ReadableLogRecord => ({
    hrTime: hrTime(time),
    hrTimeObserved: hrTime(time),
    severityNumber: SEVERITIES[level][0],
    severityText: SEVERITIES[level][1],
    body: message,
    attributes,
    ...(trace && { spanContext: { traceId: trace.traceId, spanId: trace.rootId, traceFlags: trace.sampled ? 1 : 0 } }),
    resource,
    instrumentationScope,
    droppedAttributesCount: 0,
  });

  return {
    spans: spans => ProtobufTraceSerializer.serializeRequest(spans.map(readableSpan)) ?? new Uint8Array(),
    logs: records => ProtobufLogsSerializer.serializeRequest(records.map(readableRecord)) ?? new Uint8Array(),
  };
}

/** How many entries of an answered request the server did not take, and why; null: it took all. */
export function rejectedIn(answer: Uint8Array): string | null {
  try {
    const { partialSuccess } = transformer().ProtobufTraceSerializer.deserializeResponse(answer) ?? {};
    const { rejectedSpans = 0, errorMessage = '' } = partialSuccess ?? {};
    return rejectedSpans > 0 ? `${rejectedSpans} entries were rejected: ${errorMessage}` : null;
  } catch {
    return null;
  }
}

/** Seconds, and the nanoseconds beside them: milliseconds have more digits than a float keeps. */
function hrTime(milliseconds: number): HrTime {
  const microseconds = Math.round(milliseconds * 1000);
  return [Math.floor(microseconds / 1e6), (microseconds % 1e6) * 1000];
}
