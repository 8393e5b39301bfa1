import { asksToStream, halves, type Said, type Vendor } from './vendor.ts';

/** https://docs.ollama.com/api/chat */
export const ollama: Vendor = {
  name: 'ollama',
  provider: 'ollama',
  model: 'llama3.2',
  auth: { header_name: 'Authorization', header_value: 'Bearer the-gateways-key' },
  options: url => ({ upstream_url: `${url}/api/chat` }),
  paidBy: ['authorization', 'Bearer the-gateways-key'],
  streams: asksToStream,
  streamType: 'application/x-ndjson',
  whole: said => line(messageOf(said), END),
  stream: ({ text, calls }) =>
    [
      ...halves(text ?? '').map(part => line({ content: part })),
      ...(calls ? [line(messageOf({ calls }))] : []),
      line({ content: '' }, END),
    ].map(said => `${JSON.stringify(said)}\n`),
  // It tells its calls apart by their names.
  kept: () => ['"tool_name":"warmth"'],
};

const END = {
  done: true,
  done_reason: 'stop',
  total_duration: 5_191_566_416,
  load_duration: 2_154_458,
  prompt_eval_count: 19,
  prompt_eval_duration: 383_809_000,
  eval_count: 10,
  eval_duration: 4_799_921_000,
};

const line = (message: object, end: object = { done: false }) => ({
  model: 'llama3.2',
  created_at: '2025-08-04T19:22:45.499127Z',
  message: { role: 'assistant', ...message },
  ...end,
});

const messageOf = ({ text, calls }: Said) => ({
  content: text ?? '',
  ...(calls && { tool_calls: calls.map(({ name, input }) => ({ function: { name, arguments: input } })) }),
});
