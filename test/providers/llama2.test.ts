import { describe, expect, test } from 'bun:test';
import type { ChatRequest } from '../../src/chat/chat.ts';
import type { CompletionRequest } from '../../src/chat/completion.ts';
import { ConfigurationError } from '../../src/lib/configuration-error.ts';
import { RequestFailure } from '../../src/lib/request-failure.ts';
import { aiProxy } from '../../src/plugins/ai-proxy.ts';
import { llama2 } from '../../src/providers/llama2.ts';
import { validate } from '../../src/schema/validate.ts';

const upstream_url = 'http://llama2.local/generate';
const { chat, completions } = llama2.model({ name: null, options: { llama2_format: 'raw', upstream_url } });
if (chat?.dialect !== 'own' || completions?.dialect !== 'own') throw new Error('raw is a dialect of its own');

describe("llama2's raw format refuses what it would have to leave out", () => {
  const messages: ChatRequest['messages'] = [{ role: 'user', content: 'hi' }];

  test.each<[ChatRequest, string]>([
    [{ messages, n: 2 }, "'n'"],
    [{ messages, tools: [{ type: 'function', function: { name: 'f' } }] }, "'tools'"],
    [{ messages, response_format: { type: 'json_object' } }, "'response_format'"],
    [{ messages, presence_penalty: 1 }, "'presence_penalty'"],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: '' } }] }] }, "content of type 'image_url'"],
    [{ messages: [{ role: 'tool', tool_call_id: '1', content: '' }] }, "messages of role 'tool'"],
    [
      { messages: [{ role: 'assistant', tool_calls: [{ id: '1', type: 'function', function: { name: 'f', arguments: '' } }] }] },
      "'tool_calls'",
    ],
  ])('of the chat %j', (request, what) => {
    expect(() => chat.request(request)).toThrow(RequestFailure);
    expect(() => chat.request(request)).toThrow(what);
  });

  test.each<CompletionRequest>([{ prompt: ['a', 'b'] }, { prompt: 'a', suffix: 'b' }, { prompt: 'a', logprobs: 2 }])(
    'of the completion %j',
    request => {
      expect(() => completions.request(request)).toThrow(RequestFailure);
    },
  );
});

test('an answer without a text is none', () => {
  for (const answer of [{}, [], { data: [] }, [{ generated_text: null }], 'text']) {
    expect(() => chat.response(answer)).toThrow("'generated_text' missing");
  }
});

test('a chat that ends with an answer asks for no other one', () => {
  const messages: ChatRequest['messages'] = [
    { role: 'user', content: 'Count.' },
    { role: 'assistant', content: 'One,' },
  ];
  expect(chat.request({ messages })).toHaveProperty('inputs', '<s>[INST] Count. [/INST] One, </s>');
});

describe('the configuration of llama2', () => {
  const problems = (options: object) => {
    const model = { provider: 'llama2', name: 'llama2', options };
    return JSON.stringify(validate(aiProxy.config, { route_type: 'llm/v1/chat', model }));
  };

  test('must say the format and the address', () => {
    expect(problems({ upstream_url })).toContain("must set 'model.options.llama2_format' for llama2 provider");
    expect(problems({ llama2_format: 'raw' })).toContain('for self-hosted providers/models');
    expect(() => llama2.model({ name: null, options: { llama2_format: 'raw' } })).toThrow(ConfigurationError);
  });

  test('gives embeddings to the formats that have them', () => {
    const has = (llama2_format: 'raw' | 'openai' | 'ollama') =>
      'embeddings' in llama2.model({ name: null, options: { llama2_format, upstream_url } });
    expect([has('raw'), has('openai'), has('ollama')]).toEqual([false, true, true]);
  });
});
