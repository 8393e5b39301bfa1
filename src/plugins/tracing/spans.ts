import type { Attributes, SpanKind } from '@opentelemetry/api';
import { isObject, type Json, parseJson } from '../../lib/json.ts';
import type { Context } from '../context.ts';
import type { ObservedExchange } from '../llm/observed-exchange.ts';
import { observedExchangeKey } from '../llm/observed-exchange.ts';
import { loggedStatus } from '../request-measures.ts';
import { visibleUri } from '../visible-request.ts';
import { randomSpanId, type Trace } from './trace.ts';

/** A span of one trace; times in milliseconds since 1970. */
export interface Span {
  readonly name: string;
  readonly kind: SpanKind;
  readonly traceId: string;
  readonly id: string;
  readonly parentId: string | null;
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
  readonly failed: boolean;
}

const SERVER: SpanKind = 1;
const CLIENT: SpanKind = 2;

/** What a request came to, under Kong's names: the request itself, each address that was tried, the exchange with a model. */
export function spansOf(context: Context, trace: Trace): Span[] {
  const end = context.startedAt + (context.outcome.endedMs ?? 0);
  const exchange = context.notes.get(observedExchangeKey);
  const calls = balancerSpans(context, trace, end);
  return [requestSpan(context, trace, end), ...calls, ...(exchange && calls.length > 0 ? [modelSpan(context, trace, exchange, end)] : [])];
}

function requestSpan(context: Context, { traceId, rootId, parentId }: Trace, end: number): Span {
  const { method, url, clientIp, peerIp, id, route, startedAt, outcome } = context;
  const status = loggedStatus(outcome);
  const scheme = url.protocol.slice(0, -1);
  const attributes = {
    'http.method': method,
    'http.url': `${scheme}://${url.hostname}${visibleUri(context)}`,
    'http.host': url.hostname,
    'http.scheme': scheme,
    'http.flavor': '1.1',
    'http.client_ip': clientIp,
    'net.peer.ip': peerIp,
    'kong.request.id': id,
    'http.status_code': status,
    'http.route': route?.paths?.[0] ?? '',
  };
  return { name: 'kong', kind: SERVER, traceId, id: rootId, parentId, start: startedAt, end, attributes, failed: status >= 500 };
}

/** The last one bears the id that the upstream was told. */
function balancerSpans(context: Context, { traceId, rootId, calledId }: Trace, end: number): Span[] {
  const { tries } = context.outcome;
  if (tries.length === 0) return [];
  const { hostname = '', protocol = '' } = context.upstream.url === null ? {} : new URL(context.upstream.url);
  const url = `${protocol}//${hostname}${visibleUri(context)}`;
  return tries.map(({ ip, port, startedAt, state, code }, index) => ({
    name: 'kong.balancer',
    kind: CLIENT,
    traceId,
    id: index === tries.length - 1 ? calledId : randomSpanId(),
    parentId: rootId,
    start: startedAt,
    end: tries[index + 1]?.startedAt ?? Math.max(end, startedAt),
    attributes: {
      try_count: index + 1,
      'net.peer.ip': ip,
      'net.peer.port': port,
      'net.peer.name': hostname,
      'http.method': context.upstream.method,
      'http.url': url,
      ...(code !== undefined && { 'http.status_code': code }),
    },
    failed: state === 'failed',
  }));
}

/** https://developer.konghq.com/ai-gateway/llm-open-telemetry/ */
function modelSpan(context: Context, { traceId, rootId }: Trace, exchange: ObservedExchange, end: number): Span {
  const { provider, routeType, call, observation } = exchange;
  const { usage, id, model, finishReasons, payload } = observation;
  const { outcome, startedAt } = context;
  return {
    name: 'kong.gen_ai',
    kind: CLIENT,
    traceId,
    id: randomSpanId(),
    parentId: rootId,
    start: startedAt + (outcome.upstreamStartedMs ?? 0),
    end,
    attributes: known({
      'gen_ai.operation.name': OPERATIONS[routeType],
      'gen_ai.provider.name': provider,
      'gen_ai.request.model': call.model,
      'gen_ai.request.max_tokens': numberIn(call.options?.max_tokens),
      'gen_ai.request.temperature': numberIn(call.options?.temperature),
      'gen_ai.input.messages': call.text === '' ? undefined : messagesIn(call.text),
      'gen_ai.output.messages': payload === '' ? undefined : payload,
      'gen_ai.response.id': id ?? undefined,
      'gen_ai.response.model': model ?? undefined,
      'gen_ai.response.finish_reasons': finishReasons.size === 0 ? undefined : [...finishReasons.values()],
      'gen_ai.usage.input_tokens': usage?.prompt_tokens,
      'gen_ai.usage.output_tokens': usage?.completion_tokens,
    }),
    failed: loggedStatus(outcome) >= 400,
  };
}

const OPERATIONS: { readonly [Type in ObservedExchange['routeType']]: string | undefined } = {
  'llm/v1/chat': 'chat',
  'llm/v1/completions': 'text_completion',
  'llm/v1/embeddings': 'embeddings',
  preserve: undefined,
};

const numberIn = (value: Json | undefined) => (typeof value === 'number' ? value : undefined);

/** What of the client's body is said to the model, as JSON. */
function messagesIn(text: string): string | undefined {
  const body = parseJson(text);
  const said = isObject(body) ? (body['messages'] ?? body['prompt'] ?? body['input']) : undefined;
  return said === undefined ? undefined : JSON.stringify(said);
}

const known = (attributes: { readonly [name: string]: Attributes[string] | undefined }): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined && value !== ''));
