import { hasStructuredOutputs } from '../anthropic-messages/models.ts';

// Models by their ids, `eu.anthropic.claude-sonnet-4-5-20250929-v1:0`, or ARNs, which tell less:
// https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html

export const isClaude = (model: string): boolean => /\bclaude-/.test(model);
export const isNova = (model: string): boolean => /\bamazon\.nova-/.test(model);
export const isCohere = (model: string): boolean => /\bcohere\./.test(model);
export const isTitan = (model: string): boolean => /\bamazon\.titan-/.test(model);

/** https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html */
export function answersBySchema(model: string): boolean {
  return isClaude(model) ? hasStructuredOutputs(model) : !/\b(amazon|meta|cohere|ai21|writer)\./.test(model);
}
