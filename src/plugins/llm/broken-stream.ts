import { isObject, parseJson } from '../../lib/json.ts';
import { decodeSse } from '../../stream/sse.ts';

/** A stream that began well can say only at its end that it failed. */
export function isBrokenStream({ headers }: Response, text: string): boolean {
  if (!headers.get('content-type')?.includes('text/event-stream')) return false;
  const last = decodeSse()(Buffer.from(text)).at(-1);
  const said = parseJson(last?.data ?? '');
  const { error } = isObject(said) ? said : {};
  return isObject(error);
}
