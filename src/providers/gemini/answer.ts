import type { ChatResponse, FinishReason, Usage } from '../../chat/chat.ts';
import type { Json } from '../../lib/json.ts';
import { type Grounding, toAnnotations } from './grounding.ts';
import { type FunctionCall, toToolCall } from './tool-call-id.ts';

/** What Gemini answers, whole or as one chunk of a stream: https://ai.google.dev/api/generate-content#generatecontentresponse */
export interface Answer {
  readonly candidates?: readonly Candidate[];
  readonly promptFeedback?: { readonly blockReason?: string };
  readonly usageMetadata?: UsageMetadata;
  readonly modelVersion?: string;
  readonly responseId?: string;
}
export interface Candidate {
  readonly index?: number;
  readonly content?: { readonly parts?: readonly Part[] };
  readonly finishReason?: string;
  readonly finishMessage?: string;
  readonly groundingMetadata?: Grounding;
  readonly logprobsResult?: LogprobsResult;
}
export interface Part {
  readonly text?: string;
  /** The text is what the model thought, in short. */
  readonly thought?: boolean;
  readonly thoughtSignature?: string;
  readonly functionCall?: FunctionCall;
  readonly inlineData?: { readonly mimeType: string; readonly data: string };
  readonly executableCode?: { readonly language: string; readonly code: string };
  readonly codeExecutionResult?: { readonly output?: string };
}
interface UsageMetadata {
  readonly promptTokenCount?: number;
  readonly toolUsePromptTokenCount?: number;
  readonly cachedContentTokenCount?: number;
  readonly candidatesTokenCount?: number;
  readonly thoughtsTokenCount?: number;
  readonly totalTokenCount?: number;
  readonly promptTokensDetails?: readonly ModalityCount[];
  readonly candidatesTokensDetails?: readonly ModalityCount[];
}
interface ModalityCount {
  readonly modality: string;
  readonly tokenCount?: number;
}
interface LogprobsResult {
  readonly chosenCandidates?: readonly ScoredToken[];
  readonly topCandidates?: readonly { readonly candidates?: readonly ScoredToken[] }[];
}
interface ScoredToken {
  readonly token?: string;
  readonly logProbability?: number;
}

/** Throws for a body that is no answer, and for an answer that the model could not finish. */
export function fromAnswer(body: Json): ChatResponse {
  const answer = body as unknown as Answer;
  const { candidates = [], promptFeedback, modelVersion, responseId = '' } = answer;
  const blocked = promptFeedback?.blockReason;
  if (candidates.length === 0 && blocked === undefined) throw new Error("'candidates' missing from gemini's answer");
  return {
    ...(responseId && { id: responseId }),
    ...(modelVersion !== undefined && { model: modelVersion }),
    choices: candidates.length === 0 ? [refusedChoice(blocked ?? '')] : candidates.map(candidate => toChoice(candidate, responseId)),
    ...toUsage(answer.usageMetadata),
  };
}

/** A prompt that Gemini does not answer has no candidates: the model refused, as OpenAI says it. */
const refusedChoice = (reason: string): ChatResponse['choices'][number] => ({
  index: 0,
  message: { role: 'assistant', content: null, refusal: refusalOf(reason) },
  finish_reason: 'content_filter',
});

export const refusalOf = (blockReason: string) => `gemini blocked the prompt: ${blockReason}`;

function toChoice(candidate: Candidate, responseId: string): ChatResponse['choices'][number] {
  const { index = 0, content, finishReason, groundingMetadata, logprobsResult } = candidate;
  const failure = failureOf(candidate);
  if (failure !== undefined) throw new Error(failure);

  const parts = content?.parts ?? [];
  const text = parts.map(textOf).join('');
  const thoughts = parts.map(thoughtOf).join('');
  const calls = parts.flatMap(({ functionCall, thoughtSignature }) => (functionCall ? [{ functionCall, thoughtSignature }] : []));
  const signature = parts.findLast(signsText)?.thoughtSignature;
  const annotations = toAnnotations(groundingMetadata, text);
  const message: ChatResponse['choices'][number]['message'] = {
    role: 'assistant',
    content: text || null,
    ...(thoughts && { reasoning_content: thoughts }),
    ...(calls.length > 0 && {
      tool_calls: calls.map((call, at) => toToolCall(call.functionCall, call.thoughtSignature, madeId(responseId, index, at))),
    }),
    ...(annotations.length > 0 && { annotations }),
    ...(signature !== undefined && signed(signature)),
  };
  return {
    index,
    message,
    finish_reason: toFinishReason(finishReason, calls.length > 0),
    ...(logprobsResult && { logprobs: toLogprobs(logprobsResult) }),
  };
}

/** What people read of a part; pictures and executed code as Markdown. */
export function textOf({ text, thought, inlineData, executableCode, codeExecutionResult }: Part): string {
  if (inlineData) return `![image](data:${inlineData.mimeType};base64,${inlineData.data})`;
  if (executableCode) return `\n\`\`\`${executableCode.language.toLowerCase()}\n${executableCode.code}\n\`\`\`\n`;
  if (codeExecutionResult) return `\n\`\`\`\n${codeExecutionResult.output ?? ''}\n\`\`\`\n`;
  return thought ? '' : (text ?? '');
}

export const thoughtOf = ({ text, thought }: Part): string => (thought ? (text ?? '') : '');

/** A signature that no tool call carries. It is where Google's own endpoint for OpenAI's clients puts it. */
export const signsText = ({ thoughtSignature, functionCall }: Part): boolean =>
  thoughtSignature !== undefined && functionCall === undefined;
export const signed = (signature: string): object => ({ extra_content: { google: { thought_signature: signature } } });

/** Unlike those of the answers before it in a chat, and the same whenever this answer is read. */
export const madeId = (responseId: string, candidate: number, call: number): string => `${responseId || 'answer'}_${candidate}_${call}`;

const FILTERED = [
  ...['SAFETY', 'RECITATION', 'LANGUAGE', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'MODEL_ARMOR'],
  ...['IMAGE_SAFETY', 'IMAGE_PROHIBITED_CONTENT', 'IMAGE_RECITATION'],
];

/** The model did not do what was asked: nothing that a client could take for an answer. */
const FAILED = [
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
  'MISSING_THOUGHT_SIGNATURE',
  'MALFORMED_RESPONSE',
];

export function failureOf({ finishReason, finishMessage }: Candidate): string | undefined {
  if (finishReason === undefined || !FAILED.includes(finishReason)) return undefined;
  return ['gemini gave up', finishReason, finishMessage].filter(Boolean).join(': ');
}

/** https://ai.google.dev/api/generate-content#FinishReason. `called`: the answer calls tools. */
export function toFinishReason(reason: string | undefined, called: boolean): FinishReason {
  if (reason === 'MAX_TOKENS') return 'length';
  if (reason !== undefined && FILTERED.includes(reason)) return 'content_filter';
  return called ? 'tool_calls' : 'stop';
}

/** Gemini counts thoughts and what its own tools read apart from the rest; OpenAI counts them in. */
export function toUsage(usage: UsageMetadata | undefined): { usage?: Usage } {
  if (usage?.promptTokenCount === undefined) return {};
  const { promptTokenCount, toolUsePromptTokenCount = 0, candidatesTokenCount = 0, thoughtsTokenCount, cachedContentTokenCount } = usage;
  const prompt_tokens = promptTokenCount + toolUsePromptTokenCount;
  const completion_tokens = candidatesTokenCount + (thoughtsTokenCount ?? 0);
  const promptDetails = withoutAbsent({ cached_tokens: cachedContentTokenCount, audio_tokens: audioOf(usage.promptTokensDetails) });
  const completionDetails = withoutAbsent({ reasoning_tokens: thoughtsTokenCount, audio_tokens: audioOf(usage.candidatesTokensDetails) });
  return {
    usage: {
      prompt_tokens,
      completion_tokens,
      total_tokens: prompt_tokens + completion_tokens,
      ...(promptDetails && { prompt_tokens_details: promptDetails }),
      ...(completionDetails && { completion_tokens_details: completionDetails }),
    },
  };
}

const audioOf = (counts: readonly ModalityCount[] | undefined) => counts?.find(({ modality }) => modality === 'AUDIO')?.tokenCount;

function withoutAbsent(counts: Readonly<Record<string, number | undefined>>): Record<string, number> | undefined {
  const known = Object.entries(counts).filter((entry): entry is [string, number] => entry[1] !== undefined);
  return known.length > 0 ? Object.fromEntries(known) : undefined;
}

/** https://ai.google.dev/api/generate-content#LogprobsResult */
export function toLogprobs({ chosenCandidates = [], topCandidates = [] }: LogprobsResult): Json {
  return {
    content: chosenCandidates.map((chosen, step) => ({
      ...toLogprob(chosen),
      top_logprobs: (topCandidates[step]?.candidates ?? []).map(toLogprob),
    })),
    refusal: null,
  };
}

const toLogprob = ({ token = '', logProbability = 0 }: ScoredToken) => ({ token, logprob: logProbability, bytes: [...Buffer.from(token)] });
