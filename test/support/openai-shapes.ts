import { z } from 'zod';
import openai from '../fixtures/openai/schemas.json';

type Shape = keyof typeof openai.$defs;
export type Kind = 'chat' | 'completion' | 'embeddings';

const ANSWERS: Readonly<Record<Kind, Shape>> = {
  chat: 'CreateChatCompletionResponse',
  completion: 'CreateCompletionResponse',
  embeddings: 'CreateEmbeddingResponse',
};

const compiled = new Map<Shape, z.ZodType>();
function schemaOf(shape: Shape): z.ZodType {
  const known = compiled.get(shape);
  if (known !== undefined) return known;
  const schema = z.fromJSONSchema({ $ref: `#/$defs/${shape}`, $defs: openai.$defs } as Parameters<typeof z.fromJSONSchema>[0]);
  compiled.set(shape, schema);
  return schema;
}

/** What OpenAI's published schema finds wrong; empty when nothing. */
function problemsOf(shape: Shape, value: unknown): string[] {
  const { error } = schemaOf(shape).safeParse(value);
  return error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
}

const says = (fact: boolean, problem: string) => (fact ? [] : [problem]);
const parses = (text: string) => {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
};

interface Called {
  readonly id?: string;
  readonly type?: string;
  readonly index?: number;
  readonly function?: { readonly name?: string; readonly arguments?: string };
}
interface Chunk {
  readonly choices: readonly {
    readonly index: number;
    readonly delta?: { readonly role?: string; readonly tool_calls?: readonly Called[] };
    readonly message?: { readonly tool_calls?: readonly Called[] };
    readonly finish_reason: string | null;
  }[];
  readonly error?: unknown;
}

/** What is wrong with a whole answer. */
export function answerProblems(kind: Kind, answer: unknown): string[] {
  const problems = problemsOf(ANSWERS[kind], answer);
  if (problems.length > 0 || kind === 'embeddings') return problems;
  const calls = (answer as Chunk).choices.flatMap(({ message }) => message?.tool_calls ?? []);
  return calls.flatMap(({ id, function: called }) => [
    ...says(!!id && !!called?.name, 'a tool call without its id or name'),
    ...says(parses(called?.arguments ?? ''), 'arguments of a tool call that are no JSON object'),
  ]);
}

export const errorProblems = (body: unknown): string[] => problemsOf('ErrorResponse', body);

const eventsOf = (text: string) =>
  text
    .split('\n\n')
    .filter(event => event.startsWith('data: '))
    .map(event => event.slice('data: '.length));

/** The chunks of a stream's text, errors among them; throws where an event is none. */
export const chunksOf = (text: string): Chunk[] =>
  eventsOf(text)
    .filter(data => data !== '[DONE]')
    .map(data => JSON.parse(data));

/**
 * What is wrong with a stream: each chunk is as OpenAI publishes it, the role comes first and once for each choice, each tool call's
 * id and name once and before its arguments, one finish reason for each choice, the usage alone at the end, and `[DONE]` — or an
 * error for its end, and no `[DONE]`.
 */
export function streamProblems(kind: Kind, text: string): string[] {
  const data = eventsOf(text);
  const all = chunksOf(text);
  const chunks = all.filter(({ error }) => error === undefined);
  const errors = all.filter(({ error }) => error !== undefined);
  const shape = kind === 'chat' ? 'CreateChatCompletionStreamResponse' : null;
  const ending =
    errors.length === 0
      ? says(data.at(-1) === '[DONE]' && data.indexOf('[DONE]') === data.length - 1, 'it does not end with one [DONE]')
      : says(errors.length === 1 && all.at(-1) === errors[0] && !data.includes('[DONE]'), 'an error is not its end');
  return [
    ...ending,
    ...errors.flatMap(errorProblems),
    ...chunks.flatMap(chunk => (shape === null ? textChunkProblems(chunk) : problemsOf(shape, chunk))),
    ...says(
      chunks.slice(0, -1).every(({ choices }) => choices.length > 0),
      'a chunk without choices before the last',
    ),
    ...choicesOf(chunks).flatMap(choice => choiceProblems(choice, kind, errors.length > 0)),
  ];
}

/** OpenAI publishes one schema for answers and chunks of completions: before the last chunk the finish reason is null. */
function textChunkProblems(chunk: Chunk): string[] {
  const choices = chunk.choices.map(choice => ({ ...choice, finish_reason: choice.finish_reason ?? 'stop' }));
  const { usage, ...rest } = chunk as Chunk & { usage?: unknown };
  return problemsOf('CreateCompletionResponse', { ...rest, ...(usage !== null && usage !== undefined && { usage }), choices });
}

function choicesOf(chunks: readonly Chunk[]) {
  const choices = chunks.flatMap(chunk => chunk.choices);
  return [...new Set(choices.map(({ index }) => index))].map(index => choices.filter(choice => choice.index === index));
}

function choiceProblems(steps: Chunk['choices'], kind: Kind, failed: boolean): string[] {
  const roles = steps.map(({ delta }) => delta?.role);
  const finishes = steps.filter(({ finish_reason }) => finish_reason !== null);
  const calls = steps.flatMap(({ delta }) => delta?.tool_calls ?? []);
  const byIndex = [...new Set(calls.map(({ index }) => index))].map(index => calls.filter(call => call.index === index));
  return [
    ...says(kind !== 'chat' || roles[0] === 'assistant', 'a choice does not begin with its role'),
    ...says(
      roles.slice(1).every(role => role === undefined),
      'a role that comes again',
    ),
    ...says(finishes.length === 1 || (failed && finishes.length === 0), `${finishes.length} finish reasons of a choice`),
    ...byIndex.flatMap(([first, ...rest]) => [
      ...says(first?.type === 'function' && !!first.id && !!first.function?.name, 'a tool call does not begin with its id and name'),
      ...says(
        rest.every(({ id, type, function: called }) => id === undefined && type === undefined && called?.name === undefined),
        'a tool call whose id or name comes again',
      ),
      ...says(
        failed || parses([first, ...rest].map(call => call?.function?.arguments ?? '').join('')),
        'arguments that are no JSON object',
      ),
    ]),
  ];
}
