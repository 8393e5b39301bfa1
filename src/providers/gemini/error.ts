import { isObject, type Json } from '../../lib/json.ts';

/** Google's errors, in answers as in streams: https://cloud.google.com/apis/design/errors */
export function toGeminiError(error: Json): { message: string; code?: string } {
  const { message, status } = isObject(error) ? error : {};
  return {
    message: typeof message === 'string' ? message : '',
    ...(typeof status === 'string' && { code: status }),
  };
}
