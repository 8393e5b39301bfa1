import { b3, b3Single } from './b3.ts';
import {
  digitsOf,
  type Extracted,
  fromDecimal,
  type HeadersIn,
  type HeadersOut,
  idAsItCame,
  NOTHING,
  type Remains,
  shortId,
  spanIdOf,
  type TraceFormat,
  toDecimal,
  traceIdOf,
} from './trace-context.ts';

/** https://www.w3.org/TR/trace-context/ */
const w3c: TraceFormat = {
  extract({ traceparent = '' }) {
    const [, trace, span, flags = ''] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/i.exec(traceparent) ?? [];
    return whole(trace, span, isOdd(flags));
  },
  inject({ traceId, spanId, sampled }, headers) {
    headers['traceparent'] = `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
    return traceId;
  },
};

/** https://www.jaegertracing.io/docs/1.29/client-libraries/#propagation-format */
const jaeger: TraceFormat = {
  extract(headers) {
    const { 'uber-trace-id': told } = headers;
    if (told === undefined) return null;
    const [, trace, span, flags = ''] = /^([0-9a-f]{1,32}):([0-9a-f]{1,16}):[0-9a-f]+:([0-9a-f]{1,2})$/i.exec(told) ?? [];
    return whole(trace, span, isOdd(flags), { baggage: baggageIn(headers, 'uberctx-') });
  },
  inject(context, headers) {
    const traceId = idAsItCame(context);
    headers['uber-trace-id'] = `${traceId}:${context.spanId}:${context.parentId ?? '0'}:${context.sampled ? '01' : '00'}`;
    writeBaggage(context.remains, headers, 'uberctx-');
    return traceId;
  },
};

/** Of OpenTracing's basic tracers. */
const ot: TraceFormat = {
  extract(headers) {
    const { 'ot-tracer-traceid': trace, 'ot-tracer-spanid': span, 'ot-tracer-sampled': word } = headers;
    if (trace === undefined && word === undefined) return null;
    const sampled = { '1': true, true: true, '0': false, false: false }[word ?? ''] ?? null;
    return partial(trace, span, sampled, { baggage: baggageIn(headers, 'ot-baggage-') });
  },
  inject(context, headers) {
    const traceId = idAsItCame(context, 16);
    headers['ot-tracer-traceid'] = traceId;
    headers['ot-tracer-spanid'] = context.spanId;
    headers['ot-tracer-sampled'] = context.sampled ? '1' : '0';
    writeBaggage(context.remains, headers, 'ot-baggage-');
    return traceId;
  },
};

const datadog: TraceFormat = {
  extract(headers) {
    const sampled = { '1': true, '2': true, '0': false, '-1': false }[headers['x-datadog-sampling-priority'] ?? ''] ?? null;
    return partial(fromDecimal(headers['x-datadog-trace-id']), fromDecimal(headers['x-datadog-parent-id']), sampled);
  },
  inject(context, headers) {
    const traceId = toDecimal(shortId(context));
    headers['x-datadog-trace-id'] = traceId;
    headers['x-datadog-parent-id'] = toDecimal(context.spanId);
    headers['x-datadog-sampling-priority'] = context.sampled ? '1' : '0';
    return traceId;
  },
};

/** https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
const aws: TraceFormat = {
  extract(headers) {
    const { 'x-amzn-trace-id': told } = headers;
    if (told === undefined) return null;
    const pairs = told.split(';').map(pair => pair.split('=').map(part => part.trim()));
    const { Root = '', Parent, Sampled = '' }: { readonly [name: string]: string } = Object.fromEntries(pairs);
    const [, time, unique] = /^1-([0-9a-f]{8})-([0-9a-f]{24})$/i.exec(Root) ?? [];
    return whole(time && unique && time + unique, Parent, { '1': true, '0': false }[Sampled] ?? null);
  },
  inject({ traceId, spanId, sampled }, headers) {
    headers['x-amzn-trace-id'] = `Root=1-${traceId.slice(0, 8)}-${traceId.slice(8)};Parent=${spanId};Sampled=${sampled ? '1' : '0'}`;
    return traceId;
  },
};

/** https://cloud.google.com/trace/docs/trace-context#legacy-http-header */
const gcp: TraceFormat = {
  extract(headers) {
    const [, trace, span, options] = /^([0-9a-f]{32})\/(\d{1,20})(?:;o=(\d))?$/.exec(headers['x-cloud-trace-context'] ?? '') ?? [];
    return whole(trace, fromDecimal(span), options === '1');
  },
  inject({ traceId, spanId, sampled }, headers) {
    headers['x-cloud-trace-context'] = `${traceId}/${toDecimal(spanId)};o=${sampled ? '1' : '0'}`;
    return traceId;
  },
};

/** https://www.ibm.com/docs/en/instana-observability/current?topic=monitoring-traces */
const instana: TraceFormat = {
  extract(headers) {
    const sampled = { '1': true, '0': false }[headers['x-instana-l'] ?? ''] ?? null;
    return partial(headers['x-instana-t'], headers['x-instana-s'], sampled);
  },
  inject(context, headers) {
    const traceId = idAsItCame(context);
    headers['x-instana-t'] = traceId;
    headers['x-instana-s'] = context.spanId;
    headers['x-instana-l'] = context.sampled ? '1' : '0';
    return traceId;
  },
};

/** In the order in which Kong asks them when it is not told. */
export const EXTRACTORS = { b3, w3c, jaeger, ot, datadog, aws, gcp, instana } as const;
export const INJECTORS = { ...EXTRACTORS, 'b3-single': b3Single } as const;

const isOdd = (hex: string) => Number.parseInt(hex, 16) % 2 === 1;

/** What a format tells that always tells both ids. */
function whole(trace: string | undefined, span: string | undefined, sampled: boolean | null, remains?: Partial<Remains>): Extracted | null {
  const extracted = partial(trace, span, sampled, remains);
  return extracted?.traceId && extracted.spanId ? extracted : null;
}

function partial(
  trace: string | undefined,
  span: string | undefined,
  sampled: boolean | null,
  remains?: Partial<Remains>,
): Extracted | null {
  const traceId = traceIdOf(trace);
  if (traceId === null && sampled === null) return null;
  const digits = trace === undefined || traceId === null ? null : digitsOf(trace);
  return { traceId, spanId: traceId && spanIdOf(span), sampled, remains: { ...NOTHING, ...remains, digits } };
}

function baggageIn(headers: HeadersIn, prefix: string): Remains['baggage'] {
  const names = Object.keys(headers).filter(name => name.startsWith(prefix));
  return Object.fromEntries(names.map(name => [name.slice(prefix.length), headers[name] ?? '']));
}

/** Escaped as it came. */
function writeBaggage({ baggage }: Remains, headers: HeadersOut, prefix: string): void {
  for (const name in baggage) headers[prefix + name] = baggage[name] ?? '';
}
