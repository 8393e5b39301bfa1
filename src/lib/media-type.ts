/** A type of content, or a range of them, in lower case. Its parameters as one text, so that they can be compared. */
export interface MediaType {
  readonly type: string;
  readonly subtype: string;
  readonly parameters: string;
}

/** Null for what is none. */
export function parseMediaType(text: string): MediaType | null {
  const [essence = '', ...parameters] = text.toLowerCase().split(';');
  const [, type, subtype] = /^\s*([^\s/]+)\/([^\s/]+)\s*$/.exec(essence) ?? [];
  if (type === undefined || subtype === undefined) return null;
  const named = parameters.map(parameter => parameter.trim().replaceAll('"', '')).filter(parameter => parameter !== '');
  return { type, subtype, parameters: named.sort().join(';') };
}

/** Whether a range, such as `text/*`, has a type in it. Parameters must be the same. */
export const includes = (range: MediaType, { type, subtype, parameters }: MediaType): boolean =>
  (range.type === '*' || range.type === type) && (range.subtype === '*' || range.subtype === subtype) && range.parameters === parameters;
