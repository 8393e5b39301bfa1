import type { ChatRequest, Message, Part, ToolCall } from '../../chat/chat.ts';
import type { CompletionRequest } from '../../chat/completion.ts';
import type { EmbeddingsRequest } from '../../chat/embeddings.ts';
import { isObject, type JsonObject, withoutAbsent } from '../../lib/json.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import { readDataUri } from '../data-uri.ts';
import { argumentsOf } from '../tool-arguments.ts';
import { choiceOf, functionsOf, refuseUnless, refuseUnsupported, textOf, textOfPart, unsupportedRole } from '../unsupported.ts';

const VENDOR = 'ollama';

/** https://docs.ollama.com/api/chat */
export function toChat(request: ChatRequest): JsonObject {
  refuseUnsupported(VENDOR, request, [
    'n',
    'logit_bias',
    'parallel_tool_calls',
    'modalities',
    'audio',
    'web_search_options',
    'functions',
    'verbosity',
  ]);
  const choice = choiceOf(request.tool_choice, VENDOR);
  refuseUnless(choice === 'auto' || choice === 'none', VENDOR, "a 'tool_choice' that requires a call");
  const tools = choice === 'none' ? [] : functionsOf(request.tools, VENDOR).map(toTool);
  const { think, keep_alive } = request;

  return withoutAbsent({
    model: request.model,
    messages: toMessages(request.messages),
    // Left out, Ollama streams.
    stream: request.stream ?? false,
    tools: tools.length > 0 ? tools : undefined,
    format: toFormat(request.response_format),
    think: think ?? toThink(request.reasoning_effort),
    logprobs: request.logprobs,
    top_logprobs: request.top_logprobs,
    keep_alive,
    options: toOptions(request),
  });
}

/** https://docs.ollama.com/api/generate */
export function toGenerate(request: CompletionRequest): JsonObject {
  refuseUnsupported(VENDOR, request, ['n', 'best_of', 'echo', 'logit_bias', 'logprobs']);
  const { suffix, think, keep_alive } = request;
  return withoutAbsent({
    model: request.model,
    prompt: onePrompt(request.prompt),
    suffix,
    stream: request.stream ?? false,
    think,
    keep_alive,
    options: toOptions(request),
  });
}

/** https://docs.ollama.com/api/embed */
export function toEmbed({ model, input, dimensions, truncate, keep_alive, options }: EmbeddingsRequest): JsonObject {
  refuseUnless(
    [input].flat().every(text => typeof text === 'string'),
    VENDOR,
    "'input' of tokens",
  );
  return withoutAbsent({ model, input, dimensions, truncate, keep_alive, options });
}

function onePrompt(prompt: CompletionRequest['prompt']): string {
  const [text, ...others] = [prompt].flat();
  refuseUnless(typeof text === 'string' && others.length === 0, VENDOR, "other than one text as 'prompt'");
  return text as string;
}

/** What Ollama calls a model's parameters: https://docs.ollama.com/modelfile#valid-parameters-and-values */
function toOptions(request: ChatRequest | CompletionRequest) {
  const { options: own } = request;
  const options = {
    ...(isObject(own) && own),
    ...withoutAbsent({
      num_predict: request.max_completion_tokens ?? request.max_tokens,
      temperature: request.temperature,
      top_p: request.top_p,
      top_k: request.top_k,
      seed: request.seed,
      stop: request.stop == null ? undefined : [request.stop].flat(),
      presence_penalty: request.presence_penalty,
      frequency_penalty: request.frequency_penalty,
    }),
  };
  return Object.keys(options).length > 0 ? options : undefined;
}

/** Ollama's results of tools name the tool and not the call: https://docs.ollama.com/capabilities/tool-calling */
function toMessages(messages: readonly Message[]) {
  const tools = new Map<string, string>();
  return messages.map(message => {
    for (const call of message.tool_calls ?? []) tools.set(call.id, call.function?.name);
    return toMessage(message, tools);
  });
}

function toMessage(message: Message, tools: ReadonlyMap<string, string>) {
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', content: textOf(message, VENDOR) };
    case 'user':
      return toUserMessage(message);
    case 'assistant':
      return withoutAbsent({
        role: 'assistant',
        content: textOf(message, VENDOR),
        // Where Ollama's own clients give it back, so that the model goes on from its thoughts.
        thinking: message.reasoning_content,
        tool_calls: message.tool_calls?.map(toToolCall),
      });
    case 'tool':
      return withoutAbsent({ role: 'tool', tool_name: tools.get(message.tool_call_id ?? ''), content: textOf(message, VENDOR) });
    default:
      throw unsupportedRole(VENDOR, message);
  }
}

function toUserMessage(message: Message) {
  if (!Array.isArray(message.content)) return { role: 'user', content: textOf(message, VENDOR) };
  const images = message.content.flatMap(part => (part.type === 'image_url' ? [toImage(part)] : []));
  const texts = message.content.flatMap(part => (part.type === 'image_url' ? [] : [textOfPart(part, VENDOR)]));
  return { role: 'user', content: texts.join('\n'), ...(images.length > 0 && { images }) };
}

/** Ollama fetches no images: https://docs.ollama.com/capabilities/vision */
function toImage({ image_url: { url } }: Part & { type: 'image_url' }): string {
  const data = readDataUri(url);
  if (data === undefined) throw new RequestFailure(400, "ollama takes an 'image_url' only as a data URI");
  return data.base64;
}

function toToolCall(call: ToolCall, index: number) {
  refuseUnless(isObject(call.function), VENDOR, `calls of type '${call.type}'`);
  return { type: 'function', function: { index, name: call.function.name, arguments: argumentsOf(call) } };
}

const toTool = ({ name, description, parameters }: ReturnType<typeof functionsOf>[number]) => ({
  type: 'function',
  function: withoutAbsent({ name, description, parameters: parameters ?? { type: 'object', properties: {} } }),
});

/** https://docs.ollama.com/capabilities/structured-outputs */
function toFormat(format: ChatRequest['response_format']) {
  if (format == null || format.type === 'text') return undefined;
  return format.type === 'json_schema' ? (format.json_schema.schema ?? 'json') : 'json';
}

/** Ollama has three levels: https://docs.ollama.com/capabilities/thinking */
function toThink(effort: ChatRequest['reasoning_effort']) {
  switch (effort) {
    case undefined:
    case null:
      return undefined;
    case 'none':
      return false;
    case 'minimal':
      return 'low';
    case 'xhigh':
    case 'max':
      return 'high';
    default:
      return effort;
  }
}
