import { surroundElements } from '../lib/json-members.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import { array, type Infer, record, string } from '../schema/field.ts';
import { protocolsHttp } from '../schema/typedefs.ts';
import { appendedKey, llmFormat, maxRequestBodySize, readPrompt, refusing } from './llm/prompt.ts';
import { definePlugin } from './plugin.ts';

const added = array(
  record({
    role: string({ required: true, default: 'system', one_of: ['system', 'assistant', 'user'] }),
    content: string({ required: true, len_min: 1, len_max: 100_000 }),
  }),
  { len_max: 15 },
);

const config = record(
  {
    prompts: record({ prepend: added, append: added }),
    max_request_body_size: maxRequestBodySize,
    llm_format: llmFormat,
  },
  { required: true },
);

/** Puts messages of the operator's before and after those of every chat. */
export const aiPromptDecorator = definePlugin({
  name: 'ai-prompt-decorator',
  priority: 772,
  fields: { protocols: protocolsHttp },
  config,
  entity_checks: [{ at_least_one_of: ['config.prompts.prepend', 'config.prompts.append'] }],

  configure({ prompts, max_request_body_size }) {
    const prepend = encode(prompts?.prepend);
    const append = encode(prompts?.append);
    const appended = prompts?.append?.length ?? 0;

    return {
      access: refusing(async context => {
        const { messages } = await readPrompt(context, max_request_body_size);
        if (!Array.isArray(messages) || messages.length === 0) {
          throw new RequestFailure(400, 'this LLM route only supports llm/chat type requests');
        }
        const text = await context.body.text(max_request_body_size ?? 0);
        context.body.replace(surroundElements(text, 'messages', prepend, append));
        context.notes.set(appendedKey, appended);
      }),
    };
  },
});

/** Elements of a JSON array. */
const encode = (messages: Infer<typeof added> | undefined) =>
  (messages ?? []).map(({ role, content }) => JSON.stringify({ role, content })).join(',');
