import type { Usage } from '../chat/chat.ts';
import type { CompletionEvent, CompletionResponse } from '../chat/completion.ts';
import { encodeSse } from '../stream/sse.ts';
import { aboutAnswer } from './about-answer.ts';
import type { Format } from './format.ts';
import { openaiError } from './openai-error.ts';

/** OpenAI's completions, as clients get them: https://platform.openai.com/docs/api-reference/completions */
export const openaiCompletions: Format<CompletionResponse, CompletionEvent> = {
  answer: ({ id, model, choices, usage, ...about }, facts) => ({
    id: id ?? facts.id,
    object: 'text_completion',
    created: facts.created,
    model: model ?? facts.model,
    choices: choices.map(({ index, text, logprobs = null, finish_reason }) => ({ index, text, logprobs, finish_reason })),
    ...(usage && { usage }),
    ...aboutAnswer(about),
  }),

  stream({ id, model, created, includeUsage }) {
    const shared = { id, object: 'text_completion', created, model };
    let usage: Usage | undefined;

    const chunk = (choices: readonly object[], total: Usage | null = null) =>
      encodeSse(JSON.stringify({ ...shared, choices, ...(includeUsage && { usage: total }) }));

    return {
      event(event) {
        if (event.id !== undefined) shared.id = event.id;
        if (event.model !== undefined) shared.model = event.model;
        usage = event.usage ?? usage;
        if (event.service_tier !== undefined || event.system_fingerprint !== undefined) Object.assign(shared, aboutAnswer(event));
        if (event.error !== undefined) return encodeSse(JSON.stringify(openaiError(event.error)));
        if (!event.text && event.finish_reason === undefined) return '';

        const { index = 0, text = '', logprobs = null, finish_reason = null } = event;
        return chunk([{ index, text, logprobs, finish_reason }]);
      },
      end: () => (includeUsage && usage ? chunk([], usage) : '') + encodeSse('[DONE]'),
    };
  },
};
