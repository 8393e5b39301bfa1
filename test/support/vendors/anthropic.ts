import { asksToStream, EVENTS, halves, named, type Vendor } from './vendor.ts';

/** https://docs.anthropic.com/en/api/messages and https://docs.anthropic.com/en/api/messages-streaming */
export const anthropic: Vendor = {
  name: 'anthropic',
  provider: 'anthropic',
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
