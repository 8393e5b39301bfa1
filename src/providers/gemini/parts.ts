import type { Part } from '../../chat/chat.ts';
import type { JsonObject } from '../../lib/json.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import { readDataUri } from '../data-uri.ts';
import { refuseUnless, unsupportedPart } from '../unsupported.ts';

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
      throw unsupportedPart('gemini', part);
  }
}

/** By URL the media are Google's to fetch: `https:`, `gs:`, or what its Files API answered. */
function toMedia(url: string, field: string): JsonObject {
  const inline = readDataUri(url);
  if (inline !== undefined) return { inlineData: { mimeType: nameOf(inline.type), data: inline.base64 } };
  refuseUnless(/^(https?|gs):\/\//i.test(url.slice(0, 8)), 'gemini', `anything but an URL in '${field}'`);
  const mimeType = typeOf(url.replace(/[?#].*$/, ''));
  return { fileData: { ...(mimeType && { mimeType }), fileUri: url } };
}

function toFile({ file_data: data, file_id: id, filename = '' }: { file_data?: string; file_id?: string; filename?: string }): JsonObject {
  if (data === undefined) return toMedia(id ?? '', 'file.file_id');
  const inline = readDataUri(data);
  const mimeType = inline?.type ?? typeOf(filename);
  if (mimeType === undefined)
    throw new RequestFailure(400, "gemini needs a data URI in 'file.file_data', or a known ending of 'file.filename'");
  return { inlineData: { mimeType: nameOf(mimeType), data: inline?.base64 ?? data } };
}

/** `image/jpg`, which is no media type, is what many call `image/jpeg`. */
const nameOf = (type: string) => (type === 'image/jpg' ? 'image/jpeg' : type);

function typeOf(path: string): string | undefined {
  const ending = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  return Object.hasOwn(TYPES, ending) ? TYPES[ending] : undefined;
}
