import { parseJson } from '../lib/json.ts';
import { invalidOffset } from './violations.ts';

/** The mark of the page after the row with this id: opaque to clients, made as Kong makes it. */
export const encodeOffset = (id: string): string => Buffer.from(JSON.stringify([id])).toString('base64url');

export function decodeOffset(offset: string): string {
  const text = Buffer.from(offset, 'base64url').toString();
  if (Buffer.from(text).toString('base64url') !== offset) throw invalidOffset(offset, 'bad base64 encoding');
  const mark = parseJson(text);
  const id = Array.isArray(mark) && mark.length === 1 ? mark[0] : undefined;
  if (typeof id !== 'string') throw invalidOffset(offset, 'bad json encoding');
  return id;
}
