import { digitsOf, type Extracted, idAsItCame, NOTHING, spanIdOf, type TraceFormat, traceIdOf } from './trace-context.ts';

const SAMPLED: Readonly<Record<string, boolean>> = { '1': true, d: true, true: true, '0': false, false: false };
const TRACE = /^(?:[0-9a-f]{16}|[0-9a-f]{32})$/i;
const SINGLE = /^([0-9a-f]{16}|[0-9a-f]{32})-([0-9a-f]{16})(?:-([01d]))?(?:-[0-9a-f]{16})?$/i;

/** In several headers, read from one too: https://github.com/openzipkin/b3-propagation */
export const b3: TraceFormat = {
  extract(headers) {
    const single = headers['b3'] ?? /(?:^|,)\s*b3=([^,]+)/.exec(headers['tracestate'] ?? '')?.[1];
    return (single !== undefined && fromOne(single.trim())) || fromSeveral(headers);
  },
  inject(context, headers) {
    const traceId = idAsItCame(context);
    headers['x-b3-traceid'] = traceId;
    headers['x-b3-spanid'] = context.spanId;
    if (context.parentId !== null) headers['x-b3-parentspanid'] = context.parentId;
    if (context.remains.debug) headers['x-b3-flags'] = '1';
    else headers['x-b3-sampled'] = context.sampled ? '1' : '0';
    return traceId;
  },
};

export const b3Single: TraceFormat = {
  extract: b3.extract,
  inject(context, headers) {
    const traceId = idAsItCame(context);
    const sampled = context.remains.debug ? 'd' : context.sampled ? '1' : '0';
    headers['b3'] = `${traceId}-${context.spanId}-${sampled}${context.parentId === null ? '' : `-${context.parentId}`}`;
    return traceId;
  },
};

function fromOne(text: string): Extracted | null {
  if (text.length === 1 && text in SAMPLED) return extracted(undefined, undefined, text, text === 'd', true);
  const [, trace, span, sampled] = SINGLE.exec(text) ?? [];
  return trace === undefined ? null : extracted(trace, span, sampled, sampled === 'd', true);
}

function fromSeveral(headers: Parameters<TraceFormat['extract']>[0]): Extracted | null {
  const { 'x-b3-traceid': trace = '', 'x-b3-spanid': span, 'x-b3-sampled': sampled, 'x-b3-flags': flags } = headers;
  return extracted(TRACE.test(trace) ? trace : undefined, span?.length === 16 ? span : undefined, sampled, flags === '1', false);
}

function extracted(trace: string | undefined, span: string | undefined, word = '', debug: boolean, single: boolean): Extracted | null {
  const traceId = traceIdOf(trace);
  const sampled = debug || (SAMPLED[word] ?? null);
  if (traceId === null && sampled === null) return null;
  const digits = trace === undefined || traceId === null ? null : digitsOf(trace);
  return { traceId, spanId: traceId && spanIdOf(span), sampled, remains: { ...NOTHING, digits, debug, single } };
}
