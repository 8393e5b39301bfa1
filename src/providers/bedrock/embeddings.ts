import type { EmbeddingsRequest, EmbeddingsResponse } from '../../chat/embeddings.ts';
import { isObject, type Json, type JsonObject, withoutAbsent } from '../../lib/json.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import { refuseUnless, refuseUnsupported } from '../unsupported.ts';
import { isCohere, isTitan } from './models.ts';

/** The body of InvokeModel, which is each maker's own. */
export function toEmbed(request: EmbeddingsRequest, normalize: boolean | null): JsonObject {
  const { model = '', input } = request;
  const texts = [input].flat() as (string | number | number[])[];
  refuseUnless(texts.every(isText), 'bedrock', "tokens in 'input'");
  if (isCohere(model)) return toCohere(request, texts as string[]);
  if (isTitan(model)) return toTitan(request, texts as string[], normalize);
  throw new RequestFailure(400, `bedrock has no embeddings of the model '${model}' that the gateway knows: it knows Titan's and Cohere's`);
}

const isText = (value: unknown) => typeof value === 'string';

/** https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html */
function toTitan(request: EmbeddingsRequest, [inputText, ...more]: string[], normalize: boolean | null): JsonObject {
  const { model = '', dimensions } = request;
  refuseUnless(more.length === 0, 'bedrock', "several texts in 'input' with a model of Titan's");
  if (!/titan-embed-text-v2/.test(model)) {
    refuseUnsupported('bedrock', request, ['dimensions']);
    return { inputText: inputText ?? '' };
  }
  return withoutAbsent({ inputText: inputText ?? '', dimensions, normalize });
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html; `input_type` is Cohere's own member, and needed. */
function toCohere(request: EmbeddingsRequest, texts: string[]): JsonObject {
  const { model = '', dimensions, input_type = 'search_document', truncate } = request;
  if (!/embed-v4/.test(model)) refuseUnsupported('bedrock', request, ['dimensions']);
  return withoutAbsent({ texts, input_type, truncate, embedding_types: ['float'], output_dimension: dimensions });
}

/** Titan answers one embedding and counts the tokens; Cohere answers all and says the count in a header alone. */
export function fromEmbed(body: Json): EmbeddingsResponse {
  const { embedding, inputTextTokenCount: count, embeddings } = isObject(body) ? body : {};
  const vectors = embedding === undefined ? vectorsOf(embeddings) : [embedding];
  if (!Array.isArray(vectors)) throw new Error("neither 'embedding' nor 'embeddings' in bedrock's answer");
  return {
    data: vectors.map((vector, index) => ({ index, embedding: vector as number[] })),
    ...(typeof count === 'number' && { usage: { prompt_tokens: count, total_tokens: count } }),
  };
}

/** By type, or of the only type there is. */
function vectorsOf(embeddings: Json | undefined): Json | undefined {
  if (!isObject(embeddings)) return embeddings;
  const { float } = embeddings;
  return float;
}
