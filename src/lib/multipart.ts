import { fromHeader, toHeader } from './header-syntax.ts';

/** One part of a multipart form, each byte a character. */
export interface Part {
  /** Null: it is no field. */
  readonly name: string | null;
  /** With its line ends, without the empty line. */
  readonly head: string;
  readonly body: string;
}

/** What separates the parts of such a body; null when the content type is another, or says none. */
export function boundaryOf(contentType: string): string | null {
  const found = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType);
  return found?.[1] ?? found?.[2] ?? null;
}

/** Null for bytes that are no such form. */
export function parseMultipart(bytes: Uint8Array, boundary: string): Part[] | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const [preamble, ...sections] = `\r\n${text}`.split(`\r\n--${boundary}`);
  const end = sections.findIndex(section => section.startsWith('--'));
  if (preamble === undefined || end === -1) return null;
  const parts = sections.slice(0, end).map(partIn);
  return parts.every(part => part !== null) ? parts : null;
}

function partIn(section: string): Part | null {
  const [, head, body] = /^[ \t]*\r\n((?:[^\r\n]+\r\n)*)\r\n([\s\S]*)$/.exec(section) ?? [];
  if (head === undefined || body === undefined) return null;
  const name = DISPOSITION_NAME.exec(head)?.[2];
  return { name: name?.replaceAll(/\\(["\\])/g, '$1') ?? null, head, body };
}

const DISPOSITION_NAME = /^(content-disposition:[^\r\n]*?;\s*name=")((?:[^"\\\r\n]|\\.)*)(?=")/im;

/** Of bytes, as headers of parts spell it. */
const quoted = (name: string) => name.replaceAll(/["\\]/g, '\\$&').replaceAll(/[\r\n]/g, encodeURIComponent);

export const field = (name: string, body: string): Part => ({
  name,
  head: `Content-Disposition: form-data; name="${quoted(name)}"\r\n`,
  body,
});

/** With all else that the part says of itself, such as the name of a file. */
export const renamed = (part: Part, name: string): Part => ({
  ...part,
  name,
  head: part.head.replace(DISPOSITION_NAME, (_, before: string) => before + quoted(name)),
});

export function encodeMultipart(parts: readonly Part[], boundary: string): Uint8Array<ArrayBuffer> {
  const text = parts.map(({ head, body }) => `--${boundary}\r\n${head}\r\n${body}\r\n`).join('');
  return new Uint8Array(Buffer.from(`${text}--${boundary}--\r\n`, 'latin1'));
}

/** The values of a form's fields by their names, the last where one comes twice. */
export function multipartFields(bytes: Uint8Array, boundary: string): ReadonlyMap<string, string> {
  const fields = (parseMultipart(bytes, boundary) ?? []).filter(({ name }) => name !== null);
  return new Map(fields.map(({ name, body }) => [fromHeader(name ?? ''), fromHeader(body)]));
}

/** The form without the fields of one name; all else that is in it stays. */
export function withoutField(bytes: Uint8Array, boundary: string, name: string): Uint8Array<ArrayBuffer> {
  const parts = parseMultipart(bytes, boundary);
  if (parts === null) return new Uint8Array(bytes);
  return encodeMultipart(
    parts.filter(part => part.name !== toHeader(name)),
    boundary,
  );
}
