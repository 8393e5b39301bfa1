import { ConfigurationError } from '../lib/configuration-error.ts';
import { isObject, type JsonObject } from '../lib/json.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import { array, boolean, record, string } from '../schema/field.ts';
import { protocolsHttp } from '../schema/typedefs.ts';
import { maxRequestBodySize, type Prompt, readPrompt, refusing } from './llm/prompt.ts';
import { compilePromptTemplate, type PromptTemplate } from './llm/prompt-template.ts';
import { definePlugin } from './plugin.ts';

const config = record(
  {
    templates: array(record({ name: string({ required: true }), template: string({ required: true }) }, { required: true }), {
      required: true,
    }),
    allow_untemplated_requests: boolean({ required: true, default: true }),
    log_original_request: boolean({ required: true, default: false }),
    max_request_body_size: maxRequestBodySize,
  },
  { required: true },
);

/** Requests say `{template://name}` where their messages or prompt would be, and a configured body takes the place of theirs. */
export const aiPromptTemplate = definePlugin({
  name: 'ai-prompt-template',
  priority: 773,
  fields: { protocols: protocolsHttp },
  config,

  configure({ templates, allow_untemplated_requests, log_original_request, max_request_body_size }) {
    const compiled = new Map<string, PromptTemplate>();
    // As in Kong, the first of a name is the one that counts.
    for (const { name, template } of templates.toReversed()) {
      try {
        compiled.set(name, compilePromptTemplate(template));
      } catch (error) {
        throw new ConfigurationError(`template [${name}]: ${(error as Error).message}`, 'templates');
      }
    }

    return {
      access: refusing(async context => {
        if (log_original_request) logOriginal(context.log, await context.body.text(max_request_body_size ?? 0));
        const body = await readPrompt(context, max_request_body_size);
        const name = templateNamed(body);
        if (name === null) {
          if (allow_untemplated_requests) return;
          throw new RequestFailure(400, 'this LLM route only supports templated requests');
        }
        const render = compiled.get(name);
        if (render === undefined) throw new RequestFailure(400, `could not find template name [${name}]`);
        context.body.replace(render(body.properties));
      }),
    };
  },
});

/** In Kong's log entry: `ai.payload.original_request`. */
function logOriginal(log: JsonObject, original_request: string) {
  const { ai } = log;
  const { payload } = isObject(ai) ? ai : {};
  Object.assign(log, { ai: { ...(isObject(ai) && ai), payload: { ...(isObject(payload) && payload), original_request } } });
}

function templateNamed({ messages, prompt }: Prompt): string | null {
  if (messages !== undefined && prompt !== undefined) {
    throw new RequestFailure(400, "cannot run 'messages' and 'prompt' templates at the same time");
  }
  const reference = messages ?? prompt;
  if (reference === undefined) {
    throw new RequestFailure(400, "only 'llm/v1/chat' and 'llm/v1/completions' formats are supported for templating");
  }
  return typeof reference === 'string' ? (/^\{template:\/\/([\s\S]*)\}$/.exec(reference)?.[1] ?? null) : null;
}
