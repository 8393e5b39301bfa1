import { isEncoded } from '../../lib/encoding.ts';
import { isObject, parseJson } from '../../lib/json.ts';
import { setMembers } from '../../lib/json-members.ts';
import type { Lookup } from '../../lib/lua-template.ts';
import { boundaryOf, encodeMultipart, parseMultipart } from '../../lib/multipart.ts';
import { encodeArguments, parseArguments } from '../../lib/query.ts';
import type { Context } from '../context.ts';
import { ArgumentMembers, JsonMembers, PartMembers } from './members.ts';
import { type Operations, transform } from './operations.ts';

/** Of a body that is to be changed, in bytes, as it came and decoded. */
export const LARGEST_BODY = 16 * 1024 * 1024;

export const isForm = (type: string | undefined) => mediaOf(type) === 'form';

function mediaOf(type: string | undefined): 'json' | 'multipart' | 'form' | null {
  const lower = type?.toLowerCase() ?? '';
  if (lower.includes('application/json')) return 'json';
  if (lower.includes('multipart/form-data')) return 'multipart';
  return lower.includes('application/x-www-form-urlencoded') ? 'form' : null;
}

/** What is no JSON object and no form passes as it is, and so does a body that nothing changes. */
export async function transformBody(context: Context, operations: Operations, lookup: Lookup): Promise<void> {
  const { method, headers } = context.upstream;
  // Bun sends none with these.
  if (method === 'GET' || method === 'HEAD') return;
  const type = headers['content-type'];
  switch (mediaOf(type)) {
    case 'json':
      return transformJson(context, operations, lookup);
    case 'form':
      return transformForm(context, operations, lookup);
    case 'multipart':
      return transformMultipart(context, boundaryOf(type ?? ''), operations, lookup);
    default:
      return undefined;
  }
}

/** Other bytes of the object stay: numbers are spelt as they were. */
async function transformJson({ body }: Context, operations: Operations, lookup: Lookup): Promise<void> {
  const text = (await body.text(LARGEST_BODY)) || '{}';
  const object = parseJson(text);
  if (!isObject(object)) return;
  const members = new JsonMembers(object);
  transform(members, operations, lookup);
  if (Object.keys(members.changes).length > 0) body.replace(setMembers(text, members.changes));
}

async function transformForm({ body }: Context, operations: Operations, lookup: Lookup): Promise<void> {
  const before = await body.text(LARGEST_BODY);
  const members = new ArgumentMembers(parseArguments(before));
  transform(members, operations, lookup);
  if (members.isChanged) body.replace(encodeArguments(members.members));
}

async function transformMultipart(context: Context, boundary: string | null, operations: Operations, lookup: Lookup): Promise<void> {
  const { body, upstream } = context;
  if (boundary === null || isEncoded(upstream.headers['content-encoding'])) return;
  const before = parseMultipart(await body.bytes(LARGEST_BODY), boundary);
  if (before === null) return;
  const members = new PartMembers(before);
  transform(members, operations, lookup);
  if (members.parts !== before) body.replace(encodeMultipart(members.parts, boundary));
}
