import type { Part } from '../chat/chat.ts';
import type { JsonObject } from '../lib/json.ts';
import { RequestFailure } from '../lib/request-failure.ts';

// Media that Gemini reads, and how it calls them: https://ai.google.dev/gemini-api/docs/file-input-methods
const TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  heic: 'image/heic',
  heif: 'image/heif',
  gif: 'image/gif',
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  html: 'text/html',
  csv: 'text/csv',
  json: 'application/json',
  mp3: 'audio/mp3',
  wav: 'audio/wav',
  mp4: 'video/mp4',
  webm: 'video/webm',
  mov: 'video/quicktime',
};

/** One part of a user's message. Throws a RequestFailure (400) for what Gemini does not read. */
export function toPart(part: Part): JsonObject {
  switch (part.type) {
    case 'text':
      return { text: part.text };
    case 'refusal':
      return { text: part.refusal };
    case 'image_url':
      return toMedia(part.image_url.url, 'image_url.url');
    case 'input_audio':
      return { inlineData: { mimeType: `audio/${part.input_audio.format}`, data: part.input_audio.data } };
    case 'file':
      return toFile(part.file);
    default:
      throw new RequestFailure(400, `gemini does not support content of type '${(part as { type?: unknown }).type}'`);
  }
}

/** By URL the media are Google's to fetch: `https:`, `gs:`, or what its Files API answered. */
function toMedia(url: string, field: string): JsonObject {
  if (url.startsWith('data:')) return toInlineData(url, field);
  if (!/^(https?|gs):\/\//.test(url)) throw new RequestFailure(400, `gemini needs an URL in '${field}'`);
  const mimeType = typeOf(url.replace(/[?#].*$/, ''));
  return { fileData: { ...(mimeType && { mimeType }), fileUri: url } };
}

/** The data may be megabytes: nothing here looks at them but to cut them off. */
function toInlineData(url: string, field: string): JsonObject {
  const comma = url.indexOf(',');
  const [mimeType = '', ...parameters] = url.slice('data:'.length, comma).split(';');
  if (comma === -1 || mimeType === '') throw new RequestFailure(400, `'${field}' is not a data URI with a media type`);
  if (!parameters.includes('base64')) throw new RequestFailure(400, `gemini needs base64 in the data URI of '${field}'`);
  return { inlineData: { mimeType, data: url.slice(comma + 1) } };
}

function toFile({ file_data: data, file_id: id, filename = '' }: { file_data?: string; file_id?: string; filename?: string }): JsonObject {
  if (data === undefined) return toMedia(id ?? '', 'file.file_id');
  if (data.startsWith('data:')) return toInlineData(data, 'file.file_data');
  const mimeType = typeOf(filename);
  if (mimeType === undefined)
    throw new RequestFailure(400, "gemini needs a data URI in 'file.file_data', or a known ending of 'file.filename'");
  return { inlineData: { mimeType, data } };
}

function typeOf(path: string): string | undefined {
  const ending = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  return Object.hasOwn(TYPES, ending) ? TYPES[ending] : undefined;
}
