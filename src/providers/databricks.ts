import type { ChatRequest } from '../chat/chat.ts';
import { isObject, type Json } from '../lib/json.ts';
import { record, string } from '../schema/field.ts';
import { amending } from './compatible-answers.ts';
import { messageOfParts, partsOfMessage } from './databricks/content.ts';
import { developerAsSystem, messagesWith, openaiCompatible, type Patch, renamed } from './openai-compatible.ts';
import { defineProvider } from './provider.ts';
import { hostLabel } from './url-parts.ts';

const WORKSPACE = 'model.options.databricks.workspace_instance_id';

/** Databricks' model serving: https://docs.databricks.com/aws/en/machine-learning/foundation-model-apis/api-reference */
export const databricks = defineProvider({
  name: 'databricks',

  options: { databricks: record({ workspace_instance_id: string() }) },

  checks: [
    {
      conditional_at_least_one_of: {
        if_field: 'model.provider',
        if_match: { one_of: ['databricks'] },
        then_at_least_one_of: [WORKSPACE, 'model.options.upstream_url'],
        then_err: 'must set one of %s for databricks provider',
      },
    },
  ],

  model: ({ options }) =>
    openaiCompatible(options, {
      origin: options.upstream_url ?? `https://${hostLabel(options.databricks?.workspace_instance_id, WORKSPACE)}.cloud.databricks.com`,
      // https://docs.databricks.com/aws/en/machine-learning/model-serving/query-chat-models
      paths: {
        chat: '/serving-endpoints/chat/completions',
        completions: '/serving-endpoints/completions',
        embeddings: '/serving-endpoints/embeddings',
      },
      patch,
      amend: amending('databricks', { message: messageOfParts }),
      error,
    }),
});

const patch = (request: ChatRequest): Patch => ({
  ...renamed(request, 'max_completion_tokens', 'max_tokens'),
  ...messagesWith(request, message => partsOfMessage(developerAsSystem(message))),
});

/** `{ "error_code": "…", "message": "…" }`: https://docs.databricks.com/api/workspace/introduction */
function error(_status: number, body: Json): { message: string; code?: string } {
  const { message, error_code: code } = isObject(body) ? body : {};
  return { message: typeof message === 'string' ? message : '', ...(typeof code === 'string' && { code }) };
}
