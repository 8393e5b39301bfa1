import { type Json, type JsonObject, parseJson } from '../../src/lib/json.ts';
import { RequestFailure } from '../../src/lib/request-failure.ts';
import { aiProxy } from '../../src/plugins/ai-proxy.ts';
import type { Context } from '../../src/plugins/context.ts';
import { answered, type Circumstances } from './context.ts';
import { configured, openHost } from './host.ts';

export interface Config {
  readonly [field: string]: unknown;
}
export const OPENAI = { provider: 'openai', name: 'gpt-4' };
export const COHERE = { provider: 'cohere', name: 'command-a-03-2025' };
export const KEY = { header_name: 'Authorization', header_value: 'Bearer secret-key' };
export const chat = (more: Config = {}): Config => ({ route_type: 'llm/v1/chat', auth: KEY, model: OPENAI, ...more });
export const QUESTION = '{"messages":[{"role":"user","content":"What is 1+1?"}]}';

/** One request on its way through the plugin, its vendor played by the test. */
export async function send(
  config: Config,
  sentBody: string,
  given: Circumstances & { headers?: Record<string, string>; query?: string } = {},
) {
  const { headers = { 'content-type': 'application/json' }, query = '', ...circumstances } = given;
  const request = new Request(`http://gateway.test/chat${query}`, { method: 'PUT', headers, body: sentBody });
  let body = sentBody;
  const context = answered(request, {
    body: {
      text: async limit => {
        if (limit > 0 && body.length > limit) throw new RequestFailure(413, 'Payload too large');
        return body;
      },
      json: async limit => parseJson(await context.body.text(limit)),
      bytes: async limit => new TextEncoder().encode(await context.body.text(limit)),
      replace: content => {
        body = typeof content === 'string' ? content : new TextDecoder().decode(content);
      },
    },
    ...circumstances,
  });
  Object.assign(context.upstream.headers, request.headers.toJSON());
  const phases = configured(aiProxy, config, openHost().host);
  const refused = (await phases.access?.(context)) ?? undefined;

  return {
    context,
    refused,
    sent: () => context.upstream.body as string,
    sentJson: () => JSON.parse(context.upstream.body as string),
    async answer(vendor: Response) {
      const response = (await phases.response?.(context, vendor)) ?? vendor;
      const bytes = await response.bytes();
      return { response, bytes, text: new TextDecoder().decode(bytes), log: () => logOf(context) };
    },
  };

  async function logOf(context: Context) {
    await phases.log?.(context);
    const { ai } = context.log as { ai?: { proxy: JsonObject } };
    return ai?.proxy as Record<'meta' | 'usage' | 'payload', Record<string, Json>>;
  }
}

export const json = (body: unknown, init: ResponseInit = {}) => Response.json(body, init);
export const stream = (...chunks: string[]) =>
  new Response(
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
        controller.close();
      },
    }),
    { headers: { 'content-type': 'text/event-stream' } },
  );

export const broken = () =>
  new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.error(new Error('reset'));
    },
  });

export const ANSWER = {
  id: 'chatcmpl-9',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4-0613',
  choices: [{ index: 0, message: { role: 'assistant', content: '2' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14, prompt_tokens_details: { cached_tokens: 3 } },
};
export const COHERE_ANSWER = {
  id: 'c14c',
  finish_reason: 'COMPLETE',
  message: { role: 'assistant', content: [{ type: 'text', text: '2' }] },
  usage: { billed_units: { input_tokens: 10, output_tokens: 4 } },
};
