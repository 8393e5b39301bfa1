/** OpenAI's embeddings. https://platform.openai.com/docs/api-reference/embeddings */
export interface EmbeddingsRequest {
  model?: string;
  /** One text, several, or tokens in place of a text. */
  input: string | string[] | number[] | number[][];
  encoding_format?: 'float' | 'base64' | null;
  dimensions?: number | null;
  user?: string | null;
  [other: string]: unknown;
}

/** As with a ChatResponse, the edge adds what is missing, and encodes the numbers as the client asked. */
export interface EmbeddingsResponse {
  model?: string;
  data: { index: number; embedding: number[] }[];
  usage?: { prompt_tokens: number; total_tokens: number };
}
