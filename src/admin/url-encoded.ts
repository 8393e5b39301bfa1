import type { FormValue } from './form.ts';

/** Far more than any row has fields. */
const MOST_PAIRS = 100_000;
const ESCAPES = /(?:%[0-9a-f]{2})+/gi;

/**
 * The pairs of an url-encoded form, in their order. Throws a URIError for escapes that are not UTF-8, a RangeError for pairs
 * without end; a `%` that is no escape stays.
 */
export function parseUrlEncoded(text: string): [key: string, value: FormValue][] {
  const parts = text.split('&', MOST_PAIRS + 1);
  if (parts.length > MOST_PAIRS) throw new RangeError('too many pairs');
  return parts
    .filter(part => part !== '')
    .map(part => {
      const equals = part.indexOf('=');
      return equals < 0 ? [decode(part), true] : [decode(part.slice(0, equals)), decode(part.slice(equals + 1))];
    });
}

const decode = (text: string) => text.replaceAll('+', ' ').replaceAll(ESCAPES, decodeURIComponent);
