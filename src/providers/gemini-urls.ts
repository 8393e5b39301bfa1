import { ConfigurationError } from '../lib/configuration-error.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import { operationUrl } from './endpoint.ts';
import type { Options } from './provider.ts';

/** Where Vertex AI serves a project, in Kong's words. */
export interface Vertex {
  readonly api_endpoint?: string | null;
  readonly project_id?: string | null;
  readonly location_id?: string | null;
  /** A model that the project itself deployed. */
  readonly endpoint_id?: string | null;
}

export const AI_STUDIO = 'https://generativelanguage.googleapis.com';

/** Models of other publishers on Vertex AI have dialects of their own: https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/use-partner-models */
const OTHER_PUBLISHERS = /^(claude|mistral|codestral|jamba|llama)-/;

export const originOf = (vertex: Vertex | null | undefined) => (vertex?.api_endpoint ? `https://${vertex.api_endpoint}` : AI_STUDIO);

/** The URL of a method of a model's: `generateContent`, and in its place `streamGenerateContent` for streams. */
export function methodUrls(options: Options, vertex: Vertex | null | undefined) {
  const origin = originOf(vertex);
  const resourceOf = vertex?.api_endpoint ? vertexResources(vertex) : studioResource;
  const fixed = options.upstream_url ?? options.upstream_path;

  return (model: string, method: string, stream = false): string => {
    const name = stream ? `stream${method.charAt(0).toUpperCase()}${method.slice(1)}` : method;
    const path = fixed == null ? `${resourceOf(model)}:${name}` : '/';
    const url = new URL(operationUrl(options, origin, path));
    // A configured URL may name the method, but the client says whether to stream.
    if (fixed != null) url.pathname = url.pathname.replace(/:(streamGenerateContent|generateContent)$/, `:${name}`);
    if (stream) url.searchParams.set('alt', 'sse');
    return url.href;
  };
}

/** `gemini-2.5-pro` or `models/gemini-2.5-pro`; `tunedModels/mine`. */
function studioResource(model: string): string {
  const [collection, name] = /^(models|tunedModels)\/(.*)$/s.exec(model)?.slice(1) ?? ['models', model];
  return `/v1beta/${collection}/${segment(name ?? '')}`;
}

/** A model by its name, or with its publisher: `google/gemini-2.5-pro`, `publishers/google/models/gemini-2.5-pro`. */
function vertexResources({ project_id, location_id, endpoint_id }: Vertex): (model: string) => string {
  const home = `/v1/projects/${configured(project_id, 'project_id')}/locations/${configured(location_id, 'location_id')}`;
  if (endpoint_id) {
    const endpoint = `${home}/endpoints/${configured(endpoint_id, 'endpoint_id')}`;
    return () => endpoint;
  }
  return model => {
    const [publisher = 'google', name = model] =
      /^(?:publishers\/)?([\w-]+)\/(?:models\/)?(.*)$/s.exec(model.replace(/^models\//, ''))?.slice(1) ?? [];
    const plain = name.replace(/^models\//, '');
    if (publisher !== 'google' || OTHER_PUBLISHERS.test(plain)) {
      throw new RequestFailure(400, `the model '${model}' does not speak Gemini's API`);
    }
    return `${home}/publishers/google/models/${segment(plain)}`;
  };
}

const segment = (name: string) => encodeURIComponent(name.toWellFormed());

function configured(value: string | null | undefined, option: string): string {
  if (!value || value === '.' || value === '..')
    throw new ConfigurationError('this names nothing of Vertex AI', `model.options.gemini.${option}`);
  return segment(value);
}
