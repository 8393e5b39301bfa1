import { isObject, type Json, type JsonObject } from '../../lib/json.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import { integer, string } from '../../schema/field.ts';
import { type Context, noteKey } from '../context.ts';
import { refusal } from './failure.ts';

// What the plugins that look at prompts share.

/** Bytes; 0: no limit. */
export const maxRequestBodySize = integer({ default: 1024 * 1024, gt: -1 });
/** What clients speak. */
export const llmFormat = string({ default: 'openai', one_of: ['openai'] });

/** A request's body: any JSON until its members are checked. */
export type Prompt = JsonObject & { messages?: Json; prompt?: Json; suffix?: Json; input?: Json; properties?: Json };

/** How many messages at the end of a chat are the operator's. */
export const appendedKey = noteKey<number>('messages appended to the prompt');

/** Throws a RequestFailure for a body that is no JSON, or larger than `limit`. */
export async function readPrompt({ request, body }: Context, limit: number | null): Promise<Prompt> {
  const type = request.headers.get('content-type');
  const parsed = type === null || type.toLowerCase().includes('application/json') ? await body.json(limit ?? 0) : undefined;
  if (typeof parsed !== 'object' || parsed === null) {
    throw new RequestFailure(400, 'this LLM route only supports application/json requests');
  }
  // An array is JSON too; it has none of the members that are asked for.
  return isObject(parsed) ? parsed : {};
}

/** An access phase that answers the client with the RequestFailure it throws. */
export const refusing =
  (access: (context: Context) => Promise<void>) =>
  async (context: Context): Promise<Response | undefined> => {
    try {
      await access(context);
      return undefined;
    } catch (error) {
      if (error instanceof RequestFailure) return refusal(error);
      throw error;
    }
  };
