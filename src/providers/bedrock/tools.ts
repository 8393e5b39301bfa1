import type { ChatRequest } from '../../chat/chat.ts';
import type { JsonObject } from '../../lib/json.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import { toStrictSchema } from '../anthropic-messages/schema.ts';
import { choiceOf, functionsOf } from '../unsupported.ts';
import { cachePoint } from './content.ts';
import { answersBySchema, isNova } from './models.ts';
import { toNovaSchema } from './nova-schema.ts';

/**
 * The tool that models are made to call with their answer, where they know no other way to answer in JSON: its input is the text
 * of the answer.
 */
export const ANSWER_TOOL = 'sluice_json_answer';

const ANY_INPUT: JsonObject = { type: 'object', properties: {} };

export interface ToolConfig {
  readonly tools: JsonObject[];
  readonly toolChoice?: JsonObject;
}

/** `answer`: the schema of the tool to answer with. Undefined: no tool may be called. */
export function toToolConfig(request: ChatRequest, answer: JsonObject | undefined): ToolConfig | undefined {
  const choice = choiceOf(request.tool_choice, 'bedrock');
  const tools = choice === 'none' ? [] : toTools(request);
  if (answer !== undefined) return withAnswerTool(tools, isNova(request.model ?? '') ? toNovaSchema(answer) : answer);
  if (tools.length === 0) return undefined;
  if (choice === 'auto') return { tools };
  return { tools, toolChoice: choice === 'required' ? { any: {} } : { tool: { name: nameOf(choice) } } };
}

/** Whether the answer has to call a tool. */
export const isForced = (config: ToolConfig | undefined): boolean => config?.toolChoice !== undefined;

function toTools({ tools, model = '' }: ChatRequest): JsonObject[] {
  const native = answersBySchema(model);
  return functionsOf(tools, 'bedrock').flatMap(({ name, description, parameters, strict }, index) => {
    const schema = { ...ANY_INPUT, ...parameters };
    // The others are told the schema all the same.
    const isStrict = strict === true && native;
    const json = isStrict ? toStrictSchema(schema) : isNova(model) ? toNovaSchema(schema) : schema;
    const toolSpec = { name, ...(description && { description }), inputSchema: { json }, ...(isStrict && { strict: true }) };
    return [{ toolSpec }, ...cachePoint(tools?.[index] ?? {})];
  });
}

function nameOf(choice: ReturnType<typeof choiceOf>): string {
  if (typeof choice === 'object') return choice.name;
  throw new RequestFailure(400, `bedrock does not support the 'tool_choice' '${choice}'`);
}

function withAnswerTool(tools: JsonObject[], schema: JsonObject): ToolConfig {
  const toolSpec = { name: ANSWER_TOOL, description: 'Gives the answer to the user.', inputSchema: { json: schema } };
  const alone = tools.length === 0;
  return { tools: [...tools, { toolSpec }], toolChoice: alone ? { tool: { name: ANSWER_TOOL } } : { any: {} } };
}
