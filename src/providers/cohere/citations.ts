import { isObject, type Json, type JsonObject } from '../../lib/json.ts';

/** What an answer drew on: the citations as Cohere says them, and pages of the web among them as OpenAI says those of its search. */
export function cited(
  citations: readonly Json[] | undefined,
  documents: readonly Json[] = [],
): { citations?: Json[]; annotations?: Json[] } {
  if (!citations?.length) return {};
  const annotations = citations.filter(isObject).flatMap(citation => annotationsOf(citation, documents));
  return { citations: [...citations], ...(annotations.length > 0 && { annotations }) };
}

/** Places are those in the text of the answer; a plan or thoughts may have citations as well, of which OpenAI knows nothing. */
function annotationsOf(citation: JsonObject, documents: readonly Json[]): Json[] {
  const { type = 'TEXT_CONTENT', start, end } = citation;
  if (type !== 'TEXT_CONTENT' || typeof start !== 'number' || typeof end !== 'number') return [];
  return sourcesOf(citation, documents)
    .filter(isObject)
    .flatMap(({ url, title }) => {
      if (typeof url !== 'string' || !URL.canParse(url)) return [];
      return [{ type: 'url_citation', url_citation: { url, title: title ?? '', start_index: start, end_index: end } }];
    });
}

/** v2 has the documents in each citation, v1 their ids: https://docs.cohere.com/docs/migrating-v1-to-v2#citations */
function sourcesOf({ sources, document_ids: ids }: JsonObject, documents: readonly Json[]): Json[] {
  if (Array.isArray(sources)) return sources.filter(isObject).map(({ document, tool_output }) => document ?? tool_output ?? null);
  if (!Array.isArray(ids)) return [];
  return documents.filter(isObject).filter(({ id = null }) => ids.includes(id));
}
