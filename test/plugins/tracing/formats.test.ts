import { describe, expect, test } from 'bun:test';
import { EXTRACTORS, INJECTORS } from '../../../src/plugins/tracing/formats.ts';
import { NOTHING, type Remains, type TraceContext } from '../../../src/plugins/tracing/trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SHORT = '8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const PARENT = '00f067aa0ba902b7';
const FILLED = `0000000000000000${SHORT}`;

const remains = (given: Partial<Remains>): Remains => ({ ...NOTHING, digits: 32, ...given });
const found = (sampled: boolean | null, given: Partial<Remains> = {}, traceId = TRACE, spanId: string | null = SPAN) => ({
  traceId,
  spanId,
  sampled,
  remains: remains(given),
});
const only = (sampled: boolean, given: Partial<Remains> = {}) => ({
  traceId: null,
  spanId: null,
  sampled,
  remains: remains({ digits: null, ...given }),
});

type Format = keyof typeof EXTRACTORS;
type Headers = Readonly<Record<string, string>>;

describe('of a client', () => {
  test.each<[Format, Headers, object | null]>([
    ['w3c', { traceparent: `00-${TRACE}-${SPAN}-01` }, found(true)],
    ['w3c', { traceparent: `00-${TRACE}-${SPAN}-00` }, found(false)],
    ['w3c', { traceparent: `00-${TRACE.toUpperCase()}-${SPAN}-03` }, found(true)],
    ['w3c', { traceparent: `01-${TRACE}-${SPAN}-01` }, null],
    ['w3c', { traceparent: `00-${'0'.repeat(32)}-${SPAN}-01` }, null],
    ['w3c', { traceparent: `00-${TRACE}-${'0'.repeat(16)}-01` }, null],
    ['w3c', { traceparent: `00-${TRACE}-${SPAN}-01-more` }, null],
    ['w3c', { traceparent: 'x'.repeat(100_000) }, null],
    ['w3c', {}, null],
    ['b3', { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-sampled': '1' }, found(true)],
    ['b3', { 'x-b3-traceid': SHORT, 'x-b3-spanid': SPAN, 'x-b3-sampled': 'false' }, found(false, { digits: 16 }, FILLED)],
    ['b3', { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN }, found(null)],
    ['b3', { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-flags': '1' }, found(true, { debug: true })],
    ['b3', { 'x-b3-traceid': TRACE, 'x-b3-spanid': 'zz' }, found(null, {}, TRACE, null)],
    ['b3', { 'x-b3-traceid': 'abc', 'x-b3-spanid': SPAN }, null],
    ['b3', { 'x-b3-sampled': '0' }, only(false)],
    ['b3', { b3: `${TRACE}-${SPAN}-1-${PARENT}` }, found(true, { single: true })],
    ['b3', { b3: `${SHORT}-${SPAN}` }, found(null, { single: true, digits: 16 }, FILLED)],
    ['b3', { b3: `${TRACE}-${SPAN}-d` }, found(true, { single: true, debug: true })],
    ['b3', { b3: '0' }, only(false, { single: true })],
    ['b3', { b3: 'd' }, only(true, { single: true, debug: true })],
    ['b3', { b3: 'nonsense' }, null],
    ['b3', { tracestate: `other=1,b3=${TRACE}-${SPAN}-1` }, found(true, { single: true })],
    ['b3', { tracestate: 'other=1' }, null],
    ['jaeger', { 'uber-trace-id': `${TRACE}:${SPAN}:0:1`, 'uberctx-user': 'ann%20b' }, found(true, { baggage: { user: 'ann%20b' } })],
    ['jaeger', { 'uber-trace-id': `${SHORT}:abc:0:00` }, found(false, { digits: 16 }, FILLED, '0000000000000abc')],
    ['jaeger', { 'uber-trace-id': `${TRACE}:${SPAN}:0:100` }, null],
    ['jaeger', { 'uber-trace-id': `0:${SPAN}:0:1` }, null],
    ['ot', { 'ot-tracer-traceid': SHORT, 'ot-tracer-spanid': SPAN, 'ot-tracer-sampled': 'true' }, found(true, { digits: 16 }, FILLED)],
    ['ot', { 'ot-tracer-traceid': TRACE, 'ot-tracer-spanid': SPAN, 'ot-baggage-a': '1' }, found(null, { baggage: { a: '1' } })],
    ['ot', { 'ot-tracer-sampled': '0' }, only(false)],
    [
      'datadog',
      { 'x-datadog-trace-id': '9532127138774266268', 'x-datadog-parent-id': '13235353014750950193', 'x-datadog-sampling-priority': '2' },
      found(true, { digits: 16 }, FILLED),
    ],
    [
      'datadog',
      { 'x-datadog-trace-id': '1', 'x-datadog-sampling-priority': '-1' },
      found(false, { digits: 16 }, '1'.padStart(32, '0'), null),
    ],
    ['datadog', { 'x-datadog-trace-id': '99999999999999999999999' }, null],
    ['datadog', { 'x-datadog-trace-id': '-5' }, null],
    ['aws', { 'x-amzn-trace-id': `Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=${SPAN};Sampled=1` }, found(true)],
    ['aws', { 'x-amzn-trace-id': `Self=1-x; Parent=${SPAN} ;Root=1-0af76519-16cd43dd8448eb211c80319c` }, found(null)],
    ['aws', { 'x-amzn-trace-id': `Root=2-0af76519-16cd43dd8448eb211c80319c;Parent=${SPAN}` }, null],
    ['gcp', { 'x-cloud-trace-context': `${TRACE}/13235353014750950193;o=1` }, found(true)],
    ['gcp', { 'x-cloud-trace-context': `${TRACE}/13235353014750950193` }, found(false)],
    ['gcp', { 'x-cloud-trace-context': `${TRACE}/99999999999999999999` }, null],
    ['instana', { 'x-instana-t': TRACE, 'x-instana-s': SPAN, 'x-instana-l': '1' }, found(true)],
    ['instana', { 'x-instana-l': '0' }, only(false)],
  ])('%s %j', (format, headers, extracted) => {
    expect(EXTRACTORS[format].extract(headers) as object | null).toEqual(extracted);
  });
});

describe('for an upstream', () => {
  const context = (given: Partial<Remains> = {}, sampled = true): TraceContext => ({
    traceId: TRACE,
    spanId: SPAN,
    parentId: PARENT,
    sampled,
    remains: { ...NOTHING, ...given },
  });
  const b3 = { 'x-b3-spanid': SPAN, 'x-b3-parentspanid': PARENT };

  test.each<[keyof typeof INJECTORS, TraceContext, Headers, string]>([
    ['w3c', context(), { traceparent: `00-${TRACE}-${SPAN}-01` }, TRACE],
    ['w3c', context({ digits: 16 }, false), { traceparent: `00-${TRACE}-${SPAN}-00` }, TRACE],
    ['b3', context(), { ...b3, 'x-b3-traceid': TRACE, 'x-b3-sampled': '1' }, TRACE],
    ['b3', context({ digits: 16 }, false), { ...b3, 'x-b3-traceid': SHORT, 'x-b3-sampled': '0' }, SHORT],
    ['b3', context({ debug: true }), { ...b3, 'x-b3-traceid': TRACE, 'x-b3-flags': '1' }, TRACE],
    ['b3-single', context(), { b3: `${TRACE}-${SPAN}-1-${PARENT}` }, TRACE],
    ['b3-single', context({ digits: 16, debug: true }), { b3: `${SHORT}-${SPAN}-d-${PARENT}` }, SHORT],
    [
      'jaeger',
      context({ baggage: { user: 'ann%20b' } }),
      { 'uber-trace-id': `${TRACE}:${SPAN}:${PARENT}:01`, 'uberctx-user': 'ann%20b' },
      TRACE,
    ],
    [
      'ot',
      context({ baggage: { a: '1' } }),
      { 'ot-tracer-traceid': SHORT, 'ot-tracer-spanid': SPAN, 'ot-tracer-sampled': '1', 'ot-baggage-a': '1' },
      SHORT,
    ],
    ['ot', context({ digits: 32 }, false), { 'ot-tracer-traceid': TRACE, 'ot-tracer-spanid': SPAN, 'ot-tracer-sampled': '0' }, TRACE],
    [
      'datadog',
      context(),
      { 'x-datadog-trace-id': '9532127138774266268', 'x-datadog-parent-id': '13235353014750950193', 'x-datadog-sampling-priority': '1' },
      '9532127138774266268',
    ],
    ['aws', context(), { 'x-amzn-trace-id': `Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=${SPAN};Sampled=1` }, TRACE],
    ['gcp', context({}, false), { 'x-cloud-trace-context': `${TRACE}/13235353014750950193;o=0` }, TRACE],
    ['instana', context(), { 'x-instana-t': TRACE, 'x-instana-s': SPAN, 'x-instana-l': '1' }, TRACE],
  ])('%s', (format, given, headers, id) => {
    const written: Record<string, string> = {};
    expect(INJECTORS[format].inject(given, written)).toBe(id);
    expect(written).toEqual(headers);
  });
});
