import type { Usage } from '../../chat/chat.ts';
import { isObject, type Json } from '../../lib/json.ts';
import { Excerpt } from './estimate.ts';

/** What an answer showed of itself on its way through. */
export interface Observation {
  /** The vendor's, of its answer. */
  id: string | null;
  model: string | null;
  usage: Usage | null;
  /** What the vendor says it served the request with. */
  serviceTier: string | null;
  /** Why each choice ended, in OpenAI's words, by its number. */
  readonly finishReasons: Map<number, string>;
  /** By the clock of `performance.now()`; null when nothing came. */
  firstTokenAt: number | null;
  endedAt: number | null;
  /** What the model said, as far as its tokens may have to be estimated by it. */
  readonly said: Excerpt;
  /** Something came that a vendor counts. */
  answered: boolean;
  /** A whole body as it was sent to the client; of a stream, its text alone. Filled when payloads are logged. */
  payload: string;
}

export const newObservation = (): Observation => ({
  id: null,
  model: null,
  usage: null,
  serviceTier: null,
  finishReasons: new Map(),
  firstTokenAt: null,
  endedAt: null,
  said: new Excerpt(),
  answered: false,
  payload: '',
});

/** Takes in what an answer or a chunk in OpenAI's dialect says of itself. */
export function observe(observation: Observation, body: Json | undefined) {
  if (!isObject(body)) return;
  const { id, model, usage, service_tier, choices } = body;
  if (typeof id === 'string') observation.id = id;
  if (typeof model === 'string' && model !== '') observation.model = model;
  if (typeof service_tier === 'string') observation.serviceTier = service_tier;
  if (isUsage(usage)) observation.usage = usage;
  if (!Array.isArray(choices)) return;
  for (const choice of choices) {
    const { finish_reason, index = 0 } = isObject(choice) ? choice : {};
    if (typeof finish_reason === 'string' && typeof index === 'number') observation.finishReasons.set(index, finish_reason);
  }
}

function isUsage(usage: Json | undefined): usage is Json & Usage {
  if (!isObject(usage)) return false;
  const { prompt_tokens, completion_tokens = 0 } = usage;
  return typeof prompt_tokens === 'number' && typeof completion_tokens === 'number';
}

/** Takes in what the model says in an answer or a chunk in OpenAI's dialect. Answers the text of the first choice. */
export function hear(observation: Observation, body: Json | undefined): string {
  const { content, all } = saidIn(body);
  if (all !== '' || (isObject(body) && 'data' in body)) observation.answered = true;
  observation.said.add(all);
  return content;
}

function saidIn(body: Json | undefined): { content: string; all: string } {
  const { choices } = isObject(body) ? body : {};
  const texts = (Array.isArray(choices) ? choices : []).map(saidInChoice);
  return { content: texts[0]?.content ?? '', all: texts.map(({ all }) => all).join('') };
}

function saidInChoice(choice: Json): { content: string; all: string } {
  if (!isObject(choice)) return { content: '', all: '' };
  const { delta, message, text } = choice;
  const said = isObject(delta) ? delta : message;
  const { content = '', reasoning_content = '', tool_calls } = isObject(said) ? said : { content: text };
  const spoken = typeof content === 'string' ? content : '';
  const thought = typeof reasoning_content === 'string' ? reasoning_content : '';
  return { content: spoken, all: thought + spoken + (Array.isArray(tool_calls) ? JSON.stringify(tool_calls) : '') };
}
