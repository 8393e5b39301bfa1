import { isObject, isTooDeep, type Json, parseJson } from '../lib/json.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import type { RecordField } from '../schema/field.ts';
import { type FormNode, parseForm, readForm } from './form.ts';
import { parseUrlEncoded } from './url-encoded.ts';

/** As Kong's `nginx_admin_client_max_body_size`. */
export const MOST_BYTES = 10 * 1024 * 1024;

/** What a client wrote in a body, before it is known which record it is meant to be. */
export interface Body {
  /** One top-level member as text, when it is text or a number. */
  text(name: string): string | undefined;
  /** All of it, for the record it is meant to be. */
  read(record: RecordField): Record<string, unknown>;
}

/** Takes JSON, url-encoded and multipart forms. Throws a RequestFailure with 400, 413 or 415. */
export async function readBody(request: Request): Promise<Body> {
  const type = mediaType(request);
  const bytes = await readBytes(request);
  if (type === 'application/json') return jsonBody(decodeText(bytes, 'Cannot parse JSON body'));
  if (type === 'application/x-www-form-urlencoded') return formBody(parseForm(urlEncodedPairs(bytes)));
  if (type === 'multipart/form-data') return formBody(parseForm(await multipartPairs(request, bytes)));
  if (type === '' && bytes.length === 0) return formBody(parseForm([]));
  throw new RequestFailure(415, 'Unsupported media type');
}

/** The `Content-Type` without its parameters, in lower case; empty when there is none. */
export function mediaType(request: Request): string {
  return (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** The whole body, at most `MOST_BYTES` of it. */
export async function readBytes(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = new RequestFailure(413, 'Payload too large');
  if (Number(request.headers.get('content-length') ?? 0) > MOST_BYTES) throw tooLarge;
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of request.body ?? []) {
      size += chunk.length;
      if (size > MOST_BYTES) throw tooLarge;
      chunks.push(chunk);
    }
  } catch (error) {
    throw error === tooLarge ? tooLarge : new RequestFailure(400, 'The request body ended early');
  }
  return new Uint8Array(Buffer.concat(chunks));
}

/** The bytes as UTF-8, or a 400 with `refusal`. */
export function decodeText(bytes: Uint8Array, refusal: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new RequestFailure(400, refusal);
  }
}

function jsonBody(text: string): Body {
  const value = parseJson(text);
  if (!isObject(value) || isTooDeep(value) || !isSound(value)) throw new RequestFailure(400, 'Cannot parse JSON body');
  return {
    text: name => {
      const member = Object.hasOwn(value, name) ? value[name] : undefined;
      return typeof member === 'string' || typeof member === 'number' ? String(member) : undefined;
    },
    read: () => value,
  };
}

/** JSON.parse takes what no database keeps as it is: halves of characters, and numbers beyond all. */
function isSound(value: Json): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, member]) => name.isWellFormed() && isSound(member));
}

function formBody(form: FormNode): Body {
  return {
    text: name => {
      const value = form.children.get(name)?.values[0];
      return value === true ? undefined : value;
    },
    read: record => readForm(form, record),
  };
}

function urlEncodedPairs(bytes: Uint8Array) {
  try {
    return parseUrlEncoded(decodeText(bytes, 'Cannot parse form body'));
  } catch (error) {
    throw error instanceof URIError || error instanceof RangeError ? new RequestFailure(400, 'Cannot parse form body') : error;
  }
}

/** A part that is a file counts as the text in it, as `curl -F cert=@cert.pem` means it. */
async function multipartPairs(request: Request, bytes: Uint8Array<ArrayBuffer>): Promise<[string, string][]> {
  const refusal = 'Cannot parse multipart body';
  // What is not UTF-8 would be read as something else.
  decodeText(bytes, refusal);
  const copy = new Response(bytes, { headers: { 'content-type': request.headers.get('content-type') ?? '' } });
  const form = await copy.formData().catch(() => null);
  // Bun takes lines that end without a carriage return for a form without parts.
  if (form === null || form.keys().next().done) throw new RequestFailure(400, refusal);
  return Promise.all([...form].map(async ([key, value]) => [key, typeof value === 'string' ? value : await value.text()]));
}
