import { describe, expect, test } from 'bun:test';
import type { ChatRequest } from '../../src/chat/chat.ts';
import { ConfigurationError } from '../../src/lib/configuration-error.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import { RequestFailure } from '../../src/lib/request-failure.ts';
import { aiProxy } from '../../src/plugins/ai-proxy.ts';
import { cerebras } from '../../src/providers/cerebras.ts';
import { dashscope } from '../../src/providers/dashscope.ts';
import { databricks } from '../../src/providers/databricks.ts';
import { deepseek } from '../../src/providers/deepseek.ts';
import type { Model, Options, Provider } from '../../src/providers/provider.ts';
import { vllm } from '../../src/providers/vllm.ts';
import { xai } from '../../src/providers/xai.ts';
import { configured, openHost } from '../support/host.ts';

const WORKSPACE = { databricks: { workspace_instance_id: 'dbc-a1b2345c-d6e7' } };
const modelOf = (provider: Provider, options: object = {}) => provider.model({ name: null, options: { ...(options as Options) } });
const chatOf = (provider: Provider, options?: object) => {
  const { chat } = modelOf(provider, options);
  if (chat?.dialect !== 'openai') throw new Error(`${provider.name} speaks OpenAI's dialect`);
  return chat;
};

describe('operations are called', () => {
  const call = { model: 'm', stream: false, path: '/v1/models' };

  test.each<[Provider, object, Partial<Record<keyof Model, string>>]>([
    [
      cerebras,
      {},
      {
        chat: 'https://api.cerebras.ai/v1/chat/completions',
        completions: 'https://api.cerebras.ai/v1/completions',
        preserve: 'https://api.cerebras.ai/v1/models',
      },
    ],
    [
      dashscope,
      {},
      {
        chat: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions',
        completions: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1/completions',
        embeddings: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1/embeddings',
        preserve: 'https://dashscope-intl.aliyuncs.com/v1/models',
      },
    ],
    [
      dashscope,
      { dashscope: { international: false } },
      {
        chat: 'https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions',
        completions: 'https://dashscope.aliyuncs.com/compatible-mode/v1/completions',
        embeddings: 'https://dashscope.aliyuncs.com/compatible-mode/v1/embeddings',
        preserve: 'https://dashscope.aliyuncs.com/v1/models',
      },
    ],
    [
      databricks,
      WORKSPACE,
      {
        chat: 'https://dbc-a1b2345c-d6e7.cloud.databricks.com/serving-endpoints/chat/completions',
        completions: 'https://dbc-a1b2345c-d6e7.cloud.databricks.com/serving-endpoints/completions',
        embeddings: 'https://dbc-a1b2345c-d6e7.cloud.databricks.com/serving-endpoints/embeddings',
        preserve: 'https://dbc-a1b2345c-d6e7.cloud.databricks.com/v1/models',
      },
    ],
    [
      deepseek,
      {},
      {
        chat: 'https://api.deepseek.com/v1/chat/completions',
        completions: 'https://api.deepseek.com/beta/completions',
        preserve: 'https://api.deepseek.com/v1/models',
      },
    ],
    [
      vllm,
      { upstream_url: 'http://10.0.0.5:8000/v1/chat/completions' },
      {
        chat: 'http://10.0.0.5:8000/v1/chat/completions',
        completions: 'http://10.0.0.5:8000/v1/chat/completions',
        embeddings: 'http://10.0.0.5:8000/v1/chat/completions',
        preserve: 'http://10.0.0.5:8000/v1/chat/completions',
      },
    ],
    [
      xai,
      {},
      {
        chat: 'https://api.x.ai/v1/chat/completions',
        completions: 'https://api.x.ai/v1/completions',
        embeddings: 'https://api.x.ai/v1/embeddings',
        preserve: 'https://api.x.ai/v1/models',
      },
    ],
  ])('%o with %j', (provider, options, urls) => {
    const operations = Object.entries(modelOf(provider, options));
    expect(Object.fromEntries(operations.map(([name, operation]) => [name, operation.endpoint(call).url]))).toEqual(urls);
  });

  test.each(['evil.test/', 'a.b', 'a@b', '', null])('databricks never in the workspace %j', workspace_instance_id => {
    expect(() => modelOf(databricks, { databricks: { workspace_instance_id } })).toThrow(ConfigurationError);
  });
});

describe('what a vendor would ignore is refused', () => {
  const messages: ChatRequest['messages'] = [{ role: 'user', content: 'hi' }];
  const schema = { type: 'json_schema', json_schema: { name: 'a', schema: {} } } as const;

  test.each<[Provider, ChatRequest, string]>([
    [dashscope, { messages, logit_bias: { 5: 1 } }, "dashscope does not support 'logit_bias'"],
    [deepseek, { messages, n: 2 }, "deepseek does not support 'n' other than 1"],
    [deepseek, { messages, logit_bias: { 5: 1 } }, "deepseek does not support 'logit_bias'"],
    [deepseek, { messages, parallel_tool_calls: false }, "deepseek does not support 'parallel_tool_calls' of false"],
    [deepseek, { messages, response_format: schema }, "deepseek does not support 'response_format' of type 'json_schema'"],
    [xai, { messages, logit_bias: { 5: 1 } }, "xai does not support 'logit_bias'"],
  ])('%o of %j', (provider, request, message) => {
    expect(() => chatOf(provider).patch?.(request)).toThrow(new RequestFailure(400, message));
  });
});

describe('an answer that the vendor gave up is no answer', () => {
  const body = (finish_reason: string): JsonObject => ({
    id: '1',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'half' }, finish_reason }],
  });

  test.each<[Provider, string]>([
    [deepseek, 'insufficient_system_resource'],
    [vllm, 'abort'],
    [vllm, 'error'],
  ])('%o: %s', (provider, reason) => {
    const { amend } = chatOf(provider);
    expect(() => amend?.answer(body(reason))).toThrow(new RequestFailure(502, `${provider.name} gave up: ${reason}`));
    expect(() => amend?.chunk(body(reason))).toThrow(reason);
    expect(amend?.answer(body('length'))).toMatchObject({ choices: [{ finish_reason: 'length' }] });
  });
});

test.each<[Provider, JsonObject]>([
  [vllm, { object: 'error', message: 'out of memory', type: 'InternalServerError', param: null, code: 500 }],
  [databricks, { error_code: 'REQUEST_LIMIT_EXCEEDED', message: 'too many' }],
])('%o: a chunk without choices is no chunk: %j', (provider, chunk) => {
  const { amend } = chatOf(provider, WORKSPACE);
  expect(() => amend?.chunk(chunk)).toThrow('answered without choices');
  const error = { error: { message: 'out of memory', code: 500 } };
  expect(amend?.chunk(error)).toEqual(error);
});

describe('the configuration', () => {
  const configure = (provider: string, options: object | null) =>
    configured(aiProxy, { route_type: 'llm/v1/chat', model: { provider, options } }, openHost().host);

  test('of vllm must say where it is', () => {
    expect(() => configure('vllm', null)).toThrow("must set 'model.options.upstream_url' for self-hosted providers/models");
    expect(() => configure('vllm', { upstream_url: 'http://10.0.0.5:8000/v1/chat/completions' })).not.toThrow();
  });

  test('of databricks must say where it is', () => {
    expect(() => configure('databricks', null)).toThrow('for databricks provider');
    expect(() => configure('databricks', { databricks: {} })).toThrow('for databricks provider');
    expect(() => configure('databricks', WORKSPACE)).not.toThrow();
    expect(() =>
      configure('databricks', { upstream_url: 'https://adb-1.2.azuredatabricks.net/serving-endpoints/chat/completions' }),
    ).not.toThrow();
  });

  test('of dashscope need say nothing', () => {
    expect(() => configure('dashscope', null)).not.toThrow();
    expect(() => configure('dashscope', { dashscope: { international: false } })).not.toThrow();
    expect(() => configure('openai', { dashscope: { international: false } })).toThrow('dashscope');
    expect(() => configure('openai', { dashscope: { international: true } })).not.toThrow();
  });
});
