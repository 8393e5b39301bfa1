import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChatEvent, ChatResponse } from '../../src/chat/chat.ts';
import type { AnswerFacts, Format } from '../../src/formats/format.ts';
import { openaiChat } from '../../src/formats/openai-chat.ts';
import { openaiCompletions } from '../../src/formats/openai-completions.ts';
import { openaiEmbeddings } from '../../src/formats/openai-embeddings.ts';
import type { Json, JsonObject } from '../../src/lib/json.ts';
import { newObservation } from '../../src/plugins/llm/observation.ts';
import { amendedStream, translatedStream, watchedStream } from '../../src/plugins/llm/stream.ts';
import type { Operation, Provider } from '../../src/providers/provider.ts';
import type { Stage } from '../../src/stream/pump.ts';
import { decodeSse } from '../../src/stream/sse.ts';
import { awsMessage } from './aws-messages.ts';
import { frozen } from './frozen.ts';
import type { Kind } from './openai-shapes.ts';

type AnyFormat = Format<ChatResponse, ChatEvent>;
const FORMATS: Readonly<Record<Kind, unknown>> = { chat: openaiChat, completion: openaiCompletions, embeddings: openaiEmbeddings };
const OPERATIONS = { chat: 'chat', completion: 'completions', embeddings: 'embeddings' } as const;
const KINDS: readonly Kind[] = ['chat', 'completion', 'embeddings'];

/** One case of a provider: its files, and what the provider makes of such calls. */
export interface Golden {
  readonly kind: Kind;
  readonly operation: Operation<JsonObject, ChatResponse, ChatEvent>;
  readonly format: AnyFormat;
  readonly facts: AnswerFacts;
  readonly files: {
    readonly asked: JsonObject | undefined;
    readonly request: Json | undefined;
    readonly answer: Json | undefined;
    readonly response: Json | undefined;
    readonly error: { readonly status: number; readonly body: Json } | undefined;
    readonly errorResponse: Json | undefined;
    readonly stream: Uint8Array<ArrayBuffer> | undefined;
    readonly events: readonly Json[];
  };
}

export function goldens(provider: Provider, name: string): Golden {
  const folder = join(import.meta.dir, '../providers', provider.name, name);
  const text = (file: string) => (existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8') : undefined);
  const json = (file: string) => {
    const written = text(file);
    return written === undefined ? undefined : frozen(JSON.parse(written) as JsonObject);
  };
  const kind = KINDS.find(candidate => text(`${candidate}.json`) !== undefined) ?? 'chat';
  const model = provider.model({ name: null, options: json('options.json') ?? {} });
  const stream = join(folder, 'answer.stream');
  const messages = text('answer.messages.jsonl')?.trim().split('\n');
  const events = text('events.jsonl')?.trim() || undefined;
  return {
    kind,
    operation: model[OPERATIONS[kind]] as unknown as Golden['operation'],
    format: FORMATS[kind] as AnyFormat,
    facts: { id: 'chatcmpl-1', model: 'asked', created: 1, includeUsage: true },
    files: {
      asked: json(`${kind}.json`),
      request: json('request.json'),
      answer: json('answer.json'),
      response: json('response.json'),
      error: json('error.json') as never,
      errorResponse: json('error-response.json'),
      stream: messages ? binary(messages) : existsSync(stream) ? new Uint8Array(readFileSync(stream)) : undefined,
      events: events?.split('\n').map(line => JSON.parse(line)) ?? [],
    },
  };
}

/** An AWS event stream, of which a golden holds what its messages say. */
const binary = (messages: readonly string[]) => new Uint8Array(Buffer.concat(messages.map(line => awsMessage(JSON.parse(line)))));

/** What a vendor's stream says, cut into pieces: events of the inner language, or chunks as the client gets them. */
export function streamed({ operation }: Golden, pieces: Iterable<Uint8Array>): unknown[] {
  if (operation.dialect === 'own') {
    const { decode, translate } = operation.stream();
    return [...pieces].flatMap(piece => decode(piece).flatMap(translate));
  }
  const decode = decodeSse();
  return [...pieces]
    .flatMap(piece => decode(piece))
    .filter(({ data }) => data !== '[DONE]')
    .map(({ data }) => (operation.amend ? operation.amend.chunk(frozen(JSON.parse(data))) : JSON.parse(data)))
    .filter(chunk => chunk !== null);
}

/** What the client reads of a vendor's stream, cut into pieces, when it ends where the last piece does. */
export function streamedText({ operation, format, facts }: Golden, pieces: Iterable<Uint8Array>): Uint8Array[] {
  const observation = newObservation();
  const watching = { hideUsage: false, payloads: false, estimated: false, unframed: true };
  let stage: Stage;
  if (operation.dialect === 'own') stage = translatedStream(operation, format, facts, observation);
  else stage = operation.amend ? amendedStream(operation.amend, watching, observation) : watchedStream(watching, observation);
  const written: (Uint8Array | string)[] = [];
  try {
    for (const piece of pieces) written.push(stage.chunk(piece));
    written.push(stage.end?.() ?? '');
  } catch (error) {
    written.push(stage.failed?.(error) ?? '');
  }
  return written.map(part => (typeof part === 'string' ? new TextEncoder().encode(part) : part));
}

export const textOf = (parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString();

export function* byEvent(bytes: Uint8Array) {
  let start = 0;
  for (let at = 1; at < bytes.length; at += 1) {
    if (bytes[at] !== 0x0a || bytes[at - 1] !== 0x0a) continue;
    yield bytes.subarray(start, at + 1);
    start = at + 1;
  }
  yield bytes.subarray(start);
}
