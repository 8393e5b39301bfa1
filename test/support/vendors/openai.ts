import { asksToStream, EVENTS, event, halves, type Vendor } from './vendor.ts';

/** https://platform.openai.com/docs/api-reference/chat */
export const openai: Vendor = {
  name: 'openai',
  provider: 'openai',
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

export const openaiFunction = ({ name, input }: { name: string; input: object }) => ({ name, arguments: JSON.stringify(input) });

/** A vendor that speaks OpenAI's dialect, at `path`. */
export const openaiDialect = (provider: string, model: string, path: string, differences: Partial<Vendor> = {}): Vendor => ({
  ...openai,
  name: provider,
  provider,
  model,
  options: url => ({ upstream_url: url + path }),
  ...differences,
});
