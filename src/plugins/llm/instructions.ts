import { isObject, type Json, parseJson } from '../../lib/json.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import { isBodyless, withBody } from '../response-body.ts';

/** They say how a body is sent, and the gateway decides that. */
const FRAMING: ReadonlySet<string> = new Set(['content-length', 'content-encoding', 'transfer-encoding', 'connection', 'keep-alive']);

/**
 * The response that a model describes as JSON: `{ "status": 209, "headers": { … }, "body": "…" }`. What it leaves out is as in
 * Kong 3.9: status 200, the headers of `response`, and for a body the JSON itself. Throws a RequestFailure (500) for what
 * describes no response.
 */
export function instructedResponse(response: Response, text: string): Response {
  const instructions = parseJson(text);
  if (instructions === undefined) throw misleading('it is not JSON');
  if (instructions === null || typeof instructions !== 'object') throw misleading('input not table or string');

  const { headers = null, body = null, status: instructed = null } = isObject(instructions) ? instructions : {};
  const status = statusOf(instructed);
  const said = body ?? instructions;
  if (typeof said !== 'string') response.headers.set('content-type', 'application/json; charset=utf-8');
  setHeaders(response.headers, headers);
  return withBody(response, isBodyless(status) ? null : typeof said === 'string' ? said : JSON.stringify(said), status);
}

function statusOf(status: Json): number {
  if (status === null) return 200;
  if (Number.isInteger(status) && Number(status) >= 200 && Number(status) <= 599) return Number(status);
  throw misleading('status must be a number between 200 and 599');
}

function setHeaders(headers: Headers, instructed: Json): void {
  if (instructed === null) return;
  if (!isObject(instructed)) throw misleading('headers must be an object');
  for (const [name, value] of Object.entries(instructed)) {
    if (FRAMING.has(name.toLowerCase())) continue;
    const values = Array.isArray(value) ? value : [value];
    if (values.some(one => one === null || typeof one === 'object')) throw misleading(`header ${name} must be text`);
    try {
      headers.delete(name);
      for (const one of values) headers.append(name, String(one));
    } catch {
      throw misleading(`no HTTP header can have this name and value: ${name}`);
    }
  }
}

const misleading = (reason: string) => new RequestFailure(500, `failed to parse JSON response instructions from AI backend: ${reason}`);
