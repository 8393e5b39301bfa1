import { awsMessage } from './aws-messages.ts';
import type { ReceivedRequest } from './received-request.ts';
import type { Answer, Upstream } from './upstream.ts';

/** What a model says: text, or calls of tools. */
export interface Said {
  readonly text?: string;
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly input: object }[];
}

/** A vendor as its API reference has it: how it is configured, and how its API says something, whole and as a stream. */
export interface Vendor {
  readonly name: string;
  readonly model: string;
  readonly auth: object;
  readonly options: (url: string) => object;
  /** A header by which the vendor knows who pays, and what it must hold. */
  readonly paidBy: readonly [header: string, value: string | RegExp];
  streams(request: ReceivedRequest): boolean;
  readonly streamType: string;
  whole(said: Said): object;
  stream(said: Said): readonly (string | Uint8Array)[];
  /** What a call of a tool holds that must come back with the tool's result. */
  kept(id: string): readonly string[];
}

/** Has the upstream answer as the vendor does, in turn. */
export function script(upstream: Upstream, vendor: Vendor, ...said: readonly Said[]): void {
  upstream.answer(
    ...said.map(
      one =>
        (request: ReceivedRequest): Answer =>
          vendor.streams(request)
            ? { headers: { 'content-type': vendor.streamType }, chunks: vendor.stream(one) }
            : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(vendor.whole(one)) },
    ),
  );
}

/** Has it hang up in the middle of its next stream. */
export function breakOff(upstream: Upstream, vendor: Vendor, said: Said): void {
  const chunks = vendor.stream(said).slice(0, 3);
  upstream.answer({ headers: { 'content-type': vendor.streamType }, chunks, framing: 'chunked', ending: 'close' });
}

const asksToStream = (request: ReceivedRequest) => (request.json() as { stream?: boolean }).stream === true;
const halves = (text: string) => [text.slice(0, text.length / 2), text.slice(text.length / 2)];
const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;
const named = (data: { readonly type: string; readonly [member: string]: unknown }) => `event: ${data.type}\n${event(data)}`;
const EVENTS = 'text/event-stream';

/** https://platform.openai.com/docs/api-reference/chat */
const openai: Vendor = {
  name: 'openai',
  model: 'gpt-4.1',
  auth: { header_name: 'Authorization', header_value: 'Bearer the-gateways-key' },
  options: url => ({ upstream_url: `${url}/v1/chat/completions` }),
  paidBy: ['authorization', 'Bearer the-gateways-key'],
  streams: asksToStream,
  streamType: EVENTS,
  whole: ({ text, calls }) => ({
    id: 'chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT',
    object: 'chat.completion',
    created: 1_741_569_952,
    model: 'gpt-4.1-2025-04-14',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text ?? null,
          ...(calls && { tool_calls: calls.map(call => ({ id: call.id, type: 'function', function: openaiFunction(call) })) }),
          refusal: null,
          annotations: [],
        },
        logprobs: null,
        finish_reason: calls ? 'tool_calls' : 'stop',
      },
    ],
    usage: { prompt_tokens: 19, completion_tokens: 10, total_tokens: 29 },
  }),
  stream({ text, calls = [] }) {
    const head = { id: 'chatcmpl-123', object: 'chat.completion.chunk', created: 1_694_268_190, model: 'gpt-4.1-2025-04-14' };
    const chunk = (delta: object, finish_reason: string | null = null) =>
      event({ ...head, choices: [{ index: 0, delta, logprobs: null, finish_reason }] });
    const toolCall = (index: number, more: object) => chunk({ tool_calls: [{ index, ...more }] });
    return [
      chunk({ role: 'assistant', content: text === undefined ? null : '' }),
      ...halves(text ?? '').map(content => chunk({ content })),
      ...calls.flatMap((call, index) => {
        const { name, arguments: written } = openaiFunction(call);
        const first = toolCall(index, { id: call.id, type: 'function', function: { name, arguments: '' } });
        return [first, ...halves(written).map(part => toolCall(index, { function: { arguments: part } }))];
      }),
      chunk({}, calls.length > 0 ? 'tool_calls' : 'stop'),
      event({ ...head, choices: [], usage: { prompt_tokens: 19, completion_tokens: 10, total_tokens: 29 } }),
      'data: [DONE]\n\n',
    ];
  },
  kept: id => [id],
};

const openaiFunction = ({ name, input }: { name: string; input: object }) => ({ name, arguments: JSON.stringify(input) });

/** https://docs.anthropic.com/en/api/messages and https://docs.anthropic.com/en/api/messages-streaming */
const anthropic: Vendor = {
  name: 'anthropic',
  model: 'claude-sonnet-4-5',
  auth: { header_name: 'x-api-key', header_value: 'the-gateways-key' },
  options: url => ({ upstream_url: `${url}/v1/messages`, anthropic_version: '2023-06-01', max_tokens: 512 }),
  paidBy: ['x-api-key', 'the-gateways-key'],
  streams: asksToStream,
  streamType: EVENTS,
  whole: ({ text, calls = [] }) => ({
    id: 'msg_01XFDUDYJgAACzvnptvVoYEL',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5-20250929',
    content: [...(text === undefined ? [] : [{ type: 'text', text }]), ...calls.map(call => ({ type: 'tool_use', ...call }))],
    stop_reason: calls.length > 0 ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 19, output_tokens: 10 },
  }),
  stream({ text, calls = [] }) {
    const block = (index: number, content_block: object, deltas: readonly object[]) => [
      named({ type: 'content_block_start', index, content_block }),
      ...deltas.map(delta => named({ type: 'content_block_delta', index, delta })),
      named({ type: 'content_block_stop', index }),
    ];
    const blocks = [
      ...(text === undefined
        ? []
        : [{ block: { type: 'text', text: '' }, deltas: halves(text).map(part => ({ type: 'text_delta', text: part })) }]),
      ...calls.map(({ id, name, input }) => ({
        block: { type: 'tool_use', id, name, input: {} },
        deltas: halves(JSON.stringify(input)).map(partial_json => ({ type: 'input_json_delta', partial_json })),
      })),
    ];
    const message = {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-4-5-20250929',
      content: [],
      stop_reason: null,
    };
    return [
      named({ type: 'message_start', message: { ...message, stop_sequence: null, usage: { input_tokens: 19, output_tokens: 1 } } }),
      named({ type: 'ping' }),
      ...blocks.flatMap(({ block: start, deltas }, index) => block(index, start, deltas)),
      named({
        type: 'message_delta',
        delta: { stop_reason: calls.length > 0 ? 'tool_use' : 'end_turn', stop_sequence: null },
        usage: { output_tokens: 10 },
      }),
      named({ type: 'message_stop' }),
    ];
  },
  kept: id => [id],
};

/** https://ai.google.dev/api/generate-content and https://ai.google.dev/gemini-api/docs/thought-signatures */
const gemini: Vendor = {
  name: 'gemini',
  model: 'gemini-3-pro-preview',
  auth: { header_name: 'x-goog-api-key', header_value: 'the-gateways-key' },
  options: url => ({ upstream_url: `${url}/v1beta/models/gemini-3-pro-preview:generateContent` }),
  paidBy: ['x-goog-api-key', 'the-gateways-key'],
  streams: ({ target }) => target.includes(':streamGenerateContent?alt=sse'),
  streamType: EVENTS,
  whole: said => geminiAnswer(geminiParts(said), true),
  stream: ({ text, calls }) => {
    const parts = [...halves(text ?? '').map(part => ({ text: part })), ...geminiParts(calls ? { calls } : {})];
    return parts.map((part, index) => event(geminiAnswer([part], index === parts.length - 1)));
  },
  kept: id => [id, signatureOf(id)],
};

const signatureOf = (id: string) => Buffer.from(`signature of ${id}`).toString('base64');

const geminiParts = ({ text, calls = [] }: Said): object[] => [
  ...(text === undefined ? [] : [{ text }]),
  ...calls.map(({ id, name, input }) => ({ functionCall: { id, name, args: input }, thoughtSignature: signatureOf(id) })),
];

const geminiAnswer = (parts: object[], last: boolean) => ({
  candidates: [{ content: { parts, role: 'model' }, index: 0, ...(last && { finishReason: 'STOP' }) }],
  usageMetadata: { promptTokenCount: 19, candidatesTokenCount: 10, totalTokenCount: 29 },
  modelVersion: 'gemini-3-pro-preview',
  responseId: 'mAitaLmkHPPlz7IPvtfUqQ4',
});

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and …_ConverseStream.html */
const bedrock: Vendor = {
  name: 'bedrock',
  model: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
  auth: { aws_access_key_id: 'AKIDEXAMPLE', aws_secret_access_key: 'the-gateways-key' },
  options: url => ({ upstream_url: url, bedrock: { aws_region: 'eu-central-1' } }),
  paidBy: ['authorization', /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/bedrock\/aws4_request, /],
  streams: ({ target }) => target.endsWith('/converse-stream'),
  streamType: 'application/vnd.amazon.eventstream',
  whole: ({ text, calls = [] }) => ({
    output: {
      message: {
        role: 'assistant',
        content: [
          ...(text === undefined ? [] : [{ text }]),
          ...calls.map(({ id, name, input }) => ({ toolUse: { toolUseId: id, name, input } })),
        ],
      },
    },
    stopReason: calls.length > 0 ? 'tool_use' : 'end_turn',
    usage: { inputTokens: 19, outputTokens: 10, totalTokens: 29 },
    metrics: { latencyMs: 642 },
  }),
  stream({ text, calls = [] }) {
    const deltas = (contentBlockIndex: number, parts: readonly object[]) =>
      parts.map(delta => ({ contentBlockDelta: { contentBlockIndex, delta } }));
    const first = text === undefined ? 0 : 1;
    return [
      { messageStart: { role: 'assistant' } },
      ...(text === undefined
        ? []
        : [
            ...deltas(
              0,
              halves(text).map(part => ({ text: part })),
            ),
            { contentBlockStop: { contentBlockIndex: 0 } },
          ]),
      ...calls.flatMap(({ id, name, input }, index) => [
        { contentBlockStart: { contentBlockIndex: first + index, start: { toolUse: { toolUseId: id, name } } } },
        ...deltas(
          first + index,
          halves(JSON.stringify(input)).map(part => ({ toolUse: { input: part } })),
        ),
        { contentBlockStop: { contentBlockIndex: first + index } },
      ]),
      { messageStop: { stopReason: calls.length > 0 ? 'tool_use' : 'end_turn' } },
      { metadata: { usage: { inputTokens: 19, outputTokens: 10, totalTokens: 29 }, metrics: { latencyMs: 911 } } },
    ].map(message => awsMessage(message));
  },
  kept: id => [id],
};

/** https://docs.cohere.com/reference/chat and https://docs.cohere.com/reference/chat-stream */
const cohere: Vendor = {
  name: 'cohere',
  model: 'command-a-03-2025',
  auth: { header_name: 'Authorization', header_value: 'Bearer the-gateways-key' },
  options: url => ({ upstream_url: `${url}/v2/chat` }),
  paidBy: ['authorization', 'Bearer the-gateways-key'],
  streams: asksToStream,
  streamType: EVENTS,
  whole: ({ text, calls }) => ({
    id: 'c14c80c3-18eb-4519-9460-6c92edd8cfb4',
    finish_reason: calls ? 'TOOL_CALL' : 'COMPLETE',
    message: {
      role: 'assistant',
      ...(text !== undefined && { content: [{ type: 'text', text }] }),
      ...(calls && {
        tool_plan: 'I will look.',
        tool_calls: calls.map(call => ({ id: call.id, type: 'function', function: openaiFunction(call) })),
      }),
    },
    usage: COHERE_USAGE,
  }),
  stream({ text, calls = [] }) {
    const message = (type: string, inner: object, index?: number) =>
      named({ type, ...(index !== undefined && { index }), delta: { message: inner } });
    return [
      named({
        id: 'e8f9afc1',
        type: 'message-start',
        delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [] } },
      }),
      ...(text === undefined
        ? []
        : [
            message('content-start', { content: { type: 'text', text: '' } }, 0),
            ...halves(text).map(part => message('content-delta', { content: { text: part } }, 0)),
            named({ type: 'content-end', index: 0 }),
          ]),
      ...calls.flatMap((call, index) => {
        const { name, arguments: written } = openaiFunction(call);
        const start = { id: call.id, type: 'function', function: { name, arguments: '' } };
        return [
          message('tool-call-start', { tool_calls: start }, index),
          ...halves(written).map(part => message('tool-call-delta', { tool_calls: { function: { arguments: part } } }, index)),
          named({ type: 'tool-call-end', index }),
        ];
      }),
      named({ type: 'message-end', delta: { finish_reason: calls.length > 0 ? 'TOOL_CALL' : 'COMPLETE', usage: COHERE_USAGE } }),
    ];
  },
  kept: id => [id],
};

const COHERE_USAGE = { billed_units: { input_tokens: 19, output_tokens: 10 }, tokens: { input_tokens: 19, output_tokens: 10 } };

export const VENDORS: readonly Vendor[] = [openai, anthropic, gemini, bedrock, cohere];
