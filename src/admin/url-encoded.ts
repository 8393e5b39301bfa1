import type { FormValue } from './form.ts';

const ESCAPES = /(?:%[0-9a-f]{2})+/gi;

/** The pairs of an url-encoded form, in their order. Throws a URIError for escapes that are not UTF-8; a `%` that is none stays. */
export function parseUrlEncoded(text: string): [key: string, value: FormValue][] {
  return text
    .split('&')
    .filter(part => part !== '')
    .map(part => {
      const equals = part.indexOf('=');
      return equals < 0 ? [decode(part), true] : [decode(part.slice(0, equals)), decode(part.slice(equals + 1))];
    });
}

const decode = (text: string) => text.replaceAll('+', ' ').replaceAll(ESCAPES, decodeURIComponent);
