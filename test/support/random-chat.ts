import type { ChatRequest, Message, Part, Tool } from '../../src/chat/chat.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import type { Random } from './random.ts';

/** Chats as OpenAI's schema allows them, odd ones included: https://platform.openai.com/docs/api-reference/chat/create */
export function randomChat({ below, pick }: Random): ChatRequest {
  const chance = (likelihood: number) => below(1000) < likelihood * 1000;
  const text = () => pick(['', 'hi', ' ', 'What is 1+1?', '日本\u2028', '"quoted" \\ {', 'x'.repeat(2000), '\ud83d\ude00']);
  const maybe = <T>(likelihood: number, make: () => T) => (chance(likelihood) ? make() : undefined);
  const several = <T>(most: number, make: (index: number) => T) => Array.from({ length: 1 + below(most) }, (_, index) => make(index));

  const textPart = (): Part => ({ type: 'text', text: text() });
  const part = (): Part =>
    pick<() => Part>([
      textPart,
      () => ({ type: 'image_url', image_url: { url: 'https://images.test/a.png', detail: 'low' } }),
      () => ({ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }),
      () => ({ type: 'image_url', image_url: { url: 'data:image/svg+xml,%3Csvg/%3E' } }),
      () => ({ type: 'input_audio', input_audio: { data: 'UklGRg==', format: pick(['wav', 'mp3']) } }),
      () => ({ type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERg==' } }),
      () => ({ type: 'file', file: { file_id: 'file-1' } }),
    ])();
  const plain = () => (chance(0.7) ? text() : several(3, textPart));

  const schema = (depth = 0): JsonObject =>
    pick<() => JsonObject>([
      () => ({ type: 'string', minLength: 1, pattern: '^a', format: 'email' }),
      () => ({ type: ['number', 'null'], exclusiveMinimum: 0, multipleOf: 2 }),
      () => ({ enum: ['a', 'b'] }),
      () => ({ const: 'a' }),
      () => ({ $ref: '#/$defs/a' }),
      () => ({ type: 'array', items: depth > 2 ? { type: 'integer' } : schema(depth + 1), uniqueItems: true }),
      () => ({ anyOf: depth > 2 ? [{ type: 'null' }] : [schema(depth + 1), { type: 'null' }] }),
      () => objectSchema(depth + 1),
    ])();
  const objectSchema = (depth = 0): JsonObject => ({
    type: 'object',
    properties: depth > 2 ? {} : { a: schema(depth + 1), 'b c': schema(depth + 1) },
    required: ['a'],
    additionalProperties: pick<boolean | JsonObject>([true, false, { type: 'string' }]),
    $defs: { a: { type: 'string' } },
    ...(chance(0.2) && { $schema: 'https://json-schema.org/draft/2020-12/schema' }),
  });

  const names = several(3, index => `tool_${index}`);
  const tool = (name: string): Tool => ({
    type: 'function',
    function: {
      name,
      ...(chance(0.5) && { description: text() }),
      ...(chance(0.7) && { parameters: chance(0.2) ? {} : objectSchema() }),
      ...(chance(0.3) && { strict: pick([true, false, null]) }),
    },
  });
  const called = (turn: number) =>
    several(3, index => ({
      id: `call_${turn}_${index}`,
      type: 'function' as const,
      function: { name: pick(names), arguments: pick(['{}', '{"a":1,"b":{"c":[null]}}', '', '{"a":"\\n"}', 'none']) },
    }));

  const turn = (_: unknown, index: number): Message[] =>
    pick<() => Message[]>([
      () => [{ role: pick(['system', 'developer']), content: plain(), ...(chance(0.1) && { name: 'operator' }) }],
      () => [{ role: 'user', content: chance(0.5) ? text() : several(4, part), ...(chance(0.1) && { name: 'ann' }) }],
      () => [{ role: 'assistant', content: plain(), ...(chance(0.2) && { reasoning_content: text() }) }],
      () => [{ role: 'assistant', content: null, refusal: text() }],
      () => [{ role: 'assistant', content: [{ type: 'refusal', refusal: text() }] }],
      () => {
        const calls = called(index);
        const content = pick([null, undefined, 'I will look.', '']);
        return [
          { role: 'assistant', ...(content !== undefined && { content }), tool_calls: calls },
          ...calls.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: pick([plain(), '{"a":1}', '[1]']) })),
        ];
      },
    ])();

  const members = {
    model: pick(['m', 'gpt-4', 'o3', 'claude-opus-4-6', 'gemini-3-pro', 'amazon.nova-pro-v1:0', 'meta/llama 3']),
    messages: several(6, () => undefined).flatMap(turn),
    stream: maybe(0.4, () => chance(0.8)),
    stream_options: maybe(0.2, () => ({ include_usage: chance(0.5) })),
    max_tokens: maybe(0.3, () => pick([1, 4096, null])),
    max_completion_tokens: maybe(0.2, () => pick([1, 100_000, null])),
    temperature: maybe(0.3, () => pick([0, 0.5, 2, null])),
    top_p: maybe(0.3, () => pick([0, 1, null])),
    top_k: maybe(0.1, () => 5),
    n: maybe(0.2, () => pick([1, 2, null])),
    seed: maybe(0.2, () => pick([7, null])),
    stop: maybe(0.3, () => pick([null, 'END', ['a', 'b'], []])),
    presence_penalty: maybe(0.2, () => pick([0, -2, 0.5, null])),
    frequency_penalty: maybe(0.2, () => pick([0, 2, null])),
    logit_bias: maybe(0.1, () => pick([{}, { '50256': -100 }, null])),
    logprobs: maybe(0.2, () => pick([true, false, null])),
    top_logprobs: maybe(0.1, () => pick([0, 5, null])),
    tools: maybe(0.5, () => names.map(tool)),
    tool_choice: maybe(0.4, () =>
      pick(['none', 'auto', 'required', { type: 'function' as const, function: { name: names[0] ?? 'tool_0' } }, null]),
    ),
    parallel_tool_calls: maybe(0.2, () => pick([true, false])),
    response_format: maybe(0.3, () =>
      pick([
        { type: 'text' as const },
        { type: 'json_object' as const },
        { type: 'json_schema' as const, json_schema: { name: 'a', schema: objectSchema(), strict: pick([true, false, null]) } },
        { type: 'json_schema' as const, json_schema: { name: 'a', description: 'b' } },
      ]),
    ),
    reasoning_effort: maybe(0.3, () => pick(['none', 'minimal', 'low', 'medium', 'high', null])),
    service_tier: maybe(0.2, () => pick(['auto', 'default', 'flex', 'priority', null])),
    metadata: maybe(0.2, () => pick([{ a: 'b' }, null])),
    modalities: maybe(0.1, () => pick([['text'], ['text', 'audio'], null])),
    audio: maybe(0.1, () => pick([{ voice: 'alloy', format: 'wav' }, null])),
    prediction: maybe(0.1, () => pick([{ type: 'content', content: 'a' }, null])),
    store: maybe(0.1, () => pick([true, false, null])),
    user: maybe(0.2, () => pick(['ann', ''])),
    prompt_cache_key: maybe(0.1, () => 'k'),
    safety_identifier: maybe(0.1, () => 's'),
    verbosity: maybe(0.1, () => pick(['low', null])),
    web_search_options: maybe(0.1, () => ({})),
    functions: maybe(0.05, () => [{ name: 'old', parameters: {} }]),
    function_call: maybe(0.05, () => 'auto'),
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as unknown as ChatRequest;
}
