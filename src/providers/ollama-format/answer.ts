import type { ChatEvent, ChatResponse, FinishReason, ToolCall, Usage } from '../../chat/chat.ts';
import type { CompletionEvent, CompletionResponse } from '../../chat/completion.ts';
import type { EmbeddingsResponse } from '../../chat/embeddings.ts';
import type { Json, JsonObject } from '../../lib/json.ts';
import type { Frame } from '../../stream/frame.ts';

/** A whole answer, or one line of a streamed one: https://docs.ollama.com/api/chat and https://docs.ollama.com/api/generate */
interface Answer {
  readonly model?: string;
  readonly created_at?: string;
  readonly message?: {
    readonly content?: string;
    readonly thinking?: string;
    readonly tool_calls?: readonly OllamaCall[] | null;
  };
  readonly response?: string;
  readonly done?: boolean;
  readonly done_reason?: string;
  readonly prompt_eval_count?: number;
  readonly eval_count?: number;
  readonly logprobs?: readonly JsonObject[] | null;
  readonly error?: string;
}
interface OllamaCall {
  readonly id?: string;
  readonly function: { readonly name: string; readonly arguments?: JsonObject };
}

export function fromChat(body: Json): ChatResponse {
  const answer = body as Answer;
  const { model, message, logprobs } = answer;
  if (message === undefined) throw new Error(answer.error ?? "'message' missing from ollama's answer");
  const calls = (message.tool_calls ?? []).map((call, index) => fromToolCall(call, answer, index));
  return {
    ...(model !== undefined && { model }),
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: message.content || (calls.length > 0 ? null : ''),
          ...(message.thinking && { reasoning_content: message.thinking }),
          ...(calls.length > 0 && { tool_calls: calls }),
        },
        ...(logprobs && { logprobs: fromLogprobs(logprobs) }),
        finish_reason: fromDoneReason(answer, calls.length > 0),
      },
    ],
    ...fromCounts(answer),
  };
}

export function fromGenerate(body: Json): CompletionResponse {
  const answer = body as Answer;
  const { model, response } = answer;
  if (response === undefined) throw new Error(answer.error ?? "'response' missing from ollama's answer");
  return {
    ...(model !== undefined && { model }),
    choices: [{ index: 0, text: response, finish_reason: fromDoneReason(answer, false) }],
    ...fromCounts(answer),
  };
}

/** https://docs.ollama.com/api/embed */
export function fromEmbed(body: Json): EmbeddingsResponse {
  const { model, embeddings, prompt_eval_count: tokens } = body as { model?: string; embeddings?: number[][]; prompt_eval_count?: number };
  if (embeddings === undefined) throw new Error("'embeddings' missing from ollama's answer");
  return {
    ...(model !== undefined && { model }),
    data: embeddings.map((embedding, index) => ({ index, embedding })),
    ...(tokens !== undefined && { usage: { prompt_tokens: tokens, total_tokens: tokens } }),
  };
}

/** Calls come whole, one or several a line, and are counted over the lines. */
export function chatEvents(): (frame: Frame) => ChatEvent[] {
  let calls = 0;

  return ({ data }) => {
    const answer = JSON.parse(data) as Answer;
    if (answer.error !== undefined) return [{ error: { message: answer.error, type: 'api_error' } }];
    const { model, message = {}, logprobs } = answer;
    const tool_calls = (message.tool_calls ?? []).map(call => {
      const index = calls;
      calls += 1;
      return { index, ...fromToolCall(call, answer, index) };
    });
    const delta = {
      ...(message.thinking && { reasoning_content: message.thinking }),
      ...(message.content && { content: message.content }),
      ...(tool_calls.length > 0 && { tool_calls }),
    };
    const about = { ...(model !== undefined && { model }), ...(logprobs && { logprobs: fromLogprobs(logprobs) }) };
    const said = Object.keys(delta).length > 0 ? [{ ...about, delta }] : [];
    return answer.done ? [...said, { finish_reason: fromDoneReason(answer, calls > 0), ...fromCounts(answer) }] : said;
  };
}

export function fromGenerateLine({ data }: Frame): CompletionEvent[] {
  const answer = JSON.parse(data) as Answer;
  if (answer.error !== undefined) return [{ error: { message: answer.error, type: 'api_error' } }];
  const { model, response } = answer;
  const said = response ? [{ ...(model !== undefined && { model }), text: response }] : [];
  return answer.done ? [...said, { finish_reason: fromDoneReason(answer, false), ...fromCounts(answer) }] : said;
}

/** Models of older versions name no call: the time of the answer makes an id that no other turn of the chat has. */
const fromToolCall = ({ id, function: call }: OllamaCall, { created_at = '' }: Answer, index: number): ToolCall => ({
  id: id ?? `call_${created_at.replace(/\D/g, '')}_${index}`,
  type: 'function',
  function: { name: call.name, arguments: JSON.stringify(call.arguments ?? {}) },
});

function fromDoneReason({ done_reason }: Answer, called: boolean): FinishReason {
  if (done_reason === 'length') return 'length';
  return called ? 'tool_calls' : 'stop';
}

/** A count of zero is left out; a prompt has always tokens, so that without its count nothing is known. */
function fromCounts({ prompt_eval_count: prompt, eval_count: completion = 0 }: Answer): { usage?: Usage } {
  if (prompt === undefined) return {};
  return { usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion } };
}

const fromLogprobs = (tokens: readonly JsonObject[]): Json => ({
  content: tokens.map(token => ({ bytes: null, top_logprobs: [], ...token })),
  refusal: null,
});
