import * as v from 'valibot';

// What OpenAI documents of its answers, as far as clients rely on it:
// https://platform.openai.com/docs/api-reference/chat/object and …/chat/streaming, …/completions/object

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const usage = v.looseObject({ prompt_tokens: count, completion_tokens: count, total_tokens: count });
const finishReason = v.picklist(['stop', 'length', 'tool_calls', 'content_filter']);
const parsesAsObject = (text: string) => typeof JSON.parse(text) === 'object';

const toolCall = v.strictObject({
  id: v.pipe(v.string(), v.minLength(1)),
  type: v.literal('function'),
  function: v.strictObject({ name: v.pipe(v.string(), v.minLength(1)), arguments: v.pipe(v.string(), v.check(parsesAsObject)) }),
});
const message = v.looseObject({
  role: v.literal('assistant'),
  content: v.nullable(v.string()),
  refusal: v.nullable(v.string()),
  tool_calls: v.optional(v.pipe(v.array(toolCall), v.minLength(1))),
});
const shared = { id: v.pipe(v.string(), v.minLength(1)), created: count, model: v.pipe(v.string(), v.minLength(1)) };

const chatAnswer = v.strictObject({
  ...shared,
  object: v.literal('chat.completion'),
  choices: v.array(v.strictObject({ index: count, message, logprobs: v.null(), finish_reason: finishReason })),
  usage: v.optional(usage),
});
const completionAnswer = v.strictObject({
  ...shared,
  object: v.literal('text_completion'),
  choices: v.array(v.strictObject({ index: count, text: v.string(), logprobs: v.null(), finish_reason: finishReason })),
  usage: v.optional(usage),
});

export const isChatAnswer = (answer: unknown): boolean => v.is(chatAnswer, answer);
export const isCompletionAnswer = (answer: unknown): boolean => v.is(completionAnswer, answer);

const delta = v.looseObject({
  role: v.optional(v.literal('assistant')),
  content: v.optional(v.nullable(v.string())),
  tool_calls: v.optional(
    v.array(
      v.strictObject({
        index: count,
        id: v.optional(v.string()),
        type: v.optional(v.literal('function')),
        function: v.optional(v.strictObject({ name: v.optional(v.string()), arguments: v.optional(v.string()) })),
      }),
    ),
  ),
});
const chunkOf = (object: string, content: v.ObjectEntries) =>
  v.strictObject({
    ...shared,
    object: v.literal(object),
    choices: v.array(v.strictObject({ index: count, ...content, logprobs: v.null(), finish_reason: v.nullable(finishReason) })),
    usage: v.optional(v.nullable(usage)),
  });
const chatChunk = chunkOf('chat.completion.chunk', { delta });
const completionChunk = chunkOf('text_completion', { text: v.string() });

/** The chunks of a stream's text; throws where an event is none. */
export function chunksOf(
  text: string,
): { choices: { delta: v.InferOutput<typeof delta>; finish_reason: string | null }[]; usage?: unknown }[] {
  const events = text.split('\n\n').filter(event => event !== '' && event !== 'data: [DONE]');
  return events.map(event => JSON.parse(event.slice('data: '.length)));
}

const endsWell = (text: string) => text.endsWith('data: [DONE]\n\n') && text.split('[DONE]').length === 2;

export const isCompletionStream = (text: string): boolean => endsWell(text) && chunksOf(text).every(chunk => v.is(completionChunk, chunk));

/** The role comes first and once, each tool call's id and name once, one finish reason, and the usage alone at the end. */
export function isChatStream(text: string): boolean {
  const chunks = chunksOf(text);
  if (!endsWell(text) || !chunks.every(chunk => v.is(chatChunk, chunk))) return false;
  const deltas = chunks.flatMap(({ choices }) => choices.map(choice => choice.delta));
  const roles = deltas.map(({ role }) => role);
  const starts = deltas.flatMap(({ tool_calls }) => tool_calls ?? []).filter(({ id }) => id !== undefined);
  const finishes = chunks.flatMap(({ choices }) => choices.filter(choice => choice.finish_reason !== null));
  const usages = chunks.map(chunk => chunk.choices.length === 0);
  return (
    roles[0] === 'assistant' &&
    roles.slice(1).every(role => role === undefined) &&
    new Set(starts.map(({ index }) => index)).size === starts.length &&
    starts.every(({ type, function: called }) => type === 'function' && !!called?.name) &&
    finishes.length === 1 &&
    usages.slice(0, -1).every(alone => !alone)
  );
}
