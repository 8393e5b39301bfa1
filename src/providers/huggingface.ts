import type { ChatRequest } from '../chat/chat.ts';
import type { CompletionEvent, CompletionRequest, CompletionResponse } from '../chat/completion.ts';
import type { EmbeddingsRequest, EmbeddingsResponse } from '../chat/embeddings.ts';
import { type Json, type JsonObject, withoutAbsent } from '../lib/json.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import { boolean, record } from '../schema/field.ts';
import { decodeSse } from '../stream/sse.ts';
import { operationUrl, preservedCalls } from './endpoint.ts';
import { amend } from './huggingface/chat.ts';
import { developerAsSystem, messagesWith, renamed } from './openai-compatible.ts';
import { defineProvider, type Translation, type Unchanged } from './provider.ts';
import { fromTextGeneration, fromToken, toParameters } from './text-generation.ts';
import { refuseUnless, refuseUnsupported } from './unsupported.ts';

const VENDOR = 'huggingface';
const ORIGIN = 'https://router.huggingface.co';
const CHAT = '/v1/chat/completions';

/**
 * Hugging Face's router, and its endpoints of one model each: https://huggingface.co/docs/inference-providers
 * Chats speak OpenAI's dialect there; a prompt and embeddings are tasks with dialects of their own.
 */
export const huggingface = defineProvider({
  name: 'huggingface',

  options: { huggingface: record({ use_cache: boolean(), wait_for_model: boolean() }) },

  model({ options }) {
    // https://huggingface.co/docs/api-inference/parameters#additional-options
    const { use_cache, wait_for_model } = options.huggingface ?? {};
    const headers = {
      ...(use_cache != null && { 'x-use-cache': `${use_cache}` }),
      ...(wait_for_model != null && { 'x-wait-for-model': `${wait_for_model}` }),
    };
    const task = (pipeline: string) => (call: { model: string }) => ({
      url: operationUrl(options, ORIGIN, `/hf-inference/models/${pathOf(call.model)}${pipeline}`),
      headers,
    });
    const chatEndpoint = { url: chatUrl(options), headers };

    const chat: Unchanged<ChatRequest> = {
      dialect: 'openai',
      endpoint: () => chatEndpoint,
      patch: toChat,
      streamsUsage: true,
      amend,
    };
    const completions: Translation<CompletionRequest, CompletionResponse, CompletionEvent> = {
      dialect: 'own',
      endpoint: task(''),
      request: toTextGeneration,
      response: fromTextGeneration,
      stream: () => ({ decode: decodeSse(), translate: fromToken }),
    };
    const embeddings: Translation<EmbeddingsRequest, EmbeddingsResponse, never> = {
      dialect: 'own',
      endpoint: task('/pipeline/feature-extraction'),
      request: toFeatureExtraction,
      response: fromFeatureExtraction,
      stream() {
        throw new Error('embeddings are not streamed');
      },
    };
    const preserve = preservedCalls(options, ORIGIN);
    return { chat, completions, embeddings, preserve: { ...preserve, endpoint: call => ({ ...preserve.endpoint(call), headers }) } };
  },
});

/** Kong's rule: `upstream_url` says where the endpoint is, and chats have their path below it. */
function chatUrl(options: Parameters<typeof operationUrl>[0]): string {
  const url = new URL(operationUrl(options, ORIGIN, CHAT));
  if (!url.pathname.endsWith('/chat/completions')) url.pathname = url.pathname.replace(/\/+$/, '') + CHAT;
  return url.href;
}

/** Clients may name the model, `organization/name`, and must not choose the path by it. */
function pathOf(model: string): string {
  const parts = model.split('/');
  if (!model.isWellFormed() || parts.some(part => ['', '.', '..'].includes(part)))
    throw new RequestFailure(400, `huggingface has no model '${model}'`);
  return parts.map(encodeURIComponent).join('/');
}

/** Servers of models know the limit by its older name and no developers: https://huggingface.co/docs/inference-providers/tasks/chat-completion */
const toChat = (request: ChatRequest) => ({
  ...renamed(request, 'max_completion_tokens', 'max_tokens'),
  ...messagesWith(request, developerAsSystem),
});

/** https://huggingface.co/docs/inference-providers/tasks/text-generation */
function toTextGeneration(request: CompletionRequest): JsonObject {
  refuseUnsupported(VENDOR, request, ['n', 'best_of', 'suffix', 'logprobs', 'logit_bias', 'presence_penalty']);
  const [inputs, ...others] = [request.prompt].flat();
  refuseUnless(typeof inputs === 'string' && others.length === 0, VENDOR, "other than one text as 'prompt'");
  const { echo } = request;
  // The details say why the text ended.
  const parameters = withoutAbsent({ ...toParameters(request), return_full_text: echo, details: true });
  return { inputs: inputs as string, parameters, stream: request.stream ?? false };
}

/** https://huggingface.co/docs/inference-providers/tasks/feature-extraction */
function toFeatureExtraction(request: EmbeddingsRequest): JsonObject {
  refuseUnsupported(VENDOR, request, ['dimensions']);
  const inputs = [request.input].flat();
  refuseUnless(
    inputs.every(input => typeof input === 'string'),
    VENDOR,
    "'input' of tokens",
  );
  const { normalize, prompt_name, truncate, truncation_direction } = request;
  return withoutAbsent({ inputs, normalize, prompt_name, truncate, truncation_direction });
}

/** A list of lists of numbers; of models for other tasks, a list for each token, which is no embedding of a text. */
function fromFeatureExtraction(body: Json): EmbeddingsResponse {
  if (!Array.isArray(body) || !body.every(isVector)) throw new Error('not a list of embeddings, one for each text');
  return { data: body.map((embedding, index) => ({ index, embedding })) };
}

const isVector = (value: Json): value is number[] => Array.isArray(value) && value.every(item => typeof item === 'number');
