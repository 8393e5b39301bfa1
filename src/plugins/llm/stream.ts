import type { AnswerFacts, Format } from '../../formats/format.ts';
import { errorType } from '../../formats/openai-error.ts';
import { isObject, type Json, type JsonObject, parseJson } from '../../lib/json.ts';
import type { Translation, Unchanged } from '../../providers/provider.ts';
import type { Stage } from '../../stream/pump.ts';
import { decodeSse, encodeSse } from '../../stream/sse.ts';
import { splitEvents, wholeEvents } from '../../stream/whole-events.ts';
import { hear, type Observation, observe } from './observation.ts';

/** What both the chat's and the completions' events have. */
export interface AnyEvent {
  readonly model?: string;
  readonly index?: number;
  readonly delta?: { readonly content?: string; readonly reasoning_content?: string; readonly tool_calls?: readonly object[] };
  readonly text?: string;
  readonly finish_reason?: string;
  readonly service_tier?: string;
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
  payloads = false,
): Stage {
  const { decode, translate } = operation.stream();
  const out = format.stream(facts);
  const encodeError = () => out.event({ error: BROKEN_OFF } as Event);
  /** Choices that began and did not end yet. */
  const unfinished = new Set<number>();
  let state: 'open' | 'finished' | 'failed' = 'open';

  return {
    keepAlive: STILL_THERE,
    chunk(bytes) {
      let text = '';
      for (const frame of decode(bytes)) {
        for (const event of translate(frame)) {
          if (state === 'failed') continue;
          watch(event);
          text += out.event(event);
          if (event.error !== undefined) state = 'failed';
          else if (event.finish_reason !== undefined) finish(event.index ?? 0);
          else if (event.delta !== undefined || event.text !== undefined) unfinished.add(event.index ?? 0);
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

  function finish(choice: number) {
    unfinished.delete(choice);
    state = unfinished.size === 0 ? 'finished' : 'open';
  }

  function watch({ model, delta, text, usage, service_tier }: AnyEvent) {
    observation.firstTokenAt ??= performance.now();
    observation.model = model ?? observation.model;
    observation.usage = usage ?? observation.usage;
    observation.serviceTier = service_tier ?? observation.serviceTier;
    const content = delta?.content ?? text ?? '';
    observation.answered ||= delta !== undefined || content !== '';
    if (payloads) observation.payload += content;
    observation.said.add(content);
    if (delta?.reasoning_content !== undefined) observation.said.add(delta.reasoning_content);
    if (delta?.tool_calls !== undefined) observation.said.add(JSON.stringify(delta.tool_calls));
  }
}

/** Whether, and how closely, a stream in the client's own dialect is looked at. */
export interface Watching {
  /** The usage was asked for here and not by the client, who must not see it. */
  readonly hideUsage: boolean;
  readonly payloads: boolean;
  /** The tokens are estimated when the vendor does not tell them. */
  readonly estimated: boolean;
  /** The transport cannot tell the end of the stream from a reset. */
  readonly unframed: boolean;
}

const DONE = '[DONE]';
/** A choice has ended: where none has, null stands there. */
const FINISHED = '"finish_reason":"';
const USAGE = '"usage"';
/** So much of a stream is kept to estimate its tokens by, until the vendor tells them. */
const MOST_KEPT = 64 * 1024;

/** A stream in the client's own dialect: its bytes pass, but for a usage chunk that only the gateway asked for. */
export function watchedStream({ hideUsage, payloads, estimated, unframed }: Watching, observation: Observation): Stage {
  const events = wholeEvents();
  // Copied: a chunk that is kept keeps more memory than its bytes.
  const kept = new Bun.ArrayBufferSink();
  kept.start({ asUint8Array: true });
  let keptBytes = 0;
  let allBytes = 0;
  let done = false;

  return {
    keepAlive: STILL_THERE,
    chunk: bytes => look(events.take(bytes)),
    end() {
      const rest = look(events.rest());
      if (done || !unframed) return rest;
      return Buffer.concat([rest, Buffer.from(brokenOff())]);
    },
    done() {
      observation.endedAt = performance.now();
      if (estimated && observation.usage === null && !payloads) hearKept();
    },
  };

  function look(bytes: Uint8Array): Uint8Array {
    if (bytes.length === 0) return bytes;
    if (estimated) keep(bytes);
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (observation.model === null || payloads || view.includes(FINISHED)) readAll(view);
    done ||= view.includes(DONE);
    return namesUsage(view) ? takeUsage(view) : bytes;
  }

  function keep(bytes: Uint8Array) {
    allBytes += bytes.length;
    if (keptBytes >= MOST_KEPT) return;
    keptBytes += bytes.length;
    kept.write(bytes);
  }

  function hearKept() {
    const { said } = observation;
    for (const chunk of chunksOf(kept.end() as Uint8Array)) hear(observation, chunk);
    if (keptBytes > 0) said.length = Math.ceil((said.length * allBytes) / keptBytes);
  }

  /** The model that answers is named by every chunk: the first will do. */
  function readAll(view: Buffer) {
    for (const chunk of chunksOf(view)) {
      observation.firstTokenAt ??= performance.now();
      observe(observation, chunk);
      if (payloads) observation.payload += hear(observation, chunk);
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
  const withRole = roleOnce();
  let state: 'open' | 'done' | 'failed' = 'open';

  return {
    keepAlive: STILL_THERE,
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
    const content = hear(observation, amended);
    if (payloads) observation.payload += content;
    return hideUsage && isUsageAlone(amended) ? '' : encodeSse(JSON.stringify(withRole(amended)));
  }
}

/** Each choice says its role first and once; some vendors say it with every delta, or never. */
function roleOnce(): (chunk: JsonObject) => JsonObject {
  const begun = new Set<Json | undefined>();
  return chunk => {
    const { choices } = chunk;
    if (!Array.isArray(choices)) return chunk;
    return { ...chunk, choices: choices.map(choice => (isObject(choice) ? spoken(choice) : choice)) };
  };

  function spoken(choice: JsonObject): JsonObject {
    const { index, delta } = choice;
    if (!isObject(delta)) return choice;
    const { role = 'assistant', ...rest } = delta;
    if (begun.has(index)) return 'role' in delta ? { ...choice, delta: rest } : choice;
    begun.add(index);
    return { ...choice, delta: { role, ...rest } };
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
