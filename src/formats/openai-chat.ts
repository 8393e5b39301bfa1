import type { ChatEvent, ChatResponse, Usage } from '../chat/chat.ts';
import { encodeSse } from '../stream/sse.ts';
import { aboutAnswer } from './about-answer.ts';
import type { Format } from './format.ts';
import { openaiError } from './openai-error.ts';

/** OpenAI's chat completions, as clients get them: https://platform.openai.com/docs/api-reference/chat */
export const openaiChat: Format<ChatResponse, ChatEvent> = {
  answer: ({ id, model, choices, usage, ...about }, facts) => ({
    id: id ?? facts.id,
    object: 'chat.completion',
    created: facts.created,
    model: model ?? facts.model,
    choices: choices.map(({ index, message, logprobs = null, finish_reason }) => ({
      index,
      message: { refusal: null, ...message, content: message.content ?? null },
      logprobs,
      finish_reason,
    })),
    ...(usage && { usage }),
    ...aboutAnswer(about),
  }),

  stream({ id, model, created, includeUsage }) {
    const shared = { id, object: 'chat.completion.chunk', created, model };
    const started = new Set<number>();
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
        if (event.delta === undefined && event.finish_reason === undefined) return '';

        const { index = 0, delta = {}, logprobs = null, finish_reason = null } = event;
        const role = started.has(index) ? {} : { role: 'assistant' };
        started.add(index);
        const { role: _, ...content } = delta;
        return chunk([{ index, delta: { ...role, ...content }, logprobs, finish_reason }]);
      },
      end: () => (includeUsage && usage ? chunk([], usage) : '') + encodeSse('[DONE]'),
    };
  },
};
