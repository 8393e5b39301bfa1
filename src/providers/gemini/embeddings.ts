import type { EmbeddingsRequest, EmbeddingsResponse } from '../../chat/embeddings.ts';
import type { Json, JsonObject } from '../../lib/json.ts';
import { RequestFailure } from '../../lib/request-failure.ts';

/** Members of Gemini's own that OpenAI lacks: they pass. https://ai.google.dev/gemini-api/docs/embeddings#supported-task-types */
const OWN_MEMBERS = ['taskType', 'title'];

/** https://ai.google.dev/api/embeddings#method:-models.batchembedcontents. Its `model` is named by each of the requests. */
export function toBatchEmbedContents(request: EmbeddingsRequest): JsonObject {
  const model = request.model?.includes('/') ? request.model : `models/${request.model}`;
  const shared = { ...(request.dimensions != null && { outputDimensionality: request.dimensions }), ...own(request) };
  return { requests: textsOf(request).map(text => ({ model, content: { parts: [{ text }] }, ...shared })) };
}

export function fromBatchEmbedContents(body: Json): EmbeddingsResponse {
  const { embeddings, usageMetadata } = body as unknown as BatchAnswer;
  const tokens = usageMetadata?.promptTokenCount;
  return {
    data: embeddings.map(({ values }, index) => ({ index, embedding: [...values] })),
    ...(tokens !== undefined && { usage: { prompt_tokens: tokens, total_tokens: tokens } }),
  };
}

interface BatchAnswer {
  readonly embeddings: readonly { readonly values: readonly number[] }[];
  readonly usageMetadata?: { readonly promptTokenCount?: number };
}

/** https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api */
export function toPredict(request: EmbeddingsRequest): JsonObject {
  const { taskType, title } = own(request);
  const shared = { ...(taskType !== undefined && { task_type: taskType }), ...(title !== undefined && { title }) };
  return {
    instances: textsOf(request).map(content => ({ content, ...shared })),
    ...(request.dimensions != null && { parameters: { outputDimensionality: request.dimensions } }),
  };
}

export function fromPredict(body: Json): EmbeddingsResponse {
  const { predictions } = body as unknown as Predictions;
  const counts = predictions.map(({ embeddings: { statistics } }) => statistics?.token_count);
  const tokens = counts.reduce<number | undefined>((sum, count) => (sum === undefined || count === undefined ? undefined : sum + count), 0);
  return {
    data: predictions.map(({ embeddings: { values } }, index) => ({ index, embedding: [...values] })),
    ...(tokens !== undefined && { usage: { prompt_tokens: tokens, total_tokens: tokens } }),
  };
}

interface Predictions {
  readonly predictions: readonly {
    readonly embeddings: { readonly values: readonly number[]; readonly statistics?: { readonly token_count?: number } };
  }[];
}

function textsOf({ input }: EmbeddingsRequest): string[] {
  return [input].flat().map(text => {
    if (typeof text !== 'string') throw new RequestFailure(400, "gemini does not support tokens as 'input', only texts");
    return text;
  });
}

const own = (request: EmbeddingsRequest): JsonObject =>
  Object.fromEntries(OWN_MEMBERS.filter(name => request[name] != null).map(name => [name, request[name] as Json]));
