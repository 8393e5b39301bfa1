import type { Message, Part } from '../../chat/chat.ts';
import { isObject, type JsonObject } from '../../lib/json.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import { readDataUri } from '../data-uri.ts';
import { unsupportedPart } from '../unsupported.ts';

/** One of the blocks that a turn is made of: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html */
export type Block = JsonObject;

/** Names that documents of one request have: no two may have the same. */
export type DocumentNames = Set<string>;

/** A message's content as blocks. Bedrock refuses text of blanks, which says nothing. */
export function toBlocks(content: Message['content'], names: DocumentNames): Block[] {
  if (typeof content === 'string') return textBlocks(content);
  return (content ?? []).flatMap(part => [...toPartBlocks(part, names), ...cachePoint(part)]);
}

export const textBlocks = (text: string): Block[] => (text.trim() === '' ? [] : [{ text }]);

/** Anthropic's mark of what to keep is a block of its own here: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html */
export function cachePoint(marked: object): Block[] {
  const { cache_control: mark } = marked as { cache_control?: unknown };
  if (!isObject(mark)) return [];
  const { ttl } = mark;
  return [{ cachePoint: { type: 'default', ...(typeof ttl === 'string' && { ttl }) } }];
}

/** A part that OpenAI lacks: its other clients send videos as they send images. */
type VideoPart = { type: 'video_url'; video_url: { url: string } };

function toPartBlocks(part: Part | VideoPart, names: DocumentNames): Block[] {
  switch (part.type) {
    case 'text':
      return textBlocks(part.text);
    case 'refusal':
      return textBlocks(part.refusal);
    case 'image_url':
      return [toMedia('image', part.image_url.url)];
    case 'video_url':
      return [toMedia('video', part.video_url.url)];
    case 'input_audio':
      return [{ audio: { format: formatOf('audio', part.input_audio.format), source: { bytes: part.input_audio.data } } }];
    case 'file':
      return [toFile(part.file, names)];
    default:
      throw unsupportedPart('bedrock', part);
  }
}

/** The formats that Bedrock names, by the endings and media types of files. */
const FORMATS = {
  image: { png: 'png', jpg: 'jpeg', jpeg: 'jpeg', gif: 'gif', webp: 'webp' },
  video: {
    mp4: 'mp4',
    mov: 'mov',
    quicktime: 'mov',
    mkv: 'mkv',
    'x-matroska': 'mkv',
    webm: 'webm',
    flv: 'flv',
    'x-flv': 'flv',
    mpeg: 'mpeg',
    mpg: 'mpg',
    wmv: 'wmv',
    'x-ms-wmv': 'wmv',
    '3gp': 'three_gp',
    '3gpp': 'three_gp',
  },
  audio: {
    wav: 'wav',
    'x-wav': 'wav',
    mp3: 'mp3',
    mpeg: 'mp3',
    aac: 'aac',
    flac: 'flac',
    m4a: 'm4a',
    ogg: 'ogg',
    opus: 'opus',
    webm: 'webm',
    pcm: 'pcm',
    pcm16: 'pcm',
  },
  document: {
    pdf: 'pdf',
    csv: 'csv',
    doc: 'doc',
    msword: 'doc',
    docx: 'docx',
    'vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
    xls: 'xls',
    'vnd.ms-excel': 'xls',
    xlsx: 'xlsx',
    'vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
    html: 'html',
    txt: 'txt',
    plain: 'txt',
    md: 'md',
    markdown: 'md',
  },
} satisfies Record<string, Readonly<Record<string, string>>>;
type Kind = keyof typeof FORMATS;

function formatOf(kind: Kind, name: string): string {
  const formats: Readonly<Record<string, string>> = FORMATS[kind];
  const format = Object.hasOwn(formats, name) ? formats[name] : undefined;
  if (format === undefined) throw new RequestFailure(400, `bedrock does not support ${kind} of type '${name}'`);
  return format;
}

const endingOf = (name: string) => name.slice(name.lastIndexOf('.') + 1).toLowerCase();
const isStored = (url: string) => url.startsWith('s3://');

function toMedia(kind: Exclude<Kind, 'document'>, url: string): Block {
  if (isStored(url)) return { [kind]: { format: formatOf(kind, endingOf(url)), source: { s3Location: { uri: url } } } };
  const data = readDataUri(url);
  // The model cannot fetch it, and what the gateway fetches for clients would be theirs to choose.
  if (data === undefined) throw new RequestFailure(400, `bedrock takes '${kind}_url' as data: or s3:// URIs, not as web addresses`);
  return { [kind]: { format: formatOf(kind, subtypeOf(data.type)), source: { bytes: data.base64 } } };
}

const subtypeOf = (type: string) => type.slice(type.indexOf('/') + 1);

type File = Extract<Part, { type: 'file' }>['file'];

function toFile({ file_id: id, file_data: given, filename = '' }: File, names: DocumentNames): Block {
  if (id && isStored(id))
    return toDocument(endingOf(id), filename || id.slice(id.lastIndexOf('/') + 1), { s3Location: { uri: id } }, names);
  if (id) throw new RequestFailure(400, "bedrock takes a 'file_id' only as an s3:// URI: it keeps no uploaded files");
  if (!given) throw new RequestFailure(400, "a 'file' needs 'file_data'");

  // OpenAI takes the base64 alone as well.
  const { type, base64 } = readDataUri(given) ?? { type: '', base64: given };
  const [kind] = type.split('/');
  if (kind === 'image' || kind === 'video' || kind === 'audio') {
    return { [kind]: { format: formatOf(kind, subtypeOf(type)), source: { bytes: base64 } } };
  }
  return toDocument(documentType(type, filename), filename, { bytes: base64 }, names);
}

function documentType(type: string, filename: string): string {
  const ending = endingOf(filename);
  if (filename.includes('.') && Object.hasOwn(FORMATS.document, ending)) return ending;
  return type === '' ? 'pdf' : subtypeOf(type);
}

function toDocument(type: string, filename: string, source: JsonObject, names: DocumentNames): Block {
  return { document: { format: formatOf('document', type), name: documentName(filename, names), source } };
}

const LONGEST_NAME = 200;

/** Letters, digits, single blanks, hyphens and brackets: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html */
function documentName(filename: string, names: DocumentNames): string {
  const plain = filename
    .replace(/\.[^.]*$/, '')
    .replace(/[^a-zA-Z0-9\s\-()[\]]/g, '-')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, LONGEST_NAME - 10);
  const name = plain || 'document';
  let unique = name;
  for (let count = 2; names.has(unique); count += 1) unique = `${name} (${count})`;
  names.add(unique);
  return unique;
}
