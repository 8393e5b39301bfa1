import { errorType, type OpenaiError, openaiError } from '../../formats/openai-error.ts';
import { isObject, type Json, type JsonObject, parseJson } from '../../lib/json.ts';
import { withoutSecrets } from '../../lib/redact.ts';
import type { RequestFailure } from '../../lib/request-failure.ts';
import type { Operation } from '../../providers/provider.ts';
import { plainText, withJson } from './body.ts';

const BAD_GATEWAY = 502;

/** An error page may be long; a message of use is not. */
const LONGEST_MESSAGE = 1000;

/** The gateway's own refusal of a request. */
export const refusal = ({ status, message }: RequestFailure): Response =>
  Response.json(openaiError({ message, type: errorType(status) }), { status });

/** In place of an answer that says nothing of use. */
export function badAnswer(response: Response, message: string): Response {
  if (!response.bodyUsed) void response.body?.cancel();
  return withJson(response, JSON.stringify(openaiError({ message, type: errorType(BAD_GATEWAY) })), BAD_GATEWAY);
}

/**
 * What the gateway says when it could not reach the vendor: its own words also where OpenAI's clients look for them.
 * A client that asked for another media type than JSON is none of those.
 */
export async function gatewayFailure(response: Response): Promise<Response | undefined> {
  if (!response.headers.get('content-type')?.includes('json')) return undefined;
  const body = (await response.json()) as JsonObject;
  const { message } = body;
  const error = openaiError({ message: String(message), type: errorType(response.status) });
  return withJson(response, JSON.stringify({ ...body, ...error }));
}

/** The vendor's error with its status, in OpenAI's shape: as it came where it has that already. */
export async function vendorFailure(
  response: Response,
  { dialect, error }: Pick<Operation<never, unknown, unknown>, 'dialect' | 'error'>,
  secrets: readonly string[],
): Promise<Response> {
  // An error whose text cannot be read is an error all the same.
  const said = await plainText(response).catch(() => '');
  const text = withoutSecrets(said, secrets);
  const body = parseJson(text);
  // Redirects are not followed with credentials, and the client could not follow them either.
  const status = response.status < 400 ? BAD_GATEWAY : response.status;
  if (response.status < 400) response.headers.delete('location');
  if (dialect === 'openai' && isOpenaiError(body)) return withJson(response, text, status);

  const own = error && isObject(body) ? error(status, body) : undefined;
  // What stands in front of a vendor speaks otherwise than the vendor.
  const words = own?.message ? own : { ...own, ...saidIn(body, text, response.headers.get('content-type')) };
  const message = words.message || `the model provider answered with status ${response.status}`;
  return withJson(response, JSON.stringify(openaiError({ type: errorType(status), ...words, message })), status);
}

function isOpenaiError(body: Json | undefined): boolean {
  if (!isObject(body)) return false;
  const { error } = body;
  const { message } = isObject(error) ? error : {};
  return typeof message === 'string';
}

function saidIn(body: Json | undefined, text: string, type: string | null): OpenaiError | undefined {
  if (isObject(body)) return saidByObject(body);
  if (typeof body === 'string') return { message: body };
  const isPlain = body === undefined && !type?.includes('html') && !text.trimStart().startsWith('<');
  return isPlain ? { message: text.trim().slice(0, LONGEST_MESSAGE) } : undefined;
}

function saidByObject({ error, message, detail }: { [name: string]: Json }): OpenaiError | undefined {
  if (isObject(error)) {
    const { message: inner, type, code } = error;
    if (typeof inner !== 'string') return undefined;
    return { message: inner, ...(typeof type === 'string' && { type }), ...(typeof code === 'string' && { code }) };
  }
  const said = [error, message, detail].find(word => typeof word === 'string');
  return typeof said === 'string' ? { message: said } : undefined;
}
