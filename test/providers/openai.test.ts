import { describe, expect, test } from 'bun:test';
import type { ChatRequest } from '../../src/chat/chat.ts';
import { azure } from '../../src/providers/azure.ts';
import { openai } from '../../src/providers/openai.ts';

const call = (id: string) => ({ id, type: 'function' as const, function: { name: 'f', arguments: '{}' } });

describe.each([
  ['openai', openai.model({ name: null, options: {} })],
  ['azure', azure.model({ name: null, options: { azure_instance: 'a', azure_deployment_id: 'b', azure_api_version: '2024-10-21' } })],
])('what %s refuses of another vendor', (_, { chat }) => {
  const patched = (messages: ChatRequest['messages']) => (chat?.dialect === 'openai' ? chat.patch?.({ model: 'gpt-4o', messages }) : null);
  const long = `call_m_0_0__signature_${'A'.repeat(200)}`;

  // "Invalid 'messages[1].tool_calls[0].id': string too long. Expected a string with maximum length 40"
  test('are ids of more than 40 characters: they are short, the same for a call and its result', () => {
    const messages: ChatRequest['messages'] = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: null, tool_calls: [call(long), call(`${long}B`), call('call_1')] },
      { role: 'tool', tool_call_id: `${long}B`, content: '2' },
      { role: 'tool', tool_call_id: long, content: '1' },
      { role: 'tool', tool_call_id: 'call_1', content: '3' },
    ];
    const { messages: sent } = patched(messages) as unknown as ChatRequest;
    const ids = sent[1]?.tool_calls?.map(({ id }) => id) ?? [];
    expect(ids).toEqual([expect.stringMatching(/^call_\w{1,35}$/), expect.stringMatching(/^call_\w{1,35}$/), 'call_1']);
    expect(ids[0]).not.toBe(ids[1] as string);
    expect(sent.slice(2).map(({ tool_call_id }) => tool_call_id)).toEqual([ids[1], ids[0], 'call_1']);
  });

  test('is nothing where the ids are OpenAI’s: the messages stay as they are', () => {
    expect(
      patched([
        { role: 'assistant', tool_calls: [call('call_1')] },
        { role: 'tool', tool_call_id: 'call_1', content: '' },
      ]),
    ).toEqual({});
    expect(
      patched([
        { role: 'assistant', tool_calls: null },
        { role: 'assistant', tool_calls: [null] },
      ] as never),
    ).toEqual({});
  });
});
