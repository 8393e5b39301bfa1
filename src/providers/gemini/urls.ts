import { RequestFailure } from '../../lib/request-failure.ts';
import { operationUrl } from '../endpoint.ts';
import type { Options } from '../provider.ts';
import { pathSegment } from '../url-parts.ts';

/** Where Vertex AI serves a project, in Kong's words. */
export interface Vertex {
  readonly api_endpoint?: string | null;
  readonly project_id?: string | null;
  readonly location_id?: string | null;
  /** A model that the project itself deployed. */
  readonly endpoint_id?: string | null;
}

export const AI_STUDIO = 'https://generativelanguage.googleapis.com';

export const originOf = (vertex: Vertex | null | undefined) => (vertex?.api_endpoint ? `https://${vertex.api_endpoint}` : AI_STUDIO);

/** The URL of a method of a model's: `generateContent`, and in its place `streamGenerateContent` for streams. */
export function methodUrls(options: Options, vertex: Vertex | null | undefined, publisher = 'google') {
  const origin = originOf(vertex);
  const resourceOf = vertex?.api_endpoint ? vertexResources(vertex, publisher) : studioResource;
  const fixed = options.upstream_url ?? options.upstream_path;

  // Most requests ask for the model of the one before.
  let last = { model: '', method: '', url: '' };
  return (model: string, method: string, stream = false): string => {
    const asked = stream ? `stream${method.charAt(0).toUpperCase()}${method.slice(1)}` : method;
    if (model !== last.model || asked !== last.method) last = { model, method: asked, url: urlOf(model, asked) };
    return last.url;
  };

  function urlOf(model: string, method: string): string {
    const url = new URL(operationUrl(options, origin, fixed == null ? `${resourceOf(model)}:${method}` : '/'));
    // A configured URL may name the method, but the client says whether to stream.
    if (fixed != null)
      url.pathname = url.pathname.replace(/:(generateContent|rawPredict|stream(GenerateContent|RawPredict))$/, `:${method}`);
    if (method === 'streamGenerateContent') url.searchParams.set('alt', 'sse');
    return url.href;
  }
}

/** `gemini-2.5-pro` or `models/gemini-2.5-pro`; `tunedModels/mine`. */
function studioResource(model: string): string {
  const [collection, name] = /^(models|tunedModels)\/(.*)$/s.exec(model)?.slice(1) ?? ['models', model];
  return `/v1beta/${collection}/${segment(name ?? '')}`;
}

/** What other publishers name their models: those have dialects of their own. https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/use-partner-models */
const PARTNERS = /^(claude|mistral|codestral|jamba|llama)-/;

/** A model by its name, or with its publisher: `google/gemini-2.5-pro`, `publishers/google/models/gemini-2.5-pro`. */
function vertexResources({ project_id, location_id, endpoint_id }: Vertex, publisher: string): (model: string) => string {
  const field = (option: string) => `model.options.gemini.${option}`;
  const home = `/v1/projects/${pathSegment(project_id, field('project_id'))}/locations/${pathSegment(location_id, field('location_id'))}`;
  if (endpoint_id) {
    const endpoint = `${home}/endpoints/${pathSegment(endpoint_id, field('endpoint_id'))}`;
    return () => endpoint;
  }
  return model => {
    const [named = publisher, name = model] = /^(?:publishers\/)?([\w-]+)\/(?:models\/)?(.*)$/s.exec(model)?.slice(1) ?? [];
    if ((named !== publisher && named !== 'models') || (publisher === 'google' && PARTNERS.test(name))) {
      throw new RequestFailure(400, `the model '${model}' does not speak Gemini's API`);
    }
    return `${home}/publishers/${publisher}/models/${segment(name)}`;
  };
}

const segment = (name: string) => encodeURIComponent(name.toWellFormed());
