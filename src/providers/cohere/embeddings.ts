import type { EmbeddingsRequest, EmbeddingsResponse } from '../../chat/embeddings.ts';
import { type Json, type JsonObject, withoutAbsent } from '../../lib/json.ts';
import { refuseUnless } from '../unsupported.ts';

/** What is embedded, and what for: Cohere makes other numbers of each. */
export const INPUT_TYPES = ['classification', 'clustering', 'image', 'search_document', 'search_query'] as const;

/** https://docs.cohere.com/reference/embed. The client's own `input_type` wins. */
export const embedding =
  (configured: string) =>
  (request: EmbeddingsRequest): JsonObject => {
    const inputs = [request.input].flat();
    refuseUnless(
      inputs.every(input => typeof input === 'string'),
      'cohere',
      "'input' of tokens",
    );
    const { input_type = configured, truncate, max_tokens, priority } = request;
    return withoutAbsent({
      model: request.model,
      input_type,
      // Images come as data URIs.
      [input_type === 'image' ? 'images' : 'texts']: inputs,
      embedding_types: ['float'],
      output_dimension: request.dimensions,
      truncate,
      max_tokens,
      priority,
    });
  };

interface Embedded {
  readonly embeddings?: { readonly float?: number[][] };
  readonly meta?: { readonly billed_units?: { readonly input_tokens?: number; readonly image_tokens?: number } };
}

export function fromEmbed(body: Json): EmbeddingsResponse {
  const { embeddings, meta } = body as Embedded;
  if (embeddings?.float === undefined) throw new Error("'embeddings.float' missing from cohere's answer");
  const { input_tokens: texts, image_tokens: images } = meta?.billed_units ?? {};
  const tokens = texts === undefined && images === undefined ? undefined : (texts ?? 0) + (images ?? 0);
  return {
    data: embeddings.float.map((numbers, index) => ({ index, embedding: numbers })),
    ...(tokens !== undefined && { usage: { prompt_tokens: tokens, total_tokens: tokens } }),
  };
}
