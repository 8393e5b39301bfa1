import type { Json } from '../../lib/json.ts';

/** What an answer draws on: https://ai.google.dev/api/generate-content#GroundingMetadata */
export interface Grounding {
  readonly groundingChunks?: readonly { readonly web?: Source; readonly retrievedContext?: Source; readonly maps?: Source }[];
  readonly groundingSupports?: readonly Support[];
}
interface Source {
  readonly uri?: string;
  readonly title?: string;
}
interface Support {
  /** Counted in bytes of UTF-8. */
  readonly segment?: { readonly startIndex?: number; readonly endIndex?: number };
  readonly groundingChunkIndices?: readonly number[];
}

/** As OpenAI says it of its own web search: https://platform.openai.com/docs/guides/tools-web-search?api-mode=chat#output-and-citations */
export function toAnnotations(grounding: Grounding | undefined, text: string): Json[] {
  const { groundingChunks: chunks = [], groundingSupports: supports = [] } = grounding ?? {};
  if (chunks.length === 0) return [];
  const bytes = Buffer.from(text);
  const characters = (end: number) => bytes.subarray(0, end).toString().length;
  return supports.flatMap(({ segment, groundingChunkIndices: indices = [] }) => {
    const start_index = characters(segment?.startIndex ?? 0);
    const end_index = characters(segment?.endIndex ?? bytes.length);
    return indices.flatMap(index => {
      const { web, retrievedContext, maps } = chunks[index] ?? {};
      const { uri, title = uri } = web ?? retrievedContext ?? maps ?? {};
      if (uri === undefined || title === undefined) return [];
      return [{ type: 'url_citation', url_citation: { url: uri, title, start_index, end_index } }];
    });
  });
}
