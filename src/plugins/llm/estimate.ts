import type { Usage } from '../../chat/chat.ts';
import { isObject, type Json } from '../../lib/json.ts';

/** Enough of a text to know how many tokens all of it is. */
const MOST_CHARACTERS = 16 * 1024;
/** The tokenizer's time grows with the square of a word's length. */
const PIECE = 512;

/** The beginning of a text, and how long all of it is. */
export class Excerpt {
  text = '';
  length = 0;

  add(text: string): void {
    this.length += text.length;
    if (this.text.length < MOST_CHARACTERS) this.text += text.slice(0, MOST_CHARACTERS - this.text.length);
  }
}

/** About how many tokens an exchange was, whose vendor does not tell. `request`: the client's body. */
export async function estimateUsage(request: Json | undefined, answer: Excerpt): Promise<Usage> {
  const prompt = new Excerpt();
  for (const text of textsOf(request)) prompt.add(text);
  const prompt_tokens = await countTokens(prompt);
  const completion_tokens = await countTokens(answer);
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}

async function countTokens({ text, length }: Excerpt): Promise<number> {
  if (length === 0) return 0;
  // A table of 100,000 words: loaded when the first vendor says nothing.
  const tokenizer = await import('gpt-tokenizer/encoding/cl100k_base');
  const disallowedSpecial = new Set<string>();
  let tokens = 0;
  for (let at = 0; at < text.length; at += PIECE) tokens += tokenizer.countTokens(text.slice(at, at + PIECE), { disallowedSpecial });
  return Math.ceil((tokens * length) / text.length);
}

/** What a request in OpenAI's format has for the model to read. Images and sounds are not counted. */
function* textsOf(request: Json | undefined): Iterable<string> {
  if (!isObject(request)) return;
  const { messages, prompt, input, tools } = request;
  for (const said of [messages, prompt, input]) yield* textsIn(said);
  if (Array.isArray(tools)) yield JSON.stringify(tools);
}

function* textsIn(said: Json | undefined): Iterable<string> {
  if (typeof said === 'string') yield said;
  else if (Array.isArray(said)) for (const part of said) yield* textsIn(part);
  else if (isObject(said)) {
    const { content, text, tool_calls } = said;
    yield* textsIn(content);
    yield* textsIn(text);
    if (Array.isArray(tool_calls)) yield JSON.stringify(tool_calls);
  }
}
