import { repeatsMembers } from '../lib/json-members.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import { array, boolean, record, string } from '../schema/field.ts';
import { protocolsHttp } from '../schema/typedefs.ts';
import { appendedKey, llmFormat, maxRequestBodySize, type Prompt, readPrompt, refusing } from './llm/prompt.ts';
import { embeddingsTexts, generationTexts, UnreadablePrompt } from './llm/prompt-text.ts';
import { compilePatterns } from './patterns.ts';
import { definePlugin } from './plugin.ts';

const patterns = array(string({ len_min: 1, len_max: 500 }), { len_max: 10 });

const config = record(
  {
    allow_patterns: patterns,
    deny_patterns: patterns,
    allow_all_conversation_history: boolean({ required: true, default: false }),
    max_request_body_size: maxRequestBodySize,
    match_all_roles: boolean({ required: true, default: false }),
    llm_format: llmFormat,
    genai_category: string({ default: 'text/generation', one_of: ['text/generation', 'text/embeddings'] }),
  },
  { required: true },
);

/** Refuses prompts that match a denied pattern, or none of those allowed. Clients are not told which, as in Kong. */
export const aiPromptGuard = definePlugin({
  name: 'ai-prompt-guard',
  priority: 771,
  fields: { protocols: protocolsHttp },
  config,
  entity_checks: [
    { at_least_one_of: ['config.allow_patterns', 'config.deny_patterns'] },
    {
      conditional: {
        if_field: 'config.match_all_roles',
        if_match: { eq: true },
        then_field: 'config.allow_all_conversation_history',
        then_match: { eq: false },
      },
    },
  ],

  configure(
    { allow_patterns, deny_patterns, genai_category, match_all_roles, allow_all_conversation_history, max_request_body_size },
    host,
  ) {
    const allowed = compilePatterns(allow_patterns, 'allow_patterns');
    const denied = compilePatterns(deny_patterns, 'deny_patterns');

    return {
      access: refusing(async context => {
        const prompt = await readPrompt(context, max_request_body_size);
        const body = await context.body.text(max_request_body_size ?? 0);
        const reason = reasonAgainst(prompt, body, context.notes.get(appendedKey) ?? 0);
        if (reason === null) return;
        host.log.debug(`a prompt is refused: ${reason}`, { request_id: context.id });
        throw new RequestFailure(400, 'bad request');
      }),
    };

    function reasonAgainst(prompt: Prompt, body: string, appended: number): string | null {
      if (repeatsMembers(body, prompt)) return 'a member is there twice';
      try {
        const texts = textsOf(prompt, appended);
        if (texts.some(text => denied.some(matches => matches(text)))) return 'its pattern is blocked';
        if (allowed.length === 0 || texts.every(text => allowed.some(matches => matches(text)))) return null;
        return 'it matches no allowed pattern';
      } catch (error) {
        if (error instanceof UnreadablePrompt) return error.message;
        throw error;
      }
    }

    function textsOf(prompt: Prompt, appended: number): string[] {
      if (genai_category === 'text/embeddings') return embeddingsTexts(prompt);
      return generationTexts(prompt, { allRoles: match_all_roles, latestOnly: allow_all_conversation_history, appended });
    }
  },
});
