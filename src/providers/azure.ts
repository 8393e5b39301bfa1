import { isObject, type JsonObject } from '../lib/json.ts';
import { boolean, string } from '../schema/field.ts';
import { shortIds } from './call-ids.ts';
import { amending } from './compatible-answers.ts';
import { openaiCompatible } from './openai-compatible.ts';
import { limitOfReasoningModels } from './openai-models.ts';
import { defineProvider } from './provider.ts';
import { type AzureIdentity, azureCredentials } from './signing/azure.ts';
import { hostLabel, pathSegment } from './url-parts.ts';

/** Since when `stream_options` is known: https://learn.microsoft.com/en-us/azure/ai-foundry/openai/api-version-lifecycle */
const STREAMS_USAGE_SINCE = '2024-09-01';

const amend = amending('azure');

/** OpenAI's models in deployments of one's own: https://learn.microsoft.com/en-us/azure/ai-foundry/openai/reference */
export const azure = defineProvider({
  name: 'azure',

  options: {
    azure_instance: string(),
    azure_api_version: string({ default: '2023-05-15' }),
    azure_deployment_id: string(),
  },

  auth: {
    azure_use_managed_identity: boolean({ default: false }),
    azure_client_id: string({ referenceable: true }),
    azure_client_secret: string({ referenceable: true, encrypted: true }),
    azure_tenant_id: string({ referenceable: true }),
  },

  checks: [
    ...['azure_instance', 'azure_api_version', 'azure_deployment_id'].map(option => ({
      conditional_at_least_one_of: {
        if_field: 'model.provider',
        if_match: { one_of: ['azure'] },
        then_at_least_one_of: [`model.options.${option}`],
        then_err: 'must set %s for azure provider',
      },
    })),
    { custom_entity_check: { field_sources: ['auth'], fn: identityError } },
  ],

  model({ options }) {
    const { azure_instance: instance, azure_deployment_id: deployment, azure_api_version: version } = options;
    const home = `/openai/deployments/${pathSegment(deployment, 'model.options.azure_deployment_id')}`;
    // As with Kong, it goes on from the deployment.
    const upstream_path = options.upstream_path == null ? null : `${home}/${options.upstream_path.replace(/^\/+/, '')}`;
    return openaiCompatible(
      { ...options, upstream_path },
      {
        origin: `https://${hostLabel(instance, 'model.options.azure_instance')}.openai.azure.com`,
        paths: { chat: `${home}/chat/completions`, completions: `${home}/completions`, embeddings: `${home}/embeddings` },
        query: { 'api-version': version ?? '' },
        drops: ['top_k'],
        patch: request => ({ ...limitOfReasoningModels(request, deployment), ...shortIds(request) }),
        amend: { ...amend, chunk: amendChunk },
        streamsUsage: (version ?? '') >= STREAMS_USAGE_SINCE,
      },
    );
  },

  credentials: auth => azureCredentials(auth),
});

function identityError({ auth }: { readonly auth: AzureIdentity | null }): string | undefined {
  const { azure_client_id: id, azure_client_secret: secret, azure_tenant_id: tenant } = auth ?? {};
  if (secret && !(id && tenant)) return 'auth.azure_client_secret needs auth.azure_client_id and auth.azure_tenant_id';
  if ((id || tenant) && !secret && !auth?.azure_use_managed_identity) {
    return 'auth.azure_client_id and auth.azure_tenant_id need auth.azure_client_secret or auth.azure_use_managed_identity';
  }
  return undefined;
}

/**
 * Verdicts of the content filter come in chunks of their own: on the prompt without a choice, on an answer that passes at once
 * without a delta. https://learn.microsoft.com/en-us/azure/ai-foundry/openai/concepts/content-streaming
 */
function amendChunk(chunk: JsonObject): JsonObject | null {
  const { choices, usage, object } = chunk;
  if (!Array.isArray(choices)) return amend.chunk(chunk);
  if (choices.length === 0 && !isObject(usage)) return null;
  if (choices.some(choice => isObject(choice) && 'text' in choice)) return amend.chunk(chunk);
  const whole = choices.map(choice => (isObject(choice) ? { delta: {}, ...choice } : choice));
  return amend.chunk({ ...chunk, object: object || 'chat.completion.chunk', choices: whole });
}
