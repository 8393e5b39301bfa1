import { join } from 'node:path';
import { awsMessage } from '../support/aws-messages.ts';

/** Text stands for itself, all else is JSON. */
type ScriptedEvent = object | string;

/** What a vendor says. */
interface Script {
  readonly answer: object;
  readonly streamType: string;
  /** Before the events, each of the events that say a word, and after them: usage only for those who ask. */
  readonly stream: {
    readonly start: readonly ScriptedEvent[];
    readonly event: ScriptedEvent;
    readonly usage?: ScriptedEvent;
    readonly end: readonly ScriptedEvent[];
  };
  encode(event: ScriptedEvent): Uint8Array;
}

/** A vendor whose API is translated, and how ai-proxy is told of it. */
interface Vendor extends Script {
  readonly auth: object;
  readonly options: object;
}

const WORD = ' token';
/** In streams of text; a frame of AWS has a checksum, which no change of its bytes survives. */
const STAMPED_WORD = ' sent=000000000000';
const TEXT =
  'The quick brown fox jumps over the lazy dog, and then it sits down to think about what a language model would have said in its place. ' +
  'It decides that about sixty words are enough for a plausible reply, no more and no less, and that they need not mean anything in particular.';

const named = (event: { type?: string }) => Buffer.from(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
const unnamed = (event: ScriptedEvent) => Buffer.from(`data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`);

const key = { header_name: 'Authorization', header_value: 'Bearer x' };
const candidate = (text: string, finishReason?: string) => ({ content: { role: 'model', parts: [{ text }] }, index: 0, finishReason });
const counted = {
  usageMetadata: { promptTokenCount: 25, candidatesTokenCount: 30, totalTokenCount: 55 },
  modelVersion: 'gemini-2.5-flash',
};

const chunk = (more: object) => ({
  id: 'chatcmpl-A1b2C3d4E5f6G7h8I9j0',
  object: 'chat.completion.chunk',
  created: 1700000000,
  model: 'gpt-4-0613',
  system_fingerprint: null,
  ...more,
});

const OPENAI: Script = {
  answer: {
    id: 'chatcmpl-A1b2C3d4E5f6G7h8I9j0',
    object: 'chat.completion',
    created: 1700000000,
    model: 'gpt-4-0613',
    choices: [{ index: 0, message: { role: 'assistant', content: TEXT }, logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: 25, completion_tokens: 60, total_tokens: 85 },
    system_fingerprint: null,
  },
  streamType: 'text/event-stream',
  stream: {
    start: [],
    event: chunk({ choices: [{ index: 0, delta: { content: STAMPED_WORD }, logprobs: null, finish_reason: null }] }),
    usage: chunk({ choices: [], usage: { prompt_tokens: 25, completion_tokens: 30, total_tokens: 55 } }),
    end: ['[DONE]'],
  },
  encode: unnamed,
};

export const VENDORS: Readonly<Record<string, Vendor>> = {
  anthropic: {
    auth: key,
    options: { anthropic_version: '2023-06-01' },
    answer: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-4-5',
      content: [{ type: 'text', text: TEXT }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 25, output_tokens: 60 },
    },
    streamType: 'text/event-stream',
    stream: {
      start: [
        {
          type: 'message_start',
          message: {
            id: 'msg_1',
            type: 'message',
            role: 'assistant',
            model: 'claude-sonnet-4-5',
            content: [],
            usage: { input_tokens: 25, output_tokens: 1 },
          },
        },
        { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      ],
      event: { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: STAMPED_WORD } },
      end: [
        { type: 'content_block_stop', index: 0 },
        { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 30 } },
        { type: 'message_stop' },
      ],
    },
    encode: named,
  },
  gemini: {
    auth: { header_name: 'x-goog-api-key', header_value: 'x' },
    options: {},
    answer: { candidates: [candidate(TEXT, 'STOP')], ...counted },
    streamType: 'text/event-stream',
    stream: {
      start: [],
      event: { candidates: [candidate(STAMPED_WORD)], ...counted },
      end: [{ candidates: [candidate(WORD, 'STOP')], ...counted }],
    },
    encode: unnamed,
  },
  bedrock: {
    auth: { aws_access_key_id: 'AKIAIOSFODNN7EXAMPLE', aws_secret_access_key: 'x' },
    options: { bedrock: { aws_region: 'us-east-1' } },
    answer: {
      output: { message: { role: 'assistant', content: [{ text: TEXT }] } },
      stopReason: 'end_turn',
      usage: { inputTokens: 25, outputTokens: 60, totalTokens: 85 },
      metrics: { latencyMs: 10 },
    },
    streamType: 'application/vnd.amazon.eventstream',
    stream: {
      start: [{ messageStart: { role: 'assistant' } }],
      event: { contentBlockDelta: { contentBlockIndex: 0, delta: { text: WORD } } },
      end: [
        { contentBlockStop: { contentBlockIndex: 0 } },
        { messageStop: { stopReason: 'end_turn' } },
        { metadata: { usage: { inputTokens: 25, outputTokens: 30, totalTokens: 55 }, metrics: { latencyMs: 10 } } },
      ],
    },
    encode: awsMessage,
  },
};

/** Writes what the upstream sends in the name of each vendor, heads and chunks included. */
export async function writeAnswers(folder: string): Promise<void> {
  const head = (type: string, framing: string) => Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\n${framing}\r\n\r\n`);
  const framed = (bytes: Uint8Array) => [Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')];
  for (const [name, { answer, streamType, stream, encode }] of Object.entries<Script>({ openai: OPENAI, ...VENDORS })) {
    const body = Buffer.from(JSON.stringify(answer));
    const chunks = (events: readonly ScriptedEvent[]) => events.flatMap(event => framed(encode(event)));
    const parts: Readonly<Record<string, readonly Uint8Array[]>> = {
      answer: [head('application/json', `Content-Length: ${body.length}`), body],
      start: [head(streamType, 'Transfer-Encoding: chunked'), ...chunks(stream.start)],
      event: chunks([stream.event]),
      usage: chunks(stream.usage ? [stream.usage] : []),
      end: [...chunks(stream.end), Buffer.from('0\r\n\r\n')],
    };
    for (const [part, bytes] of Object.entries(parts)) await Bun.write(join(folder, `${name}.${part}`), Buffer.concat(bytes));
  }
}
