import type { Message, Part } from '../../chat/chat.ts';
import type { Json, JsonObject } from '../../lib/json.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import { type DataUri, readDataUri } from '../data-uri.ts';
import { refuseUnless, unsupportedPart } from '../unsupported.ts';

/** What says how long Anthropic keeps the prompt up to here: https://platform.claude.com/docs/en/build-with-claude/prompt-caching */
export interface Cached {
  cache_control?: Json;
}

export const cacheMark = ({ cache_control }: Cached): JsonObject => (cache_control == null ? {} : { cache_control });

/** One of the blocks that a turn is made of. */
export type Block = JsonObject & { type: string; text?: string };

/** A message's content as blocks. Anthropic refuses blocks of blanks; they say nothing. */
export function toBlocks(content: Message['content']): Block[] {
  const parts: readonly Part[] = typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? []);
  return parts.map(part => ({ ...toBlock(part), ...cacheMark(part as Cached) })).filter(block => !isBlank(block));
}

const isBlank = ({ type, text }: Block) => type === 'text' && text?.trim() === '';

/** The content of a system message, which is text. */
export function toTexts(content: Message['content']): Block[] {
  const blocks = toBlocks(content);
  refuseUnless(
    blocks.every(({ type }) => type === 'text'),
    'anthropic',
    'content other than text in system messages',
  );
  return blocks;
}

function toBlock(part: Part): Block {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'refusal':
      return { type: 'text', text: part.refusal };
    case 'image_url':
      return { type: 'image', source: toImageSource(part.image_url.url) };
    case 'file':
      return toDocument(part.file);
    default:
      throw unsupportedPart('anthropic', part);
  }
}

function toImageSource(url: string): JsonObject {
  const data = readDataUri(url);
  if (data !== undefined) return toData(data);
  if (isWebUrl(url)) return { type: 'url', url };
  throw new RequestFailure(400, "'image_url' must be a data URI or an http or https URL");
}

/** `image/jpg`, which is no media type, is what many call `image/jpeg`. */
const toData = ({ type, base64 }: DataUri): JsonObject => ({
  type: 'base64',
  media_type: type === 'image/jpg' ? 'image/jpeg' : type,
  data: base64,
});

const isWebUrl = (url: string) => /^https?:\/\//i.test(url.slice(0, 8));

type File = Extract<Part, { type: 'file' }>['file'];

/** https://platform.claude.com/docs/en/build-with-claude/pdf-support; an uploaded one: https://platform.claude.com/docs/en/build-with-claude/files */
function toDocument({ file_id, file_data, filename }: File): Block {
  const document = (source: JsonObject) => ({ type: 'document', source, ...(filename && { title: filename }) });
  if (file_id) return document({ type: 'file', file_id });
  if (!file_data) throw new RequestFailure(400, "a 'file' needs 'file_data' or 'file_id'");
  if (isWebUrl(file_data)) return document({ type: 'url', url: file_data });

  // Without a data URI around it, OpenAI takes the base64 of a PDF.
  const data = readDataUri(file_data) ?? { type: 'application/pdf', base64: file_data };
  const { type, base64 } = data;
  if (type === 'application/pdf') return document(toData(data));
  if (type.startsWith('image/')) return { type: 'image', source: toData(data) };
  if (type.startsWith('text/') || type === 'application/json') {
    return document({ type: 'text', media_type: 'text/plain', data: Buffer.from(base64, 'base64').toString() });
  }
  throw new RequestFailure(400, `anthropic does not support files of type '${type}'`);
}
