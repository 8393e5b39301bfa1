import type { AnswerFacts, Format } from '../../formats/format.ts';
import { errorType } from '../../formats/openai-error.ts';
import { isObject, type Json, parseJson } from '../../lib/json.ts';
import type { Translation, Unchanged } from '../../providers/provider.ts';
import type { Stage } from '../../stream/pump.ts';
import { decodeSse, encodeSse } from '../../stream/sse.ts';
import { splitEvents, wholeEvents } from '../../stream/whole-events.ts';
import { type Observation, observe } from './observation.ts';

/** What both the chat's and the completions' events have. */
export interface AnyEvent {
  readonly model?: string;
  readonly delta?: { readonly content?: string };
  readonly text?: string;
  readonly finish_reason?: string;
  readonly usage?: Observation['usage'] & {};
  readonly error?: { readonly message: string; readonly type?: string; readonly code?: string };
}

const BROKEN_OFF = { message: 'the stream of the model broke off before its end', type: errorType(502), code: 'stream_broken' };

/** A comment for what says nothing to the client: who waits, load balancers among them, must see that the vendor is at work. */
const STILL_THERE = ':\n\n';

/** A vendor's stream in its own dialect: frames to events to the client's dialect. */
export function translatedStream<Event extends AnyEvent>(
  operation: Translation<never, unknown, Event>,
  format: Format<never, Event>,
  facts: AnswerFacts,
  observation: Observation,
): Stage {
  const { decode, translate } = operation.stream();
  const out = format.stream(facts);
  const encodeError = () => out.event({ error: BROKEN_OFF } as Event);
  let state: 'open' | 'finished' | 'failed' = 'open';

  return {
    chunk(bytes) {
      let text = '';
      for (const frame of decode(bytes)) {
        for (const event of translate(frame)) {
          if (state === 'failed') continue;
          watch(event);
          text += out.event(event);
          if (event.error !== undefined) state = 'failed';
          else if (event.finish_reason !== undefined) state = 'finished';
        }
      }
      return text === '' && state === 'open' ? STILL_THERE : text;
    },
    end() {
      if (state === 'failed') return '';
      return state === 'finished' ? out.end() : encodeError();
    },
    failed: () => (state === 'failed' ? '' : encodeError()),
    done() {
      observation.endedAt = performance.now();
    },
  };

  function watch({ model, delta, text, usage }: AnyEvent) {
    observation.firstTokenAt ??= performance.now();
    observation.model = model ?? observation.model;
    observation.usage = usage ?? observation.usage;
    observation.payload += delta?.content ?? text ?? '';
  }
}

/** Whether, and how closely, a stream in the client's own dialect is looked at. */
export interface Watching {
  /** The usage was asked for here and not by the client, who must not see it. */
  readonly hideUsage: boolean;
  readonly payloads: boolean;
  /** The transport cannot tell the end of the stream from a reset. */
  readonly unframed: boolean;
}

const DONE = '[DONE]';
const USAGE = '"usage"';

/** A stream in the client's own dialect: its bytes pass, but for a usage chunk that only the gateway asked for. */
export function watchedStream({ hideUsage, payloads, unframed }: Watching, observation: Observation): Stage {
  const events = wholeEvents();
  let done = false;

  return {
    chunk: bytes => look(events.take(bytes)),
    end() {
      const rest = look(events.rest());
      if (done || !unframed) return rest;
      return Buffer.concat([rest, Buffer.from(brokenOff())]);
    },
    done() {
      observation.endedAt = performance.now();
    },
  };

  function look(bytes: Uint8Array): Uint8Array {
    if (bytes.length === 0) return bytes;
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (observation.model === null || payloads) readAll(view);
    done ||= view.includes(DONE);
    return namesUsage(view) ? takeUsage(view) : bytes;
  }

  /** The model that answers is named by every chunk: the first will do. */
  function readAll(view: Buffer) {
    for (const chunk of chunksOf(view)) {
      observation.firstTokenAt ??= performance.now();
      observe(observation, chunk);
      if (payloads) observation.payload += textOf(chunk);
    }
  }

  function takeUsage(view: Buffer): Uint8Array {
    const kept = splitEvents(view).filter(event => {
      const [chunk] = chunksOf(event);
      observe(observation, chunk);
      return !(hideUsage && isUsageAlone(chunk));
    });
    return Buffer.concat(kept);
  }
}

/** A stream that is nearly in the client's dialect: each chunk is read, made OpenAI's and written anew. */
export function amendedStream(
  { chunk: amend }: NonNullable<Unchanged<never>['amend']>,
  { hideUsage, payloads }: Watching,
  observation: Observation,
): Stage {
  const decode = decodeSse();
  let state: 'open' | 'done' | 'failed' = 'open';

  return {
    chunk(bytes) {
      let text = '';
      for (const { data } of decode(bytes)) text += state === 'open' ? rewritten(data) : '';
      return text === '' && state === 'open' ? STILL_THERE : text;
    },
    end: () => (state === 'open' ? brokenOff() : ''),
    failed: () => (state === 'open' ? brokenOff() : ''),
    done() {
      observation.endedAt = performance.now();
    },
  };

  function rewritten(data: string): string {
    if (data === DONE) {
      state = 'done';
      return encodeSse(DONE);
    }
    const chunk = JSON.parse(data) as Json;
    if (!isObject(chunk)) throw new Error('a chunk that is no JSON object');
    if ('error' in chunk) state = 'failed';
    const amended = amend(chunk);
    if (amended === null) return '';
    observation.firstTokenAt ??= performance.now();
    observe(observation, amended);
    if (payloads) observation.payload += textOf(amended);
    return hideUsage && isUsageAlone(amended) ? '' : encodeSse(JSON.stringify(amended));
  }
}

const brokenOff = () => encodeSse(JSON.stringify({ error: { ...BROKEN_OFF, param: null } }));

/** Whether `"usage"` stands anywhere with an object for its value: vendors write null in every other chunk. */
function namesUsage(view: Buffer): boolean {
  for (let at = view.indexOf(USAGE); at !== -1; at = view.indexOf(USAGE, at)) {
    at += USAGE.length;
    while (view[at] === 0x3a || view[at] === 0x20) at += 1;
    if (view[at] === 0x7b) return true;
  }
  return false;
}

const chunksOf = (event: Uint8Array): (Json | undefined)[] => decodeSse()(event).map(({ data }) => parseJson(data));

function isUsageAlone(chunk: Json | undefined): boolean {
  if (!isObject(chunk)) return false;
  const { choices, usage } = chunk;
  return isObject(usage) && Array.isArray(choices) && choices.length === 0;
}

function textOf(chunk: Json | undefined): string {
  if (!isObject(chunk)) return '';
  const { choices } = chunk;
  const choice = Array.isArray(choices) ? choices[0] : undefined;
  if (!isObject(choice)) return '';
  const { delta, text } = choice;
  const { content } = isObject(delta) ? delta : { content: text };
  return typeof content === 'string' ? content : '';
}
