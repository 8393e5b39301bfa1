import type { ChatEvent, Delta, ToolCallDelta } from '../../chat/chat.ts';
import type { Json } from '../../lib/json.ts';
import type { Frame } from '../../stream/frame.ts';
import { decodeSse } from '../../stream/sse.ts';
import type { StreamTranslation } from '../provider.ts';
import {
  type Answer,
  type Candidate,
  failureOf,
  madeId,
  type Part,
  refusalOf,
  signed,
  signsText,
  textOf,
  thoughtOf,
  toFinishReason,
  toLogprobs,
  toUsage,
} from './answer.ts';
import { toGeminiError } from './error.ts';
import { type Grounding, toAnnotations } from './grounding.ts';
import { type FunctionCall, toToolCall } from './tool-call-id.ts';

/** What must be known of a candidate's chunks so far. */
interface Seen {
  calls: number;
  /** Sources are told by their place in the whole text. */
  text: string;
  grounding: Grounding | undefined;
  finished: boolean;
}

/**
 * A stream of answers, each the next piece of one answer, the usage in each being that of all so far.
 * https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
 */
export function geminiStream(): StreamTranslation<ChatEvent> {
  const seenOf = new Map<number, Seen>();
  let responseId = '';
  let model: string | undefined;

  return { decode: decodeSse(), translate };

  function translate({ data }: Frame): ChatEvent[] {
    const chunk = JSON.parse(data) as Answer & { error?: Json };
    if (chunk.error !== undefined) {
      const error = toGeminiError(chunk.error);
      return [{ error: { ...error, message: error.message || 'gemini gave up' } }];
    }
    const about = aboutOf(chunk);
    const events = eventsOf(chunk);
    const [first, ...rest] = events.length > 0 || Object.keys(about).length === 0 ? events : [{}];
    return first ? [{ ...about, ...first }, ...rest] : [];
  }

  function aboutOf({ responseId: id, modelVersion, usageMetadata }: Answer): ChatEvent {
    const about: ChatEvent = {
      ...(id !== undefined && id !== responseId && { id }),
      ...(modelVersion !== undefined && modelVersion !== model && { model: modelVersion }),
      ...toUsage(usageMetadata),
    };
    responseId = id ?? responseId;
    model = modelVersion ?? model;
    return about;
  }

  function eventsOf({ candidates = [], promptFeedback }: Answer): ChatEvent[] {
    const blocked = promptFeedback?.blockReason;
    if (blocked === undefined || candidates.length > 0) return candidates.flatMap(candidateEvents);
    return [{ delta: { refusal: refusalOf(blocked) } }, { finish_reason: 'content_filter' }];
  }

  function candidateEvents(candidate: Candidate): ChatEvent[] {
    const { index = 0, content, finishReason, groundingMetadata, logprobsResult } = candidate;
    const seen = seenOf.get(index) ?? { calls: 0, text: '', grounding: undefined, finished: false };
    seenOf.set(index, seen);
    seen.grounding = groundingMetadata ?? seen.grounding;

    const failure = failureOf(candidate);
    const events: ChatEvent[] = (content?.parts ?? []).flatMap(part => {
      const delta = deltaOf(part, index, seen);
      return delta === null ? [] : [{ delta }];
    });
    if (logprobsResult) events.push({ delta: {}, logprobs: toLogprobs(logprobsResult) });
    if (failure !== undefined) events.push({ error: { message: failure, type: 'api_error' } });
    else if (finishReason !== undefined && !seen.finished) events.push(...lastEvents(finishReason, seen));
    seen.finished ||= finishReason !== undefined;
    return index === 0 ? events : events.map(event => ({ ...event, index }));
  }

  function deltaOf(part: Part, candidate: number, seen: Seen): Delta | null {
    const [text, thought] = [textOf(part), thoughtOf(part)];
    seen.text += text;
    const delta = {
      ...(text && { content: text }),
      ...(thought && { reasoning_content: thought }),
      ...(part.functionCall && { tool_calls: [toDelta(part.functionCall, part.thoughtSignature, candidate, seen)] }),
      ...(signsText(part) && signed(part.thoughtSignature ?? '')),
    };
    return Object.keys(delta).length > 0 ? delta : null;
  }

  /** Gemini says a call whole. */
  function toDelta(call: FunctionCall, signature: string | undefined, candidate: number, seen: Seen): ToolCallDelta {
    const index = seen.calls++;
    return { index, ...toToolCall(call, signature, madeId(responseId, candidate, index)) };
  }
}

function lastEvents(reason: string, { calls, text, grounding }: Seen): ChatEvent[] {
  const annotations = toAnnotations(grounding, text);
  return [...(annotations.length > 0 ? [{ delta: { annotations } }] : []), { finish_reason: toFinishReason(reason, calls > 0) }];
}
