import type { ChatEvent, ChatRequest, ChatResponse } from '../chat/chat.ts';
import { string } from '../schema/field.ts';
import { decodeSse } from '../stream/sse.ts';
import { fromMessage } from './anthropic-messages/answer.ts';
import { toMessages } from './anthropic-messages/request.ts';
import { translateStream } from './anthropic-messages/stream.ts';
import { completionsOverChat } from './completions-over-chat.ts';
import { operationUrl, preservedCalls } from './endpoint.ts';
import { defineProvider, type Translation } from './provider.ts';

const ORIGIN = 'https://api.anthropic.com';

/** Anthropic's Messages API: https://docs.anthropic.com/en/api/messages. It took the place of its text completions. */
export const anthropic = defineProvider({
  name: 'anthropic',

  options: { anthropic_version: string() },

  checks: [
    {
      conditional_at_least_one_of: {
        if_field: 'model.provider',
        if_match: { one_of: ['anthropic'] },
        then_at_least_one_of: ['model.options.anthropic_version'],
        then_err: 'must set %s for anthropic provider',
      },
    },
    { custom_entity_check: { field_sources: ['route_type', 'model', 'logging'], fn: statisticsError } },
  ],

  model({ options }) {
    // What the client says of `anthropic-beta` passes as it came.
    const headers = { ...(options.anthropic_version != null && { 'anthropic-version': options.anthropic_version }) };
    const endpoint = { url: operationUrl(options, ORIGIN, '/v1/messages'), headers };
    const chat: Translation<ChatRequest, ChatResponse, ChatEvent> = {
      dialect: 'own',
      endpoint: () => endpoint,
      request: toMessages,
      response: fromMessage,
      stream: () => ({ decode: decodeSse(), translate: translateStream() }),
    };
    const preserve = preservedCalls(options, ORIGIN);

    return {
      chat,
      completions: completionsOverChat('anthropic', chat),
      preserve: { ...preserve, endpoint: call => ({ ...preserve.endpoint(call), headers }) },
    };
  },
});

interface Configured {
  readonly route_type?: string | null;
  readonly model?: { readonly provider?: string | null } | null;
  readonly logging?: { readonly log_statistics?: boolean | null } | null;
}

/** Kong's rule, so that a configuration means the same in both. */
function statisticsError({ route_type, model, logging }: Configured): string | undefined {
  const refused = model?.provider === 'anthropic' && route_type === 'llm/v1/completions' && logging?.log_statistics === true;
  return refused ? 'anthropic does not support statistics when route_type is llm/v1/completions' : undefined;
}
