import type { ReceivedRequest } from './received-request.ts';
import type { Answer, Upstream } from './upstream.ts';
import { anthropic } from './vendors/anthropic.ts';
import { bedrock } from './vendors/bedrock.ts';
import { cohere } from './vendors/cohere.ts';
import { gemini } from './vendors/gemini.ts';
import { ollama } from './vendors/ollama.ts';
import { openai, openaiDialect } from './vendors/openai.ts';
import type { Said, Vendor } from './vendors/vendor.ts';

const azureOptions = { azure_instance: 'mine', azure_deployment_id: 'gpt-4o', azure_api_version: '2024-10-21' };

/** Every provider, and of those that speak several dialects each of them that knows tools. */
export const VENDORS: readonly Vendor[] = [
  openai,
  anthropic,
  gemini,
  bedrock,
  cohere,
  ollama,
  { ...ollama, name: 'mistral-ollama', provider: 'mistral', options: url => ({ ...ollama.options(url), mistral_format: 'ollama' }) },
  { ...ollama, name: 'llama2-ollama', provider: 'llama2', options: url => ({ ...ollama.options(url), llama2_format: 'ollama' }) },
  openaiDialect('azure', 'gpt-4o', '', {
    auth: { header_name: 'api-key', header_value: 'the-gateways-key' },
    paidBy: ['api-key', 'the-gateways-key'],
    options: url => ({ ...azureOptions, upstream_url: `${url}/openai/deployments/gpt-4o/chat/completions` }),
  }),
  openaiDialect('cerebras', 'gpt-oss-120b', '/v1/chat/completions'),
  openaiDialect('dashscope', 'qwen-plus', '/compatible-mode/v1/chat/completions'),
  openaiDialect('databricks', 'databricks-meta-llama-3-3-70b-instruct', '/serving-endpoints/chat/completions'),
  openaiDialect('deepseek', 'deepseek-chat', '/v1/chat/completions', { takesSchemas: false }),
  openaiDialect('huggingface', 'openai/gpt-oss-120b:cerebras', '/v1/chat/completions'),
  openaiDialect('mistral', 'mistral-large-latest', '', {
    options: url => ({ upstream_url: `${url}/v1/chat/completions`, mistral_format: 'openai' }),
  }),
  openaiDialect('llama2', 'llama-3.3-70b', '', {
    options: url => ({ upstream_url: `${url}/v1/chat/completions`, llama2_format: 'openai' }),
  }),
  openaiDialect('vllm', 'meta-llama/Llama-3.1-8B-Instruct', '/v1/chat/completions'),
  openaiDialect('xai', 'grok-4', '/v1/chat/completions'),
];

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
