import { isEncoded } from '../../lib/encoding.ts';
import { isObject } from '../../lib/json.ts';
import { setMembers } from '../../lib/json-members.ts';
import { boundaryOf, multipartFields, withoutField } from '../../lib/multipart.ts';
import { changeParameters, parseArguments } from '../../lib/query.ts';
import type { Context } from '../context.ts';

/** The fields of a client's body, be it JSON or a form. */
export interface BodyFields {
  get(name: string): unknown;
  /** Nobody after this finds the field. */
  remove(name: string): void;
}

/** A larger body is not searched, and goes on as it is. */
const MOST_BYTES = 1024 * 1024;

const NO_FIELDS: BodyFields = { get: () => undefined, remove: () => undefined };

interface Received {
  readonly request: Pick<Context['request'], 'headers'>;
  readonly body: Context['body'];
}

/** Throws a RequestFailure with status 413 for a body that does not say how long it is, and is too long. */
export async function readBodyFields({ request: { headers }, body }: Received): Promise<BodyFields> {
  const type = headers.get('content-type')?.toLowerCase() ?? '';
  if (Number(headers.get('content-length') ?? 0) > MOST_BYTES) return NO_FIELDS;

  if (type.startsWith('application/json')) {
    const members = await body.json(MOST_BYTES);
    if (!isObject(members)) return NO_FIELDS;
    const text = await body.text(MOST_BYTES);
    return {
      get: name => (Object.hasOwn(members, name) ? members[name] : undefined),
      remove: name => body.replace(setMembers(text, { [name]: undefined })),
    };
  }

  if (type.startsWith('application/x-www-form-urlencoded')) {
    const text = await body.text(MOST_BYTES);
    const fields = parseArguments(text);
    return {
      get: name => fields[name],
      remove: name => body.replace(changeParameters(`?${text}`, (field, pair) => (field === name ? null : pair)).slice(1)),
    };
  }

  const boundary = boundaryOf(headers.get('content-type') ?? '');
  if (boundary === null || isEncoded(headers.get('content-encoding'))) return NO_FIELDS;
  const bytes = await body.bytes(MOST_BYTES);
  const fields = multipartFields(bytes, boundary);
  return { get: name => fields.get(name), remove: name => body.replace(withoutField(bytes, boundary, name)) };
}
