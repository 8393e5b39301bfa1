import { type RunningGateway, startGateway } from './executable.ts';
import { type Answer, startUpstream, type Upstream } from './upstream.ts';

const chunk = (fields: object) =>
  `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', model: 'gpt-4-0613', ...fields })}\n\n`;

/** A vendor's stream: two words, then what they cost. */
export const STREAM: Answer = {
  headers: { 'content-type': 'text/event-stream' },
  chunks: [
    chunk({ choices: [{ index: 0, delta: { role: 'assistant', content: 'It is' } }] }),
    chunk({ choices: [{ index: 0, delta: { content: ' 2.' }, finish_reason: 'stop' }] }),
    chunk({ choices: [], usage: { prompt_tokens: 11, completion_tokens: 5, total_tokens: 16 } }),
    'data: [DONE]\n\n',
  ],
};

export interface AiGateway extends AsyncDisposable {
  readonly gateway: RunningGateway;
  readonly vendor: Upstream;
  /** Asks the model on route `chat`, whose answer streams. Resolves to the whole stream. */
  chat(headers?: Readonly<Record<string, string>>): Promise<string>;
}

/** The executable with a plugin on the service `ai`, whose route `chat` leads to a vendor that streams. */
export async function startAiGateway(plugins: readonly object[], environment: Readonly<Record<string, string>> = {}): Promise<AiGateway> {
  const vendor = startUpstream();
  vendor.answer(STREAM);
  const gateway = await startGateway({ environment });
  const make = async (path: string, body: object) => {
    const { status, body: answer } = await gateway.request('POST', path, body);
    if (status !== 201) throw new Error(JSON.stringify(answer));
  };
  await make('/services', { name: 'ai', url: 'http://localhost:32000' });
  await make('/services/ai/routes', { name: 'chat', paths: ['/chat'] });
  const upstream_url = `${vendor.url}/v1/chat/completions`;
  const model = { provider: 'openai', name: 'gpt-4', options: { upstream_url, input_cost: 1000, output_cost: 2000 } };
  const config = { route_type: 'llm/v1/chat', auth: { header_name: 'Authorization', header_value: 'Bearer secret-key' }, model };
  await make('/routes/chat/plugins', { name: 'ai-proxy', config: { ...config, logging: { log_statistics: true } } });
  for (const plugin of plugins) await make('/services/ai/plugins', plugin);
  return {
    gateway,
    vendor,
    async chat(headers = {}) {
      const body = JSON.stringify({ stream: true, messages: [{ role: 'user', content: 'What is 1+1?' }] });
      const init = { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } };
      return (await fetch(`${gateway.proxy}/chat`, init)).text();
    },
    async [Symbol.asyncDispose]() {
      await gateway.stop();
      vendor.stop();
    },
  };
}
