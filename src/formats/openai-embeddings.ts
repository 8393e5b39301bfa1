import type { EmbeddingsResponse } from '../chat/embeddings.ts';
import type { Format } from './format.ts';

/** OpenAI's embeddings, as clients get them: https://platform.openai.com/docs/api-reference/embeddings/object */
export const openaiEmbeddings: Format<EmbeddingsResponse, never> = {
  answer: ({ model, data, usage }, facts) => ({
    object: 'list',
    data: data.map(({ index, embedding }) => ({
      object: 'embedding',
      index,
      embedding: facts.base64 ? toBase64(embedding) : embedding,
    })),
    model: model ?? facts.model,
    // OpenAI's clients rely on it. That it was not counted stands in the log.
    usage: usage ?? { prompt_tokens: 0, total_tokens: 0 },
  }),

  stream() {
    throw new Error('embeddings are not streamed');
  },
};

/** Little-endian floats of 32 bits, as OpenAI's clients read them. */
function toBase64(numbers: readonly number[]): string {
  const bytes = new DataView(new ArrayBuffer(numbers.length * 4));
  for (const [index, value] of numbers.entries()) bytes.setFloat32(index * 4, value, true);
  return Buffer.from(bytes.buffer).toString('base64');
}
