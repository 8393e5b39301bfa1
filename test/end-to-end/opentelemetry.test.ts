import { expect, setDefaultTimeout, test } from 'bun:test';
import { startAiGateway } from '../support/ai-gateway.ts';
import { openLineServer } from '../support/line-server.ts';
import { openOtlpCollector, type ReceivedSpan } from '../support/otlp.ts';

setDefaultTimeout(30_000);

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const traceparent = `00-${TRACE}-${SPAN}-01`;

const QUEUE = { max_coalescing_delay: 0.05 };
const byName = (spans: readonly ReceivedSpan[], name: string) => spans.find(span => span.name === name) as ReceivedSpan;

test('a streamed answer of a model is a trace: the request, the call, the exchange with what it used; logs name the trace', async () => {
  await using collector = openOtlpCollector(200);
  using logs = openLineServer();
  await using ai = await startAiGateway([
    {
      name: 'opentelemetry',
      config: {
        traces_endpoint: `${collector.url}/v1/traces`,
        queue: QUEUE,
        http_response_header_for_traceid: 'x-trace-id',
        resource_attributes: { 'service.name': 'ai gateway' },
      },
    },
    { name: 'tcp-log', config: { host: '127.0.0.1', port: logs.port } },
  ]);
  const response = await fetch(`${ai.gateway.proxy}/chat?key=1`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent },
    body: JSON.stringify({ stream: true, max_tokens: 9, temperature: 0.5, messages: [{ role: 'user', content: 'What is 1+1?' }] }),
  });
  expect(await response.text()).toEndWith('data: [DONE]\n\n');
  expect(response.headers.get('x-trace-id')).toBe(TRACE);

  const spans = await collector.spans(3);
  const [root, called, exchange] = ['kong', 'kong.balancer', 'kong.gen_ai'].map(name => byName(spans, name)) as [
    ReceivedSpan,
    ReceivedSpan,
    ReceivedSpan,
  ];
  expect(spans.map(({ traceId }) => traceId)).toEqual([TRACE, TRACE, TRACE]);
  expect([root.parentSpanId, called.parentSpanId, exchange.parentSpanId]).toEqual([SPAN, root.spanId, root.spanId]);
  expect(root).toMatchObject({
    attributes: { 'http.method': 'POST', 'http.status_code': 200, 'http.route': '/chat' },
    resource: { 'service.name': 'ai gateway' },
  });
  expect(called.attributes).toMatchObject({ try_count: 1, 'net.peer.port': ai.vendor.port });
  expect(exchange.attributes).toEqual({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-4',
    'gen_ai.request.max_tokens': 9,
    'gen_ai.request.temperature': 0.5,
    'gen_ai.response.id': 'c1',
    'gen_ai.response.model': 'gpt-4-0613',
    'gen_ai.response.finish_reasons': ['stop'],
    'gen_ai.usage.input_tokens': 11,
    'gen_ai.usage.output_tokens': 5,
  });
  for (const { start, end } of [called, exchange]) expect(root.start <= start && start <= end && end <= root.end).toBe(true);
  expect((await ai.vendor.received()).header('traceparent')).toBe(`00-${TRACE}-${called.spanId}-01`);

  const [entry = ''] = await logs.received(1);
  expect(JSON.parse(entry).trace_id).toEqual({ w3c: TRACE });
  expect(new TextDecoder().decode(Buffer.concat(collector.requests.map(({ bytes }) => bytes)))).not.toContain('secret-key');
});

test('prompts and answers are told only where payloads are logged', async () => {
  await using collector = openOtlpCollector(200);
  await using ai = await startAiGateway([{ name: 'opentelemetry', config: { endpoint: `${collector.url}/v1/traces`, queue: QUEUE } }]);
  await ai.chat();
  const before = byName(await collector.spans(3), 'kong.gen_ai').attributes;
  expect(Object.keys(before).filter(name => name.endsWith('messages'))).toEqual([]);

  const { data } = (await ai.gateway.request('GET', '/routes/chat/plugins')).body as {
    data: { id: string; config: { logging: object } }[];
  };
  const [proxy] = data;
  await ai.gateway.request('PATCH', `/plugins/${proxy?.id}`, { config: { logging: { ...proxy?.config.logging, log_payloads: true } } });
  await ai.chat();
  const after = (await collector.spans(6)).filter(({ name }) => name === 'kong.gen_ai')[1]?.attributes ?? {};
  expect(JSON.parse(String(after['gen_ai.input.messages']))).toEqual([{ role: 'user', content: 'What is 1+1?' }]);
  expect(after['gen_ai.output.messages']).toBe('It is 2.');
});

test('what the gateway logs of a request bears its trace, from whichever worker', async () => {
  await using collector = openOtlpCollector(200);
  const endpoints = { traces_endpoint: `${collector.url}/v1/traces`, logs_endpoint: `${collector.url}/v1/logs` };
  await using ai = await startAiGateway([{ name: 'opentelemetry', config: { ...endpoints, queue: QUEUE } }], { SLUICE_WORKERS: '2' });
  ai.vendor.answer('close');
  await fetch(`${ai.gateway.proxy}/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'x' }] }),
  });
  const records = await collector.records(({ body }) => body === 'upstream failed');
  const spans = await collector.spans(2);
  const root = byName(spans, 'kong');
  const record = records.find(({ body }) => body === 'upstream failed');
  expect(record).toMatchObject({
    traceId: TRACE,
    spanId: root.spanId,
    severityText: 'ERR',
    attributes: { 'request.id': root.attributes['kong.request.id'] },
  });
  expect(root.status.code).toBe(2);
  expect(byName(spans, 'kong.balancer').status.code).toBe(2);
});

test('a collector that is gone stops no request, and the gateway ends in time', async () => {
  const gone = openOtlpCollector();
  await gone[Symbol.asyncDispose]();
  const ai = await startAiGateway([
    { name: 'opentelemetry', config: { traces_endpoint: `${gone.url}/v1/traces`, logs_endpoint: `${gone.url}/v1/logs`, queue: QUEUE } },
  ]);
  for (let asked = 0; asked < 10; asked++) expect(await ai.chat()).toEndWith('data: [DONE]\n\n');
  await ai.gateway.logged(({ message }) => message.includes('could not send, will try again'));
  expect(await ai.gateway.stop()).toBe(0);
  ai.vendor.stop();
});
