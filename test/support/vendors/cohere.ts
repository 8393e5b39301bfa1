import { openaiFunction } from './openai.ts';
import { asksToStream, EVENTS, halves, named, type Vendor } from './vendor.ts';

/** https://docs.cohere.com/reference/chat and https://docs.cohere.com/reference/chat-stream */
export const cohere: Vendor = {
  name: 'cohere',
  provider: 'cohere',
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
