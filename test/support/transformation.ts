import type { Context } from '../../src/plugins/context.ts';
import type { Phases } from '../../src/plugins/plugin.ts';
import { startGateway } from '../proxy/gateway.ts';
import { ANSWER, type Config, KEY } from './ai-exchange.ts';
import type { Answer, Reply, Upstream } from './upstream.ts';

export const JSON_TYPE = { 'content-type': 'application/json' };

/** A model's answer in OpenAI's format, `content` being what it says. */
export const saying = (content: unknown, more: object = {}): Answer => ({
  headers: JSON_TYPE,
  body: JSON.stringify({ ...ANSWER, choices: [{ index: 0, message: { role: 'assistant', content, ...more }, finish_reason: 'stop' }] }),
});

/** The configuration of a transformer whose model is `model`. */
export const transformer = ({ url }: Pick<Upstream, 'url'>, more: Config = {}, llm: Config = {}): Config => ({
  prompt: 'Shout it.',
  llm: {
    route_type: 'llm/v1/chat',
    auth: KEY,
    model: { provider: 'openai', name: 'gpt-4', options: { upstream_url: `${url}/v1/chat/completions` } },
    ...llm,
  },
  ...more,
});

interface Sending {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer> | null;
}

/** Sends one request through these plugins to a service; tells what came back, what the service got, and what the log has of models. */
export async function sendThrough(service: Upstream, plugins: readonly Phases[], sending: Sending = {}) {
  const { method = 'POST', headers = JSON_TYPE, body = '{"say":"hi"}' } = sending;
  const log = Promise.withResolvers<Context['log']>();
  const logger: Phases = { log: context => log.resolve(context.log) };
  using gateway = startGateway({ url: service.url, plugins: [...plugins, logger] });
  const before = service.requests.length;
  const response = await fetch(`${gateway.url}/orders?x=1`, { method, headers, body, decompress: false });
  const text = await response.text();
  const { status } = response;
  const { ai } = (await log.promise) as { ai?: unknown };
  return { status, text, headers: response.headers, sent: service.requests[before], ai };
}

/** Kong's way to say that a transformation failed. */
export const failedWith = (message: string, status = 400) => ({ status, text: JSON.stringify({ error: { message } }) });

const INTROSPECT = 'failed to introspect request with AI service: ';
const CONVERT = 'failed to convert AI response to Kong format: ';
const UNTRANSFORMED = `${CONVERT}transformation failed from type openai://llm/v1/chat: `;
const UNFIT = 'AI response did not match specified regular expression';
const NO_CHOICES = "no 'choices' in upstream AI service response";

/** What a model may do wrong, how the transformer is configured meanwhile, and what Kong says of it. */
export const MISHAPS: readonly (readonly [what: string, model: Reply, more: Config, message: string])[] = [
  ['refuses', { status: 400, headers: JSON_TYPE, body: '{"error":{"message":"no"}}' }, {}, `${INTROSPECT}status code 400`],
  ['takes no more requests', { status: 429, body: 'slow down' }, {}, `${INTROSPECT}status code 429`],
  ['fails', { status: 500, body: '<html>' }, {}, `${INTROSPECT}status code 500`],
  ['leads elsewhere', { status: 302, headers: { location: 'http://elsewhere.test/' } }, {}, `${INTROSPECT}status code 302`],
  ['hangs up', 'close', {}, `${INTROSPECT}request to ai service failed: request failed: closed`],
  ['is slow', 'silence', { http_timeout: 50 }, `${INTROSPECT}request to ai service failed: request failed: timeout`],
  [
    'begins an answer and falls silent',
    { ...saying('HI'), chunks: ['{"choices":'], framing: 'chunked', ending: 'silence' },
    { http_timeout: 50 },
    `${INTROSPECT}request to ai service failed: request failed: timeout`,
  ],
  ['answers no JSON', { body: 'HI' }, {}, `${UNTRANSFORMED}failed to decode llm/v1/chat response`],
  ['answers nothing', { headers: JSON_TYPE, body: '' }, {}, `${UNTRANSFORMED}failed to decode llm/v1/chat response`],
  [
    'answers with a web page',
    { headers: { 'content-type': 'text/html' }, body: '<html>' },
    {},
    `${CONVERT}the model provider answered with a web page`,
  ],
  ['answers something else', { headers: JSON_TYPE, body: '{"data":[]}' }, {}, `${UNTRANSFORMED}'choices' not in llm/v1/chat response`],
  ['has no choices', { headers: JSON_TYPE, body: '{"choices":[]}' }, {}, NO_CHOICES],
  ['says nothing', saying(null), {}, NO_CHOICES],
  ['calls a tool', saying(null, { tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }] }), {}, NO_CHOICES],
  ['does not keep to the pattern', saying('HI'), { transformation_extract_pattern: '\\{.*\\}' }, UNFIT],
];

/** What the extract pattern takes from what a model says. */
export const EXTRACTS: readonly (readonly [pattern: string | null, said: string, taken: string])[] = [
  [null, 'Sure!\n{"a":1}', 'Sure!\n{"a":1}'],
  ['\\{((.|\\n)*)\\}', 'Sure! Here it is:\n{"a":\n1}\nAnything else?', '{"a":\n1}'],
  ['<XML>.*?</XML>', '<xml>1</xml><xml>2</xml>', '<xml>1</xml>'],
  ['^b.*$', 'a\nbc\nd', 'bc'],
  ['(?<=total: )\\d+', 'The total: 42.', '42'],
];

/** Configurations that are refused, and why. */
export const REFUSED: readonly (readonly [more: Config, llm: Config, message: string])[] = [
  [{ prompt: null }, {}, 'prompt: required field missing'],
  [{ llm: null }, {}, 'llm: required field missing'],
  [{}, { route_type: 'llm/v1/completions' }, "'config.llm.route_type' must be 'llm/v1/chat' for AI transformer plugins"],
  [{}, { route_type: 'preserve' }, "'config.llm.route_type' must be 'llm/v1/chat' for AI transformer plugins"],
  [{ transformation_extract_pattern: '(' }, {}, 'transformation_extract_pattern'],
  [{ http_timeout: 0 }, {}, 'http_timeout: value must be greater than 0'],
  [{ max_request_body_size: -1 }, {}, 'max_request_body_size: value must be greater than -1'],
  [{ http_proxy_host: 'proxy.test' }, {}, 'all or none of these fields must be set'],
  [{ https_proxy_port: 3128 }, {}, 'all or none of these fields must be set'],
  [{ http_proxy_host: 'http://proxy.test', http_proxy_port: 3128 }, {}, 'http_proxy_host'],
  [{ https_proxy_host: 'proxy.test', https_proxy_port: 70_000 }, {}, 'https_proxy_port: value should be between 0 and 65535'],
  [{}, { weight: 50 }, 'there is one model, so a weight has no effect'],
  [{}, { metadata: { a: 1 } }, 'nothing reads it'],
  [{}, { model: { provider: 'openai' } }, 'model.name is needed'],
  [{}, { model: { provider: 'openai', name: 'gpt-4', model_alias: 'best' } }, 'model.model_alias has no effect'],
  [{}, { auth: { ...KEY, allow_override: true } }, 'auth.allow_override has no effect'],
  [{}, { auth: { header_name: 'Authorization' } }, 'all or none of these fields must be set'],
  [
    {},
    { model: { provider: 'openai', name: 'gpt-4', options: { embeddings_dimensions: 3 } } },
    'has no effect with route_type llm/v1/chat',
  ],
];

/** What decK writes of Kong 3.9's and 3.15's defaults. */
export const AS_DECK_WRITES: Config = {
  http_proxy_host: null,
  http_proxy_port: null,
  http_timeout: 60_000,
  https_proxy_host: null,
  https_proxy_port: null,
  https_verify: true,
  max_request_body_size: 8192,
  transformation_extract_pattern: null,
};
