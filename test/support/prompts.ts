import { aiPromptDecorator } from '../../src/plugins/ai-prompt-decorator.ts';
import { aiPromptGuard } from '../../src/plugins/ai-prompt-guard.ts';
import { aiPromptTemplate } from '../../src/plugins/ai-prompt-template.ts';
import { aiProxy } from '../../src/plugins/ai-proxy.ts';
import type { Context } from '../../src/plugins/context.ts';
import type { Phases } from '../../src/plugins/plugin.ts';
import { startGateway } from '../proxy/gateway.ts';
import { ANSWER, COHERE, COHERE_ANSWER, chat, OPENAI } from './ai-exchange.ts';
import { configured, openHost } from './host.ts';
import type { Answer, Upstream } from './upstream.ts';

const { host, said } = openHost();

export { said };

export const template = (config: object) => configured(aiPromptTemplate, config, host);
export const decorator = (config: object) => configured(aiPromptDecorator, config, host);
export const guard = (config: object) => configured(aiPromptGuard, config, host);

const JSON_TYPE = { 'content-type': 'application/json' };
const EVENTS = { headers: { 'content-type': 'text/event-stream' }, framing: 'chunked' as const };
const CHUNK =
  'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-4","choices":[{"index":0,"delta":{"content":"2"}}]}\n\n';
const COHERE_EVENTS = ['{"type":"message-start"}', '{"type":"content-delta","delta":{"message":{"content":{"text":"2"}}}}'];
const COHERE_END =
  '{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":1,"output_tokens":1}}}}';

/** Where requests may go: to a plain service, or to a model by way of ai-proxy; and what is said there. */
export const destinations = (upstream: Upstream) =>
  [
    ['a plain service', null, { body: JSON.stringify(ANSWER), headers: JSON_TYPE }, false],
    ['a model that speaks OpenAI’s dialect', aiProxyTo(upstream, OPENAI), { body: JSON.stringify(ANSWER), headers: JSON_TYPE }, false],
    ['the same, streaming', aiProxyTo(upstream, OPENAI), { ...EVENTS, chunks: [CHUNK, 'data: [DONE]\n\n'] }, true],
    ['a model with a dialect of its own', aiProxyTo(upstream, COHERE), { body: JSON.stringify(COHERE_ANSWER), headers: JSON_TYPE }, false],
    [
      'the same, streaming',
      aiProxyTo(upstream, COHERE),
      { ...EVENTS, chunks: [...COHERE_EVENTS, COHERE_END].map(data => `data: ${data}\n\n`) },
      true,
    ],
  ] satisfies [string, Phases | null, Answer, boolean][];

export const aiProxyTo = (upstream: Upstream, model: object, more: object = {}): Phases =>
  configured(aiProxy, chat({ model: { ...model, options: { upstream_url: `${upstream.url}/model` } }, ...more }), host);

interface Sending {
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends one request through these plugins and tells what came back, and what arrived, if anything did. */
export async function send(
  upstream: Upstream,
  plugins: readonly (Phases | null)[],
  body: string | Uint8Array<ArrayBuffer>,
  { headers = JSON_TYPE }: Sending = {},
) {
  const log = Promise.withResolvers<Context['log']>();
  const logger: Phases = { log: context => log.resolve(context.log) };
  using gateway = startGateway({ url: upstream.url, plugins: [...plugins.filter(plugin => plugin !== null), logger] });
  const before = upstream.requests.length;
  const response = await fetch(`${gateway.url}/chat`, { method: 'POST', headers, body });
  const text = await response.text();
  const arrived = upstream.requests[before];
  return { status: response.status, text, sent: arrived?.text(), arrived, log: await log.promise };
}

/** What a client is told that is refused. */
export const refusedWith = (message: string, status = 400) => ({
  status,
  text: JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code: null } }),
  sent: undefined,
});
