import type { ChatEvent, ChatRequest, ChatResponse } from '../chat/chat.ts';
import type { EmbeddingsRequest, EmbeddingsResponse } from '../chat/embeddings.ts';
import { isObject, type Json } from '../lib/json.ts';
import { boolean, record, string } from '../schema/field.ts';
import { completionsOverChat } from './completions-over-chat.ts';
import { preservedCalls } from './endpoint.ts';
import { fromAnswer } from './gemini/answer.ts';
import { CLAUDE, claudeOnVertex } from './gemini/claude-on-vertex.ts';
import { fromBatchEmbedContents, fromPredict, toBatchEmbedContents, toPredict } from './gemini/embeddings.ts';
import { toGeminiError } from './gemini/error.ts';
import { toGenerateContent } from './gemini/request.ts';
import { geminiStream } from './gemini/stream.ts';
import { methodUrls, originOf } from './gemini/urls.ts';
import { defineProvider, type Translation } from './provider.ts';
import { googleCredentials } from './signing/google.ts';

/**
 * Google's Gemini: AI Studio, https://ai.google.dev/api, or Vertex AI, where `model.options.gemini` says in which project,
 * https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference. It has no completions: a prompt is a chat of one message.
 */
export const gemini = defineProvider({
  name: 'gemini',

  options: {
    gemini: record(
      { api_endpoint: string({ custom_validator: hostError }), project_id: string(), location_id: string(), endpoint_id: string() },
      { entity_checks: [{ mutually_required: ['api_endpoint', 'project_id', 'location_id'] }] },
    ),
  },
  auth: {
    gcp_use_service_account: boolean({ default: false }),
    gcp_service_account_json: string({ referenceable: true, encrypted: true }),
    gcp_metadata_url: string({ referenceable: true }),
    gcp_oauth_token_url: string({ referenceable: true }),
  },
  checks: [
    {
      conditional: {
        if_field: 'model.provider',
        if_match: { one_of: ['gemini'] },
        then_field: 'auth.allow_override',
        then_match: { eq: false },
        then_err: 'bedrock and gemini only support auth.allow_override = false',
      },
    },
  ],

  model({ name, options }) {
    const preserve = preservedCalls(options, originOf(options.gemini));
    if (options.gemini?.api_endpoint && CLAUDE.test(name ?? '')) {
      const claude = claudeOnVertex(methodUrls(options, options.gemini, 'anthropic'));
      return { chat: claude, completions: completionsOverChat('claude', claude), preserve };
    }
    const urlOf = methodUrls(options, options.gemini);
    const chat: Translation<ChatRequest, ChatResponse, ChatEvent> = {
      dialect: 'own',
      endpoint: ({ model, stream }) => ({ url: urlOf(model, 'generateContent', stream) }),
      error,
      request: toGenerateContent,
      response: fromAnswer,
      stream: geminiStream,
    };
    const embeddings: Translation<EmbeddingsRequest, EmbeddingsResponse, never> = {
      dialect: 'own',
      endpoint: ({ model }) => ({ url: urlOf(model, options.gemini?.api_endpoint ? 'predict' : 'batchEmbedContents') }),
      error,
      ...(options.gemini?.api_endpoint
        ? { request: toPredict, response: fromPredict }
        : { request: toBatchEmbedContents, response: fromBatchEmbedContents }),
      stream() {
        throw new Error('embeddings are not streamed');
      },
    };
    return { chat, completions: completionsOverChat('gemini', chat), embeddings, preserve };
  },

  credentials: auth => (auth.gcp_use_service_account ? googleCredentials(auth) : null),
});

function error(_status: number, body: Json) {
  const { error: said = null } = isObject(body) ? body : {};
  return toGeminiError(said);
}

/** A template in it would let clients choose where their requests go. */
function hostError(value: string): string | undefined {
  return /^[\w.-]+(:\d+)?$/.test(value) ? undefined : 'must be a host name, such as us-central1-aiplatform.googleapis.com';
}
